//! A server that answers at once, rightly or as told.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::TryStreamExt;
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    Request, Response,
    body::{Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    task::JoinSet,
};

use crate::tls_server::Door;

/// More than a socket's buffer or a record of TLS holds, bytes.
pub(crate) const LARGE: usize = 1 << 20;

type Answer = BoxBody<Bytes, Infallible>;

/// How the server answers its `n`-th request, from 1, after the requests without load.
#[derive(Clone, Copy)]
pub(crate) enum Manner {
    Right,
    /// Every so many requests a status 500.
    Fails(u64),
    /// Every so many requests the label of another image.
    Confuses(u64),
    /// Every so many requests no answer for a long time.
    Stalls(u64),
    /// Says `Connection: close` on every answer.
    Closes,
    /// Sends its answers in chunks.
    Chunks,
    /// Takes ten milliseconds for each.
    Slow,
    /// Has more to say than fits into a socket's buffer.
    Large,
}

/// A server on a free port of 127.0.0.1; ends when dropped.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) connections: Arc<AtomicU64>,
    /// From now on it speaks no TLS.
    pub(crate) plain: Arc<AtomicBool>,
    _tasks: JoinSet<()>,
}

impl Server {
    pub(crate) async fn start(manner: Manner, quiet: u64) -> Self {
        Self::behind(Door::open(), manner, quiet).await
    }

    pub(crate) async fn start_tls(config: Arc<ServerConfig>, manner: Manner, quiet: u64) -> Self {
        Self::behind(Door::tls(config), manner, quiet).await
    }

    async fn behind(door: Door, manner: Manner, quiet: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http{}://{}", door.suffix(), listener.local_addr().unwrap());
        let connections = Arc::new(AtomicU64::new(0));
        let plain = Arc::clone(&door.plain);
        let accepted = Arc::clone(&connections);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let served = Arc::new(AtomicU64::new(0));
            let mut open = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                accepted.fetch_add(1, Ordering::Relaxed);
                let (door, served) = (door.clone(), Arc::clone(&served));
                open.spawn(async move {
                    if let Some(stream) = door.enter(stream).await {
                        serve(stream, manner, served, quiet).await;
                    }
                });
            }
        });
        Self {
            url,
            connections,
            plain,
            _tasks: tasks,
        }
    }
}

async fn serve<S>(stream: S, manner: Manner, served: Arc<AtomicU64>, quiet: u64)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(move |request| {
        let number = served.fetch_add(1, Ordering::Relaxed) + 1;
        answer(request, manner, number.saturating_sub(quiet))
    });
    let connection = http1::Builder::new();
    let _ = connection
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    request: Request<Incoming>,
    manner: Manner,
    number: u64,
) -> Result<Response<Answer>, Infallible> {
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let asked: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let label = asked["inputs"][0]["data"][0].as_i64().unwrap();
    let hit = |every: u64| number > 0 && number.is_multiple_of(every);
    Ok(match manner {
        Manner::Fails(every) if hit(every) => Response::builder()
            .status(500)
            .body(Full::from("out of memory").boxed())
            .unwrap(),
        Manner::Confuses(every) if hit(every) => inference(label + 1),
        Manner::Stalls(every) if hit(every) => {
            tokio::time::sleep(Duration::from_secs(30)).await;
            inference(label)
        }
        Manner::Closes => {
            let mut response = inference(label);
            let close = hyper::header::HeaderValue::from_static("close");
            response
                .headers_mut()
                .insert(hyper::header::CONNECTION, close);
            response
        }
        Manner::Slow => {
            tokio::time::sleep(Duration::from_millis(10)).await;
            inference(label)
        }
        Manner::Large => large(label),
        // A body whose length hyper does not know is sent in chunks.
        Manner::Chunks => inference(label)
            .map(|body| StreamBody::new(body.into_data_stream().map_ok(Frame::data)).boxed()),
        _ => inference(label),
    })
}

fn inference(label: i64) -> Response<Answer> {
    let body = serde_json::json!({
        "model_name": "echo",
        "model_version": "1",
        "outputs": [{"name": "label", "datatype": "INT64", "shape": [1], "data": [label]}],
    });
    Response::new(Full::from(body.to_string()).boxed())
}

fn large(label: i64) -> Response<Answer> {
    let body = serde_json::json!({
        "model_name": "echo",
        "parameters": {"filling": "x".repeat(LARGE)},
        "outputs": [{"name": "label", "datatype": "INT64", "shape": [1], "data": [label]}],
    });
    Response::new(Full::from(body.to_string()).boxed())
}
