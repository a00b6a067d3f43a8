//! A node's journal: its system's, containerd's and the kubelet's. What the engine has
//! as its log is the start of the system alone.

use futures::stream;
use lab_engine::{Engine, ExecSpec};
use lab_model::name::ClusterName;

use super::names;
use crate::{ClusterError, node::LogWish};

/// Lines kept as evidence.
const EVIDENCE_LINES: usize = 40;
/// Goes on as lines are written, until its input ends: the engine leaves a command
/// running whose reader is gone.
const FOLLOW: &str = "journalctl --no-pager --lines=all --follow & read -r go; kill $!";

/// Hands the lines of a node's journal to `show`.
///
/// # Errors
/// When there is no such cluster or node, or the engine breaks off.
pub(crate) async fn logs(
    engine: &Engine,
    name: &ClusterName,
    wish: &LogWish,
    mut show: impl FnMut(&str),
) -> Result<(), ClusterError> {
    let container = container(engine, name, wish.node.as_deref()).await?;
    let command = if wish.follow {
        ExecSpec::new(["sh", "-c", FOLLOW]).with_stream(Box::pin(stream::pending()))
    } else {
        journal(wish.tail)
    };
    let mut printing = engine.exec(&container, command).await?;
    while let Some(line) = printing.next_line().await? {
        show(&line.text);
    }
    Ok(())
}

/// The end of a node's journal, whatever there is of it.
pub(super) async fn last(engine: &Engine, container: &str) -> String {
    let output = engine.run(container, journal(EVIDENCE_LINES)).await;
    output.map(|it| it.stdout).unwrap_or_default()
}

fn journal(lines: usize) -> ExecSpec {
    let lines = format!("--lines={lines}");
    ExecSpec::new(["journalctl", "--no-pager", &lines])
}

/// The container of that node, of the server when absent.
async fn container(
    engine: &Engine,
    name: &ClusterName,
    node: Option<&str>,
) -> Result<String, ClusterError> {
    let containers = names::containers(engine, name).await?;
    let nodes: Vec<String> = containers.into_iter().map(|it| it.name).collect();
    let found = match node {
        None => nodes.first(),
        Some(node) => nodes.iter().find(|it| *it == node),
    };
    if let Some(found) = found {
        return Ok(found.clone());
    }
    match node {
        Some(node) if !nodes.is_empty() => Err(ClusterError::UnknownNode {
            name: name.to_string(),
            node: node.to_owned(),
            nodes: nodes.join(", "),
        }),
        _ => Err(ClusterError::Unknown {
            name: name.to_string(),
        }),
    }
}
