//! A server that answers at once: what the generator costs, and how the machine drifts.
//!
//! One thread, so that it takes no more of the machine than a server with one worker.
//! It can be made to take its time over each request, for comparisons whose truth is
//! known, and stopped for a while, as a server is that collects its garbage.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, body::Incoming, header::CONTENT_TYPE, server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// What it answers to everything: an Open Inference Protocol v2 answer of model `null`.
pub const ANSWER: &str = r#"{"model_name":"null","model_version":"1","outputs":[{"name":"label","datatype":"INT64","shape":[1,1],"data":[7]}]}"#;

/// A null server on a free port of 127.0.0.1. It ends when this is dropped.
#[derive(Debug)]
pub struct NullServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    _ends: DropGuard,
}

#[derive(Debug)]
struct Shared {
    /// Held while a request is worked on: who holds it stops the server. When requests
    /// were answered since it was stopped last.
    working: Mutex<Option<Vec<Instant>>>,
    work: Duration,
}

/// Most answers after a stop whose time is kept.
const KEPT: usize = 1 << 16;

impl NullServer {
    /// Starts one that works on each request for `work`, with its processor.
    ///
    /// # Errors
    /// When no port or thread can be had.
    pub fn start(work: Duration) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            working: Mutex::new(None),
            work,
        });
        let ends = CancellationToken::new();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let (serving, ended) = (Arc::clone(&shared), ends.clone());
        thread::Builder::new()
            .name("null-server".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = ended.cancelled() => {}
                        () = serve(listener, serving) => {}
                    }
                });
            })?;
        Ok(Self {
            address,
            shared,
            _ends: ends.drop_guard(),
        })
    }

    /// `http://host:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stands still for so long, like a stopped process: what arrives waits. Gives when it
    /// began and when it went on.
    #[expect(
        clippy::disallowed_methods,
        reason = "standing still is the thing itself, and nothing is waited for"
    )]
    pub fn stand_still(&self, pause: Duration) -> (Instant, Instant) {
        let mut held = self.shared.hold();
        *held = Some(Vec::with_capacity(KEPT));
        let began = Instant::now();
        thread::sleep(pause);
        drop(held);
        (began, Instant::now())
    }

    /// When it gave its answers since it stood still last: the first 65,536 of them.
    pub fn answered(&self) -> Vec<Instant> {
        self.shared.hold().clone().unwrap_or_default()
    }
}

impl Shared {
    fn hold(&self) -> MutexGuard<'_, Option<Vec<Instant>>> {
        self.working.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn serve(listener: std::net::TcpListener, shared: Arc<Shared>) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(connection(stream, Arc::clone(&shared)));
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(request, Arc::clone(&shared)));
    // A client that goes away is no error of ours.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    // Read to its end, so that the connection can be used again.
    let _ = request.into_body().collect().await;
    work(&shared);
    let mut response = Response::new(Full::from(ANSWER));
    let json = hyper::header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    Ok(response)
}

fn work(shared: &Shared) {
    let mut answered = shared.hold();
    let until = Instant::now() + shared.work;
    while !shared.work.is_zero() && Instant::now() < until {
        std::hint::spin_loop();
    }
    if let Some(answered) = answered.as_mut().filter(|it| it.len() < KEPT) {
        answered.push(Instant::now());
    }
}
