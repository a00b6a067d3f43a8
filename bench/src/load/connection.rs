//! One keep-alive connection of HTTP/1.1 that never blocks.

use std::{io, os::fd::BorrowedFd};

use super::{
    http::{Body, Reader, Reading, Whole},
    transport::Transport,
    wire::State,
};
use crate::server::Peer;

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
    transport: Option<Transport>,
    input: Vec<u8>,
    filled: usize,
    written: usize,
    /// Whether all of the request has gone out.
    sent: bool,
    pub(crate) state: State,
    /// Which of the target's requests it carries.
    pub(crate) request: usize,
    answer: Option<Whole>,
}

impl Connection {
    pub(crate) fn new() -> Self {
        Self {
            transport: None,
            input: Vec::new(),
            filled: 0,
            written: 0,
            sent: false,
            state: State::Closed,
            request: 0,
            answer: None,
        }
    }

    /// Begins to connect.
    pub(crate) fn open(&mut self, peer: &Peer) -> io::Result<BorrowedFd<'_>> {
        let transport = self.transport.insert(Transport::begin(peer)?);
        self.state = State::Connecting;
        Ok(transport.descriptor())
    }

    /// Whether the connection that is being made is there now.
    pub(crate) fn opened(&mut self) -> io::Result<bool> {
        let transport = self.transport.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        if !transport.begun()? {
            return Ok(false);
        }
        self.state = State::Idle;
        if self.input.is_empty() {
            self.input.resize(INPUT, 0);
        }
        Ok(true)
    }

    pub(crate) fn close(&mut self) {
        self.transport = None;
        self.state = State::Closed;
    }

    /// Something came while nothing was owed: the server has closed it, as it may, or
    /// speaks of TLS.
    pub(crate) fn overhear(&mut self) {
        if !self.transport.as_mut().is_some_and(Transport::stays) {
            self.close();
        }
    }

    /// Begins to send a request.
    pub(crate) fn send(&mut self, request: &[u8]) -> io::Result<()> {
        self.state = State::Busy;
        self.filled = 0;
        self.written = 0;
        self.sent = false;
        self.go_on(request)
    }

    /// Goes on sending, until all is sent or the socket takes no more.
    pub(crate) fn go_on(&mut self, request: &[u8]) -> io::Result<()> {
        let transport = self.transport.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        while self.written < request.len() || transport.owes() {
            match transport.write(&request[self.written..]) {
                Ok(bytes) => self.written += bytes,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.sent = true;
        Ok(())
    }

    /// Reads what has come: to its end, as the kernel tells only of what is new, or to the
    /// answer's.
    pub(crate) fn receive(&mut self, reader: &mut Reader) -> Came {
        loop {
            let read = match self.read() {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Came::Some,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Came::End(error),
            };
            self.filled += read;
            match reader.read(&self.input[..self.filled], read == 0) {
                Reading::Whole(whole) => return self.whole(whole),
                Reading::Malformed(reason) => return invalid(reason),
                Reading::Partial(_) if read == 0 => {
                    return Came::End(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        "connection closed before the answer was complete",
                    ));
                }
                Reading::Partial(bytes) => {
                    if self.filled == self.input.len() || bytes > self.input.len() {
                        self.input.resize(bytes.max(2 * self.input.len()), 0);
                    }
                }
            }
        }
    }

    fn read(&mut self) -> io::Result<usize> {
        let transport = self.transport.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        transport.read(&mut self.input[self.filled..])
    }

    fn whole(&mut self, whole: Whole) -> Came {
        let bytes = whole.bytes;
        if bytes < self.filled {
            return invalid("more came than the answer");
        }
        // Of an answer that came before the whole request was sent, the server would take
        // the next one's bytes for the rest of it.
        let keeps_open = whole.keeps_open && self.sent;
        if keeps_open && self.transport.as_mut().is_some_and(Transport::is_quiet) {
            self.state = State::Idle;
        } else {
            self.close();
        }
        self.answer = Some(whole);
        Came::Answer(bytes)
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

/// What came is not the protocol.
fn invalid(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Came {
    Came::End(io::Error::new(io::ErrorKind::InvalidData, reason))
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpListener,
        sync::{Arc, mpsc},
        thread,
    };

    use rustls::{ServerConfig, ServerConnection, crypto::ring, pki_types::PrivatePkcs8KeyDer};

    use super::*;
    use crate::{server::Tls, target::Address, trust::Trust};

    const REQUEST: [u8; 1 << 14] = [b'x'; 1 << 14];
    /// More than the kernel holds of a connection, bytes.
    const ENOUGH: usize = 64 << 20;

    /// A server that reads when it is told how many bytes. Whether they came.
    fn server(listener: &TcpListener, config: ServerConfig, told: &mpsc::Receiver<usize>) -> bool {
        let (mut socket, _) = listener.accept().unwrap();
        let mut tls = ServerConnection::new(Arc::new(config)).unwrap();
        tls.complete_io(&mut socket).unwrap();
        let mut all = vec![0; told.recv().unwrap()];
        let mut stream = rustls::Stream::new(&mut tls, &mut socket);
        stream.read_exact(&mut all).is_ok()
    }

    #[test]
    fn what_tls_could_not_send_goes_out_later() {
        let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(own.cert.pem().as_bytes()).unwrap();
        let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key.into())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, told) = mpsc::channel();
        let server = thread::spawn(move || server(&listener, config, &told));

        let url = format!("https://{address}");
        let trust = Trust::with_file(file.path()).unwrap();
        let tls = Tls::of(&url, &Address::parse(&url).unwrap(), &trust).unwrap();
        let mut connection = Connection::new();
        connection.open(&Peer { address, tls }).unwrap();
        let owes = |connection: &Connection| connection.transport.as_ref().unwrap().owes();
        assert!((0..1_000_000).any(|_| {
            thread::yield_now();
            connection.opened().unwrap()
        }));
        let mut sent = 0;
        while !owes(&connection) && sent < ENOUGH {
            connection.send(&REQUEST).unwrap();
            sent += REQUEST.len();
        }
        // TLS has taken it all, the socket has not.
        assert_eq!(connection.written, REQUEST.len());
        tell.send(sent).unwrap();
        assert!((0..1_000_000).any(|_| {
            thread::yield_now();
            connection.go_on(&REQUEST).unwrap();
            !owes(&connection)
        }));
        assert!(server.join().unwrap());
    }
}
