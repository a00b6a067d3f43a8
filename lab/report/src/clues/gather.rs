//! Picks clues out of evidence and puts them in order.

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;
use lab_model::{event::Evidence, outcome::Outcome, stage::Stage};

use crate::{
    lang::{Lang, Words, alike},
    report::{Report, RunFacts},
    text::one_line,
    words,
};

/// The most lines of one piece of evidence that are looked at; a log's last lines matter.
const LINES: usize = 400;
/// The most clues: more is a wall of text, and it is all in the evidence.
const MOST: usize = 60;
/// The longest text of a clue, characters.
const TEXT_LIMIT: usize = 240;

/// Words by which a line is worth a look.
const TROUBLE: [&str; 26] = [
    "error",
    "fatal",
    "exception",
    "traceback",
    "panic",
    "refused",
    "denied",
    "failed",
    "failure",
    "no such",
    "timeout",
    "timed out",
    "oomkilled",
    "out of memory",
    "no space",
    "too many open",
    "evicted",
    "backoff",
    "unhealthy",
    "killed",
    "signal",
    "crash",
    "unschedulable",
    "insufficient",
    "errimage",
    "pending",
];

/// Something seen around a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clue {
    /// When it happened, from the beginning of the run; `None` where nothing says it.
    pub(crate) at: Option<Duration>,
    /// What it is.
    pub(crate) kind: Kind,
    /// Where it was seen.
    pub(crate) source: Words,
    /// What was seen, on one line.
    pub(crate) text: Words,
    /// How often, but for its figures.
    pub(crate) times: usize,
}

/// What a clue is; at the same moment the earlier kind counts more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// The machine's own: disk, memory, limits.
    Host,
    /// A pod's state.
    Pod,
    /// One of Kubernetes' events.
    Event,
    /// A line of a log, or of an answer.
    Log,
    /// A failure that the run told.
    Failure,
}

/// Clues to the failures, in order of time; those without a time come last.
pub(crate) fn clues(report: &Report) -> Vec<Clue> {
    let mut gathering = Gathering {
        run: &report.run,
        clues: Vec::new(),
        places: HashMap::new(),
    };
    let of_steps = report.first_cause().into_iter().flat_map(|it| &it.evidence);
    let collected = report.evidence.iter().map(|it| &it.evidence);
    for evidence in of_steps.chain(collected) {
        gathering.take(evidence);
    }
    let mut clues = gathering.clues;
    let ready = ready_at(report);
    clues.retain(|clue| !is_start_up(clue, ready));
    if clues.is_empty() {
        return clues;
    }
    clues.extend(report.failures.iter().map(|failure| Clue {
        at: Some(failure.at),
        kind: Kind::Failure,
        source: words::place(&failure.place),
        text: words::cause(&failure.reason).map(|it| one_line(it, TEXT_LIMIT)),
        times: 1,
    }));
    clues.sort_by_key(|clue| (clue.at.is_none(), clue.at, clue.kind));
    clues.truncate(MOST);
    clues
}

/// When the stack was ready, where it came so far.
fn ready_at(report: &Report) -> Option<Duration> {
    let installed = report.stages.iter().find(|it| it.stage == Stage::Install)?;
    let is_ready = matches!(installed.outcome, Some(Outcome::Passed));
    is_ready.then_some(installed.span.end)
}

/// Probes fail while a component starts. Where all of them became ready that is no clue.
fn is_start_up(clue: &Clue, ready: Option<Duration>) -> bool {
    let is_before = clue.at.zip(ready).is_some_and(|(at, ready)| at <= ready);
    clue.kind == Kind::Event && is_before && clue.text.of(Lang::English).contains(" Unhealthy: ")
}

struct Gathering<'a> {
    run: &'a RunFacts,
    clues: Vec<Clue>,
    /// Where a clue is, by its kind, source and text without figures.
    places: HashMap<(Kind, String, String), usize>,
}

impl Gathering<'_> {
    fn take(&mut self, evidence: &Evidence) {
        let Some(kind) = kind(&evidence.source) else {
            return;
        };
        let lines: Vec<&str> = evidence.text.lines().collect();
        for line in &lines[lines.len().saturating_sub(LINES)..] {
            if is_trouble(kind, line) {
                self.line(kind, &evidence.source, line);
            }
        }
    }

    fn line(&mut self, kind: Kind, source: &str, line: &str) {
        let (at, text) = self.timed(line);
        let text = one_line(text, TEXT_LIMIT);
        let shape = text.chars().filter(|char| !char.is_ascii_digit()).collect();
        let source = one_line(source, TEXT_LIMIT);
        let place = self
            .places
            .entry((kind, source.clone(), shape))
            .or_insert(self.clues.len());
        if let Some(clue) = self.clues.get_mut(*place) {
            clue.times += 1;
            return;
        }
        self.clues.push(Clue {
            at,
            kind,
            source: alike(source),
            text: alike(text),
            times: 1,
        });
    }

    /// A line's time and the rest of it, where it begins with one as Kubernetes writes it.
    fn timed<'l>(&self, line: &'l str) -> (Option<Duration>, &'l str) {
        let line = line.trim();
        let parsed = line.split_once(' ').and_then(|(first, rest)| {
            let time: Timestamp = first.parse().ok()?;
            Some((time, rest))
        });
        let (Some((time, rest)), Some(began)) = (parsed, self.run.began) else {
            return (None, line);
        };
        // What was there before the run counts as of its beginning.
        let since = Duration::try_from(time.duration_since(began)).unwrap_or_default();
        (Some(since), rest.trim_start())
    }
}

/// What kind of clues a piece of evidence holds.
fn kind(source: &str) -> Option<Kind> {
    let source = source.to_ascii_lowercase();
    if source == "cause" {
        // The failure itself says it.
        None
    } else if source == "host" {
        Some(Kind::Host)
    } else if source.ends_with("get pods") {
        Some(Kind::Pod)
    } else if source.contains("events") {
        Some(Kind::Event)
    } else {
        Some(Kind::Log)
    }
}

fn is_trouble(kind: Kind, line: &str) -> bool {
    if line.trim().is_empty() {
        return false;
    }
    let lower = line.to_ascii_lowercase();
    let has_trouble = || TROUBLE.iter().any(|word| lower.contains(word));
    match kind {
        Kind::Host => !lower.starts_with("ok "),
        // What Kubernetes calls normal, such as a pod being stopped, may still tell much.
        Kind::Event => !lower.contains(" normal ") || has_trouble() || lower.contains("killing"),
        Kind::Pod => has_trouble() || lower.contains(" 0/") || !lower.contains("restarts=0"),
        Kind::Log | Kind::Failure => has_trouble(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::report::{CollectedEvidence, Failure, Place, Span, StageReport};

    fn report(pieces: &[(&str, &str)]) -> Report {
        let collected = pieces.iter().map(|(source, text)| CollectedEvidence {
            at: Duration::from_secs(90),
            stage: Stage::Collect,
            evidence: Evidence {
                source: (*source).to_owned(),
                text: (*text).to_owned(),
            },
        });
        Report {
            run: RunFacts {
                began: Some("2026-01-15T09:30:00Z".parse().unwrap()),
                ..RunFacts::default()
            },
            evidence: collected.collect(),
            failures: vec![Failure {
                at: Duration::from_mins(1),
                place: Place::Stage(Stage::Install),
                reason: "mlflow did not become ready".to_owned().into(),
                evidence: Vec::new(),
            }],
            ..Report::default()
        }
    }

    fn told(pieces: &[(&str, &str)]) -> Vec<String> {
        let line = |clue: &Clue| {
            let at = clue.at.map(|at| at.as_secs());
            let text = clue.text.of(Lang::English);
            format!("{at:?} {:?} {text} ×{}", clue.kind, clue.times)
        };
        clues(&report(pieces)).iter().map(line).collect()
    }

    #[test]
    fn what_came_first_is_on_top() {
        let told = told(&[
            (
                "kubectl -n x logs mlflow-0",
                "2026-01-15T09:30:50Z FATAL: password authentication failed\n\
                 2026-01-15T09:30:55Z all is well",
            ),
            (
                "kubectl -n x get events",
                "2026-01-15T09:30:20Z Pod postgresql OOMKilling: memory limit reached",
            ),
            ("kubectl -n x get pods", "mlflow-0 0/1 Running restarts=4"),
        ]);
        assert_eq!(
            told,
            [
                "Some(20) Event Pod postgresql OOMKilling: memory limit reached ×1",
                "Some(50) Log FATAL: password authentication failed ×1",
                "Some(60) Failure mlflow did not become ready ×1",
                "None Pod mlflow-0 0/1 Running restarts=4 ×1",
            ]
        );
    }

    #[test]
    fn what_is_said_again_and_again_is_told_once() {
        let told = told(&[(
            "kubectl -n x logs a",
            "2026-01-15T09:30:01Z error 17: refused\n2026-01-15T09:30:02Z error 18: refused",
        )]);
        assert_eq!(told[0], "Some(1) Log error 17: refused ×2");
    }

    #[test]
    fn probes_of_a_start_that_went_well_are_no_clues() {
        let events = "2026-01-15T09:30:20Z Pod mlflow-0 Unhealthy: Readiness probe failed\n\
                      2026-01-15T09:30:40Z Pod mlflow-0 Unhealthy: Liveness probe failed";
        let mut report = report(&[("kubectl -n x get events", events)]);
        let stage = |outcome| StageReport {
            stage: Stage::Install,
            span: Span {
                start: Duration::from_secs(10),
                end: Duration::from_secs(30),
            },
            outcome: Some(outcome),
        };
        report.stages = vec![stage(Outcome::Passed)];
        let at = |report: &Report| -> Vec<_> {
            let clues = clues(report);
            clues
                .iter()
                .filter_map(|it| it.at)
                .map(|at| at.as_secs())
                .collect()
        };
        assert_eq!(at(&report), [40, 60]);

        let reason = "it did not".to_owned().into();
        report.stages = vec![stage(Outcome::Failed { reason })];
        assert_eq!(at(&report), [20, 40, 60]);
    }

    #[test]
    fn without_evidence_there_are_no_clues() {
        assert!(clues(&report(&[("cause", "error")])).is_empty());
    }
}
