//! A socket that never blocks, as HTTP/2's connection wants it.
//!
//! Its readiness is what epoll said last, so no runtime is needed, and no system call is
//! made that would only say "not yet".

use std::{
    cell::{Cell, RefCell},
    io::{self, IoSlice, Read, Write},
    net::{SocketAddr, TcpStream},
    os::fd::{AsFd, BorrowedFd},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use crate::server::Tls;

/// Bytes read at once.
const INPUT: usize = 64 * 1024;

/// Begins to connect a socket.
pub(crate) fn begin(address: SocketAddr) -> io::Result<TcpStream> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(family, SocketType::STREAM, flags, None)?;
    // A request is one small write; waiting to fill a segment would time the kernel.
    sockopt::set_tcp_nodelay(&socket, true)?;
    match connect(&socket, &address) {
        Ok(()) | Err(rustix::io::Errno::INPROGRESS) => Ok(socket.into()),
        Err(error) => Err(error.into()),
    }
}

/// Whether the connection that was begun is there now.
pub(crate) fn begun(stream: &TcpStream) -> io::Result<()> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    stream.peer_addr().map(drop)
}

/// Bytes that went over a load's sockets.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) written: Cell<u64>,
    pub(crate) read: Cell<u64>,
}

/// What is known of a socket.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: TcpStream,
    /// There may be something to read.
    pub(crate) readable: Cell<bool>,
    /// It took no more; the kernel will say when it does.
    pub(crate) blocked: Cell<bool>,
    input: RefCell<Vec<u8>>,
    traffic: Rc<Traffic>,
}

impl Socket {
    pub(crate) fn new(stream: TcpStream, traffic: Rc<Traffic>) -> Self {
        Self {
            stream,
            readable: Cell::new(false),
            blocked: Cell::new(false),
            input: RefCell::new(vec![0; INPUT]),
            traffic,
        }
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    fn read(&self, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut input = self.input.borrow_mut();
        let room = buffer.remaining().min(input.len());
        while self.readable.get() {
            match (&self.stream).read(&mut input[..room]) {
                Ok(read) => {
                    // Less than there is room for: that was all. The end is told again.
                    self.readable.set(read == room || read == 0);
                    self.traffic.read.update(|sum| sum + read as u64);
                    buffer.put_slice(&input[..read]);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.readable.set(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Pending
    }

    fn write(&self, write: impl Fn(&TcpStream) -> io::Result<usize>) -> Poll<io::Result<usize>> {
        while !self.blocked.get() {
            match write(&self.stream) {
                Ok(written) => {
                    self.traffic.written.update(|sum| sum + written as u64);
                    return Poll::Ready(Ok(written));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.blocked.set(true),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Pending
    }
}

/// The side of a socket that HTTP/2's connection holds. It wakes nobody: whoever waits
/// for epoll's events polls the connection.
#[derive(Debug)]
pub(crate) struct Side {
    pub(crate) socket: Rc<Socket>,
    /// Whether bodies are too long to be copied beside their heads.
    pub(crate) vectored: bool,
}

impl AsyncRead for Side {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.socket.read(buffer)
    }
}

impl AsyncWrite for Side {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.socket.write(|mut stream| stream.write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.socket.write(|mut stream| stream.write_vectored(parts))
    }

    fn is_write_vectored(&self) -> bool {
        self.vectored
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.socket.stream.shutdown(std::net::Shutdown::Write))
    }
}

/// What HTTP/2's connection goes over: the socket, or TLS over it.
pub(crate) type Way = Either<Side, Box<TlsStream<Side>>>;

/// The way over a socket, when hands were shaken where that is wanted.
pub(crate) async fn way(side: Side, tls: Option<Tls>) -> io::Result<Way> {
    Ok(match tls {
        None => Either::Left(side),
        Some(tls) => Either::Right(Box::new(tls.shake(side).await?)),
    })
}
