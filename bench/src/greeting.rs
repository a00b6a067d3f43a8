//! Shakes hands once before any load, where a server speaks TLS: what is wrong with its
//! certificate, or with the client's, is told as that, and not as a wrong answer.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rustls::{SignatureScheme, client::ResolvesClientCert, sign::CertifiedKey};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time,
};
use tokio_rustls::client::TlsStream;

use crate::{
    error::BenchError,
    handshake::{Asked, HandshakeError},
    server::{Peer, Tls},
};

/// Longest wait for what a server says of a client's certificate: one that takes it need
/// not say anything, nor end where the client has.
const VERDICT: Duration = Duration::from_secs(2);

/// Shakes hands with a server; `url` is what its address was taken from.
///
/// # Errors
/// When it does not, or not within that time. That nobody is there is none of that: the
/// first request tells it.
pub(crate) async fn greet(url: &str, peer: &Peer, timeout: Duration) -> Result<(), BenchError> {
    let Some(tls) = &peer.tls else {
        return Ok(());
    };
    let shown = Arc::new(Shown::of(tls));
    let greeting = async {
        let Ok(stream) = TcpStream::connect(peer.address).await else {
            return Ok(None);
        };
        tls.showing(shown.clone()).shake(stream).await.map(Some)
    };
    let silent = |_| {
        let words = format!("no answer within {timeout:?}");
        Err(io::Error::new(io::ErrorKind::TimedOut, words))
    };
    let shaken = time::timeout(timeout, greeting).await;
    let greeted = match shaken.unwrap_or_else(silent) {
        Ok(Some(stream)) if shown.asked() != Asked::No => verdict(stream).await,
        shaken => shaken.map(drop),
    };
    greeted.map_err(|source| HandshakeError::of(url, shown.asked(), source).into())
}

/// Hears whether a server takes what it was shown. With TLS 1.3 it says so only when hands
/// were shaken already, so nothing is asked of it, and it is waited for its end.
async fn verdict(mut stream: TlsStream<TcpStream>) -> io::Result<()> {
    // A server that has closed the connection has said before why.
    let _ = stream.shutdown().await;
    let mut some = [0; 1024];
    let heard = async {
        loop {
            match stream.read(&mut some).await {
                Ok(1..) => {}
                Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(error),
                Ok(0) | Err(_) => return Ok(()),
            }
        }
    };
    time::timeout(VERDICT, heard).await.unwrap_or(Ok(()))
}

/// What is shown to a server that asks, and whether it did.
#[derive(Debug)]
struct Shown {
    what: Arc<dyn ResolvesClientCert>,
    asked: AtomicBool,
}

impl Shown {
    fn of(tls: &Tls) -> Self {
        Self {
            what: tls.config().client_auth_cert_resolver,
            asked: AtomicBool::new(false),
        }
    }

    fn asked(&self) -> Asked {
        if !self.asked.load(Ordering::Relaxed) {
            Asked::No
        } else if self.has_certs() {
            Asked::Certificate
        } else {
            Asked::Nothing
        }
    }
}

impl ResolvesClientCert for Shown {
    fn resolve(
        &self,
        authorities: &[&[u8]],
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        self.what.resolve(authorities, schemes)
    }

    fn has_certs(&self) -> bool {
        self.what.has_certs()
    }
}
