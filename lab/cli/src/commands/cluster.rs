//! Commands on clusters that are there: down, list, kubeconfig.

use lab_cluster::Cluster;
use lab_engine::Engine;
use lab_model::{exit::Exit, name::ClusterName};
use lab_runner::{RunError, Workbench};
use serde_json::json;

use super::{CommandError, Context};
use crate::{args::DownArgs, output};

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
        let lang = context.global.lang.lang();
        output::say(lang, &format!("removed {name}"), &format!("{name} 지움"));
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
