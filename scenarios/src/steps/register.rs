//! Register: which candidates become versions, and what a version leads back to.

use cucumber::then;

use super::train::{data_hash, metric};
use crate::{
    clients::mlflow::ModelVersion,
    failure::{Failure, StepResult, ensure},
    lab::{Lab, MODEL},
    runs::Purpose,
    world::World,
};

impl Lab {
    /// The version that came from an MLflow run.
    pub(crate) async fn version_from(&self, run_id: &str) -> Result<ModelVersion, Failure> {
        self.mlflow
            .versions_from_run(MODEL, run_id)
            .await?
            .into_iter()
            .next()
            .ok_or_else(|| Failure::new(format!("no version came from MLflow run `{run_id}`")))
    }

    /// The version that came from the run of a purpose.
    ///
    /// Where the same scenarios ran before on the same cluster, that run was refused
    /// as a rerun; then it is the version of the run before it with the same seed,
    /// parameters and data, which is the same model.
    pub(crate) async fn version_for(&self, purpose: Purpose) -> Result<ModelVersion, Failure> {
        let run = self.mlflow_run_for(purpose).await?;
        let own = self.version_from(&run.id).await;
        if own.is_ok() {
            return own;
        }
        for version in self.mlflow.versions(MODEL).await? {
            if self.mlflow.run(&version.run_id).await?.params == run.params {
                return Ok(version);
            }
        }
        own
    }
}

#[then(expr = "the {run} run is more accurate than the {run} run")]
#[then(expr = "{run} 실행은 {run} 실행보다 정확하다")]
async fn more_accurate(world: &mut World, more: Purpose, less: Purpose) -> StepResult {
    let lab = world.lab()?;
    let more = metric(&lab.mlflow_run_for(more).await?, "accuracy")?;
    let less = metric(&lab.mlflow_run_for(less).await?, "accuracy")?;
    lab.saw("metric accuracy", format!("{more} against {less}"));
    ensure!(more > less, "{more} is not more than {less}");
    Ok(())
}

#[then(expr = "the {run} run became a version of the model {string}")]
#[then(expr = "{run} 실행은 {string} 모델의 한 버전이 되었다")]
async fn became_version(world: &mut World, purpose: Purpose, model: String) -> StepResult {
    let lab = world.lab()?;
    ensure!(model == MODEL, "the stack's model is `{MODEL}`");
    let version = lab.version_for(purpose).await?;
    lab.saw(
        format!("{model} version {}", version.version),
        format!("from MLflow run {}, {}", version.run_id, version.status),
    );
    ensure!(
        version.status == "READY",
        "the version is {}",
        version.status
    );
    Ok(())
}

#[then(expr = "the alias {string} points at the version of the {run} run")]
#[then(expr = "별칭 {string}(은)(는) {run} 실행의 버전을 가리킨다")]
async fn alias_points_at(world: &mut World, alias: String, purpose: Purpose) -> StepResult {
    let lab = world.lab()?;
    let version = lab.version_for(purpose).await?;
    let aliased = aliased(&lab, &alias).await?;
    ensure!(
        aliased.version == version.version,
        "it points at version {}, not {}",
        aliased.version,
        version.version
    );
    Ok(())
}

#[then(expr = "the alias {string} does not point at the {run} run")]
#[then(expr = "별칭 {string}(은)(는) {run} 실행을 가리키지 않는다")]
async fn alias_points_elsewhere(world: &mut World, alias: String, purpose: Purpose) -> StepResult {
    let lab = world.lab()?;
    let run = lab.mlflow_run_for(purpose).await?;
    let aliased = aliased(&lab, &alias).await?;
    ensure!(
        aliased.run_id != run.id,
        "it points at version {} of that run",
        aliased.version
    );
    Ok(())
}

async fn aliased(lab: &Lab, alias: &str) -> Result<ModelVersion, Failure> {
    let aliased = lab
        .mlflow
        .aliased(MODEL, alias)
        .await?
        .ok_or_else(|| Failure::new(format!("nothing has the alias `{alias}`")))?;
    lab.saw(
        format!("alias {alias}"),
        format!("version {} from run {}", aliased.version, aliased.run_id),
    );
    Ok(aliased)
}

#[then(expr = "MLflow says that the {run} run was refused")]
#[then(expr = "MLflow에 {run} 실행이 등록 거부되었다고 남아 있다")]
async fn refused(world: &mut World, purpose: Purpose) -> StepResult {
    let lab = world.lab()?;
    let run = lab.mlflow_run_for(purpose).await?;
    let tag = |name: &str| run.tags.get(name).cloned().unwrap_or_default();
    let registration = tag("registration");
    lab.saw(
        format!("MLflow run {}", run.id),
        format!(
            "registration {registration}: {}",
            tag("registration_reason")
        ),
    );
    ensure!(
        registration == "refused",
        "its tag `registration` is `{registration}`"
    );
    Ok(())
}

#[then(
    expr = "the version of the {run} run leads to its MLflow run, its data hash and its DAG run"
)]
#[then(expr = "{run} 실행의 버전에서 MLflow 런, 데이터 해시, DAG 런까지 거슬러 올라갈 수 있다")]
async fn lineage(world: &mut World, purpose: Purpose) -> StepResult {
    let lab = world.lab()?;
    // Only the version's number is taken: all else must follow from it.
    let number = lab.version_for(purpose).await?.version;
    let version = lab.mlflow.version(MODEL, &number).await?;
    let run = lab.mlflow.run(&version.run_id).await?;
    let hash = data_hash(&run)?;
    let dag_run = run.tags.get("airflow_run_id").cloned().unwrap_or_default();
    lab.saw(
        format!("{MODEL} version {number}"),
        format!("MLflow run {} → data {hash} → DAG run {dag_run}", run.id),
    );
    ensure!(
        version.tags.get("data_hash") == Some(&hash),
        "the version's tag names the data {:?}, the run {hash}",
        version.tags.get("data_hash")
    );
    ensure!(hash.len() == 64, "`{hash}` is no SHA-256");
    let known = lab.airflow.dag_run(crate::lab::DAG, &dag_run).await?;
    ensure!(known.has_ended(), "Airflow says it is {}", known.state);
    Ok(())
}
