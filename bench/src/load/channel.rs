//! One connection of HTTP/2 that many streams share, driven by epoll's events.

use std::{
    io,
    net::TcpStream,
    os::fd::AsFd,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use bytes::Bytes;
use h2::client::{Builder, Connection, SendRequest};

use super::{
    poller::{EventFlags, Poller},
    socket::{Side, Socket, Traffic, Way, begin, begun, way},
};
use crate::server::{Peer, Tls};

/// Bytes that may come on one stream before any are taken: the most that gRPC's
/// implementations take by default.
const STREAM_WINDOW: u32 = 4 << 20;
/// The same of a whole connection: answers come as fast as they are made.
const CONNECTION_WINDOW: u32 = 64 << 20;
/// Streams that were given up and are remembered, so that a late answer to one is
/// passed over and does not end the connection of the others.
const REMEMBERED: usize = 4096;
/// A frame may follow its head by copy up to this length: `h2` copies no more.
const COPIED: usize = 1024;

/// That of TLS, where it is spoken, and of HTTP/2.
type Handshake = dyn Future<Output = io::Result<(SendRequest<Bytes>, Connection<Way, Bytes>)>>;

/// Set when there is something to write or to take note of.
#[derive(Debug, Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

enum Link {
    None,
    Connecting(TcpStream),
    Shaking(Pin<Box<Handshake>>),
    Open(SendRequest<Bytes>, Box<Connection<Way, Bytes>>),
}

/// What driving a channel has come to.
pub(crate) enum Went {
    /// Nothing new.
    On,
    /// Streams may be opened from now on.
    Opened,
    /// It could not be made, and is closed.
    Unopened(io::Error),
    /// It was open, and is closed: what waited for it was so because the server was
    /// leaving it.
    Ended,
}

/// A connection, or the place for one.
pub(crate) struct Channel {
    number: usize,
    link: Link,
    socket: Option<Rc<Socket>>,
    traffic: Rc<Traffic>,
    tls: Option<Tls>,
    /// Longest body that is sent, bytes.
    longest: usize,
    flag: Arc<Flag>,
    waker: Waker,
    /// The kernel is to tell when it takes more.
    wants_out: bool,
    /// The server takes no new streams on it.
    leaving: bool,
}

impl Channel {
    /// `longest`: the longest body that is sent, bytes.
    pub(crate) fn new(number: usize, peer: &Peer, longest: usize, traffic: Rc<Traffic>) -> Self {
        let flag = Arc::new(Flag::default());
        Self {
            number,
            link: Link::None,
            socket: None,
            traffic,
            tls: peer.tls.clone(),
            longest,
            waker: Waker::from(Arc::clone(&flag)),
            flag,
            wants_out: false,
            leaving: false,
        }
    }

    pub(crate) const fn is_closed(&self) -> bool {
        matches!(self.link, Link::None)
    }

    /// Whether something waits to be written or taken note of.
    pub(crate) fn is_awake(&self) -> bool {
        self.flag.0.load(Ordering::Relaxed)
    }

    /// What opens streams, where that is possible.
    pub(crate) fn sender(&self) -> Option<&SendRequest<Bytes>> {
        match &self.link {
            Link::Open(sender, _) if !self.leaving => Some(sender),
            _ => None,
        }
    }

    /// The server has said that it takes no new streams: none is tried until the channel
    /// has ended and is opened again.
    pub(crate) const fn leave(&mut self) {
        self.leaving = true;
    }

    /// Begins to connect.
    pub(crate) fn open(&mut self, peer: &Peer, poller: &Poller) -> io::Result<()> {
        let stream = begin(peer.address)?;
        poller.add(stream.as_fd(), self.number, EventFlags::OUT)?;
        self.link = Link::Connecting(stream);
        Ok(())
    }

    fn close(&mut self) {
        self.link = Link::None;
        self.socket = None;
        self.wants_out = false;
        self.leaving = false;
        self.flag.0.store(false, Ordering::Relaxed);
    }

    /// The kernel has an event for its socket.
    pub(crate) fn ready(&mut self, flags: EventFlags, poller: &Poller) -> Went {
        if let Link::Connecting(stream) = &self.link {
            let begun = begun(stream)
                .and_then(|()| poller.change(stream.as_fd(), self.number, EventFlags::IN));
            if let Err(error) = begun {
                self.close();
                return Went::Unopened(error);
            }
            self.shake();
        } else if let Some(socket) = &self.socket {
            if flags.contains(EventFlags::OUT) {
                socket.blocked.set(false);
            }
            if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
                socket.readable.set(true);
            }
        }
        self.advance(poller)
    }

    /// The socket is connected: TLS may begin, or HTTP/2.
    fn shake(&mut self) {
        let Link::Connecting(stream) = std::mem::replace(&mut self.link, Link::None) else {
            return;
        };
        let socket = Rc::new(Socket::new(stream, Rc::clone(&self.traffic)));
        let side = Side {
            socket: Rc::clone(&socket),
            vectored: self.longest > COPIED,
        };
        self.socket = Some(socket);
        self.link = Link::Shaking(Box::pin(shake(side, self.tls.clone())));
    }

    /// Reads, writes and takes note of what there is.
    pub(crate) fn advance(&mut self, poller: &Poller) -> Went {
        let mut went = Went::On;
        self.flag.0.store(false, Ordering::Relaxed);
        let mut cx = Context::from_waker(&self.waker);
        if let Link::Shaking(handshake) = &mut self.link {
            match handshake.as_mut().poll(&mut cx) {
                Poll::Ready(Ok((sender, connection))) => {
                    self.link = Link::Open(sender, Box::new(connection));
                    went = Went::Opened;
                }
                Poll::Ready(Err(error)) => {
                    self.close();
                    return Went::Unopened(error);
                }
                Poll::Pending => {}
            }
        }
        if let Link::Open(_, connection) = &mut self.link
            && let Poll::Ready(ended) = Pin::new(connection).poll(&mut cx)
        {
            self.close();
            return match (went, ended) {
                (Went::Opened, Ok(())) => Went::Unopened(io::ErrorKind::ConnectionReset.into()),
                (Went::Opened, Err(error)) => Went::Unopened(io::Error::other(error)),
                // Why is told by each of its streams.
                _ => Went::Ended,
            };
        }
        if let Err(error) = self.watch(poller) {
            self.close();
            return Went::Unopened(error);
        }
        went
    }

    /// Has the kernel tell when a socket that took no more does again.
    fn watch(&mut self, poller: &Poller) -> io::Result<()> {
        let Some(socket) = &self.socket else {
            return Ok(());
        };
        let wants_out = socket.blocked.get();
        if wants_out != self.wants_out {
            self.wants_out = wants_out;
            let mut flags = EventFlags::IN;
            flags.set(EventFlags::OUT, wants_out);
            poller.change(socket.descriptor(), self.number, flags)?;
        }
        Ok(())
    }
}

async fn shake(
    side: Side,
    tls: Option<Tls>,
) -> io::Result<(SendRequest<Bytes>, Connection<Way, Bytes>)> {
    let way = way(side, tls).await?;
    let shaken = Builder::new()
        .enable_push(false)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_reset_streams(REMEMBERED)
        .handshake(way)
        .await;
    shaken.map_err(io::Error::other)
}
