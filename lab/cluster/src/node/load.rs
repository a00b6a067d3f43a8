//! Loads images into nodes, streamed.

use std::{
    collections::BTreeSet,
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::{SinkExt, StreamExt, channel::mpsc, future::try_join_all};
use lab_engine::{ByteStream, Engine, EngineError, ExecOutput, ExecSpec};
use lab_model::{
    event::{Emitter, Progress},
    progress::{Step, Task},
};
use tokio::time::interval;

use super::{contract, names};
use crate::{Cluster, ClusterError};

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(500);
/// How far a fast node may be ahead of a slow one.
const PIECES_AHEAD: usize = 16;

/// Imports what `docker save` wrote into every node: read once, sent to all at the
/// pace of the slowest. Nothing is kept on this machine's disk.
///
/// # Errors
/// When the engine breaks off or a node does not take the images.
pub async fn load_images(
    engine: &Engine,
    cluster: &Cluster,
    images: ByteStream,
    emitter: &dyn Emitter,
) -> Result<(), ClusterError> {
    let (sending, copies) = fan_out(images, cluster.nodes.len());
    let imports = cluster.nodes.iter().zip(copies).map(async |(node, copy)| {
        let container = names::container_of(&cluster.name, node);
        import(engine, &container, copy, emitter).await
    });
    let sending = async {
        sending.await;
        Ok(())
    };
    tokio::try_join!(sending, try_join_all(imports))?;
    Ok(())
}

/// References of the images that every node has, as pods name them.
///
/// # Errors
/// When the engine breaks off or containerd does not answer.
pub async fn loaded_images(
    engine: &Engine,
    cluster: &Cluster,
) -> Result<BTreeSet<String>, ClusterError> {
    let nodes = cluster.nodes.iter().map(async |node| {
        let container = names::container_of(&cluster.name, node);
        let list = ctr(&["images", "list", "--quiet"]);
        let output = engine.run(&container, list).await?;
        if output.exit_code != 0 {
            return Err(refused(&container, &output));
        }
        Ok(output.stdout.lines().map(str::to_owned).collect())
    });
    let every: Vec<BTreeSet<String>> = try_join_all(nodes).await?;
    let common = every.into_iter().reduce(|one, other| &one & &other);
    Ok(common.unwrap_or_default())
}

/// One stream as several; the future feeds them and must be polled with them.
fn fan_out(mut stream: ByteStream, copies: usize) -> (impl Future<Output = ()>, Vec<ByteStream>) {
    let (mut senders, receivers): (Vec<_>, Vec<_>) = (0..copies)
        .map(|_| mpsc::channel::<io::Result<Bytes>>(PIECES_AHEAD))
        .unzip();
    let feeding = async move {
        while let Some(piece) = stream.next().await {
            for sender in &mut senders {
                let copy = match &piece {
                    Ok(bytes) => Ok(bytes.clone()),
                    Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
                };
                // A node that takes no more says why itself.
                let _ = sender.send(copy).await;
            }
        }
    };
    let streams = receivers.into_iter().map(|it| Box::pin(it) as ByteStream);
    (feeding, streams.collect())
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
    let import = ctr(&["images", "import", "-"]).with_stream(Box::pin(watched));
    let mut importing = std::pin::pin!(engine.run(container, import));
    let mut ticks = interval(TELL_EVERY);
    let output: ExecOutput = loop {
        tokio::select! {
            ended = &mut importing => break ended?,
            _ = ticks.tick() => emitter.progress(Progress {
                task: Task::LoadImages,
                now: Step::Stream.into(),
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

fn ctr(words: &[&str]) -> ExecSpec {
    ExecSpec::new(contract::CTR.iter().chain(words).copied())
}

fn refused(container: &str, output: &ExecOutput) -> ClusterError {
    let doing = format!("load images into `{container}`");
    if let Some(full) = EngineError::full_disk(doing, &output.stderr) {
        return full.into();
    }
    ClusterError::Load {
        name: container.to_owned(),
        words: output.stderr.trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use futures::{TryStreamExt, stream};

    use super::*;

    #[test]
    fn a_full_disk_is_told_as_one() {
        let output = ExecOutput {
            exit_code: 1,
            stdout: String::new(),
            stderr: "ctr: failed to ingest: write /x: no space left on device".to_owned(),
        };

        let error = refused("lab-demo", &output);

        assert_eq!(
            error.to_string(),
            "the engine's disk is full while trying to load images into `lab-demo`"
        );
    }

    #[tokio::test]
    async fn every_copy_is_whole_though_one_ends_early() {
        let pieces: Vec<Bytes> = (0..100u8).map(|it| Bytes::from(vec![it; 8])).collect();
        let source = stream::iter(pieces.clone().into_iter().map(Ok));
        let (feeding, mut copies) = fan_out(Box::pin(source), 3);
        drop(copies.pop());

        let reading = copies
            .into_iter()
            .map(TryStreamExt::try_collect::<Vec<Bytes>>);
        let ((), copies) = tokio::join!(feeding, try_join_all(reading));

        assert_eq!(copies.unwrap(), [pieces.clone(), pieces]);
    }

    #[tokio::test]
    async fn a_broken_source_breaks_every_copy() {
        let broken = stream::iter([Ok(Bytes::from("a")), Err(io::Error::other("gone"))]);
        let (feeding, copies) = fan_out(Box::pin(broken), 2);

        let reading = copies
            .into_iter()
            .map(TryStreamExt::try_collect::<Vec<Bytes>>);
        let ((), copies) = tokio::join!(feeding, try_join_all(reading));

        assert!(copies.is_err());
    }
}
