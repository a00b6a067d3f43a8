//! Retrain: the loop from the alert to the version that makes it resolve, with no
//! hand in it. These steps only send images and look.

use std::time::Duration;

use cucumber::{given, then};
use jiff::Timestamp;

use super::train::metric;
use crate::{
    clients::airflow::DagRun,
    failure::{Failure, StepResult, ensure},
    lab::{CHAMPION, DAG, Lab, MODEL},
    poll::{self, Look},
    runs::{Waited, states},
    world::World,
};

/// The alert on drifting inputs.
pub(crate) const ALERT: &str = "ModelInputDrift";
/// Longest time from shifted images to the alert, and from the alert to the run:
/// some scrapes and evaluations of the rule.
const ALERT_DEADLINE: Duration = Duration::from_mins(1);

/// The retraining that the alert started, once it has ended.
#[derive(Debug, Clone)]
pub(crate) struct Retraining {
    /// Since when the alert fired.
    alert_since: Timestamp,
    /// The DAG run that it started.
    run: DagRun,
    /// The champion before it.
    champion_before: String,
}

impl Lab {
    /// The retraining, which shifted images bring about if nothing has yet.
    async fn retraining(&self) -> Result<&Retraining, Failure> {
        self.shared
            .retraining
            .get_or_try_init(|| Box::pin(self.provoke_retraining()))
            .await
    }

    async fn provoke_retraining(&self) -> Result<Retraining, Failure> {
        let champion = self
            .mlflow
            .aliased(MODEL, CHAMPION)
            .await?
            .ok_or_else(|| Failure::new("there is no champion"))?;
        self.keep_shifted_images_coming().await?;
        let alert = poll::until("the drift alert", ALERT_DEADLINE, || async {
            let firing = self.alertmanager.firing(ALERT).await?;
            Ok(match firing.into_iter().next() {
                Some(alert) => Look::Ready(alert),
                None => Look::NotYet(format!("drift {:?}", self.drift().await?)),
            })
        })
        .await?;
        let started = poll::until("the run that the alert starts", ALERT_DEADLINE, || async {
            Ok(self
                .runs_by_alert(alert.starts_at)
                .await?
                .pop()
                .map_or_else(|| Look::NotYet("no run".to_owned()), Look::Ready))
        })
        .await?;
        Ok(Retraining {
            alert_since: alert.starts_at,
            run: started,
            champion_before: champion.version,
        })
    }

    /// The runs that an alert started since a moment, the first one last.
    async fn runs_by_alert(&self, since: Timestamp) -> Result<Vec<DagRun>, Failure> {
        let mut runs = self.airflow.dag_runs(DAG).await?;
        runs.retain(|run| {
            run.conf["source"] == "alert" && run.start_date.is_none_or(|start| start >= since)
        });
        Ok(runs)
    }

    /// The same, once its DAG run has ended well.
    async fn retrained(&self) -> Result<(&Retraining, DagRun), Failure> {
        let retraining = self.retraining().await?;
        match self.wait_for_run(&retraining.run.dag_run_id).await? {
            Waited::Ended(run, _) if run.state == "success" => Ok((retraining, run)),
            Waited::Ended(run, tasks) => {
                let failure = Failure::new(format!(
                    "the retraining ended as {}: {}",
                    run.state,
                    states(&tasks)
                ));
                Err(self.with_cause(failure, &run, &tasks).await)
            }
            Waited::Hopeless(reason) => Err(Failure::new(reason)),
        }
    }
}

#[given("shifted images have raised the drift alert")]
#[given("분포가 달라진 이미지 때문에 드리프트 경보가 울렸다")]
async fn alert_raised(world: &mut World) -> StepResult {
    let lab = world.lab()?;
    let retraining = lab.retraining().await?;
    lab.saw(
        format!("alert {ALERT}"),
        format!("fired since {}", retraining.alert_since),
    );
    Ok(())
}

#[given("the retraining that the alert started has ended")]
#[given("경보가 시작한 재학습이 끝났다")]
async fn retraining_ended(world: &mut World) -> StepResult {
    let lab = world.lab()?;
    let (_, run) = lab.retrained().await?;
    let tasks = lab.airflow.tasks(DAG, &run.dag_run_id).await?;
    lab.saw(
        format!("DAG run {}", run.dag_run_id),
        format!("started with {}; {}", run.conf, states(&tasks)),
    );
    Ok(())
}

#[then(expr = "Airflow has started the DAG {string} because of the alert, and nobody else did")]
#[then(expr = "Airflow는 사람 손을 거치지 않고 경보만으로 DAG {string}(을)(를) 시작했다")]
async fn started_by_alert(world: &mut World, dag: String) -> StepResult {
    let lab = world.lab()?;
    ensure!(dag == DAG, "the stack's DAG is `{DAG}`");
    let retraining = lab.retraining().await?;
    let run = &retraining.run;
    lab.saw(
        format!("DAG run {}", run.dag_run_id),
        format!(
            "conf {}, begun {:?}, alert since {}",
            run.conf, run.start_date, retraining.alert_since
        ),
    );
    ensure!(
        !run.dag_run_id.starts_with("scenario-"),
        "a scenario started it"
    );
    ensure!(
        run.conf["dataset"] == "digits-shifted",
        "it trains on {}",
        run.conf["dataset"]
    );
    Ok(())
}

#[then("its candidate beats the champion on the shifted data")]
#[then("재학습한 후보는 달라진 데이터에서 기존 챔피언을 이긴다")]
async fn beats_champion(world: &mut World) -> StepResult {
    let lab = world.lab()?;
    let (_, dag_run) = lab.retrained().await?;
    let run = lab.mlflow_run(&dag_run.dag_run_id).await?;
    let candidate = metric(&run, "accuracy")?;
    let champion = metric(&run, "champion_accuracy")?;
    lab.saw(
        format!("MLflow run {}", run.id),
        format!("accuracy on the shifted data {candidate}, the champion's {champion}"),
    );
    ensure!(candidate > champion, "{candidate} against {champion}");
    Ok(())
}

#[then(expr = "the alias {string} has moved to its version")]
#[then(expr = "별칭 {string}(이)(가) 그 버전으로 옮겨 갔다")]
async fn alias_moved(world: &mut World, alias: String) -> StepResult {
    let lab = world.lab()?;
    let (retraining, dag_run) = lab.retrained().await?;
    let run = lab.mlflow_run(&dag_run.dag_run_id).await?;
    let version = lab.version_from(&run.id).await?;
    let aliased = lab
        .mlflow
        .aliased(MODEL, &alias)
        .await?
        .ok_or_else(|| Failure::new(format!("nothing has the alias `{alias}`")))?;
    lab.saw(
        format!("alias {alias}"),
        format!(
            "version {}, before version {}",
            aliased.version, retraining.champion_before
        ),
    );
    ensure!(
        aliased.version == version.version && aliased.version != retraining.champion_before,
        "it points at version {}",
        aliased.version
    );
    Ok(())
}

#[then(
    expr = "Triton's predictions of {int} shifted images equal those of the retrained MLflow model"
)]
#[then(expr = "달라진 이미지 {int}장에 대한 Triton의 예측은 재학습한 MLflow 모델의 예측과 같다")]
async fn serves_retrained(world: &mut World, count: usize) -> StepResult {
    let lab = world.lab()?;
    let (_, dag_run) = lab.retrained().await?;
    let run = lab.mlflow_run(&dag_run.dag_run_id).await?;
    let version = lab.version_from(&run.id).await?;
    let held_out = lab.held_out(&run.id).await?;
    ensure!(
        held_out.inputs.len() >= count,
        "{} images",
        held_out.inputs.len()
    );
    lab.wait_for_rollout().await?;
    let said = lab.triton.infer(MODEL, &held_out.inputs[..count]).await?;
    lab.saw(
        format!("POST /v2/models/{MODEL}/infer"),
        format!("version {}, labels {:?}", said.model_version, said.labels),
    );
    ensure!(
        said.model_version == version.version,
        "version {} answers, not {}",
        said.model_version,
        version.version
    );
    ensure!(
        said.labels == held_out.predicted[..count],
        "the labels differ"
    );
    let right = said
        .labels
        .iter()
        .zip(&held_out.labels)
        .filter(|(seen, shown)| seen == shown)
        .count();
    lab.saw(
        "against the digits shown",
        format!("{right} of {count} right"),
    );
    Ok(())
}

#[then(expr = "the alert resolves within {int} seconds while the shifted images keep coming")]
#[then(expr = "달라진 이미지가 계속 들어와도 경보는 {int}초 안에 해소된다")]
async fn resolves(world: &mut World, seconds: u64) -> StepResult {
    let lab = world.lab()?;
    lab.retrained().await?;
    let deadline = Duration::from_secs(seconds);
    poll::until("the alert's end", deadline, || async {
        let firing = lab.alertmanager.firing(ALERT).await?;
        Ok(if firing.is_empty() {
            Look::Ready(())
        } else {
            Look::NotYet(format!("it fires, drift {:?}", lab.drift().await?))
        })
    })
    .await?;
    let drift = lab.drift().await?;
    let traffic = lab.shared.shifted_traffic.lock().await;
    ensure!(traffic.is_some(), "the shifted images had ended");
    lab.saw("GET /api/v2/alerts", format!("none; drift {drift:?}"));
    Ok(())
}

#[then("that alert has started exactly one retraining")]
#[then("그 경보로 시작된 재학습은 정확히 하나다")]
async fn only_one(world: &mut World) -> StepResult {
    let lab = world.lab()?;
    let (retraining, _) = lab.retrained().await?;
    let runs = lab.runs_by_alert(retraining.alert_since).await?;
    let ids: Vec<&str> = runs.iter().map(|run| run.dag_run_id.as_str()).collect();
    lab.saw(
        format!("GET /api/v1/dags/{DAG}/dagRuns"),
        format!("{ids:?}"),
    );
    ensure!(ids.len() == 1, "it started {ids:?}");
    Ok(())
}
