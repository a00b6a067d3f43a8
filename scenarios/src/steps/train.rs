//! Train: a DAG run, its pods, and what it leaves in MLflow and S3.

use std::time::Duration;

use cucumber::{given, then};

use crate::{
    clients::{
        mlflow::{Run, signature},
        s3::{Keys, S3},
    },
    failure::{Failure, StepResult, ensure},
    lab::{DAG, EXPERIMENT, Lab, MODEL},
    runs::{Ended, Purpose, states},
    world::World,
};

/// Tag that MLflow's run carries: the id of the DAG run it belongs to.
const AIRFLOW_RUN: &str = "airflow_run_id";

impl Lab {
    /// The MLflow runs that belong to a DAG run.
    pub(crate) async fn mlflow_runs(&self, dag_run_id: &str) -> Result<Vec<Run>, Failure> {
        let runs = self
            .mlflow
            .runs_tagged(EXPERIMENT, AIRFLOW_RUN, dag_run_id)
            .await?;
        Ok(runs)
    }

    /// The one MLflow run of a DAG run.
    pub(crate) async fn mlflow_run(&self, dag_run_id: &str) -> Result<Run, Failure> {
        self.mlflow_runs(dag_run_id)
            .await?
            .into_iter()
            .next()
            .ok_or_else(|| Failure::new(format!("MLflow holds no run of DAG run `{dag_run_id}`")))
    }

    /// The MLflow run of a purpose that must have ended well.
    pub(crate) async fn mlflow_run_for(&self, purpose: Purpose) -> Result<Run, Failure> {
        let ended = self.succeeded(purpose).await?;
        self.mlflow_run(ended.id()).await
    }
}

/// A metric of a run.
pub(crate) fn metric(run: &Run, name: &str) -> Result<f64, Failure> {
    run.metrics
        .get(name)
        .copied()
        .ok_or_else(|| Failure::new(format!("MLflow run `{}` has no metric `{name}`", run.id)))
}

#[given(expr = "the {run} run has ended")]
#[given(expr = "{run} 실행이 끝났다")]
async fn ended(world: &mut World, purpose: Purpose) -> StepResult {
    let lab = world.lab()?;
    let ended = lab.ended(purpose).await?;
    lab.saw(
        format!("DAG run {}", ended.id()),
        format!(
            "started with {}; {}; {}",
            ended.run.conf,
            ended.run.state,
            states(&ended.tasks)
        ),
    );
    Ok(())
}

#[then(expr = "the tasks of the {run} run ran in the order {string}, each in a pod of its own")]
#[then(expr = "{run} 실행의 태스크는 {string} 순서로, 저마다 자기 Pod에서 돌았다")]
async fn in_order(world: &mut World, purpose: Purpose, order: String) -> StepResult {
    let lab = world.lab()?;
    let ended = lab.succeeded(purpose).await?;
    let pods = lab.task_pods.of_run(ended.id());
    for pod in &pods {
        let text = format!(
            "task {}, created {}, ended {}",
            pod.task,
            time(pod.created),
            time(pod.finished)
        );
        lab.saw(format!("pod {}", pod.name), text);
    }
    let tasks: Vec<&str> = pods.iter().map(|pod| pod.task.as_str()).collect();
    let wanted: Vec<&str> = order.split(", ").collect();
    ensure!(tasks == wanted, "pods were created for {tasks:?}");
    for pair in ended.tasks.windows(2) {
        ensure!(
            pair[0].end_date <= pair[1].start_date,
            "`{}` began before `{}` had ended",
            pair[1].task_id,
            pair[0].task_id
        );
    }
    Ok(())
}

#[then(expr = "MLflow holds a finished run for the {run} run")]
#[then(expr = "MLflow에 {run} 실행의 완료된 런이 있다")]
async fn finished(world: &mut World, purpose: Purpose) -> StepResult {
    let lab = world.lab()?;
    let run = lab.mlflow_run_for(purpose).await?;
    lab.saw(
        format!("MLflow run {}", run.id),
        format!("{}, {:?}, {:?}", run.status, run.params, run.metrics),
    );
    ensure!(run.status == "FINISHED", "the run is {}", run.status);
    Ok(())
}

#[then(expr = "the {run} run has the parameters {string}")]
#[then(expr = "{run} 실행에는 파라미터 {string}(이)(가) 기록되어 있다")]
async fn parameters(world: &mut World, purpose: Purpose, names: String) -> StepResult {
    let lab = world.lab()?;
    let run = lab.mlflow_run_for(purpose).await?;
    for name in names.split(", ") {
        let value = run.params.get(name);
        let value = value.ok_or_else(|| {
            Failure::new(format!("no parameter `{name}`; there are {:?}", run.params))
        })?;
        lab.saw(format!("parameter {name}"), value);
        ensure!(!value.is_empty(), "parameter `{name}` is empty");
    }
    Ok(())
}

#[then(expr = "the accuracy of the {run} run is at least {float}")]
#[then(expr = "{run} 실행의 정확도는 {float} 이상이다")]
async fn accurate(world: &mut World, purpose: Purpose, least: f64) -> StepResult {
    let lab = world.lab()?;
    let accuracy = metric(&lab.mlflow_run_for(purpose).await?, "accuracy")?;
    lab.saw("metric accuracy", accuracy.to_string());
    ensure!(accuracy >= least, "the accuracy is {accuracy}");
    Ok(())
}

#[then(expr = "the model of the {run} run has a signature with {int} numbers going in")]
#[then(expr = "{run} 실행의 모델에는 숫자 {int}개를 입력으로 받는 시그니처가 있다")]
async fn signed(world: &mut World, purpose: Purpose, width: i64) -> StepResult {
    let lab = world.lab()?;
    let run = lab.mlflow_run_for(purpose).await?;
    let file = lab.mlflow.artifact_text(&run.id, "model/MLmodel").await?;
    let (inputs, outputs) =
        signature(&file).ok_or_else(|| Failure::new("`model/MLmodel` holds no signature"))?;
    lab.saw(
        "model/MLmodel",
        format!("inputs {inputs}, outputs {outputs}"),
    );
    let shape = &inputs[0]["tensor-spec"]["shape"];
    ensure!(
        shape[1].as_i64() == Some(width),
        "the signature's input has the shape {shape}"
    );
    ensure!(outputs[0].is_object(), "the signature names no output");
    Ok(())
}

#[then(expr = "the bucket {string} in S3 holds the model of the {run} run")]
#[then(expr = "S3 버킷 {string}에 {run} 실행의 모델이 들어 있다")]
async fn in_s3(world: &mut World, bucket: String, purpose: Purpose) -> StepResult {
    let lab = world.lab()?;
    let run = lab.mlflow_run_for(purpose).await?;
    let secret = lab.kubernetes.secret("mlops-platform-s3").await?;
    let entry = |name: &str| {
        secret
            .get(name)
            .cloned()
            .ok_or_else(|| Failure::new(format!("the Secret has no entry `{name}`")))
    };
    let keys = Keys {
        access: entry("access-key")?,
        secret: entry("secret-key")?,
    };
    let store = S3::new(lab.endpoint("s3")?, keys)?;
    let objects = store.list(&bucket, "").await?;
    let of_run: Vec<String> = objects
        .into_iter()
        .filter(|(key, size)| key.contains(&run.id) && *size > 0)
        .map(|(key, size)| format!("{key} ({size} bytes)"))
        .collect();
    lab.saw(format!("GET /{bucket}?list-type=2"), of_run.join("\n"));
    ensure!(
        of_run
            .iter()
            .any(|object| object.contains("/model/MLmodel")),
        "{} objects of run `{}`, none of them its `model/MLmodel`",
        of_run.len(),
        run.id
    );
    Ok(())
}

#[then(expr = "the {run} run and the {run} run have the same accuracy to the last digit")]
#[then(expr = "{run} 실행과 {run} 실행의 정확도는 마지막 자리까지 같다")]
async fn same_accuracy(world: &mut World, first: Purpose, second: Purpose) -> StepResult {
    let lab = world.lab()?;
    let first = metric(&lab.mlflow_run_for(first).await?, "accuracy")?;
    let second = metric(&lab.mlflow_run_for(second).await?, "accuracy")?;
    lab.saw("metric accuracy", format!("{first} and {second}"));
    ensure!(
        first.to_bits() == second.to_bits(),
        "{first} and {second} differ"
    );
    Ok(())
}

#[then(expr = "the {run} run and the {run} run name the same data hash")]
#[then(expr = "{run} 실행과 {run} 실행의 데이터 해시는 같다")]
async fn same_data(world: &mut World, first: Purpose, second: Purpose) -> StepResult {
    let lab = world.lab()?;
    let first = data_hash(&lab.mlflow_run_for(first).await?)?;
    let second = data_hash(&lab.mlflow_run_for(second).await?)?;
    lab.saw("parameter data_hash", format!("{first} and {second}"));
    ensure!(first == second, "{first} and {second} differ");
    Ok(())
}

/// Hash of the data that a run was trained on.
pub(crate) fn data_hash(run: &Run) -> Result<String, Failure> {
    run.params
        .get("data_hash")
        .cloned()
        .ok_or_else(|| Failure::new(format!("MLflow run `{}` names no data hash", run.id)))
}

#[then(expr = "the {run} run failed in the task {string}, and no later task got a pod")]
#[then(expr = "{run} 실행은 {string} 태스크에서 실패했고, 그 뒤의 태스크는 Pod를 받지 못했다")]
async fn failed_in(world: &mut World, purpose: Purpose, task: String) -> StepResult {
    let lab = world.lab()?;
    let ended = lab.ended(purpose).await?;
    let pods = lab.task_pods.of_run(ended.id());
    let tasks: Vec<&str> = pods.iter().map(|pod| pod.task.as_str()).collect();
    lab.saw("pods", format!("created for {tasks:?}"));
    ensure!(
        ended.run.state == "failed",
        "the DAG run ended as {}",
        ended.run.state
    );
    ensure!(
        tasks.last().is_some_and(|last| *last == task),
        "pods were created for {tasks:?}"
    );
    Ok(())
}

#[then(expr = "in the {run} run the log of the task {string} mentions {string}")]
#[then(expr = "{run} 실행에서 {string} 태스크의 로그에 {string}(이)(가) 나온다")]
async fn log_mentions(
    world: &mut World,
    purpose: Purpose,
    task: String,
    words: String,
) -> StepResult {
    let lab = world.lab()?;
    let ended = lab.ended(purpose).await?;
    let log = lab.airflow.log(DAG, ended.id(), &task).await?;
    let said: Vec<&str> = log.lines().filter(|line| line.contains(&words)).collect();
    lab.saw(format!("log of the task {task}"), said.join("\n"));
    ensure!(!said.is_empty(), "its log does not mention `{words}`");
    Ok(())
}

#[then(expr = "MLflow holds no run for the {run} run")]
#[then(expr = "MLflow에 {run} 실행의 런은 없다")]
async fn no_mlflow_run(world: &mut World, purpose: Purpose) -> StepResult {
    let lab = world.lab()?;
    let ended = lab.ended(purpose).await?;
    let runs = lab.mlflow_runs(ended.id()).await?;
    lab.saw("POST runs/search", format!("{} runs", runs.len()));
    ensure!(runs.is_empty(), "MLflow holds run `{}`", runs[0].id);
    Ok(())
}

#[then(expr = "no model version came from the {run} run")]
#[then(expr = "{run} 실행에서 나온 모델 버전은 없다")]
async fn no_version(world: &mut World, purpose: Purpose) -> StepResult {
    let lab = world.lab()?;
    let ended = lab.ended(purpose).await?;
    let mut seen = Vec::new();
    for version in lab.mlflow.versions(MODEL).await? {
        let run = lab.mlflow.run(&version.run_id).await?;
        let from = run.tags.get(AIRFLOW_RUN).cloned().unwrap_or_default();
        ensure!(
            from != ended.id(),
            "version {} came from it",
            version.version
        );
        seen.push(format!("version {} from {from}", version.version));
    }
    lab.saw("GET model-versions/search", seen.join(", "));
    Ok(())
}

#[then(expr = "the {run} run was given up as unschedulable within {int} seconds")]
#[then(expr = "{run} 실행은 {int}초 안에 스케줄링 불가로 판정되었다")]
async fn unschedulable(world: &mut World, purpose: Purpose, seconds: u64) -> StepResult {
    let lab = world.lab()?;
    let ended = lab.ended(purpose).await?;
    let (reason, after) = given_up(&ended)?;
    lab.saw(
        "scheduler",
        format!("{reason} (after {:.1} s)", after.as_secs_f64()),
    );
    ensure!(reason.contains("unschedulable"), "it was: {reason}");
    ensure!(
        *after <= Duration::from_secs(seconds),
        "that took {} s",
        after.as_secs()
    );
    let seen_by_watch = lab
        .task_pods
        .of_run(ended.id())
        .iter()
        .any(|pod| pod.unschedulable.is_some());
    ensure!(seen_by_watch, "no pod carries the scheduler's words");
    Ok(())
}

#[then(expr = "the reason given for the {run} run names {string}")]
#[then(expr = "{run} 실행의 판정 이유에 {string}(이)(가) 적혀 있다")]
async fn reason_names(world: &mut World, purpose: Purpose, words: String) -> StepResult {
    let ended = world.lab()?.ended(purpose).await?;
    let (reason, _) = given_up(&ended)?;
    ensure!(reason.contains(&words), "it was: {reason}");
    Ok(())
}

fn given_up(ended: &Ended) -> Result<&(String, Duration), Failure> {
    ended.given_up.as_ref().ok_or_else(|| {
        Failure::new(format!(
            "the DAG run ended as {}: {}",
            ended.run.state,
            states(&ended.tasks)
        ))
    })
}

fn time(at: Option<jiff::Timestamp>) -> String {
    at.map_or_else(
        || "unseen".to_owned(),
        |at| at.strftime("%H:%M:%S").to_string(),
    )
}
