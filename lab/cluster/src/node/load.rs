//! Loads images into a node, streamed.

use std::{
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
    let sent = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&sent);
    let counted = images.inspect(move |piece| {
        if let Ok(piece) = piece {
            counter.fetch_add(piece.len() as u64, Ordering::Relaxed);
        }
    });
    let import = ExecSpec::new(["ctr", "--namespace", "k8s.io", "images", "import", "-"])
        .with_stream(Box::pin(counted));
    let container = names::container(&cluster.name);
    let mut importing = std::pin::pin!(engine.run(&container, import));
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
    Err(ClusterError::Load {
        name: cluster.name.to_string(),
        words: output.stderr.trim().to_owned(),
    })
}
