//! Commands on clusters: up, down, list, status, kubeconfig, logs.

use std::{collections::BTreeSet, time::SystemTime};

use lab_cluster::{
    Cluster, ClusterSpec,
    node::{self, LogWish},
    reaper,
};
use lab_engine::Engine;
use lab_k8s::Kube;
use lab_model::{exit::Exit, name::ClusterName};
use lab_runner::{RunError, Session, Workbench, session::endpoints};
use serde_json::json;

use super::{CommandError, Context, live::Live, reap};
use crate::{
    args::{DownArgs, ImagePolicy, LogsArgs, UpArgs},
    output, signals,
};

/// The cluster of that name, which must be there.
pub(super) async fn open(
    workbench: &Workbench,
    name: &ClusterName,
) -> Result<Cluster, CommandError> {
    Ok(node::open(&workbench.engine, name)
        .await
        .map_err(RunError::from)?)
}

pub(super) async fn up(context: &Context, args: UpArgs) -> Result<Exit, CommandError> {
    let workbench = context.workbench(args.images.policy).await?;
    let stack = match &args.stack {
        Some(stack) => Some(
            workbench
                .catalogue
                .load(stack, &args.lock)
                .map_err(RunError::from)?,
        ),
        None => None,
    };
    let ports = published_ports(&workbench)?;
    let live = Live::start(&context.global, None);
    let (cancel, watcher) = signals::watch();
    let session = Session {
        workbench: &workbench,
        emitter: live.emitter(),
        cancel,
    };
    let brought_up = session
        .unless_interrupted(async {
            let mut recipes = vec!["node"];
            if let Some(locked) = &stack {
                recipes.push("helm");
                recipes.extend(locked.stack.recipes());
            }
            session.ready_images(&recipes).await?;
            let mut spec = ClusterSpec {
                nodes: args.cluster.nodes,
                node_ports: ports,
                ttl: args.ttl,
                ..ClusterSpec::new(args.name.clone())
            };
            if let Some(locked) = &stack {
                let of_stack: Vec<_> = locked.stack.recipes().into_iter().collect();
                spec.image_store = Some(session.ready_store(&of_stack).await?);
            }
            session.provision(&spec).await
        })
        .await;
    let ended = match (brought_up, &stack) {
        (Ok(cluster), Some(locked)) => {
            let recipes: Vec<_> = locked.stack.recipes().into_iter().collect();
            session
                .unless_interrupted(async {
                    session.load(&cluster, &recipes).await?;
                    session.install(&cluster, locked).await
                })
                .await
                .map(|()| cluster)
        }
        (ended, _) => ended,
    };
    if matches!(ended, Err(RunError::Interrupted)) {
        node::down(&workbench.engine, &args.name)
            .await
            .map_err(RunError::from)?;
    }
    drop(session);
    live.finish().await;
    drop(watcher);
    let cluster = ended?;
    if let Some(end) = args.ttl.and_then(|ttl| SystemTime::now().checked_add(ttl)) {
        reap::leave_reaper(reaper::wake_at(end));
    }
    let kubeconfig = cluster.kubeconfig.display();
    let text = format!("export KUBECONFIG={kubeconfig}");
    let value = json!({
        "name": cluster.name, "kubeconfig": cluster.kubeconfig, "version": cluster.version,
        "nodes": cluster.nodes,
    });
    output::result(&context.global, &value, &text);
    Ok(Exit::Ok)
}

/// NodePorts of every stack: a stack can be installed after the cluster is up, and
/// a container's ports are fixed when it is made.
fn published_ports(workbench: &Workbench) -> Result<Vec<u16>, RunError> {
    let mut ports = BTreeSet::new();
    for name in workbench.catalogue.names()? {
        let locked = workbench.catalogue.load(&name, "documented")?;
        ports.extend(locked.stack.node_ports());
    }
    Ok(ports.into_iter().collect())
}

pub(super) async fn down(context: &Context, args: DownArgs) -> Result<Exit, CommandError> {
    let engine = Engine::connect().await.map_err(RunError::from)?;
    let names = if let Some(name) = args.name {
        // Removing by a mistyped name must not look like success.
        node::known(&engine, &name).await.map_err(RunError::from)?;
        vec![name]
    } else {
        let all = node::list(&engine).await.map_err(RunError::from)?;
        all.into_iter().map(|it| it.name).collect()
    };
    for name in &names {
        node::down(&engine, name).await.map_err(RunError::from)?;
        output::remark(&format!("removed {name}"));
    }
    output::result(&context.global, &json!({"removed": names}), "");
    Ok(Exit::Ok)
}

pub(super) async fn list(context: &Context) -> Result<Exit, CommandError> {
    let engine = Engine::connect().await.map_err(RunError::from)?;
    let clusters = node::list(&engine).await.map_err(RunError::from)?;
    let mut text = format!("{:<34} {:<6} {:<10} STARTED\n", "NAME", "NODES", "STATE");
    for cluster in &clusters {
        text.push_str(&format!(
            "{:<34} {:<6} {:<10} {}\n",
            cluster.name.as_str(),
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
    let usage = node::usage(&workbench.engine, &cluster)
        .await
        .map_err(RunError::from)?;
    let pods = kube.pod_lines().await.map_err(RunError::from)?;
    let locked = workbench
        .catalogue
        .load("lifecycle", "documented")
        .map_err(RunError::from)?;
    let endpoints = endpoints(&cluster, &locked);
    let mib = usage.memory_bytes / (1 << 20);
    let mut text = format!(
        "{name}: Kubernetes {}, nodes {}, memory {mib} MiB\nkubeconfig {}\n",
        cluster.version,
        nodes.join(", "),
        cluster.kubeconfig.display()
    );
    for (endpoint, url) in &endpoints {
        text.push_str(&format!("{endpoint:<16} {url}\n"));
    }
    text.push_str(&pods.join("\n"));
    let value = json!({
        "name": name, "version": cluster.version, "nodes": nodes, "memory_bytes": usage.memory_bytes,
        "kubeconfig": cluster.kubeconfig, "endpoints": endpoints, "pods": pods,
    });
    output::result(&context.global, &value, &text);
    Ok(Exit::Ok)
}

pub(super) async fn kubeconfig(
    context: &Context,
    name: &ClusterName,
) -> Result<Exit, CommandError> {
    let engine = Engine::connect().await.map_err(RunError::from)?;
    let cluster = node::open(&engine, name).await.map_err(RunError::from)?;
    let text = cluster.kubeconfig.to_string_lossy();
    output::result(
        &context.global,
        &json!({"kubeconfig": cluster.kubeconfig}),
        &text,
    );
    Ok(Exit::Ok)
}

pub(super) async fn logs(context: &Context, args: LogsArgs) -> Result<Exit, CommandError> {
    let engine = Engine::connect().await.map_err(RunError::from)?;
    let (cancel, watcher) = signals::watch();
    let wish = LogWish {
        node: args.node,
        tail: args.tail,
        follow: args.follow,
    };
    let printing = node::logs(&engine, &args.name, &wish, |line| {
        if context.global.json {
            output::result(&context.global, &json!({"line": line}), "");
        } else {
            output::text(line);
        }
    });
    let ended = tokio::select! {
        ended = printing => ended.map_err(RunError::from),
        () = cancel.cancelled() => Err(RunError::Interrupted),
    };
    drop(watcher);
    ended?;
    Ok(Exit::Ok)
}
