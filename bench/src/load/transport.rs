//! What a connection of HTTP/1.1 goes over: a socket that never blocks, plain or with TLS.
//!
//! An `enum`, so that what a plain socket costs is one branch. Over TLS the same holds as
//! below it: everything is taken until the kernel has no more, as it tells changes only;
//! what TLS has taken from the socket and holds back is not told again.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    os::fd::{AsFd, BorrowedFd},
};

use rustls::ClientConnection;

use super::socket::{begin, begun};
use crate::server::{Peer, unshaken};

#[derive(Debug)]
pub(crate) enum Transport {
    Plain(TcpStream),
    Tls(Box<Secured>),
}

/// A socket, and the TLS that is spoken over it.
#[derive(Debug)]
pub(crate) struct Secured {
    socket: TcpStream,
    tls: ClientConnection,
}

impl Transport {
    /// Begins to connect.
    pub(crate) fn begin(peer: &Peer) -> io::Result<Self> {
        let socket = begin(peer.address)?;
        Ok(match &peer.tls {
            None => Self::Plain(socket),
            Some(tls) => Self::Tls(Box::new(Secured {
                socket,
                tls: tls.connection()?,
            })),
        })
    }

    /// Goes on with connecting. Whether a request may be sent now.
    pub(crate) fn begun(&mut self) -> io::Result<bool> {
        match self {
            Self::Plain(socket) => begun(socket).map(|()| true),
            Self::Tls(secured) => secured.shake(),
        }
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        match self {
            Self::Plain(socket) => socket.as_fd(),
            Self::Tls(secured) => secured.socket.as_fd(),
        }
    }

    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(secured) => secured.read(buffer),
        }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(secured) => secured.write(bytes),
        }
    }

    /// Whether something that was written has not gone out yet; `write` goes on with it.
    pub(crate) fn owes(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(secured) => secured.tls.wants_write(),
        }
    }

    /// Whether nothing but the answer came with it, so that another request may be sent.
    pub(crate) fn is_quiet(&mut self) -> bool {
        match self {
            Self::Plain(_) => true,
            Self::Tls(secured) => secured.is_quiet(),
        }
    }

    /// Takes what came while nothing was owed. Whether a request may still be sent: the
    /// kernel tells of the end as of session tickets, which are no answer.
    pub(crate) fn stays(&mut self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(secured) => secured.stays(),
        }
    }
}

impl Secured {
    fn shake(&mut self) -> io::Result<bool> {
        begun(&self.socket)?;
        match self.tls.complete_io(&mut self.socket) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(unshaken(error)),
            _ => Ok(!self.tls.is_handshaking() && !self.tls.wants_write()),
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.tls.reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return read,
            }
            // Its end, too, is told by the reader.
            self.tls.read_tls(&mut self.socket)?;
            self.tls.process_new_packets().map_err(io::Error::other)?;
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.tls.writer().write(bytes)?;
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut self.socket) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // What was taken goes out later.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && taken > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(taken)
    }

    fn is_quiet(&mut self) -> bool {
        let state = self.tls.process_new_packets();
        state.is_ok_and(|it| it.plaintext_bytes_to_read() == 0 && !it.peer_has_closed())
    }

    fn stays(&mut self) -> bool {
        loop {
            match self.tls.read_tls(&mut self.socket) {
                Ok(1..) if self.is_quiet() => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
                Ok(_) => return false,
            }
        }
    }
}
