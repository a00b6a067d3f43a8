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
    sweep::{Axes, Place, Sweep, SweepError, Variant},
    workload::Workload,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

/// The configurations a model has had, the newest last.
type Loaded = Arc<Mutex<Vec<Value>>>;

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
        let config =
            json!({"name": "digits", "instance_group": [{"kind": "KIND_CPU", "count": 1}]});
        let loaded = Arc::new(Mutex::new(vec![config]));
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

    /// What it was asked to load, by instances.
    fn loaded(&self) -> Vec<u64> {
        let configs = self.loaded.lock().unwrap();
        configs[1..].iter().map(count).collect()
    }

    /// The configuration as it is.
    fn config(&self) -> Value {
        self.loaded.lock().unwrap().last().unwrap().clone()
    }
}

fn count(config: &Value) -> u64 {
    config["instance_group"][0]["count"].as_u64().unwrap()
}

async fn answer(
    request: Request<Incoming>,
    loaded: Loaded,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let asked = (request.method().clone(), request.uri().path().to_owned());
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let (status, answer) = match (asked.0, asked.1.as_str()) {
        (Method::GET, "/v2/models/digits/config") => {
            (200, loaded.lock().unwrap().last().unwrap().clone())
        }
        (Method::POST, "/v2/repository/models/digits/load") => {
            let body: Value = serde_json::from_slice(&body).unwrap();
            let config = body["parameters"]["config"].as_str().unwrap();
            let config: Value = serde_json::from_str(config).unwrap();
            loaded.lock().unwrap().push(config.clone());
            match count(&config) {
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

/// Servers that are never measured: what was asked of them is told by the workload.
struct Servers<'a> {
    all: &'a [&'a Repository],
    asked_for: Vec<Option<u32>>,
    fails: bool,
}

impl Place for Servers<'_> {
    type Figures = String;
    type Error = SweepError;

    async fn scale(&mut self, replicas: Option<u32>) -> Result<Vec<Server>, SweepError> {
        self.asked_for.push(replicas);
        let count = replicas.map_or(1, |count| usize::try_from(count).unwrap());
        let all = self.all.iter().take(count);
        Ok(all.map(|one| one.server.clone()).collect())
    }

    async fn measure(&mut self, workload: &Workload) -> Result<String, SweepError> {
        if self.fails {
            return Err(SweepError::NoServers {
                model: "gone".to_owned(),
            });
        }
        Ok(format!(
            "{}: {} requests",
            workload.name,
            workload.requests.len()
        ))
    }
}

fn instances(instances: &[u32]) -> Vec<Variant> {
    let axes = Axes {
        instances: instances.to_vec(),
        ..Axes::default()
    };
    axes.variants()
}

fn servers<'a>(all: &'a [&'a Repository]) -> Servers<'a> {
    Servers {
        all,
        asked_for: Vec::new(),
        fails: false,
    }
}

async fn swept(servers: &mut Servers<'_>, ways: &[Variant]) -> Result<Vec<String>, SweepError> {
    let workload = workload();
    let sweep = Sweep {
        workload: &workload,
        variants: ways,
    };
    let named = sweep.run(servers).await?;
    assert!(named.iter().map(|(way, _)| way).eq(ways));
    Ok(named.into_iter().map(|(_, name)| name).collect())
}

#[tokio::test]
async fn each_way_is_loaded_and_the_model_is_left_as_it_was() {
    let repository = Repository::start().await;
    let told = swept(&mut servers(&[&repository]), &instances(&[1, 2])).await;
    assert_eq!(
        told.unwrap(),
        [
            "digits (instances=1): 64 requests",
            "digits (instances=2): 64 requests"
        ]
    );
    assert_eq!(repository.loaded(), [1, 2, 1]);
}

#[tokio::test]
async fn every_replica_is_set_up_and_there_are_as_many_as_before_in_the_end() {
    let (one, two) = (Repository::start().await, Repository::start().await);
    let axes = Axes {
        replicas: vec![1, 2],
        batch_sizes: vec![8],
        instances: vec![3],
        ..Axes::default()
    };
    let all = [&one, &two];
    let mut servers = servers(&all);
    let told = swept(&mut servers, &axes.variants()).await.unwrap();
    assert_eq!(
        told[1],
        "digits (replicas=2 batch-size=8 instances=3): 8 requests"
    );
    assert_eq!(servers.asked_for, [None, Some(1), Some(2), None]);
    assert_eq!((one.loaded(), two.loaded()), (vec![3, 3, 1], vec![3]));
}

#[tokio::test]
async fn a_way_that_is_refused_is_told_in_the_servers_words() {
    let repository = Repository::start().await;
    let refused = swept(&mut servers(&[&repository]), &instances(&[9, 1])).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("no memory for 9 instances"), "{refused}");
    assert_eq!(repository.loaded(), [9, 1]);
}

#[tokio::test]
async fn what_cannot_be_asked_is_told_before_anything_is_set_up() {
    let repository = Repository::start().await;
    let axes = Axes {
        batch_sizes: vec![65],
        ..Axes::default()
    };
    let refused = swept(&mut servers(&[&repository]), &axes.variants()).await;
    assert!(
        matches!(refused, Err(SweepError::Workload(_))),
        "{refused:?}"
    );
    assert!(repository.loaded().is_empty());
}

#[tokio::test]
async fn an_address_of_another_protocol_is_told_before_anything_is_asked() {
    for address in [
        "grpc://127.0.0.1:8001",
        "grpcs://127.0.0.1:8001",
        "triton:8000",
    ] {
        let mut repository = Repository::start().await;
        repository.server = address.into();
        let refused = swept(&mut servers(&[&repository]), &instances(&[2])).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("is not the address of a model repository"));
    }
}

#[tokio::test]
async fn the_model_is_left_as_it_was_where_measuring_failed() {
    let repository = Repository::start().await;
    let all = [&repository];
    let mut servers = Servers {
        fails: true,
        ..servers(&all)
    };
    let failed = swept(&mut servers, &instances(&[2, 3])).await;
    assert!(matches!(failed, Err(SweepError::NoServers { .. })));
    assert_eq!(repository.loaded(), [2, 1]);
}

#[tokio::test]
async fn the_next_sweep_leaves_a_model_as_it_was_before_one_that_was_killed() {
    let repository = Repository::start().await;
    let first = repository.config();
    {
        // As if by `kill -9`: set up in another way, and nobody left to set it back.
        let all = [&repository];
        let mut servers = servers(&all);
        let (workload, ways) = (workload(), instances(&[4]));
        let sweep = Sweep {
            workload: &workload,
            variants: &ways,
        };
        let mut killed = Box::pin(sweep.run(&mut servers));
        while repository.loaded().is_empty() {
            let _ = futures::poll!(&mut killed);
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(count(&repository.config()), 4);
    swept(&mut servers(&[&repository]), &instances(&[2]))
        .await
        .unwrap();
    assert_eq!(repository.loaded(), [4, 2, 1]);
    assert_eq!(repository.config(), first);
}
