//! How each fault is made and undone.

use std::{collections::BTreeMap, net::IpAddr};

use lab_engine::Engine;
use lab_k8s::{
    Kube,
    k8s_openapi::api::core::v1::Node,
    kube::{
        Api, Error,
        api::{Patch, PatchParams},
    },
};
use lab_model::{fault::Fault, hindrance::Hindrance, name::ClusterName};
use serde_json::json;

use super::{
    disk,
    scripts::{self, run, run_if_there},
};
use crate::{
    Cluster, ClusterError,
    folder::Folder,
    node::{list, names},
};

/// The kernel's queues that send late, and that send little.
const LATE: &str = "netem";
const LITTLE: &str = "tbf";
/// What `tc` says where the kernel has no such queue.
const NO_SUCH_QUEUE: [&str; 2] = ["qdisc kind is unknown", "No such file or directory"];

/// Makes it.
pub(super) async fn make(
    engine: &Engine,
    cluster: &ClusterName,
    fault: &Fault,
) -> Result<(), ClusterError> {
    let container = |node: &str| names::container_of(cluster, node);
    let in_node = async |node: &str, script, words: &[&str]| {
        run(engine, &container(node), &doing(fault), script, words).await
    };
    match fault {
        Fault::ApiServerStopped => signal(engine, cluster, "STOP").await,
        Fault::NodePaused { node } => Ok(engine.pause_container(&container(node)).await?),
        Fault::NodeKilled { node } => Ok(engine.kill_container(&container(node)).await?),
        Fault::NodeCordoned { node } => cordon(cluster, node, true).await,
        Fault::NetworkCut { node, from } => {
            let address = address(engine, cluster, from).await?.to_string();
            let words = [from.as_str(), address.as_str()];
            in_node(node, scripts::CUT, &words).await
        }
        Fault::NetworkSlowed { node, delay_millis } => {
            let delay = format!("{delay_millis}ms");
            // Enough for what is on its way meanwhile.
            let queue = [LATE, "delay", &delay, "limit", "100000"];
            queue_up(engine, &container(node), fault, &queue).await
        }
        Fault::NetworkThrottled {
            node,
            kilobits_per_second,
        } => {
            let rate = format!("{kilobits_per_second}kbit");
            let queue = [LITTLE, "rate", &rate, "burst", "4kb", "latency", "400ms"];
            queue_up(engine, &container(node), fault, &queue).await
        }
        Fault::DiskPressure { node } => {
            disk::set_pressure(engine, &container(node), node, true).await
        }
        Fault::RegistriesCut { node } => {
            let nodes = addresses(engine, cluster).await?;
            let words: Vec<&str> = nodes.iter().map(String::as_str).collect();
            in_node(node, scripts::CUT_REGISTRIES, &words).await
        }
    }
}

/// Undoes it.
pub(super) async fn undo(
    engine: &Engine,
    cluster: &ClusterName,
    fault: &Fault,
) -> Result<(), ClusterError> {
    let container = |node: &str| names::container_of(cluster, node);
    let in_node = async |node: &str, script, words: &[&str]| {
        let doing = format!("undo that {fault}");
        run_if_there(engine, &container(node), &doing, script, words).await
    };
    match fault {
        Fault::ApiServerStopped => signal(engine, cluster, "CONT").await,
        Fault::NodePaused { node } => Ok(engine.unpause_container(&container(node)).await?),
        Fault::NodeKilled { node } => Ok(engine.start_container(&container(node)).await?),
        Fault::NodeCordoned { node } => cordon(cluster, node, false).await,
        Fault::NetworkCut { node, from } => in_node(node, scripts::JOIN, &[from]).await,
        Fault::NetworkSlowed { node, .. } => in_node(node, scripts::UNQUEUE, &[LATE]).await,
        Fault::NetworkThrottled { node, .. } => in_node(node, scripts::UNQUEUE, &[LITTLE]).await,
        Fault::DiskPressure { node } => {
            disk::set_pressure(engine, &container(node), node, false).await
        }
        Fault::RegistriesCut { node } => in_node(node, scripts::JOIN_REGISTRIES, &[]).await,
    }
}

/// What this machine's kernel cannot do, by the tag of the scenarios that need it, each
/// with its reason.
///
/// # Errors
/// When the engine breaks off.
pub async fn lacking(
    engine: &Engine,
    cluster: &Cluster,
) -> Result<BTreeMap<String, Hindrance>, ClusterError> {
    let server = names::container(&cluster.name);
    let mut lacking = BTreeMap::new();
    for (kind, parameters) in [
        (LATE, &["delay", "1ms"][..]),
        (LITTLE, &["rate", "1gbit", "burst", "1mb", "latency", "1s"]),
    ] {
        let words: Vec<&str> = [kind]
            .into_iter()
            .chain(parameters.iter().copied())
            .collect();
        let tried = run(engine, &server, "try a queue", scripts::HAS_QUEUE, &words).await;
        match tried {
            Err(ClusterError::Fault { words, .. }) => {
                lacking.insert(kind.to_owned(), no_queue(kind, words));
            }
            other => other?,
        }
    }
    Ok(lacking)
}

async fn signal(engine: &Engine, cluster: &ClusterName, signal: &str) -> Result<(), ClusterError> {
    let doing = format!("send SIG{signal} to the API server");
    let lease = Folder::of(cluster)?.lease();
    let server = lease.map_or_else(|| names::container(cluster), |lease| lease.container);
    let script = scripts::SIGNAL_API_SERVER;
    if signal == "CONT" {
        return run_if_there(engine, &server, &doing, script, &[signal]).await;
    }
    run(engine, &server, &doing, script, &[signal]).await
}

async fn queue_up(
    engine: &Engine,
    container: &str,
    fault: &Fault,
    queue: &[&str],
) -> Result<(), ClusterError> {
    match run(engine, container, &doing(fault), scripts::QUEUE, queue).await {
        Err(ClusterError::Fault { words, .. })
            if NO_SUCH_QUEUE.iter().any(|said| words.contains(said)) =>
        {
            Err(ClusterError::FaultImpossible {
                fault: fault.to_string(),
                reason: no_queue(queue[0], words).to_string(),
            })
        }
        other => other,
    }
}

fn doing(fault: &Fault) -> String {
    format!("make it so that {fault}")
}

fn no_queue(kind: &str, words: String) -> Hindrance {
    let queue = kind.to_owned();
    Hindrance::NoQueue { queue, words }
}

/// Marks a node, or marks it no more. One that is not there takes no pods anyway.
async fn cordon(cluster: &ClusterName, node: &str, is_cordoned: bool) -> Result<(), ClusterError> {
    let kube = Kube::from_kubeconfig_file(&Folder::of(cluster)?.kubeconfig()).await?;
    let nodes = Api::<Node>::all(kube.client());
    let patch = json!({"spec": {"unschedulable": is_cordoned.then_some(true)}});
    let patched = nodes
        .patch(node, &PatchParams::default(), &Patch::Merge(patch))
        .await;
    match patched {
        Ok(_) => Ok(()),
        Err(Error::Api(status)) if status.code == 404 => Ok(()),
        Err(error) => Err(lab_k8s::KubeError::doing(format!("mark node {node}"))(error).into()),
    }
}

async fn addresses(engine: &Engine, cluster: &ClusterName) -> Result<Vec<String>, ClusterError> {
    let mut addresses = Vec::new();
    for node in list::nodes(engine, cluster).await? {
        // A node that is off has none.
        if let Ok(address) = address(engine, cluster, &node).await {
            addresses.push(address.to_string());
        }
    }
    Ok(addresses)
}

async fn address(
    engine: &Engine,
    cluster: &ClusterName,
    node: &str,
) -> Result<IpAddr, ClusterError> {
    let container = engine
        .container(&names::container_of(cluster, node))
        .await?;
    let address = container.and_then(|it| it.addresses.get(&names::network(cluster)).copied());
    address.ok_or_else(|| ClusterError::Fault {
        doing: format!("find node {node}"),
        words: "it has no address".to_owned(),
    })
}
