//! A cluster that lab makes plays that of a company: others have things on it, and its
//! kubeconfig is a copy that no state folder knows.

use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};

use lab_cluster::{
    Cluster, ClusterError, ClusterSpec, Leftover, down,
    existing::{self, ExistingError, Wish},
    node, open,
};
use lab_engine::Engine;
use lab_k8s::{
    Kube,
    forward::{Forward, Target},
    k8s_openapi::api::{
        apps::v1::Deployment,
        core::v1::{ConfigMap, Namespace, Pod, Service},
        rbac::v1::ClusterRole,
    },
    kube::{
        Api, Resource,
        api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
        config::Kubeconfig,
    },
    removal::RemovalError,
};
use lab_model::{event::Silent, fault::Fault, name::ClusterName, provider::Provider};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_util::sync::CancellationToken;

use super::{Bench, expect, name, nothing_is_left, pods::until};

type Failure = Box<dyn std::error::Error>;

const CONTEXT: &str = "company";
/// A namespace that others have, one of ours, and a cluster role that others have.
const THEIRS: &str = "their-platform";
const OURS: &str = "our-platform";
const ROLE: &str = "their-role";

/// What a test works with.
struct Company<'a> {
    bench: &'a Bench,
    host: Cluster,
    kube: Kube,
    kubeconfig: PathBuf,
    _folder: TempDir,
}

pub(super) async fn live(bench: &Bench) -> Result<(), Failure> {
    let host = name("company")?;
    let work: ClusterName = name("work")?;
    let used = use_company(bench, &host, &work).await;
    // Not by the label, but with all that it stands on.
    let left = down(&bench.engine, &work).await;
    node::down(&bench.engine, &host).await?;
    used?;
    left?;
    nothing_is_left(&bench.engine, &host).await
}

async fn use_company(bench: &Bench, host: &ClusterName, work: &ClusterName) -> Result<(), Failure> {
    let Bench { engine, images } = bench;
    let spec = ClusterSpec::new(host.clone());
    let cluster = node::up(engine, images, &spec, &Silent, &CancellationToken::new()).await?;
    let stream = images.save(&["python"])?;
    node::load_images(engine, &cluster, stream, &Silent).await?;
    let folder = tempfile::tempdir()?;
    let company = Company {
        bench,
        kube: Kube::from_kubeconfig_file(&cluster.kubeconfig).await?,
        kubeconfig: copy(&cluster, &folder)?,
        host: cluster,
        _folder: folder,
    };
    company.others_have_things().await?;
    company.refuses_without_agreement(work).await?;
    company.own_contexts_need_none(work).await?;
    let cluster = company.begin(work).await?;
    company.leaves_their_namespace_alone(&cluster).await?;
    let labels = existing::own_namespace(&cluster, OURS).await?;
    expect(
        existing::own_namespace(&cluster, OURS).await? == labels,
        "a namespace of ours is ours the second time, too",
    )?;
    company.has_images(&cluster).await?;
    company.forwards_outlive_pods().await?;
    company.tells_what_hangs(&labels).await?;
    company.a_dead_run_is_left(work).await?;
    company.a_mute_server_keeps_the_lease(work).await?;
    company.down_removes_ours_alone(work, &labels).await
}

/// The kubeconfig as a person would have it: elsewhere, and under another name.
fn copy(cluster: &Cluster, folder: &TempDir) -> Result<PathBuf, Failure> {
    let mut kubeconfig = Kubeconfig::read_from(&cluster.kubeconfig)?;
    for context in &mut kubeconfig.contexts {
        CONTEXT.clone_into(&mut context.name);
    }
    kubeconfig.current_context = Some(CONTEXT.to_owned());
    let file = folder.path().join("config");
    fs::write(&file, serde_json::to_string(&kubeconfig)?)?;
    Ok(file)
}

impl Company<'_> {
    const fn engine(&self) -> &Engine {
        &self.bench.engine
    }

    fn wish(&self, is_agreed: bool) -> Wish {
        Wish {
            kubeconfig: Some(self.kubeconfig.clone()),
            context: None,
            is_agreed,
        }
    }

    async fn create<K>(&self, api: Api<K>, object: Value) -> Result<K, Failure>
    where
        K: Resource + Clone + Serialize + DeserializeOwned + std::fmt::Debug,
    {
        let object = serde_json::from_value(object)?;
        Ok(api.create(&PostParams::default(), &object).await?)
    }

    async fn others_have_things(&self) -> Result<(), Failure> {
        let client = self.kube.client();
        let namespace = json!({"metadata": {"name": THEIRS}});
        self.create::<Namespace>(Api::all(client.clone()), namespace)
            .await?;
        let role = json!({"metadata": {"name": ROLE, "labels": {"lab.cluster": "another"}}});
        self.create::<ClusterRole>(Api::all(client.clone()), role)
            .await?;
        self.kube.takes_pods(THEIRS).await?;
        let pod = json!({"metadata": {"name": "their-pod"}, "spec": self.serving()?});
        self.create::<Pod>(Api::namespaced(client, THEIRS), pod)
            .await?;
        Ok(())
    }

    async fn refuses_without_agreement(&self, work: &ClusterName) -> Result<(), Failure> {
        let refused = existing::examine(work, &self.wish(false)).await;
        expect(
            matches!(
                refused,
                Err(ClusterError::Existing(ExistingError::NotAgreed { .. }))
            ),
            "a cluster that lab does not know needs `--yes`",
        )
    }

    async fn own_contexts_need_none(&self, work: &ClusterName) -> Result<(), Failure> {
        let wish = Wish {
            kubeconfig: Some(self.host.kubeconfig.clone()),
            ..Wish::default()
        };
        existing::examine(work, &wish).await?;
        Ok(())
    }

    async fn begin(&self, work: &ClusterName) -> Result<Cluster, Failure> {
        let spec = ClusterSpec {
            provider: Provider::Existing,
            existing: Some(self.wish(true)),
            ..ClusterSpec::new(work.clone())
        };
        let cancel = CancellationToken::new();
        let cluster = existing::up(self.engine(), &spec, &cancel).await?;
        expect(
            open(self.engine(), work).await? == cluster,
            "it can be opened by its name",
        )?;
        let again = existing::up(self.engine(), &spec, &cancel).await;
        expect(
            matches!(again, Err(ClusterError::NameTaken { .. })),
            "a second one of that name is refused",
        )?;
        let images = &self.bench.images;
        let node = ClusterSpec::new(work.clone());
        let node = node::up(self.engine(), images, &node, &Silent, &cancel).await;
        expect(
            matches!(node, Err(ClusterError::NameTaken { .. })),
            "nodes do not take its name either",
        )?;
        Ok(cluster)
    }

    async fn leaves_their_namespace_alone(&self, cluster: &Cluster) -> Result<(), Failure> {
        let refused = existing::own_namespace(cluster, THEIRS).await;
        expect(
            matches!(
                refused,
                Err(ClusterError::Existing(
                    ExistingError::ForeignNamespace { .. }
                ))
            ),
            "a namespace that others made is refused",
        )
    }

    async fn has_images(&self, cluster: &Cluster) -> Result<(), Failure> {
        let there = [self.bench.images.cluster_reference("python")?];
        let absent = ["docker.io/lab/ghost:0".to_owned()];
        // A kubelet tells of new images twice a minute.
        until("the node tells of its image", async || {
            Ok(existing::require_images(cluster, &there, &[]).await.ok())
        })
        .await?;
        let lacking = existing::require_images(cluster, &there, &absent).await?;
        expect(lacking == absent, "an optional image may lack")?;
        let error = existing::require_images(cluster, &absent, &[]).await;
        let told = error.err().ok_or("a needed image may not")?.to_string();
        expect(told.contains("docker.io/lab/ghost:0 on "), &told)
    }

    /// A Deployment behind a Service; its pod is removed, and the address stays.
    async fn forwards_outlive_pods(&self) -> Result<(), Failure> {
        let client = self.kube.client();
        let labels = json!({"app": "web"});
        let deployment = json!({"metadata": {"name": "web"}, "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": self.serving()?},
        }});
        let service = json!({"metadata": {"name": "web"}, "spec": {
            "selector": labels, "ports": [{"port": 80, "targetPort": "http"}],
        }});
        let target = Target {
            namespace: OURS.to_owned(),
            service: "web".to_owned(),
            port: 80,
        };
        let forward = Forward::open(self.kube.clone(), target).await?;
        expect(get(&forward).await.is_err(), "there is no Service yet")?;
        self.create::<Deployment>(Api::namespaced(client.clone(), OURS), deployment)
            .await?;
        self.create::<Service>(Api::namespaced(client.clone(), OURS), service)
            .await?;
        let pods: Api<Pod> = Api::namespaced(client, OURS);
        let first = until("the Service is reached", async || {
            Ok(get(&forward).await.ok())
        })
        .await?;
        expect(first.contains("200 OK"), &first)?;
        let now = DeleteParams::default().grace_period(0);
        for pod in pods.list(&ListParams::default()).await? {
            pods.delete(&pod.metadata.name.unwrap_or_default(), &now)
                .await?;
        }
        let next = until("the next pod is reached", async || {
            Ok(get(&forward).await.ok())
        })
        .await?;
        expect(next.contains("200 OK"), &next)
    }

    async fn tells_what_hangs(&self, labels: &BTreeMap<String, String>) -> Result<(), Failure> {
        let maps: Api<ConfigMap> = Api::namespaced(self.kube.client(), OURS);
        let held = json!({"metadata": {"name": "held", "finalizers": ["example.com/hold"]}});
        self.create(maps.clone(), held).await?;
        let removed = self
            .kube
            .remove_labelled(&selector(labels), Duration::from_secs(8))
            .await;
        let Err(RemovalError::Stuck { hanging, .. }) = removed else {
            return Err(format!("a finalizer holds the namespace: {removed:?}").into());
        };
        expect(
            hanging.contains(OURS) && hanging.contains("example.com/hold"),
            &hanging,
        )?;
        let free = json!({"metadata": {"finalizers": null}});
        maps.patch("held", &PatchParams::default(), &Patch::Merge(&free))
            .await?;
        Ok(())
    }

    /// What a run whose process is dead has there is found, like a dead run's containers.
    async fn a_dead_run_is_left(&self, work: &ClusterName) -> Result<(), Failure> {
        let folder = self.host.kubeconfig.parent().and_then(|it| it.parent());
        let folder = folder.ok_or("no state folder")?;
        let file = folder.join(work.as_str()).join("lease.json");
        let whole = fs::read_to_string(&file)?;
        let mut lease: Value = serde_json::from_str(&whole)?;
        lease["run"] = json!("run-1");
        lease["owner"] = json!("1:1:another-boot");
        fs::write(&file, lease.to_string())?;
        let left = node::leftovers(self.engine(), false).await;
        fs::write(&file, whole)?;
        expect(
            left?.contains(&Leftover::Cluster(work.clone())),
            "a dead run's is left",
        )
    }

    async fn a_mute_server_keeps_the_lease(&self, work: &ClusterName) -> Result<(), Failure> {
        let pause = Fault::NodePaused {
            node: self.host.nodes[0].clone(),
        };
        node::inject(self.engine(), &self.host.name, &pause).await?;
        let removed = down(self.engine(), work).await;
        node::heal(self.engine(), &self.host.name, &pause).await?;
        let Err(ClusterError::Existing(ExistingError::NotRemoved { .. })) = removed else {
            return Err(format!("the server is mute: {removed:?}").into());
        };
        node::known(self.engine(), work).await?;
        Ok(())
    }

    async fn down_removes_ours_alone(
        &self,
        work: &ClusterName,
        labels: &BTreeMap<String, String>,
    ) -> Result<(), Failure> {
        let client = self.kube.client();
        let roles: Api<ClusterRole> = Api::all(client.clone());
        let role = json!({"metadata": {"name": "our-role", "labels": labels}});
        self.create(roles.clone(), role).await?;

        down(self.engine(), work).await?;

        let namespaces: Api<Namespace> = Api::all(client.clone());
        let pods: Api<Pod> = Api::namespaced(client, THEIRS);
        expect(
            namespaces.get_opt(OURS).await?.is_none(),
            "our namespace is gone",
        )?;
        expect(
            roles.get_opt("our-role").await?.is_none(),
            "our role is gone",
        )?;
        let namespace = namespaces.get(THEIRS).await?;
        expect(
            namespace.metadata.deletion_timestamp.is_none(),
            "their namespace stays",
        )?;
        let pod = pods.get("their-pod").await?;
        expect(pod.metadata.deletion_timestamp.is_none(), "their pod stays")?;
        expect(roles.get_opt(ROLE).await?.is_some(), "their role stays")?;
        expect(
            node::known(self.engine(), work).await.is_err(),
            "nothing is remembered",
        )
    }

    /// A pod that answers over HTTP.
    fn serving(&self) -> Result<Value, Failure> {
        Ok(json!({
            "terminationGracePeriodSeconds": 1,
            "containers": [{
                "name": "web",
                "image": self.bench.images.cluster_reference("python")?,
                "imagePullPolicy": "Never",
                "command": ["python3", "-m", "http.server", "8000"],
                "ports": [{"name": "http", "containerPort": 8000}],
            }],
        }))
    }
}

fn selector(labels: &BTreeMap<String, String>) -> String {
    let terms: Vec<_> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
    terms.join(",")
}

/// What is answered at the address; nothing is an error.
async fn get(forward: &Forward) -> Result<String, Failure> {
    let mut stream = TcpStream::connect(forward.address()).await?;
    stream
        .write_all(b"GET / HTTP/1.0\r\nHost: web\r\n\r\n")
        .await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    if answer.is_empty() {
        return Err("nothing answers".into());
    }
    Ok(answer)
}
