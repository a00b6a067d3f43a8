//! Waits for a node by following what it says.

use std::time::Duration;

use futures::{Stream, StreamExt, TryStreamExt};
use lab_engine::{Engine, EngineError, Line, LogRange};
use lab_model::{
    event::{Emitter, Evidence, Fact, Progress},
    progress::{Doing, Step, Task},
    stage::Stage,
};
use tokio::time::timeout;

use super::names;
use crate::ClusterError;

/// How lines of the node's own program begin.
const OWN: &str = "lab: ";
/// What the node says when it is Ready and DNS answers.
const READY: &str = "lab: ready";
/// The node says something at each step; the longest step takes a few seconds on
/// two idle cores.
pub(super) const LONGEST_STEP: Duration = Duration::from_mins(2);
/// Lines kept as evidence.
const EVIDENCE_LINES: u32 = 40;

/// Waits until the node in that container is ready, ends, or makes no progress.
pub(super) async fn until_ready(
    engine: &Engine,
    container: &str,
    emitter: &dyn Emitter,
) -> Result<(), ClusterError> {
    let lines = engine.logs(container, LogRange::Follow);
    let node = names::node_of(container);
    let seen = follow(lines, LONGEST_STEP, &node, emitter).await?;
    seen.conclude(engine, container, emitter).await
}

/// Waits for the end of the node in that container.
pub(super) async fn until_end(engine: &Engine, container: &str) -> Result<Seen, EngineError> {
    let mut lines = std::pin::pin!(engine.logs(container, LogRange::Follow));
    while lines.next().await.transpose()?.is_some() {}
    Ok(Seen::End)
}

/// What became of a node that was followed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Ready,
    End,
    Nothing,
    /// It stands in a way that no waiting mends.
    Hopeless(String),
}

impl Seen {
    /// Readiness, or the error, with what the node said last.
    pub(super) async fn conclude(
        self,
        engine: &Engine,
        container: &str,
        emitter: &dyn Emitter,
    ) -> Result<(), ClusterError> {
        let node = names::node_of(container);
        match self {
            Self::Ready => return Ok(()),
            Self::Hopeless(reason) => return Err(ClusterError::NodeHopeless { node, reason }),
            Self::End | Self::Nothing => {}
        }
        let log = evidence(engine, container, emitter).await?;
        if let Some(full) = EngineError::full_disk(format!("start node `{node}`"), &log) {
            return Err(full.into());
        }
        Err(if self == Self::Nothing {
            let seconds = LONGEST_STEP.as_secs();
            ClusterError::NodeStalled { node, seconds, log }
        } else {
            ClusterError::NodeEnded { node, log }
        })
    }
}

async fn follow(
    lines: impl Stream<Item = Result<Line, EngineError>>,
    longest_step: Duration,
    node: &str,
    emitter: &dyn Emitter,
) -> Result<Seen, EngineError> {
    let mut lines = std::pin::pin!(lines);
    loop {
        let Ok(next) = timeout(longest_step, next_step(&mut lines)).await else {
            return Ok(Seen::Nothing);
        };
        let Some(step) = next? else {
            return Ok(Seen::End);
        };
        if step == READY {
            return Ok(Seen::Ready);
        }
        emitter.progress(Progress {
            task: Task::Node {
                name: node.to_owned(),
            },
            now: doing(step.trim_start_matches(OWN)),
            done: 0,
            total: None,
            remaining_seconds: None,
        });
    }
}

/// What a line of the node's own program says: `0.31 s: etcd listens`.
fn doing(line: &str) -> Doing {
    let step = line.split_once(" s: ").and_then(|(seconds, what)| {
        let step = Step::OF_NODE.into_iter().find(|it| it.english() == what)?;
        let seconds = seconds.to_owned();
        Some(Doing::After { seconds, step })
    });
    let up = || {
        let seconds = line.strip_prefix("up after ")?.strip_suffix(" s")?;
        let seconds = seconds.to_owned();
        Some(Doing::Up { seconds })
    };
    step.or_else(up).unwrap_or_else(|| line.to_owned().into())
}

/// The next line of the node's own program. A component that fails again and
/// again says much and is no progress.
async fn next_step(
    lines: &mut (impl Stream<Item = Result<Line, EngineError>> + Unpin),
) -> Result<Option<String>, EngineError> {
    while let Some(line) = lines.next().await {
        let text = line?.text;
        if text.starts_with(OWN) && !text.contains("starting it again") {
            return Ok(Some(text));
        }
    }
    Ok(None)
}

/// The end of the node's log, which is also told. Where the engine has gone, that is the
/// cause, not the node.
async fn evidence(
    engine: &Engine,
    container: &str,
    emitter: &dyn Emitter,
) -> Result<String, EngineError> {
    let lines: Vec<String> = engine
        .logs(container, LogRange::Tail(EVIDENCE_LINES))
        .map_ok(|line| line.text)
        .try_collect()
        .await?;
    let text = lines.join("\n");
    emitter.emit(Fact::EvidenceCollected {
        stage: Stage::Provision,
        evidence: Evidence {
            source: format!("log of node {}", names::node_of(container)),
            text: text.clone(),
        },
    });
    Ok(text)
}

#[cfg(test)]
mod tests {
    use futures::stream;
    use lab_engine::LineSource;
    use lab_model::event::Silent;

    use super::*;

    fn lines(texts: &[&str]) -> impl Stream<Item = Result<Line, EngineError>> {
        let lines: Vec<_> = texts
            .iter()
            .map(|text| {
                Ok(Line {
                    source: LineSource::Stderr,
                    text: (*text).to_owned(),
                })
            })
            .collect();
        stream::iter(lines)
    }

    #[tokio::test]
    async fn a_node_that_says_so_is_ready() {
        let lines = lines(&["lab: 0.1 s: etcd listens", "kubelet: E1 no", "lab: ready"]);

        let seen = follow(lines, LONGEST_STEP, "demo", &Silent).await;

        assert_eq!(seen.unwrap(), Seen::Ready);
    }

    #[test]
    fn what_a_node_says_of_its_steps_is_known() {
        let seconds = || "0.31".to_owned();
        let step = Step::EtcdListens;
        assert_eq!(
            doing("0.31 s: etcd listens"),
            Doing::After {
                seconds: seconds(),
                step
            }
        );
        assert_eq!(doing("up after 0.31 s"), Doing::Up { seconds: seconds() });
        let other = "0.31 s: what a later node says";
        assert_eq!(doing(other), Doing::Told(other.to_owned()));
    }

    #[tokio::test]
    async fn a_log_that_ends_is_a_node_that_ended() {
        let lines = lines(&["lab: failed: no cgroups"]);

        let seen = follow(lines, LONGEST_STEP, "demo", &Silent).await;

        assert_eq!(seen.unwrap(), Seen::End);
    }

    #[tokio::test]
    async fn a_component_that_starts_again_for_ever_is_no_progress() {
        let again = lines(&["lab: kubelet ended after 1 s; starting it again in 100 ms"]);

        let seen = follow(
            again.chain(stream::pending()),
            Duration::from_millis(20),
            "demo",
            &Silent,
        )
        .await;

        assert_eq!(seen.unwrap(), Seen::Nothing);
    }
}
