//! One keep-alive connection of HTTP/1.1 that never blocks.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    os::fd::{AsFd, BorrowedFd},
};

use super::{
    http::{Body, Reader, Reading, Whole},
    socket::{begin, begun},
    wire::State,
};

/// First size of an input buffer, bytes: most answers to an inference fit.
const INPUT: usize = 4096;

/// What came when a connection was read.
#[derive(Debug)]
pub(crate) enum Came {
    /// Not yet all.
    Some,
    /// The whole answer, of so many bytes. It is kept until the next request.
    Answer(usize),
    /// The connection has ended, or what came is not the protocol.
    End(io::Error),
}

/// A connection, or the place for one.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: Option<TcpStream>,
    input: Vec<u8>,
    filled: usize,
    written: usize,
    pub(crate) state: State,
    /// Which of the target's requests it carries.
    pub(crate) request: usize,
    answer: Option<Whole>,
}

impl Connection {
    pub(crate) fn new() -> Self {
        Self {
            stream: None,
            input: Vec::new(),
            filled: 0,
            written: 0,
            state: State::Closed,
            request: 0,
            answer: None,
        }
    }

    /// Begins to connect.
    pub(crate) fn open(&mut self, address: SocketAddr) -> io::Result<()> {
        self.stream = Some(begin(address)?);
        self.state = State::Connecting;
        Ok(())
    }

    /// Whether the connection that was being made is there now.
    pub(crate) fn opened(&mut self) -> io::Result<()> {
        begun(self.stream()?)?;
        self.state = State::Idle;
        if self.input.is_empty() {
            self.input.resize(INPUT, 0);
        }
        Ok(())
    }

    pub(crate) fn close(&mut self) {
        self.stream = None;
        self.state = State::Closed;
    }

    pub(crate) fn descriptor(&self) -> io::Result<BorrowedFd<'_>> {
        Ok(self.stream()?.as_fd())
    }

    fn stream(&self) -> io::Result<&TcpStream> {
        self.stream
            .as_ref()
            .ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Begins to send a request. `false`: the socket takes no more now.
    pub(crate) fn send(&mut self, request: &[u8]) -> io::Result<bool> {
        self.state = State::Busy;
        self.filled = 0;
        self.written = 0;
        self.go_on(request)
    }

    /// Goes on sending.
    pub(crate) fn go_on(&mut self, request: &[u8]) -> io::Result<bool> {
        while self.written < request.len() {
            match self.stream()?.write(&request[self.written..]) {
                Ok(bytes) => self.written += bytes,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Reads what has come.
    pub(crate) fn receive(&mut self, reader: &mut Reader) -> Came {
        let Some(mut stream) = self.stream.as_ref() else {
            return Came::End(io::ErrorKind::NotConnected.into());
        };
        let read = match stream.read(&mut self.input[self.filled..]) {
            Ok(read) => read,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) =>
            {
                return Came::Some;
            }
            Err(error) => return Came::End(error),
        };
        self.filled += read;
        match reader.read(&self.input[..self.filled], read == 0) {
            Reading::Whole(whole) if whole.bytes < self.filled => Came::End(io::Error::new(
                io::ErrorKind::InvalidData,
                "more came than the answer",
            )),
            Reading::Whole(whole) => {
                let bytes = whole.bytes;
                if whole.keeps_open {
                    self.state = State::Idle;
                } else {
                    self.close();
                }
                self.answer = Some(whole);
                Came::Answer(bytes)
            }
            Reading::Malformed(reason) => {
                Came::End(io::Error::new(io::ErrorKind::InvalidData, reason))
            }
            Reading::Partial(_) if read == 0 => Came::End(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "connection closed before the answer was complete",
            )),
            Reading::Partial(bytes) => {
                if self.filled == self.input.len() || bytes > self.input.len() {
                    self.input.resize(bytes.max(2 * self.input.len()), 0);
                }
                Came::Some
            }
        }
    }

    /// Status and body of the answer that came last.
    pub(crate) fn answer(&self) -> (u16, &[u8]) {
        match &self.answer {
            Some(whole) => match &whole.body {
                Body::Here(range) => (whole.status, &self.input[range.clone()]),
                Body::Gathered(body) => (whole.status, body),
            },
            None => (0, &[]),
        }
    }
}
