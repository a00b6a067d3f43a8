//! Commands on clusters that are there: down, list, status, kubeconfig.

use lab_cluster::Cluster;
use lab_engine::Engine;
use lab_k8s::Kube;
use lab_model::{exit::Exit, name::ClusterName};
use lab_runner::{RunError, Workbench, endpoints};
use serde_json::json;

use super::{CommandError, Context};
use crate::{
    args::{DownArgs, ImagePolicy},
    output,
};

/// The cluster of that name, which must be there.
pub(super) async fn open(
    workbench: &Workbench,
    name: &ClusterName,
) -> Result<Cluster, CommandError> {
    Ok(lab_cluster::open(&workbench.engine, name)
        .await
        .map_err(RunError::from)?)
}

pub(super) async fn down(context: &Context, args: DownArgs) -> Result<Exit, CommandError> {
    let engine = Engine::connect().await.map_err(RunError::from)?;
    let names = if let Some(name) = args.name {
        // Removing by a mistyped name must not look like success.
        lab_cluster::known(&engine, &name)
            .await
            .map_err(RunError::from)?;
        vec![name]
    } else {
        let all = lab_cluster::list(&engine).await.map_err(RunError::from)?;
        all.into_iter().map(|it| it.name).collect()
    };
    for name in &names {
        lab_cluster::down(&engine, name)
            .await
            .map_err(RunError::from)?;
        output::remark(&format!("removed {name}"));
    }
    output::result(&context.global, &json!({"removed": names}), "");
    Ok(Exit::Ok)
}

pub(super) async fn list(context: &Context) -> Result<Exit, CommandError> {
    let engine = Engine::connect().await.map_err(RunError::from)?;
    let clusters = lab_cluster::list(&engine).await.map_err(RunError::from)?;
    let mut text = format!(
        "{:<34} {:<9} {:<6} {:<10} STARTED\n",
        "NAME", "PROVIDER", "NODES", "STATE"
    );
    for cluster in &clusters {
        text.push_str(&format!(
            "{:<34} {:<9} {:<6} {:<10} {}\n",
            cluster.name.as_str(),
            cluster.provider.as_str(),
            cluster.nodes,
            cluster.state,
            cluster.started
        ));
    }
    if clusters.is_empty() {
        "no clusters; `lab up NAME` makes one".clone_into(&mut text);
    }
    output::result(&context.global, &clusters, &text);
    Ok(Exit::Ok)
}

pub(super) async fn status(context: &Context, name: &ClusterName) -> Result<Exit, CommandError> {
    let workbench = context.workbench(ImagePolicy::Auto).await?;
    let cluster = open(&workbench, name).await?;
    let kube = Kube::from_kubeconfig_file(&cluster.kubeconfig)
        .await
        .map_err(RunError::from)?;
    let nodes = kube.node_names().await.map_err(RunError::from)?;
    let usage = lab_cluster::usage(&workbench.engine, &cluster)
        .await
        .map_err(RunError::from)?;
    let pods = kube.pod_lines().await.map_err(RunError::from)?;
    let locked = workbench
        .catalogue
        .load("lifecycle", "documented")
        .map_err(RunError::from)?;
    let endpoints = endpoints::published(&cluster, &locked);
    let forwards = endpoints::by_hand(&cluster, &locked);
    let mib = usage.memory_bytes / (1 << 20);
    let mut text = format!(
        "{name}: Kubernetes {}, nodes {}, memory {mib} MiB\nkubeconfig {}\n",
        cluster.version,
        nodes.join(", "),
        cluster.kubeconfig.display()
    );
    for (endpoint, url) in endpoints.iter().chain(&forwards) {
        text.push_str(&format!("{endpoint:<16} {url}\n"));
    }
    text.push_str(&pods.join("\n"));
    let value = json!({
        "name": name, "version": cluster.version, "nodes": nodes, "memory_bytes": usage.memory_bytes,
        "kubeconfig": cluster.kubeconfig, "endpoints": endpoints, "port_forwards": forwards, "pods": pods,
    });
    output::result(&context.global, &value, &text);
    Ok(Exit::Ok)
}

pub(super) async fn kubeconfig(
    context: &Context,
    name: &ClusterName,
) -> Result<Exit, CommandError> {
    let engine = Engine::connect().await.map_err(RunError::from)?;
    let cluster = lab_cluster::open(&engine, name)
        .await
        .map_err(RunError::from)?;
    let text = cluster.kubeconfig.to_string_lossy();
    output::result(
        &context.global,
        &json!({"kubeconfig": cluster.kubeconfig}),
        &text,
    );
    Ok(Exit::Ok)
}
