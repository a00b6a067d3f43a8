//! A sweep against a model repository that keeps what it was told.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use lab_bench::{
    Server,
    sweep::{Sweep, SweepError, Variant, variants},
    workload::Workload,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

/// What a model repository was asked to load, by instances.
type Loaded = Arc<Mutex<Vec<u64>>>;

/// Triton's model repository, as far as one model of it can be loaded with other instances.
struct Repository {
    server: Server,
    loaded: Loaded,
    _tasks: JoinSet<()>,
}

impl Repository {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let loaded = Loaded::default();
        let told = Arc::clone(&loaded);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let told = Arc::clone(&told);
                let service = service_fn(move |request| answer(request, Arc::clone(&told)));
                let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                open.spawn(served);
            }
        });
        Self {
            server: url.into(),
            loaded,
            _tasks: tasks,
        }
    }

    fn loaded(&self) -> Vec<u64> {
        self.loaded.lock().unwrap().clone()
    }
}

async fn answer(
    request: Request<Incoming>,
    loaded: Loaded,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let asked = (request.method().clone(), request.uri().path().to_owned());
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let (status, answer) = match (asked.0, asked.1.as_str()) {
        (Method::GET, "/v2/models/digits/config") => (
            200,
            json!({"name": "digits", "instance_group": [{"kind": "KIND_CPU", "count": 1}]}),
        ),
        (Method::POST, "/v2/repository/models/digits/load") => {
            let body: Value = serde_json::from_slice(&body).unwrap();
            let config = body["parameters"]["config"].as_str().unwrap();
            let config: Value = serde_json::from_str(config).unwrap();
            let count = config["instance_group"][0]["count"].as_u64().unwrap();
            loaded.lock().unwrap().push(count);
            match count {
                9.. => (400, json!({"error": "no memory for 9 instances"})),
                _ => (200, Value::Null),
            }
        }
        _ => (404, json!({"error": "no such thing"})),
    };
    let mut response = Response::new(Full::from(answer.to_string()));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap();
    Ok(response)
}

fn workload() -> Workload {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    Workload::load(&root.join("../fixtures/workloads/digits.toml")).unwrap()
}

/// Measures nothing: what a sweep has measured is told by the workload's name.
async fn names(repository: &Repository, ways: &[Variant]) -> Result<Vec<String>, SweepError> {
    let workload = workload();
    let sweep = Sweep {
        workload: &workload,
        repository: &repository.server,
        variants: ways,
    };
    let named = sweep
        .run(async |workload: &Workload| Ok::<_, SweepError>(workload.name.clone()))
        .await?;
    assert!(named.iter().map(|(way, _)| way).eq(ways));
    Ok(named.into_iter().map(|(_, name)| name).collect())
}

#[tokio::test]
async fn each_way_is_loaded_and_the_model_is_left_as_it_was() {
    let repository = Repository::start().await;
    let names = names(&repository, &variants(&[1, 2], &[])).await.unwrap();
    assert_eq!(names, ["digits (instances=1)", "digits (instances=2)"]);
    assert_eq!(repository.loaded(), [1, 2, 1]);
}

#[tokio::test]
async fn a_way_that_is_refused_is_told_in_the_servers_words() {
    let repository = Repository::start().await;
    let refused = names(&repository, &variants(&[9, 1], &[]))
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("no memory for 9 instances"));
    assert_eq!(repository.loaded(), [9, 1]);
}

#[tokio::test]
async fn an_address_of_another_protocol_is_told_before_anything_is_asked() {
    let workload = workload();
    for address in [
        "grpc://127.0.0.1:8001",
        "grpcs://127.0.0.1:8001",
        "triton:8000",
    ] {
        let sweep = Sweep {
            workload: &workload,
            repository: &address.into(),
            variants: &variants(&[2], &[]),
        };
        let refused = sweep
            .run(async |_: &Workload| Ok::<_, SweepError>(()))
            .await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("is not the address of a model repository"));
    }
}

#[tokio::test]
async fn the_model_is_left_as_it_was_where_measuring_failed() {
    #[derive(Debug)]
    struct Failed;

    impl From<SweepError> for Failed {
        fn from(error: SweepError) -> Self {
            panic!("{error}");
        }
    }

    let repository = Repository::start().await;
    let workload = workload();
    let sweep = Sweep {
        workload: &workload,
        repository: &repository.server,
        variants: &variants(&[2, 3], &[]),
    };
    let failed = sweep.run(async |_: &Workload| Err::<(), _>(Failed)).await;
    assert!(failed.is_err());
    assert_eq!(repository.loaded(), [2, 1]);
}
