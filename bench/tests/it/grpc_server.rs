//! A server of gRPC that answers at once, rightly or as told.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use h2::{RecvStream, SendStream, server::SendResponse};
use http::{HeaderMap, HeaderValue, Request, Response};
use lab_bench::grpc::{
    frame,
    message::{ModelInferRequest, ModelInferResponse, Tensor},
    unframe,
};
use prost::Message;
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    task::JoinSet,
};

use crate::{server::LARGE, tls_server::Door};

/// How the server answers its `n`-th call, from 1, after the calls without load.
#[derive(Clone, Copy)]
pub(crate) enum Manner {
    Right,
    /// Every so many calls code 14, in the trailers.
    Fails(u64),
    /// Every so many calls code 14, in a head without a body.
    Refuses(u64),
    /// Every so many calls code 8 before it has read the message, of which it wants no more.
    Hastens(u64),
    /// Every so many calls the label of another image.
    Confuses(u64),
    /// Every so many calls no answer for a long time.
    Stalls(u64),
    /// Every so many calls no trailers.
    Forgets(u64),
    /// Every so many calls it resets the stream.
    Resets(u64),
    /// Takes no more calls on a connection after so many, as a server does that wants
    /// its connections spread anew.
    Leaves(u64),
    /// The label in a field of its type, and the message in two parts.
    Parts,
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
        let url = format!("grpc{}://{}", door.suffix(), listener.local_addr().unwrap());
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
    let Ok(mut connection) = h2::server::handshake(stream).await else {
        return;
    };
    let mut here = 0;
    let mut calls = JoinSet::new();
    while let Some(Ok((request, respond))) = connection.accept().await {
        let number = served.fetch_add(1, Ordering::Relaxed) + 1;
        here += 1;
        calls.spawn(answer(
            request,
            respond,
            manner,
            number.saturating_sub(quiet),
        ));
        if matches!(manner, Manner::Leaves(after) if here == after) {
            connection.graceful_shutdown();
        }
    }
}

async fn answer(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    manner: Manner,
    number: u64,
) {
    assert_eq!(request.uri().path(), lab_bench::grpc::MODEL_INFER);
    assert_eq!(request.headers()["content-type"], "application/grpc");
    let hit = |every: u64| number > 0 && number.is_multiple_of(every);
    if matches!(manner, Manner::Hastens(every) if hit(every)) {
        let mut head = Response::new(());
        head.headers_mut().extend(trailers("8", "too%20long"));
        // Dropped with it, the message is refused without blame, as gRPC's servers do.
        respond.send_response(head, true).unwrap();
        return;
    }
    let asked = asked(request.into_body()).await;
    let label = i64::from(asked.raw_input_contents[0][0]);
    match manner {
        Manner::Refuses(every) if hit(every) => {
            let mut head = Response::new(());
            head.headers_mut().extend(trailers("14", "queue full"));
            respond.send_response(head, true).unwrap();
            return;
        }
        Manner::Resets(every) if hit(every) => {
            respond.send_reset(h2::Reason::REFUSED_STREAM);
            return;
        }
        Manner::Stalls(every) if hit(every) => tokio::time::sleep(Duration::from_secs(30)).await,
        Manner::Slow => tokio::time::sleep(Duration::from_millis(10)).await,
        _ => {}
    }
    // The client may have given the call up.
    let Ok(mut stream) = respond.send_response(Response::new(()), false) else {
        return;
    };
    let _ = match manner {
        Manner::Fails(every) if hit(every) => stream.send_trailers(trailers("14", "queue%20full")),
        Manner::Forgets(every) if hit(every) => stream.send_data(inference(label), true),
        Manner::Confuses(every) if hit(every) => right(&mut stream, inference(label + 1)),
        Manner::Parts => parts(&mut stream, label),
        Manner::Large => right(&mut stream, large(label)),
        _ => right(&mut stream, inference(label)),
    };
}

async fn asked(mut body: RecvStream) -> ModelInferRequest {
    let mut all = BytesMut::new();
    while let Some(part) = body.data().await {
        let part = part.unwrap();
        body.flow_control().release_capacity(part.len()).unwrap();
        all.extend_from_slice(&part);
    }
    ModelInferRequest::decode(unframe(&all.freeze()).unwrap()).unwrap()
}

fn right(stream: &mut SendStream<Bytes>, body: Bytes) -> Result<(), h2::Error> {
    stream.send_data(body, false)?;
    stream.send_trailers(trailers("0", ""))
}

fn parts(stream: &mut SendStream<Bytes>, label: i64) -> Result<(), h2::Error> {
    let mut answer = message(label);
    answer.raw_output_contents.clear();
    answer.outputs[0].contents = Some(lab_bench::grpc::message::Contents {
        int64_contents: vec![label],
        ..Default::default()
    });
    let mut body = frame(&answer.encode_to_vec()).unwrap();
    let rest = body.split_off(7);
    stream.send_data(body, false)?;
    right(stream, rest)
}

fn trailers(code: &'static str, words: &'static str) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static(code));
    trailers.insert("grpc-message", HeaderValue::from_static(words));
    trailers
}

fn inference(label: i64) -> Bytes {
    frame(&message(label).encode_to_vec()).unwrap()
}

fn message(label: i64) -> ModelInferResponse {
    ModelInferResponse {
        model_name: "echo".to_owned(),
        outputs: vec![Tensor {
            name: "label".to_owned(),
            datatype: "INT64".to_owned(),
            shape: vec![1],
            contents: None,
        }],
        raw_output_contents: vec![Bytes::copy_from_slice(&label.to_le_bytes())],
    }
}

fn large(label: i64) -> Bytes {
    let mut answer = message(label);
    answer.outputs.push(Tensor {
        name: "filling".to_owned(),
        datatype: "UINT8".to_owned(),
        shape: vec![i64::try_from(LARGE).unwrap()],
        contents: None,
    });
    answer.raw_output_contents.push(vec![b'x'; LARGE].into());
    frame(&answer.encode_to_vec()).unwrap()
}
