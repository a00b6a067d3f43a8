//! Answers that come before the whole request was sent, as those of servers that are full
//! or take no request so long.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use http::HeaderMap;
use lab_bench::{
    load::Course,
    measure::Window,
    record::FailureClass,
    session::Session,
    target::{Expect, Request, Target},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpSocket},
    sync::watch,
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    authority::Authority,
    grpc, grpc_server,
    load::{self, closed, open},
    tls_server::{Door, Stream},
};

/// More than the kernel holds of a connection that is not read, bytes.
const LONG: usize = 16 << 20;
const FILLING: u8 = b'x';

/// What a server does behind an early answer.
#[derive(Debug, Clone, Copy)]
enum Then {
    /// Takes what else has come, once it is asked on another connection.
    Reads,
    /// Closes the connection over what has come.
    Closes,
}

/// A server that answers every other request before it has read the body; not the first,
/// which is the one without load.
#[derive(Clone)]
struct Hasty {
    then: Then,
    served: Arc<AtomicU64>,
    connections: watch::Sender<u64>,
    /// Bytes behind early answers that are not of the request that was answered.
    strange: Arc<AtomicU64>,
}

impl Hasty {
    fn new(then: Then) -> Self {
        Self {
            then,
            served: Arc::default(),
            connections: watch::Sender::default(),
            strange: Arc::default(),
        }
    }

    async fn run(&self, listener: TcpListener, door: Door) {
        let mut open = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            self.connections.send_modify(|count| *count += 1);
            let (hasty, door) = (self.clone(), door.clone());
            open.spawn(async move {
                if let Some(stream) = door.enter(stream).await {
                    // The client may close the connection at any time.
                    let _ = hasty.serve(stream).await;
                }
            });
        }
    }

    async fn serve(&self, stream: Pin<Box<dyn Stream>>) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        loop {
            let mut line = String::new();
            while line != "\r\n" {
                line.clear();
                if stream.read_line(&mut line).await? == 0 {
                    return Ok(());
                }
            }
            let mut connections = self.connections.subscribe();
            if self.served.fetch_add(1, Ordering::Relaxed) % 2 == 1 {
                say(&mut stream, "413 Content Too Large").await?;
                if matches!(self.then, Then::Reads) {
                    let _ = connections.changed().await;
                    self.read_on(&mut stream).await?;
                }
                return Ok(());
            }
            stream.read_exact(&mut vec![0; LONG]).await?;
            say(&mut stream, "200 OK").await?;
        }
    }

    async fn read_on(&self, stream: &mut BufReader<Pin<Box<dyn Stream>>>) -> io::Result<()> {
        let mut some = vec![0; 1 << 16];
        loop {
            let read = stream.read(&mut some).await?;
            if read == 0 {
                return Ok(());
            }
            let strange = some[..read].iter().filter(|byte| **byte != FILLING);
            self.strange
                .fetch_add(strange.count() as u64, Ordering::Relaxed);
        }
    }
}

/// A port behind which the kernel holds little, however much was read before.
fn narrow() -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(1 << 16).unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    socket.listen(64).unwrap()
}

async fn say(stream: &mut BufReader<Pin<Box<dyn Stream>>>, status: &str) -> io::Result<()> {
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 8\r\n\r\nall said");
    stream.write_all(answer.as_bytes()).await?;
    stream.flush().await
}

async fn measure(target: &Target, course: &Course) -> Window {
    let limit = Duration::from_secs(20);
    let session = Session::open(target, limit, &CancellationToken::new()).await;
    let course = Course {
        timeout: limit,
        ..course.clone()
    };
    session
        .unwrap()
        .measure(&course, &Arc::default())
        .await
        .unwrap()
}

/// Requests that are answered before their body are judged by that; each costs its
/// connection and no other request.
async fn judged(tls: bool, then: Then, course: &Course) {
    let authority = Authority::new("lab");
    let door = if tls {
        Door::tls(authority.server("127.0.0.1", "http/1.1"))
    } else {
        Door::open()
    };
    let listener = narrow();
    let url = format!("http{}://{}", door.suffix(), listener.local_addr().unwrap());
    let request = Request {
        headers: HeaderMap::new(),
        body: vec![FILLING; LONG].into(),
        label: None,
    };
    let target = Target {
        trust: authority.trust(),
        requests: vec![request],
        expect: Expect::Status,
        ..load::target(&url)
    };
    let server = Hasty::new(then);
    let window = tokio::select! {
        () = server.run(listener, door) => unreachable!("it is asked to no end"),
        window = measure(&target, course) => window,
    };
    let failures = window.tally.failures();
    let early = &failures[&FailureClass::Status(413)];
    assert_eq!(
        (window.point.requests, window.point.errors, early.count),
        (20, 10, 10),
        "{then:?} {failures:?}"
    );
    assert_eq!(early.example, "413 Payload Too Large: all said");
    // One without load, one that hands were shaken on, one at first, one behind each answer.
    let connections = 1 + u64::from(tls) + 1 + 10;
    assert_eq!(*server.connections.borrow(), connections, "{then:?}");
    assert_eq!(server.strange.load(Ordering::Relaxed), 0, "{then:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_before_the_whole_request_is_judged_and_costs_its_connection() {
    for then in [Then::Reads, Then::Closes] {
        for course in [closed(1, 20), open(100.0, 1, 20)] {
            judged(false, then, &course).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_before_the_whole_request_is_judged_over_tls() {
    for then in [Then::Reads, Then::Closes] {
        judged(true, then, &closed(1, 20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_answered_before_its_message_is_judged_and_costs_no_other() {
    for course in [closed(2, 20), open(100.0, 4, 20)] {
        let manner = grpc_server::Manner::Hastens(2);
        let server = grpc_server::Server::start(manner, grpc::CALLS).await;
        let target = grpc::filled(&server.url, 1 << 20);
        let window = measure(&target, &course).await;
        let failures = window.tally.failures();
        let early = &failures[&FailureClass::Status(8)];
        assert_eq!(
            (window.point.requests, window.point.errors, early.count),
            (20, 10, 10),
            "{failures:?}"
        );
    }
}
