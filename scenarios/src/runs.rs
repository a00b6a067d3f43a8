//! The training runs that scenarios share.
//!
//! A run of the DAG takes half a minute, so each purpose has one run: the first
//! scenario that needs it starts it, the others use its result. Every scenario
//! still works alone, for its `Given` ensures the run. Where neither training nor
//! registering is looked at, a run that earlier scenarios left will do as well.

use std::{str::FromStr, sync::Arc, time::Duration};

use cucumber::Parameter;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::{sync::OnceCell, time::Instant};

use crate::{
    clients::airflow::{DagRun, TaskInstance},
    failure::Failure,
    lab::{CHAMPION, DAG, Lab, MODEL},
    poll::{self, Look},
};

/// Longest time in which no task of a run changes its state. A task pod takes about
/// 8 s, with three more at once on two cores; what takes ten times that is stuck.
const RUN_PATIENCE: Duration = Duration::from_mins(3);

/// Longest time until the scheduler has read the DAG after its start.
const READY_DEADLINE: Duration = Duration::from_mins(1);

/// What a training run is for. The features speak of "the baseline run" and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Parameter)]
#[param(
    name = "run",
    regex = "baseline|better|repeated|worse|broken|oversized|기준|개선|재현|저하|손상|과대"
)]
pub(crate) enum Purpose {
    /// Good enough for the first version.
    Baseline,
    /// Trained longer, and better than the baseline.
    Better,
    /// The baseline again: same seed, same parameters.
    Repeated,
    /// Trained too little.
    Worse,
    /// On data with a broken column.
    Broken,
    /// Asks for more memory than the node has.
    Oversized,
}

/// A run that has ended, in whichever way.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    /// What it was for.
    pub(crate) purpose: Purpose,
    /// The DAG run.
    pub(crate) run: DagRun,
    /// Its tasks.
    pub(crate) tasks: Vec<TaskInstance>,
    /// Why it was given up, with the time that took: a pod that cannot run.
    pub(crate) given_up: Option<(String, Duration)>,
}

/// One run a purpose, made when first asked for.
#[derive(Debug, Default)]
pub(crate) struct Runs([OnceCell<Result<Arc<Ended>, Failure>>; Purpose::ALL.len()]);

impl Purpose {
    /// Every purpose.
    pub(crate) const ALL: [Self; 6] = [
        Self::Baseline,
        Self::Better,
        Self::Repeated,
        Self::Worse,
        Self::Broken,
        Self::Oversized,
    ];

    /// The purpose's word in English and in Korean, as the features write it.
    pub(crate) const fn words(self) -> [&'static str; 2] {
        match self {
            Self::Baseline => ["baseline", "기준"],
            Self::Better => ["better", "개선"],
            Self::Repeated => ["repeated", "재현"],
            Self::Worse => ["worse", "저하"],
            Self::Broken => ["broken", "손상"],
            Self::Oversized => ["oversized", "과대"],
        }
    }

    /// Whether a step's text speaks of this run.
    pub(crate) fn is_mentioned_in(self, text: &str) -> bool {
        let [english, korean] = self.words();
        text.contains(&format!("the {english} run")) || text.contains(&format!("{korean} 실행"))
    }

    /// What the DAG is started with.
    fn conf(self) -> Value {
        match self {
            Self::Baseline | Self::Repeated => json!({"seed": 7, "max_iter": 30}),
            Self::Better => json!({"seed": 7, "max_iter": 200}),
            Self::Worse => json!({"seed": 7, "max_iter": 1}),
            Self::Broken => json!({"dataset": "digits-broken"}),
            Self::Oversized => json!({"memory_request": "64Gi"}),
        }
    }

    /// Whether this run is compared with what the baseline left.
    const fn follows_the_baseline(self) -> bool {
        matches!(self, Self::Better | Self::Repeated | Self::Worse)
    }
}

impl FromStr for Purpose {
    type Err = Failure;

    fn from_str(word: &str) -> Result<Self, Failure> {
        Self::ALL
            .into_iter()
            .find(|purpose| purpose.words().contains(&word))
            .ok_or_else(|| Failure::new(format!("no run is called `{word}`")))
    }
}

impl Ended {
    /// Its id.
    pub(crate) fn id(&self) -> &str {
        &self.run.dag_run_id
    }
}

impl Lab {
    /// The run for a purpose, started if no one has yet, once it has ended.
    pub(crate) async fn ended(&self, purpose: Purpose) -> Result<Arc<Ended>, Failure> {
        if purpose.follows_the_baseline() {
            ended_well(self.first(Purpose::Baseline).await?)?;
        }
        self.first(purpose).await
    }

    /// The same, for a run whose DAG run must have ended well.
    pub(crate) async fn succeeded(&self, purpose: Purpose) -> Result<Arc<Ended>, Failure> {
        let ended = self.ended(purpose).await?;
        match ended_well(Arc::clone(&ended)) {
            Ok(ended) => Ok(ended),
            Err(failure) => Err(self.with_cause(failure, &ended.run, &ended.tasks).await),
        }
    }

    /// The failure of a DAG run with the last words of the task that failed first.
    pub(crate) async fn with_cause(
        &self,
        failure: Failure,
        run: &DagRun,
        tasks: &[TaskInstance],
    ) -> Failure {
        let is_failed = |task: &&TaskInstance| task.state.as_deref() == Some("failed");
        let Some(task) = tasks.iter().find(is_failed) else {
            return failure;
        };
        let log = self.airflow.log(DAG, &run.dag_run_id, &task.task_id).await;
        let log = log.unwrap_or_else(|error| format!("its log cannot be read: {error}"));
        self.saw(
            format!("log of the task {}", task.task_id),
            last_lines(&log, 40),
        );
        let words = cause(&log).unwrap_or("no message in its log");
        failure.because(words)
    }

    /// The one run for a purpose.
    async fn first(&self, purpose: Purpose) -> Result<Arc<Ended>, Failure> {
        self.runs.0[purpose as usize]
            .get_or_init(|| async { self.start_and_wait(purpose).await.map(Arc::new) })
            .await
            .clone()
            .map_err(|failure| failure.context(format!("the {} run", purpose.words()[0])))
    }

    /// A run for the purpose that earlier scenarios left on this cluster, if it will
    /// do: it ended well, and what it registered is still what the scenarios expect.
    async fn earlier(&self, purpose: Purpose) -> Result<Option<Ended>, Failure> {
        if !self.takes_earlier_runs || !matches!(purpose, Purpose::Baseline | Purpose::Better) {
            return Ok(None);
        }
        let prefix = format!("scenario-{}-", purpose.words()[0]);
        let champion = self.mlflow.aliased(MODEL, CHAMPION).await?;
        for run in self.airflow.dag_runs(DAG).await? {
            if run.state != "success" || !run.dag_run_id.starts_with(&prefix) {
                continue;
            }
            let Some(trained) = self.mlflow_runs(&run.dag_run_id).await?.into_iter().next() else {
                continue;
            };
            let is_champion = champion
                .as_ref()
                .is_some_and(|version| version.run_id == trained.id);
            if purpose == Purpose::Better && !is_champion {
                continue;
            }
            return Ok(Some(Ended {
                purpose,
                tasks: self.airflow.tasks(DAG, &run.dag_run_id).await?,
                run,
                given_up: None,
            }));
        }
        Ok(None)
    }

    async fn start_and_wait(&self, purpose: Purpose) -> Result<Ended, Failure> {
        if let Some(earlier) = self.earlier(purpose).await? {
            return Ok(earlier);
        }
        let id = format!(
            "scenario-{}-{}",
            purpose.words()[0],
            Timestamp::now().as_millisecond()
        );
        poll::until("Airflow", READY_DEADLINE, || async {
            Ok(if self.airflow.takes_runs(DAG).await? {
                Look::Ready(())
            } else {
                Look::NotYet(format!("it does not know the DAG `{DAG}` yet"))
            })
        })
        .await?;
        let started = Instant::now();
        self.airflow.trigger(DAG, &id, &purpose.conf()).await?;
        match self.wait_for_run(&id).await? {
            Waited::Ended(run, tasks) => Ok(Ended {
                purpose,
                run,
                tasks,
                given_up: None,
            }),
            Waited::Hopeless(reason) => {
                let after = started.elapsed();
                self.give_up(&id).await?;
                Ok(Ended {
                    purpose,
                    run: self.airflow.dag_run(DAG, &id).await?,
                    tasks: self.airflow.tasks(DAG, &id).await?,
                    given_up: Some((reason, after)),
                })
            }
        }
    }

    /// Ends a run that cannot end by itself. Airflow forgets the pod of a task that
    /// never started, and that pod would wait for ever.
    async fn give_up(&self, id: &str) -> Result<(), Failure> {
        self.airflow.fail(DAG, id).await?;
        for pod in self.task_pods.of_run(id) {
            self.kubernetes.kill(&pod.name).await?;
        }
        Ok(())
    }

    /// Waits until a DAG run has ended or cannot end.
    pub(crate) async fn wait_for_run(&self, id: &str) -> Result<Waited, Failure> {
        poll::while_it_moves(&format!("DAG run `{id}`"), RUN_PATIENCE, || async {
            let run = self.airflow.dag_run(DAG, id).await?;
            if run.has_ended() {
                let tasks = self.airflow.tasks(DAG, id).await?;
                return Ok(Look::Ready(Waited::Ended(run, tasks)));
            }
            let pods = self.task_pods.of_run(id);
            if let Some(reason) = pods.into_iter().find_map(|pod| pod.hopeless) {
                return Ok(Look::Ready(Waited::Hopeless(reason)));
            }
            let tasks = self.airflow.tasks(DAG, id).await?;
            Ok(Look::NotYet(format!("{}, {}", run.state, states(&tasks))))
        })
        .await
    }
}

/// The line of a task's log that tells best why it failed.
fn cause(log: &str) -> Option<&str> {
    // The steps of the pipeline end with `failed: …`; Python with `SomeError: …`.
    let says_why = |line: &&str| line.contains("failed: ") || line.contains("Error: ");
    log.lines().rev().find(says_why).map(str::trim)
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

fn ended_well(ended: Arc<Ended>) -> Result<Arc<Ended>, Failure> {
    if ended.run.state == "success" {
        return Ok(ended);
    }
    Err(Failure::new(format!(
        "the {} run `{}` ended as {}: {}",
        ended.purpose.words()[0],
        ended.id(),
        ended.run.state,
        states(&ended.tasks),
    )))
}

/// How the wait for a DAG run ended.
pub(crate) enum Waited {
    /// The run has ended; its tasks.
    Ended(DagRun, Vec<TaskInstance>),
    /// A pod of it cannot run; why.
    Hopeless(String),
}

/// Each task with its state, for messages and evidence.
pub(crate) fn states(tasks: &[TaskInstance]) -> String {
    tasks
        .iter()
        .map(|task| {
            let state = task.state.as_deref().unwrap_or("waiting");
            format!("{} {state}", task.task_id)
        })
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_name_the_same_run() {
        for purpose in Purpose::ALL {
            for word in purpose.words() {
                assert_eq!(word.parse::<Purpose>().unwrap(), purpose);
            }
        }
        assert!("other".parse::<Purpose>().is_err());
    }

    #[test]
    fn finds_the_runs_a_step_speaks_of() {
        assert!(Purpose::Worse.is_mentioned_in("the worse run has ended"));
        assert!(Purpose::Worse.is_mentioned_in("저하 실행이 끝났다"));
        assert!(!Purpose::Baseline.is_mentioned_in("the worse run has ended"));
    }
}
