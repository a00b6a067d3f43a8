//! Several generators in this process, each behind two streams of its own.

use std::{sync::Arc, time::Duration};

use lab_bench::{
    error::BenchError,
    generators::{Generators, Wire, serve},
    load::{Course, Watch},
    measure::Window,
    session::Loader,
};
use lab_model::void::Void;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, duplex},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    load::{REQUESTS, closed, open, target},
    server::{Manner, Server},
};

/// Room for what is said and not heard yet.
const ROOM: usize = 1 << 16;

/// Generators against a server; they end when this is dropped.
struct Place {
    server: Server,
    wires: Vec<Wire>,
    running: JoinSet<()>,
}

impl Place {
    /// With `count` generators, called `a`, `b` and so on.
    async fn new(count: u8) -> Self {
        let mut place = Self {
            server: Server::start(Manner::Right, u64::from(count) * REQUESTS).await,
            wires: Vec::new(),
            running: JoinSet::new(),
        };
        for name in (b'a'..).take(count.into()) {
            let (here, there) = (duplex(ROOM), duplex(ROOM));
            place.wires.push(Wire {
                name: char::from(name).to_string(),
                input: Box::new(here.0),
                output: Box::new(there.0),
            });
            let _task = place.running.spawn(async move {
                let _ = serve(here.1, there.1).await;
            });
        }
        place
    }

    async fn open(&mut self) -> Result<Generators, BenchError> {
        let wires = std::mem::take(&mut self.wires);
        let limit = Duration::from_secs(5);
        let target = target(&self.server.url);
        Generators::open(wires, &target, limit, &CancellationToken::new()).await
    }
}

async fn measure(generators: &Generators, course: &Course) -> Result<Window, BenchError> {
    generators
        .measure(course, &Arc::new(Watch::default()))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_each_counts_is_counted_once() {
    let mut place = Place::new(3).await;
    let generators = place.open().await.unwrap();
    for course in [closed(4, 300), open(900.0, 64, 300)] {
        let watch = Arc::new(Watch::default());
        let point = generators.measure(&course, &watch).await.unwrap().point;
        assert_eq!((point.requests, point.errors), (300, 0), "{:?}", point.void);
        assert_eq!(point.generator.count, 3);
        let counted = point.histogram.iter().map(|bucket| bucket.count);
        assert_eq!(counted.sum::<u64>(), 300);
        let each_second = point.series.iter().map(|second| second.answers);
        assert_eq!(each_second.sum::<u64>(), 300);
        assert_eq!(watch.phase(), lab_bench::load::Phase::Over);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_connection_is_one_generators() {
    let mut place = Place::new(2).await;
    let generators = place.open().await.unwrap();
    let point = measure(&generators, &closed(1, 50)).await.unwrap().point;
    assert_eq!((point.requests, point.generator.count), (50, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_generator_voids_its_window_and_the_others_go_on() {
    let mut place = Place::new(2).await;
    // The second hears what it is asked, and is gone once a window is to begin.
    let (kept, mut wire) = (duplex(ROOM), place.wires.pop().unwrap());
    let mut asked = BufReader::new(kept.1).lines();
    let mut real = std::mem::replace(&mut wire.input, Box::new(kept.0));
    place.wires.push(wire);
    let _task = place.running.spawn(async move {
        while let Ok(Some(line)) = asked.next_line().await {
            if line.contains("Window") {
                return;
            }
            real.write_all((line + "\n").as_bytes()).await.unwrap();
        }
    });
    let generators = place.open().await.unwrap();

    let lost = measure(&generators, &closed(2, 40)).await.unwrap().point;
    let after = measure(&generators, &closed(2, 40)).await.unwrap().point;

    assert_eq!((lost.requests, lost.generator.count), (20, 1));
    assert!(
        lost.void
            .iter()
            .any(|it| matches!(it, Void::Lost { generator, .. } if generator == "b")),
        "{:?}",
        lost.void
    );
    assert_eq!((after.requests, after.generator.count), (40, 1));
    assert!(
        !after.void.iter().any(|it| matches!(it, Void::Lost { .. })),
        "{:?}",
        after.void
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generator_that_cannot_ask_says_why() {
    let mut place = Place::new(2).await;
    place.server = Server::start(Manner::Fails(1), 0).await;

    let error = place.open().await.unwrap_err();

    let said = error.to_string();
    assert!(matches!(error, BenchError::Generator { .. }), "{said}");
    assert!(said.contains("not answered rightly without load"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generator_ends_with_whoever_asks_it() {
    let (here, there) = (duplex(ROOM), duplex(ROOM));
    drop(here.0);
    serve(here.1, there.1).await.unwrap();
    let mut said = String::new();
    let mut output = there.0;
    output.read_to_string(&mut said).await.unwrap();
    assert_eq!(said, "");
}
