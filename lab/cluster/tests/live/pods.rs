//! Pods on chosen nodes: what one serves, the other reads.

use std::time::Duration;

use lab_k8s::{
    Kube,
    k8s_openapi::{
        NamespaceResourceScope,
        api::core::v1::{Node, PersistentVolume, PersistentVolumeClaim, Pod, Service},
    },
    kube::{
        Api, Client, Resource,
        api::{AttachParams, DeleteParams, ListParams, LogParams, PostParams},
    },
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::{
    io::AsyncReadExt,
    time::{Instant, sleep},
};

use super::expect;

type Failure = Box<dyn std::error::Error>;

/// Only ends a test that would hang.
const AT_MOST: Duration = Duration::from_mins(2);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The folder of the claim; what the server writes there and serves.
const SERVE: &str =
    "echo kept > /data/kept; echo serving; cd /data; exec python3 -m http.server 8000";
/// Reads what is served until it is there; prints where it was found.
const READ: &str = "
import sys, time, urllib.request
for url in sys.argv[1:]:
    while True:
        try:
            text = urllib.request.urlopen(url + '/kept', timeout=2).read().decode()
            print(text.strip(), 'by', url, flush=True)
            break
        except OSError:
            time.sleep(0.1)
";

/// Pods of one test in the namespace `default`.
pub(crate) struct Pods {
    client: Client,
    image: String,
}

impl Pods {
    pub(crate) fn new(kube: &Kube, image: String) -> Self {
        Self {
            client: kube.client(),
            image,
        }
    }

    pub(crate) fn image(&self) -> &str {
        &self.image
    }

    /// A pod with a volume that serves it on one node, behind a Service with that
    /// NodePort; a pod that reads it on another; then all removed. Returns the name
    /// of the volume.
    pub(crate) async fn serve_and_read(
        &self,
        on: &str,
        from: &str,
        node_port: u16,
    ) -> Result<String, Failure> {
        self.create::<Service>(service(node_port)).await?;
        self.create::<PersistentVolumeClaim>(claim()).await?;
        self.create::<Pod>(self.server(on)).await?;
        let server = self.until_phase("server", "Running").await?;
        let status = server.status.unwrap_or_default();
        let address = status.pod_ip.unwrap_or_default();
        let urls = [
            format!("http://{address}:8000"),
            "http://web".to_owned(),
            "http://web.default.svc.cluster.local".to_owned(),
        ];
        self.create::<Pod>(self.reader(from, &urls)).await?;
        self.until_phase("reader", "Succeeded").await?;
        let told = self.logs("reader").await?;
        for url in urls {
            expect(
                told.contains(&format!("kept by {url}")),
                &format!("a pod on {from} reads {url} on {on}:\n{told}"),
            )?;
        }
        expect(
            self.logs("server").await?.contains("serving"),
            "logs of a pod come through the API server",
        )?;
        expect(
            self.exec("server", &["cat", "/data/kept"]).await? == "kept\n",
            "a command runs in a pod through the API server",
        )?;
        self.volume(on).await
    }

    /// Removes what the test made and waits until the volume is gone as well.
    pub(crate) async fn remove(&self, volume: &str) -> Result<(), Failure> {
        let now = DeleteParams::default().grace_period(0);
        let pods = Api::<Pod>::default_namespaced(self.client.clone());
        for pod in ["server", "reader"] {
            pods.delete(pod, &now).await?;
        }
        let services = Api::<Service>::default_namespaced(self.client.clone());
        services.delete("web", &now).await?;
        let claims = Api::<PersistentVolumeClaim>::default_namespaced(self.client.clone());
        claims.delete("data", &now).await?;
        let volumes = Api::<PersistentVolume>::all(self.client.clone());
        until("the volume is gone", async || {
            Ok(volumes.get_opt(volume).await?.is_none().then_some(()))
        })
        .await
    }

    /// The one volume there is; it must be bound to that node.
    async fn volume(&self, node: &str) -> Result<String, Failure> {
        let volumes = Api::<PersistentVolume>::all(self.client.clone());
        let list = volumes.list(&ListParams::default()).await?;
        let volume = list.items.first().ok_or("there is no volume")?;
        let affinity = json!(volume.spec.as_ref().and_then(|it| it.node_affinity.clone()));
        expect(
            affinity.to_string().contains(&format!("[\"{node}\"]")),
            &format!("the volume is bound to {node}: {affinity}"),
        )?;
        Ok(volume.metadata.name.clone().unwrap_or_default())
    }

    async fn create<K>(&self, object: Value) -> Result<(), Failure>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + DeserializeOwned
            + Serialize
            + std::fmt::Debug,
    {
        let api = Api::<K>::default_namespaced(self.client.clone());
        let object: K = serde_json::from_value(object)?;
        api.create(&PostParams::default(), &object).await?;
        Ok(())
    }

    async fn until_phase(&self, pod: &str, phase: &str) -> Result<Pod, Failure> {
        let pods = Api::<Pod>::default_namespaced(self.client.clone());
        until(&format!("{pod} is {phase}"), async || {
            let pod = pods.get(pod).await?;
            let now = pod.status.as_ref().and_then(|it| it.phase.clone());
            Ok((now.as_deref() == Some(phase)).then_some(pod))
        })
        .await
    }

    async fn logs(&self, pod: &str) -> Result<String, Failure> {
        let pods = Api::<Pod>::default_namespaced(self.client.clone());
        Ok(pods.logs(pod, &LogParams::default()).await?)
    }

    async fn exec(&self, pod: &str, command: &[&str]) -> Result<String, Failure> {
        let pods = Api::<Pod>::default_namespaced(self.client.clone());
        let mut running = pods
            .exec(pod, command.iter().copied(), &AttachParams::default())
            .await?;
        let mut told = String::new();
        if let Some(mut output) = running.stdout() {
            output.read_to_string(&mut told).await?;
        }
        running.join().await?;
        Ok(told)
    }

    fn server(&self, node: &str) -> Value {
        let mut pod = self.pod("server", node, &["sh", "-c", SERVE]);
        pod["spec"]["containers"][0]["volumeMounts"] =
            json!([{"name": "data", "mountPath": "/data"}]);
        pod["spec"]["volumes"] =
            json!([{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]);
        pod
    }

    fn reader(&self, node: &str, urls: &[String]) -> Value {
        let urls = urls.iter().map(String::as_str);
        let command: Vec<_> = ["python3", "-c", READ].into_iter().chain(urls).collect();
        self.pod("reader", node, &command)
    }

    fn pod(&self, name: &str, node: &str, command: &[&str]) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": {"app": name}},
            "spec": {
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 0,
                "nodeSelector": {"kubernetes.io/hostname": node},
                "containers": [{
                    "name": name,
                    "image": self.image,
                    "imagePullPolicy": "Never",
                    "command": command,
                }],
            },
        })
    }
}

fn service(node_port: u16) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {
            "type": "NodePort",
            "selector": {"app": "server"},
            "ports": [{"port": 80, "targetPort": 8000, "nodePort": node_port}],
        },
    })
}

fn claim() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Mi"}},
        },
    })
}

/// Names of the nodes that are Ready.
pub(crate) async fn ready_nodes(kube: &Kube) -> Result<Vec<String>, Failure> {
    let nodes = Api::<Node>::all(kube.client());
    let list = nodes.list(&ListParams::default()).await?;
    let is_ready = |node: &&Node| {
        let conditions = node
            .status
            .iter()
            .flat_map(|it| it.conditions.iter().flatten());
        let mut conditions = conditions.map(|it| (it.type_.as_str(), it.status.as_str()));
        conditions.any(|condition| condition == ("Ready", "True"))
    };
    let names = list
        .iter()
        .filter(is_ready)
        .map(|node| node.metadata.name.clone());
    Ok(names.flatten().collect())
}

/// Asks until there is an answer.
pub(crate) async fn until<T>(
    what: &str,
    mut ask: impl AsyncFnMut() -> Result<Option<T>, Failure>,
) -> Result<T, Failure> {
    let deadline = Instant::now() + AT_MOST;
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        if Instant::now() > deadline {
            return Err(format!("{what}: not within {} s", AT_MOST.as_secs()).into());
        }
        sleep(LOOK_EVERY).await;
    }
}
