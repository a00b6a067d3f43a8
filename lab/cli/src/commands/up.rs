//! `lab up`: a cluster to keep, with a stack on it or without.

use std::collections::BTreeSet;

use lab_cluster::{Cluster, ClusterSpec, reaper};
use lab_engine::owner;
use lab_model::exit::Exit;
use lab_runner::{RunError, Session, StackImages, Workbench, endpoints, plan};
use lab_stack::catalogue::LockedStack;
use serde_json::json;

use super::{CommandError, Context, existing, live::Live, reap};
use crate::{args::UpArgs, output, signals};

pub(super) async fn up(context: &Context, args: UpArgs) -> Result<Exit, CommandError> {
    let user = args.user.map(process).transpose()?;
    let stack = args.stack.as_ref();
    let stack = stack.map(|stack| context.stack(stack, &args.lock));
    let stack = stack.transpose()?;
    let wish = existing::wish(&args.cluster)?;
    existing::examine(&args.name, wish.as_ref()).await?;
    let workbench = context.workbench(args.images.policy).await?;
    let spec = ClusterSpec {
        provider: args.cluster.provider,
        nodes: args.cluster.nodes,
        node_image: args.cluster.node_image(),
        gpus: args.cluster.gpus,
        node_ports: published_ports(&workbench)?,
        user,
        ttl: args.ttl,
        existing: wish,
        registry: args.cluster.existing.registry.place.clone(),
        ..ClusterSpec::new(args.name.clone())
    };
    let live = Live::start(&context.global, None);
    let (cancel, watcher) = signals::watch(context.global.lang.lang());
    let session = Session {
        workbench: &workbench,
        emitter: live.emitter(),
        cancel,
    };
    let ended = bring_up(&session, spec, stack.as_ref(), args.shared).await;
    drop(session);
    live.finish().await;
    drop(watcher);
    let cluster = ended?;
    if args.ttl.is_some() || args.user.is_some() {
        reap::leave_reaper(reaper::watch_cluster(&cluster.name));
    }
    show(context, &cluster, stack.as_ref());
    Ok(Exit::Ok)
}

/// A living process, as leases name it.
pub(super) fn process(id: u32) -> Result<String, CommandError> {
    owner::process(id).ok_or(CommandError::NoProcess { id })
}

async fn bring_up(
    session: &Session<'_>,
    mut spec: ClusterSpec,
    stack: Option<&LockedStack>,
    is_shared: bool,
) -> Result<Cluster, RunError> {
    let mut images = StackImages::default();
    session.check(&spec).await?;
    session.pull_nodes(&spec).await?;
    if let Some(locked) = stack {
        let registry = spec.registry.as_ref();
        images = session.ready_for(spec.provider, registry, locked).await?;
        let recipes = images.recipes();
        spec.image_store = session.ready_store(spec.provider, &recipes).await?;
    } else {
        session.ready_images(plan::of_nodes(spec.provider)).await?;
    }
    let cluster = if is_shared {
        session.share(&spec).await?
    } else {
        session.provision(&spec).await?
    };
    let Some(locked) = stack else {
        return Ok(cluster);
    };
    let installed = session
        .unless_interrupted(async {
            let images = session.place(&cluster, locked, images).await?;
            session.install(&cluster, locked, &images.not_run).await
        })
        .await;
    let is_interrupted = installed.as_ref().is_err_and(RunError::is_interrupted);
    if is_interrupted && !is_shared {
        lab_cluster::down(&session.workbench.engine, &cluster.name).await?;
    }
    installed?;
    Ok(cluster)
}

fn show(context: &Context, cluster: &Cluster, stack: Option<&LockedStack>) {
    let endpoints = stack.map(|locked| endpoints::published(cluster, locked));
    let value = json!({
        "name": cluster.name, "provider": cluster.provider, "kubeconfig": cluster.kubeconfig, "version": cluster.version,
        "nodes": cluster.nodes, "endpoints": endpoints.unwrap_or_default(),
    });
    let text = format!("export KUBECONFIG={}", cluster.kubeconfig.display());
    output::result(&context.global, &value, &text);
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
