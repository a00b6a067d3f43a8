//! Airflow's stable REST API: DAG runs and their task instances.

use jiff::Timestamp;
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ClientError, Http};

/// Airflow's webserver.
#[derive(Debug, Clone)]
pub struct Airflow {
    http: Http,
}

/// One run of a DAG.
#[derive(Debug, Clone, Deserialize)]
pub struct DagRun {
    /// Its id, unique within the DAG.
    pub dag_run_id: String,
    /// `queued`, `running`, `success` or `failed`.
    pub state: String,
    /// What it was started with.
    #[serde(default)]
    pub conf: Value,
    /// `manual`, `scheduled` …
    #[serde(default)]
    pub run_type: String,
    /// When it began.
    pub start_date: Option<Timestamp>,
    /// When it ended.
    pub end_date: Option<Timestamp>,
}

impl DagRun {
    /// Whether it has ended, in whichever way.
    pub fn has_ended(&self) -> bool {
        matches!(self.state.as_str(), "success" | "failed")
    }
}

/// One task of a DAG run.
#[derive(Debug, Clone, Deserialize)]
pub struct TaskInstance {
    /// The task.
    pub task_id: String,
    /// `success`, `failed`, `skipped`, `queued` …; none before it is scheduled.
    pub state: Option<String>,
    /// When it began.
    pub start_date: Option<Timestamp>,
    /// When it ended.
    pub end_date: Option<Timestamp>,
    /// Where it ran: the name of its pod.
    #[serde(default)]
    pub hostname: String,
}

#[derive(Deserialize)]
struct DagRuns {
    dag_runs: Vec<DagRun>,
}

#[derive(Deserialize)]
struct TaskInstances {
    task_instances: Vec<TaskInstance>,
}

impl Airflow {
    /// The webserver at `base`, as this user.
    ///
    /// # Errors
    /// When no HTTP client can be made in this process.
    pub fn new(base: Url, login: (String, String)) -> Result<Self, ClientError> {
        Ok(Self {
            http: Http::new(base)?.with_login(login),
        })
    }

    /// Whether the scheduler knows the DAG and would run it.
    pub async fn takes_runs(&self, dag: &str) -> Result<bool, ClientError> {
        #[derive(Deserialize)]
        struct Dag {
            is_active: bool,
            is_paused: bool,
        }
        match self
            .http
            .get::<Dag>(&format!("/api/v1/dags/{dag}"), &[])
            .await
        {
            Ok(found) => Ok(found.is_active && !found.is_paused),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Starts a run of a DAG; one that is started already under this id is as good.
    pub async fn trigger(
        &self,
        dag: &str,
        dag_run_id: &str,
        conf: &Value,
    ) -> Result<DagRun, ClientError> {
        let body = json!({"dag_run_id": dag_run_id, "conf": conf});
        let path = format!("/api/v1/dags/{dag}/dagRuns");
        match self.http.send(Method::POST, &path, &body).await {
            Err(error) if error.is_conflict() => self.dag_run(dag, dag_run_id).await,
            answered => answered,
        }
    }

    /// One run of a DAG.
    pub async fn dag_run(&self, dag: &str, dag_run_id: &str) -> Result<DagRun, ClientError> {
        let path = format!("/api/v1/dags/{dag}/dagRuns/{dag_run_id}");
        self.http.get(&path, &[]).await
    }

    /// The latest runs of a DAG, newest first.
    pub async fn dag_runs(&self, dag: &str) -> Result<Vec<DagRun>, ClientError> {
        let path = format!("/api/v1/dags/{dag}/dagRuns");
        let query = [("order_by", "-execution_date"), ("limit", "100")];
        let answer: DagRuns = self.http.get(&path, &query).await?;
        Ok(answer.dag_runs)
    }

    /// Marks a run as failed, which stops its tasks.
    pub async fn fail(&self, dag: &str, dag_run_id: &str) -> Result<(), ClientError> {
        let path = format!("/api/v1/dags/{dag}/dagRuns/{dag_run_id}");
        let body = json!({"state": "failed"});
        let _: Value = self.http.send(Method::PATCH, &path, &body).await?;
        Ok(())
    }

    /// The log of a task's first try.
    pub async fn log(
        &self,
        dag: &str,
        dag_run_id: &str,
        task: &str,
    ) -> Result<String, ClientError> {
        let url = self.http.url(&format!(
            "/api/v1/dags/{dag}/dagRuns/{dag_run_id}/taskInstances/{task}/logs/1?full_content=true"
        ));
        let headers = [("accept", "text/plain".to_owned())];
        self.http.get_with_headers(url, &headers).await
    }

    /// The tasks of a run, those that began first in front.
    pub async fn tasks(
        &self,
        dag: &str,
        dag_run_id: &str,
    ) -> Result<Vec<TaskInstance>, ClientError> {
        let path = format!("/api/v1/dags/{dag}/dagRuns/{dag_run_id}/taskInstances");
        let answer: TaskInstances = self.http.get(&path, &[]).await?;
        Ok(in_order(answer.task_instances))
    }
}

/// Tasks that have begun, by their beginning; then the others.
fn in_order(mut tasks: Vec<TaskInstance>) -> Vec<TaskInstance> {
    tasks.sort_by_key(|task| (task.start_date.is_none(), task.start_date));
    tasks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_task_instances_and_orders_them() {
        let answer: TaskInstances =
            serde_json::from_str(include_str!("recorded/airflow-task-instances.json")).unwrap();
        let tasks = in_order(answer.task_instances);
        insta::assert_debug_snapshot!(
            tasks
                .iter()
                .map(|task| (task.task_id.as_str(), task.state.as_deref()))
                .collect::<Vec<_>>(),
            @r#"
        [
            (
                "validate",
                Some(
                    "success",
                ),
            ),
            (
                "train",
                Some(
                    "running",
                ),
            ),
            (
                "register",
                None,
            ),
        ]
        "#
        );
    }

    #[test]
    fn knows_an_ended_run() {
        let run: DagRun =
            serde_json::from_str(include_str!("recorded/airflow-dag-run.json")).unwrap();
        assert!(!run.has_ended());
        assert_eq!(run.conf["max_iter"], 30);
        assert_eq!(run.run_type, "manual");
    }
}
