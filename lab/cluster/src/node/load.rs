//! Loads images into a node, streamed.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::StreamExt;
use lab_engine::{ByteStream, Engine, ExecOutput, ExecSpec};
use lab_model::event::{Emitter, Progress};
use tokio::time::interval;

use super::names;
use crate::{Cluster, ClusterError};

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(500);

/// Imports what `docker save` wrote. Nothing is kept on this machine's disk.
///
/// # Errors
/// When the engine breaks off or the node does not take the images.
pub async fn load_images(
    engine: &Engine,
    cluster: &Cluster,
    images: ByteStream,
    emitter: &dyn Emitter,
) -> Result<(), ClusterError> {
    import(engine, &names::container(&cluster.name), images, emitter).await
}

/// References of the images a node has, as pods name them.
///
/// # Errors
/// When the engine breaks off or containerd does not answer.
pub async fn loaded_images(
    engine: &Engine,
    cluster: &Cluster,
) -> Result<BTreeSet<String>, ClusterError> {
    let container = names::container(&cluster.name);
    let list = ExecSpec::new(["ctr", "--namespace", "k8s.io", "images", "list", "--quiet"]);
    let output = engine.run(&container, list).await?;
    if output.exit_code != 0 {
        return Err(refused(&container, &output));
    }
    Ok(output.stdout.lines().map(str::to_owned).collect())
}

/// Streams what `docker save` wrote into a container's containerd.
pub(super) async fn import(
    engine: &Engine,
    container: &str,
    images: ByteStream,
    emitter: &dyn Emitter,
) -> Result<(), ClusterError> {
    let sent = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&sent);
    let watched = images.inspect(move |piece| {
        if let Ok(piece) = piece {
            counter.fetch_add(piece.len() as u64, Ordering::Relaxed);
        }
    });
    let import = ExecSpec::new(["ctr", "--namespace", "k8s.io", "images", "import", "-"])
        .with_stream(Box::pin(watched));
    let mut importing = std::pin::pin!(engine.run(container, import));
    let mut ticks = interval(TELL_EVERY);
    let output: ExecOutput = loop {
        tokio::select! {
            ended = &mut importing => break ended?,
            _ = ticks.tick() => emitter.progress(Progress {
                task: "load images".to_owned(),
                now: "streaming to the node".to_owned(),
                done: sent.load(Ordering::Relaxed),
                total: None,
                remaining_seconds: None,
            }),
        }
    };
    if output.exit_code == 0 {
        return Ok(());
    }
    Err(refused(container, &output))
}

fn refused(container: &str, output: &ExecOutput) -> ClusterError {
    ClusterError::Load {
        name: container.to_owned(),
        words: output.stderr.trim().to_owned(),
    }
}
