//! Deploy: the version in Triton, its readiness, and requests that are refused.

use cucumber::{given, then, when};
use serde_json::json;

use crate::{
    clients::triton::{error_message, infer_body},
    failure::{Failure, StepResult, ensure},
    lab::{CHAMPION, MODEL, MODEL_VERSION, TRITON},
    runs::Purpose,
    world::{World, left_by},
};

/// Numbers in one image.
const PIXELS: usize = 64;

#[given(expr = "the version of the {run} run is deployed")]
#[given(expr = "{run} 실행의 버전이 배포되어 있다")]
async fn deployed(world: &mut World, purpose: Purpose) -> StepResult {
    let lab = world.lab()?;
    let version = lab.version_for(purpose).await?.version;
    lab.roll_out_and_wait(&version).await?;
    lab.saw(
        format!("Deployment {TRITON}"),
        format!("serves version {version}"),
    );
    Ok(())
}

#[then(expr = "the pods of Triton carry the version of the {run} run")]
#[then(expr = "Triton의 Pod에는 {run} 실행의 버전이 적혀 있다")]
async fn pods_carry(world: &mut World, purpose: Purpose) -> StepResult {
    let lab = world.lab()?;
    let version = lab.version_for(purpose).await?.version;
    let deployment = lab.kubernetes.deployment(TRITON).await?;
    let mut live = 0;
    for pod in lab.kubernetes.pods_of(&deployment).await? {
        if pod.metadata.deletion_timestamp.is_some() {
            continue;
        }
        live += 1;
        let name = pod.metadata.name.unwrap_or_default();
        let env = pod
            .spec
            .iter()
            .flat_map(|spec| &spec.containers)
            .flat_map(|container| container.env.iter().flatten())
            .find(|variable| variable.name == MODEL_VERSION)
            .and_then(|variable| variable.value.clone())
            .unwrap_or_default();
        lab.saw(format!("pod {name}"), format!("{MODEL_VERSION}={env}"));
        ensure!(env == version, "pod `{name}` carries version `{env}`");
    }
    ensure!(live > 0, "Triton has no pod");
    Ok(())
}

#[then("the rollout never takes the last ready pod away")]
#[then("롤아웃은 준비된 마지막 Pod를 먼저 내리지 않는다")]
async fn never_without_pod(world: &mut World) -> StepResult {
    let lab = world.lab()?;
    let spec = lab.kubernetes.deployment(TRITON).await?.spec;
    let strategy = spec
        .and_then(|spec| spec.strategy)
        .ok_or_else(|| Failure::new("the Deployment has no strategy"))?;
    let unavailable = strategy
        .rolling_update
        .and_then(|update| update.max_unavailable);
    let text = serde_json::to_string(&unavailable)?;
    lab.saw(
        format!("Deployment {TRITON}"),
        format!("{:?}, maxUnavailable {text}", strategy.type_),
    );
    ensure!(
        strategy.type_.as_deref() == Some("RollingUpdate")
            && matches!(text.as_str(), "0" | "\"0%\""),
        "maxUnavailable is {text}"
    );
    Ok(())
}

#[then(expr = "the answers name the version of the {run} run")]
#[then(expr = "응답에는 {run} 실행의 버전이 적혀 있다")]
async fn answers_name(world: &mut World, purpose: Purpose) -> StepResult {
    let lab = world.lab()?;
    let version = lab.version_for(purpose).await?.version;
    let images = lab.held_out_for(purpose).await?.inputs;
    let said = lab.triton.infer(MODEL, &images[..1]).await?;
    lab.saw(
        format!("POST /v2/models/{MODEL}/infer"),
        format!("model_version {}", said.model_version),
    );
    ensure!(
        said.model_version == version,
        "version {} answered, not {version}",
        said.model_version
    );
    Ok(())
}

#[then("the version that answers is the champion")]
#[then("응답하는 버전은 챔피언이다")]
async fn champion_answers(world: &mut World) -> StepResult {
    let lab = world.lab()?;
    let champion = lab
        .mlflow
        .aliased(MODEL, CHAMPION)
        .await?
        .ok_or_else(|| Failure::new("there is no champion"))?;
    let served = lab.triton.metadata(MODEL).await?.versions;
    lab.saw(
        format!("GET /v2/models/{MODEL}"),
        format!("versions {served:?}, champion {}", champion.version),
    );
    ensure!(
        served == [champion.version.clone()],
        "Triton serves {served:?}, the champion is {}",
        champion.version
    );
    Ok(())
}

#[then(expr = "the readiness probe of Triton's pods asks {string}")]
#[then(expr = "Triton Pod의 준비성 프로브는 {string}에 묻는다")]
async fn probe_asks(world: &mut World, path: String) -> StepResult {
    let lab = world.lab()?;
    let deployment = lab.kubernetes.deployment(TRITON).await?;
    let asked = deployment
        .spec
        .and_then(|spec| spec.template.spec)
        .into_iter()
        .flat_map(|spec| spec.containers)
        .find(|container| container.name == TRITON)
        .and_then(|container| container.readiness_probe?.http_get?.path)
        .ok_or_else(|| Failure::new("the container has no readiness probe over HTTP"))?;
    lab.saw("readinessProbe", &asked);
    ensure!(asked == path, "it asks `{asked}`");
    Ok(())
}

#[then("Triton itself says that the model is ready")]
#[then("Triton 스스로 모델이 준비되었다고 답한다")]
async fn model_ready(world: &mut World) -> StepResult {
    let lab = world.lab()?;
    let ready = lab.triton.is_ready(MODEL).await?;
    lab.saw(
        format!("GET /v2/models/{MODEL}/ready"),
        if ready { "200" } else { "not 200" },
    );
    ensure!(ready, "it says that it is not");
    Ok(())
}

#[then(expr = "Triton says that the unknown model {string} is not ready")]
#[then(expr = "Triton은 모르는 모델 {string}(은)(는) 준비되지 않았다고 답한다")]
async fn unknown_not_ready(world: &mut World, model: String) -> StepResult {
    let lab = world.lab()?;
    let ready = lab.triton.is_ready(&model).await?;
    lab.saw(
        format!("GET /v2/models/{model}/ready"),
        if ready { "200" } else { "not 200" },
    );
    ensure!(!ready, "it says that it is");
    Ok(())
}

#[then(expr = "the model takes {string} as {string} and gives {string} as {string}")]
#[then(
    expr = "모델은 {string}(을)(를) {string}(으)로 받아 {string}(을)(를) {string}(으)로 돌려준다"
)]
async fn takes_and_gives(world: &mut World, words: &[String]) -> StepResult {
    let lab = world.lab()?;
    let [input, input_type, output, output_type] = words else {
        return Err(Failure::new("the step names four things"));
    };
    let metadata = lab.triton.metadata(MODEL).await?;
    lab.saw(
        format!("GET /v2/models/{MODEL}"),
        format!("in {:?}, out {:?}", metadata.inputs, metadata.outputs),
    );
    let takes = metadata
        .inputs
        .iter()
        .any(|tensor| tensor.name == *input && tensor.datatype == *input_type);
    let gives = metadata
        .outputs
        .iter()
        .any(|tensor| tensor.name == *output && tensor.datatype == *output_type);
    ensure!(
        takes && gives,
        "it takes {:?} and gives {:?}",
        metadata.inputs,
        metadata.outputs
    );
    Ok(())
}

#[when(expr = "an image of {int} numbers is sent")]
#[when(expr = "숫자 {int}개짜리 이미지를 보낸다")]
async fn wrong_shape(world: &mut World, count: usize) -> StepResult {
    let body = infer_body(&[vec![0.0; count]]);
    ask(world, MODEL, &body).await
}

#[when(expr = "an image is sent as {string}")]
#[when(expr = "이미지를 {string} 타입으로 보낸다")]
async fn wrong_type(world: &mut World, datatype: String) -> StepResult {
    let body = json!({"inputs": [{"name": "images", "datatype": datatype,
        "shape": [1, PIXELS], "data": vec![0; PIXELS]}]});
    ask(world, MODEL, &body).await
}

#[when(expr = "an image is sent to the model {string}")]
#[when(expr = "{string} 모델에 이미지를 보낸다")]
async fn unknown_model(world: &mut World, model: String) -> StepResult {
    let body = infer_body(&[vec![0.0; PIXELS]]);
    ask(world, &model, &body).await
}

async fn ask(world: &mut World, model: &str, body: &serde_json::Value) -> StepResult {
    let lab = world.lab()?;
    let (status, text) = lab.triton.infer_raw(model, body).await?;
    lab.saw(
        format!("POST /v2/models/{model}/infer"),
        format!("{status}: {}", error_message(&text)),
    );
    world.answer = Some((status.as_u16(), text));
    Ok(())
}

#[then("Triton refuses it with a 4xx status")]
#[then("Triton은 4xx 상태 코드로 거부한다")]
fn refused_as_client_error(world: &mut World) -> StepResult {
    let (status, text) = left_by(world.answer.as_ref(), "sent a request")?;
    ensure!(
        (400..500).contains(status),
        "it answered {status}: {}",
        error_message(text)
    );
    Ok(())
}

#[then(expr = "its message mentions {string}")]
#[then(expr = "메시지에 {string}(이)(가) 나온다")]
#[expect(
    clippy::needless_pass_by_value,
    reason = "cucumber hands over what it read in the step"
)]
fn message_mentions(world: &mut World, words: String) -> StepResult {
    let (_, text) = left_by(world.answer.as_ref(), "sent a request")?;
    let message = error_message(text);
    ensure!(message.contains(&words), "it says `{message}`");
    Ok(())
}

#[then("a correct request is answered right after")]
#[then("바로 뒤의 올바른 요청에는 제대로 답한다")]
async fn correct_after(world: &mut World) -> StepResult {
    let lab = world.lab()?;
    let said = lab.triton.infer(MODEL, &[vec![0.0; PIXELS]]).await?;
    ensure!(said.labels.len() == 1, "{} answers", said.labels.len());
    Ok(())
}
