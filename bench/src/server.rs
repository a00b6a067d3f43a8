//! Servers: as a person names them, and as connections to them are made.

use std::{borrow::Cow, fmt, io, net::SocketAddr, sync::Arc};

use rustls::{ClientConfig, ClientConnection, client::ResolvesClientCert, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::lookup_host,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    error::BenchError,
    target::{Address, TargetError},
    trust::Trust,
};

/// Where a server answers, and who is believed to say that it is the one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// `http://host:port`, with TLS `https://host:port`; of gRPC also `grpc://host:port` and
    /// `grpcs://host:port`.
    pub url: String,
    /// Who is believed, where it speaks TLS.
    pub trust: Trust,
}

impl Server {
    /// Its address, as one of gRPC where it is one of HTTP.
    pub(crate) fn grpc_url(&self) -> Cow<'_, str> {
        match self.url.strip_prefix("http") {
            Some(rest) => format!("grpc{rest}").into(),
            None => self.url.as_str().into(),
        }
    }
}

impl<U: Into<String>> From<U> for Server {
    /// A server whose certificate an authority of this machine has signed, if it has one.
    fn from(url: U) -> Self {
        Self {
            url: url.into(),
            trust: Trust::default(),
        }
    }
}

/// Where connections to a server go, and what they begin with.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Option<Tls>,
}

impl Peer {
    /// Finds the server at an address; `url` is what that was taken from.
    pub(crate) async fn find(
        url: &str,
        address: &Address,
        trust: &Trust,
    ) -> Result<Self, BenchError> {
        let tls = Tls::of(url, address, trust)?;
        let unknown = |source| TargetError::Unknown {
            url: url.to_owned(),
            source,
        };
        let mut found = lookup_host(&address.authority).await.map_err(unknown)?;
        let first = found.next();
        Ok(Self {
            address: first.ok_or_else(|| unknown(io::ErrorKind::NotFound.into()))?,
            tls,
        })
    }
}

/// How TLS is spoken with one server.
#[derive(Clone)]
pub(crate) struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tls").field(&self.name).finish()
    }
}

impl Tls {
    /// Of an address; none where that has none. `url` is what it was taken from.
    pub(crate) fn of(
        url: &str,
        address: &Address,
        trust: &Trust,
    ) -> Result<Option<Self>, BenchError> {
        if !address.scheme.has_tls() {
            return Ok(None);
        }
        let name = ServerName::try_from(address.host.clone());
        let name = name.map_err(|_| TargetError::Address {
            url: url.to_owned(),
        })?;
        let mut config = trust.config()?;
        let protocol: &[u8] = if address.scheme.is_grpc() {
            b"h2"
        } else {
            b"http/1.1"
        };
        config.alpn_protocols = vec![protocol.to_vec()];
        Ok(Some(Self {
            config: Arc::new(config),
            name,
        }))
    }

    /// What another client takes to believe whom this one does.
    pub(crate) fn config(&self) -> ClientConfig {
        ClientConfig::clone(&self.config)
    }

    /// The same, with something else to show to a server that asks.
    pub(crate) fn showing(&self, shown: Arc<dyn ResolvesClientCert>) -> Self {
        let mut config = self.config();
        config.client_auth_cert_resolver = shown;
        Self {
            config: Arc::new(config),
            name: self.name.clone(),
        }
    }

    /// A connection that has said nothing yet.
    pub(crate) fn connection(&self) -> io::Result<ClientConnection> {
        ClientConnection::new(Arc::clone(&self.config), self.name.clone()).map_err(io::Error::other)
    }

    /// Shakes hands over a connection.
    pub(crate) async fn shake<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let connector = TlsConnector::from(Arc::clone(&self.config));
        let shaken = connector.connect(self.name.clone(), stream).await;
        shaken.map_err(unshaken)
    }
}

/// A handshake's error, in words.
pub(crate) fn unshaken(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        let words = "the server closed the connection within the handshake";
        return io::Error::new(error.kind(), words);
    }
    error
}
