//! Held-out images, what the MLflow model says of them, and sending them to Triton.

use cucumber::{given, then, when};
use serde::Deserialize;

use crate::{
    clients::triton::{Image, Prediction},
    failure::{Failure, StepResult, ensure},
    lab::{Lab, MODEL},
    runs::Purpose,
    world::{World, left_by},
};

/// Artifact of a training run: held-out images with the outputs of the model as
/// MLflow gives it back.
const ARTIFACT: &str = "predictions.json";

/// Held-out images with what a model's MLflow form says of them.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct HeldOut {
    /// The images.
    pub(crate) inputs: Vec<Image>,
    /// The digit that each shows.
    pub(crate) labels: Vec<i64>,
    /// The digit that the MLflow model sees in each.
    pub(crate) predicted: Vec<i64>,
    /// The MLflow model's probabilities, ten an image.
    pub(crate) probabilities: Vec<Vec<f64>>,
}

impl Lab {
    /// The held-out images of an MLflow run.
    pub(crate) async fn held_out(&self, run_id: &str) -> Result<HeldOut, Failure> {
        let held_out: HeldOut = self.mlflow.artifact_json(run_id, ARTIFACT).await?;
        let count = held_out.inputs.len();
        ensure!(
            count > 0
                && count == held_out.labels.len()
                && count == held_out.predicted.len()
                && count == held_out.probabilities.len(),
            "`{ARTIFACT}` of run `{run_id}` does not hold one answer an image"
        );
        Ok(held_out)
    }

    /// The held-out images of the run of a purpose.
    pub(crate) async fn held_out_for(&self, purpose: Purpose) -> Result<HeldOut, Failure> {
        let run = self.mlflow_run_for(purpose).await?;
        self.held_out(&run.id).await
    }
}

/// The images as a scanner that swaps black and white would give them.
pub(crate) fn inverted(images: &[Image]) -> Vec<Image> {
    images
        .iter()
        .map(|image| image.iter().map(|pixel| 16.0 - pixel).collect())
        .collect()
}

#[given(expr = "{int} held-out images with the predictions of the MLflow model of the {run} run")]
#[given(expr = "평가용 이미지 {int}장과, {run} 실행의 MLflow 모델이 내놓은 예측")]
async fn with_predictions(world: &mut World, count: usize, purpose: Purpose) -> StepResult {
    let lab = world.lab()?;
    let mut held_out = lab.held_out_for(purpose).await?;
    ensure!(
        held_out.inputs.len() >= count,
        "`{ARTIFACT}` holds only {} images",
        held_out.inputs.len()
    );
    held_out.inputs.truncate(count);
    held_out.labels.truncate(count);
    held_out.predicted.truncate(count);
    held_out.probabilities.truncate(count);
    lab.saw(
        format!("artifact {ARTIFACT}"),
        format!("{count} images; the model sees {:?}", held_out.predicted),
    );
    world.held_out = Some(held_out);
    Ok(())
}

#[when("Triton is asked for them one by one")]
#[when("Triton에 한 장씩 물어본다")]
async fn one_by_one(world: &mut World) -> StepResult {
    let lab = world.lab()?;
    let held_out = left_by(world.held_out.as_ref(), "names images")?;
    let mut whole: Option<Prediction> = None;
    for image in &held_out.inputs {
        let said = lab.triton.infer(MODEL, std::slice::from_ref(image)).await?;
        let whole = whole.get_or_insert_with(|| Prediction {
            model_version: said.model_version.clone(),
            labels: Vec::new(),
            probabilities: Vec::new(),
        });
        ensure!(
            whole.model_version == said.model_version,
            "version {} answered after version {}",
            said.model_version,
            whole.model_version
        );
        whole.labels.extend(said.labels);
        whole.probabilities.extend(said.probabilities);
    }
    let whole = left_by(whole, "names images")?;
    lab.saw(
        format!("{} × POST /v2/models/{MODEL}/infer", held_out.inputs.len()),
        format!("version {}, labels {:?}", whole.model_version, whole.labels),
    );
    world.predictions.push(whole);
    Ok(())
}

#[when("Triton is asked for all of them in one request")]
#[when("Triton에 요청 하나로 모두 물어본다")]
async fn in_one_request(world: &mut World) -> StepResult {
    let lab = world.lab()?;
    let held_out = left_by(world.held_out.as_ref(), "names images")?;
    let said = lab.triton.infer(MODEL, &held_out.inputs).await?;
    lab.saw(
        format!("POST /v2/models/{MODEL}/infer"),
        format!("version {}, labels {:?}", said.model_version, said.labels),
    );
    world.predictions.push(said);
    Ok(())
}

#[then(expr = "all {int} predictions equal those of the MLflow model")]
#[then(expr = "예측 {int}개가 모두 MLflow 모델의 예측과 같다")]
fn equal(world: &mut World, count: usize) -> StepResult {
    let (held_out, said) = compared(world)?;
    ensure!(said.labels.len() == count, "{} answers", said.labels.len());
    let different: Vec<usize> = (0..count)
        .filter(|at| said.labels[*at] != held_out.predicted[*at])
        .collect();
    ensure!(
        different.is_empty(),
        "{} differ, the first at image {}",
        different.len(),
        different[0]
    );
    world
        .lab()?
        .saw("comparison", format!("{count} of {count} labels are equal"));
    Ok(())
}

#[then(expr = "no probability differs by more than {float}")]
#[then(expr = "확률의 차이는 모두 {float} 이하다")]
fn close(world: &mut World, most: f64) -> StepResult {
    let (held_out, said) = compared(world)?;
    let expected = held_out.probabilities.concat();
    ensure!(
        expected.len() == said.probabilities.len(),
        "{} probabilities, expected {}",
        said.probabilities.len(),
        expected.len()
    );
    let largest = expected
        .iter()
        .zip(&said.probabilities)
        .map(|(one, other)| (one - other).abs())
        .fold(0.0, f64::max);
    world
        .lab()?
        .saw("comparison", format!("largest difference {largest:e}"));
    ensure!(largest <= most, "one differs by {largest:e}");
    Ok(())
}

#[then("both ways gave the same labels")]
#[then("두 방식의 결과는 같다")]
fn both_ways(world: &mut World) -> StepResult {
    let [first, second] = world.predictions.as_slice() else {
        return Err(Failure::new("Triton was not asked in two ways"));
    };
    ensure!(first.labels == second.labels, "the labels differ");
    Ok(())
}

fn compared(world: &World) -> Result<(&HeldOut, &Prediction), Failure> {
    Ok((
        left_by(world.held_out.as_ref(), "names images")?,
        left_by(world.predictions.last(), "asked Triton")?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverting_swaps_black_and_white() {
        assert_eq!(inverted(&[vec![0.0, 16.0, 5.0]]), [vec![16.0, 0.0, 11.0]]);
    }
}
