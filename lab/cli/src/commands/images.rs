//! `lab images`: what is there, what can be had, what goes into a cluster. `lab tools`: the
//! programs for people that one of them holds.

use std::path::PathBuf;

use lab_cluster::{ClusterError, existing::ExistingError};
use lab_model::{exit::Exit, provider::Provider};
use lab_runner::{RunError, Session, Workbench, plan};
use serde_json::json;

use super::{CommandError, Context, cluster::open, live::Live};
use crate::{
    args::{ImagePolicy, ImagesCommand},
    output, signals,
};

pub(super) async fn images(
    context: &Context,
    command: ImagesCommand,
) -> Result<Exit, CommandError> {
    match command {
        ImagesCommand::List => list(context).await,
        ImagesCommand::Build { recipes, images } => build(context, recipes, images.policy).await,
        ImagesCommand::Load { name, recipes } => {
            let workbench = context.workbench(ImagePolicy::Auto).await?;
            let cluster = open(&workbench, &name).await?;
            let recipes: Vec<_> = recipes.iter().map(String::as_str).collect();
            if cluster.provider == Provider::Existing {
                let name = name.to_string();
                let error = ClusterError::from(ExistingError::NoLoad { name });
                return Err(RunError::from(error).into());
            }
            with_session(context, &workbench, async |session| {
                session.ready_images(&recipes).await?;
                let loading = session.load(&cluster, &recipes);
                session.unless_interrupted(loading).await
            })
            .await
        }
    }
}

async fn list(context: &Context) -> Result<Exit, CommandError> {
    let workbench = context.workbench(ImagePolicy::Auto).await?;
    let images = workbench.images.list().await.map_err(RunError::from)?;
    let mut text = format!("{:<14} {:<36} {}\n", "RECIPE", "REFERENCE", "SIZE");
    for image in &images {
        let size = match image.bytes {
            Some(bytes) => format!("{} MiB", bytes / (1 << 20)),
            None => "not there".to_owned(),
        };
        text.push_str(&format!(
            "{:<14} {:<36} {size}\n",
            image.name, image.reference
        ));
    }
    output::result(&context.global, &images, &text);
    Ok(Exit::Ok)
}

async fn build(
    context: &Context,
    recipes: Vec<String>,
    policy: ImagePolicy,
) -> Result<Exit, CommandError> {
    let workbench = context.workbench(policy).await?;
    let recipes: Vec<_> = recipes.iter().map(String::as_str).collect();
    with_session(context, &workbench, async |session| {
        if recipes.is_empty() {
            return ready_every_stack(session).await;
        }
        session.ready_images(&recipes).await
    })
    .await
}

/// Makes ready what the cluster and every stack need.
async fn ready_every_stack(session: &Session<'_>) -> Result<(), RunError> {
    let catalogue = &session.workbench.catalogue;
    let always = plan::always(Provider::Node);
    for name in catalogue.names()? {
        let locked = catalogue.load(&name, "documented")?;
        session.ready_stack(&locked, &always).await?;
    }
    Ok(())
}

pub(super) async fn tools(context: &Context) -> Result<Exit, CommandError> {
    let workbench = context.workbench(ImagePolicy::Auto).await?;
    let mut folder = PathBuf::new();
    with_session(context, &workbench, async |session| {
        folder = workbench.tools(&*session.emitter, &session.cancel).await?;
        Ok(())
    })
    .await?;
    let text = folder.to_string_lossy();
    output::result(&context.global, &json!({"folder": folder}), &text);
    Ok(Exit::Ok)
}

/// Runs work that shows its progress and ends by itself on Ctrl-C.
async fn with_session(
    context: &Context,
    workbench: &Workbench,
    work: impl AsyncFnOnce(&Session<'_>) -> Result<(), RunError>,
) -> Result<Exit, CommandError> {
    let live = Live::start(&context.global, None);
    let (cancel, watcher) = signals::watch(context.global.lang.lang());
    let session = Session {
        workbench,
        emitter: live.emitter(),
        cancel,
    };
    let ended = work(&session).await;
    drop(session);
    live.finish().await;
    drop(watcher);
    ended?;
    Ok(Exit::Ok)
}
