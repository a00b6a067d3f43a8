//! Which part of a request's way explains a difference.

use serde::{Deserialize, Serialize};

use super::{
    bootstrap::median,
    holm::holm,
    plan::Plan,
    rank::mann_whitney,
    sample::{Pair, Sample},
};

/// The least share of a difference that a stage must account for to explain it.
const EXPLAINS: f64 = 0.5;

/// A part of a request's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Waiting in the server for its turn.
    Queue,
    /// The server makes the inputs ready.
    Input,
    /// The model's own work.
    Compute,
    /// The server makes the outputs ready.
    Output,
    /// Between client and server.
    Network,
    /// The load generator itself.
    Client,
}

impl Stage {
    /// All, in the order of the way.
    pub const ALL: [Self; 6] = [
        Self::Queue,
        Self::Input,
        Self::Compute,
        Self::Output,
        Self::Network,
        Self::Client,
    ];

    /// In a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Input => "input",
            Self::Compute => "compute",
            Self::Output => "output",
            Self::Network => "network",
            Self::Client => "client",
        }
    }

    /// Time of a request in this stage, microseconds; none where the run does not tell it.
    pub fn of(self, sample: &Sample) -> Option<f64> {
        let server = sample.server.as_ref();
        match self {
            Self::Queue => server.map(|it| it.queue),
            Self::Input => server.map(|it| it.input),
            Self::Compute => server.map(|it| it.infer),
            Self::Output => server.map(|it| it.output),
            Self::Network => sample.network_micros(),
            Self::Client => sample.client_micros,
        }
    }
}

/// How the time in one stage changed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StageChange {
    /// The stage.
    pub stage: Stage,
    /// Median over the pairs of what it took longer in `b`, microseconds.
    pub change_micros: f64,
    /// Its part of the change of the median latency: 1 is all of it, below zero is against it.
    pub share: f64,
    /// Mann-Whitney's p after Holm's correction over the stages.
    pub p: f64,
}

/// Where a difference of the median latency comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attribution {
    /// Median over the pairs of what the median latency is longer in `b`, microseconds.
    pub change_micros: f64,
    /// Every stage that all runs tell, in the order of the way.
    pub stages: Vec<StageChange>,
    /// The stage that explains it; none where no stage surely changed and accounts for at
    /// least half of it.
    pub explained_by: Option<StageChange>,
}

impl Plan {
    /// Finds the stage that moved the median latency most; none where no run tells of stages,
    /// or the latency did not change.
    ///
    /// A stage is named where its own time surely changed, by the test and level of the rule,
    /// and its part is at least half and the largest. Stages are differences in microseconds
    /// within pairs: they add up, which ratios do not.
    pub fn attribute(&self, pairs: &[Pair<'_>]) -> Option<Attribution> {
        let change = change_of(pairs, |run| Some(run.p50_micros))?;
        if change == 0.0 {
            return None;
        }
        let told: Vec<(Stage, f64, f64)> = Stage::ALL
            .into_iter()
            .filter_map(|stage| {
                let change = change_of(pairs, |run| stage.of(run))?;
                Some((stage, change, p_of(pairs, stage)?))
            })
            .collect();
        if told.is_empty() {
            return None;
        }
        let each: Vec<f64> = told.iter().map(|(_, _, p)| *p).collect();
        let stages: Vec<StageChange> = told
            .into_iter()
            .zip(holm(&each))
            .map(|((stage, change_micros, _), p)| StageChange {
                stage,
                change_micros,
                share: change_micros / change,
                p,
            })
            .collect();
        let explained_by = stages
            .iter()
            .filter(|it| it.p < self.alpha && it.share >= EXPLAINS)
            .max_by(|one, other| one.share.total_cmp(&other.share))
            .copied();
        Some(Attribution {
            change_micros: change,
            stages,
            explained_by,
        })
    }
}

fn change_of(pairs: &[Pair<'_>], of: impl Fn(&Sample) -> Option<f64>) -> Option<f64> {
    let changes: Option<Vec<f64>> = pairs
        .iter()
        .map(|pair| Some(of(pair.b)? - of(pair.a)?))
        .collect();
    median(&changes?)
}

fn p_of(pairs: &[Pair<'_>], stage: Stage) -> Option<f64> {
    let a: Option<Vec<f64>> = pairs.iter().map(|pair| stage.of(pair.a)).collect();
    let b: Option<Vec<f64>> = pairs.iter().map(|pair| stage.of(pair.b)).collect();
    Some(mann_whitney(&a?, &b?))
}
