//! What servers of tests do before they serve: shake hands, or not. And one that says more
//! than its answers.

use std::{
    io::Write,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// How connections are taken in.
#[derive(Clone)]
pub(crate) struct Door {
    tls: Option<TlsAcceptor>,
    /// Whoever shakes hands from now on gets an answer of HTTP.
    pub(crate) plain: Arc<AtomicBool>,
}

impl Door {
    pub(crate) fn open() -> Self {
        Self {
            tls: None,
            plain: Arc::default(),
        }
    }

    pub(crate) fn tls(config: Arc<ServerConfig>) -> Self {
        Self {
            tls: Some(config.into()),
            plain: Arc::default(),
        }
    }

    pub(crate) fn suffix(&self) -> &'static str {
        if self.tls.is_some() { "s" } else { "" }
    }

    pub(crate) async fn enter(&self, mut stream: TcpStream) -> Option<Pin<Box<dyn Stream>>> {
        stream.set_nodelay(true).unwrap();
        let Some(tls) = &self.tls else {
            return Some(Box::pin(stream));
        };
        if self.plain.load(Ordering::Relaxed) {
            // What came is read: a socket that is closed over it is reset.
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            return None;
        }
        Some(Box::pin(tls.accept(stream).await.ok()?))
    }
}

/// What a server says beside its answers.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Aside {
    /// Some time after each, that other keys are to be used: no answer, and not its end.
    Keys,
    /// In the same segment as each, that this was all: its head says nothing of it.
    End,
}

/// A server of HTTP that says more than its answers.
pub(crate) struct Talker {
    pub(crate) url: String,
    pub(crate) connections: Arc<AtomicU64>,
    _tasks: JoinSet<()>,
}

impl Talker {
    pub(crate) async fn start(config: Option<Arc<ServerConfig>>, aside: Aside) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if config.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicU64::new(0));
        let accepted = Arc::clone(&connections);
        let acceptor = config.map(TlsAcceptor::from);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                accepted.fetch_add(1, Ordering::Relaxed);
                stream.set_nodelay(true).unwrap();
                let acceptor = acceptor.clone();
                open.spawn(async move {
                    let Some(acceptor) = acceptor else {
                        let label = asked(&mut stream).await;
                        return last(&mut stream, answer(label.unwrap()).as_bytes()).await;
                    };
                    if let Ok(stream) = acceptor.accept(stream).await {
                        talk(stream, aside).await;
                    }
                });
            }
        });
        Self {
            url,
            connections,
            _tasks: tasks,
        }
    }
}

async fn talk(mut stream: TlsStream<TcpStream>, aside: Aside) {
    while let Some(label) = asked(&mut stream).await {
        stream
            .get_mut()
            .1
            .writer()
            .write_all(answer(label).as_bytes())
            .unwrap();
        if aside == Aside::Keys {
            stream.flush().await.unwrap();
            tokio::time::sleep(Duration::from_millis(2)).await;
            stream.get_mut().1.refresh_traffic_keys().unwrap();
            stream.flush().await.unwrap();
            continue;
        }
        let (socket, tls) = stream.get_mut();
        tls.send_close_notify();
        let mut segment = Vec::new();
        while tls.wants_write() {
            tls.write_tls(&mut segment).unwrap();
        }
        socket.write_all(&segment).await.unwrap();
        // Until the other side has closed it.
        let _ = socket.read(&mut [0]).await;
        return;
    }
}

/// Sends the last bytes in one segment with the connection's end.
async fn last(socket: &mut TcpStream, bytes: &[u8]) {
    rustix::net::sockopt::set_tcp_cork(&*socket, true).unwrap();
    socket.write_all(bytes).await.unwrap();
    socket.shutdown().await.unwrap();
    let _ = socket.read(&mut [0]).await;
}

/// The label that is asked for, in what comes next.
async fn asked(stream: &mut (impl AsyncRead + Unpin)) -> Option<i64> {
    let (mut all, mut some) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut some).await.ok().filter(|it| *it > 0)?;
        all.extend_from_slice(&some[..read]);
        let text = str::from_utf8(&all).unwrap();
        let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        if let Ok(body) = serde_json::from_str::<serde_json::Value>(body) {
            return body["inputs"][0]["data"][0].as_i64();
        }
    }
}

fn answer(label: i64) -> String {
    let body = serde_json::json!({
        "model_name": "echo",
        "outputs": [{"name": "label", "datatype": "INT64", "shape": [1], "data": [label]}],
    })
    .to_string();
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}")
}
