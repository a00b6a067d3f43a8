//! The Kubernetes API itself: what it accepts, and how it refuses.

use cucumber::{gherkin, given, then, when};
use lab_k8s::kube::core::Status;

use crate::{
    failure::{Failure, StepResult, ensure},
    plain_words::explain_rejection,
    world::{World, left_by},
};

#[given("this Pod manifest:")]
#[given("다음과 같은 Pod 매니페스트:")]
fn manifest(world: &mut World, step: &gherkin::Step) -> StepResult {
    let text = step
        .docstring
        .clone()
        .ok_or_else(|| Failure::new("the step shows no manifest"))?;
    world.manifest = Some(text.trim_start().to_owned());
    Ok(())
}

#[when("the manifest is sent to the Kubernetes API")]
#[when("매니페스트를 쿠버네티스 API에 보낸다")]
async fn send(world: &mut World) -> StepResult {
    send_manifest(world, false).await
}

#[when("the manifest is sent to the Kubernetes API as a dry run")]
#[when("매니페스트를 쿠버네티스 API에 dry run으로 보낸다")]
async fn send_as_dry_run(world: &mut World) -> StepResult {
    send_manifest(world, true).await
}

async fn send_manifest(world: &mut World, dry_run: bool) -> StepResult {
    let lab = world.lab()?;
    let manifest = left_by(world.manifest.as_deref(), "shows a manifest")?;
    let answer = lab.kubernetes.send_pod(manifest, dry_run).await?;
    let said = match &answer {
        Ok(()) => "accepted".to_owned(),
        Err(status) => format!("{} {}: {}", status.code, status.reason, status.message),
    };
    let how = if dry_run { "?dryRun=All" } else { "" };
    lab.saw(
        format!("POST /api/v1/namespaces/{}/pods{how}", lab.env.namespace),
        said,
    );
    world.verdict = Some(answer);
    Ok(())
}

#[then(expr = "the API refuses it with status {int}")]
#[then(expr = "API는 상태 코드 {int}(으)로 거부한다")]
fn refused(world: &mut World, code: u16) -> StepResult {
    let status = rejection(world)?;
    ensure!(
        status.code == code,
        "refused with {}, not {code}: {}",
        status.code,
        status.message
    );
    Ok(())
}

#[then("the API accepts it")]
#[then("API는 이를 받아들인다")]
fn accepted(world: &mut World) -> StepResult {
    let verdict = left_by(world.verdict.as_ref(), "sent a manifest")?;
    if let Err(status) = verdict {
        return Err(Failure::new(format!("refused: {}", status.message)));
    }
    Ok(())
}

#[then(expr = "in plain words that means {string}")]
#[then(expr = "이를 쉬운 말로 옮기면 {string}(이)라는 뜻이다")]
#[expect(
    clippy::needless_pass_by_value,
    reason = "cucumber hands over what it read in the step"
)]
fn in_plain_words(world: &mut World, meaning: String) -> StepResult {
    let status = rejection(world)?;
    let words = explain_rejection(&status.message);
    world.lab()?.saw("in plain words", &words);
    ensure!(
        words.contains(&meaning),
        "the explanation is `{words}`, without `{meaning}`"
    );
    Ok(())
}

#[then(expr = "there is no Pod named {string}")]
#[then(expr = "{string}(이)라는 Pod는 없다")]
async fn no_pod(world: &mut World, name: String) -> StepResult {
    let lab = world.lab()?;
    let found = lab.kubernetes.pods().get_opt(&name).await?;
    let seen = found.as_ref().map_or("not found", |_| "found");
    lab.saw(format!("pod {name}"), seen);
    ensure!(found.is_none(), "there is a Pod `{name}`");
    Ok(())
}

fn rejection(world: &World) -> Result<&Status, Failure> {
    match left_by(world.verdict.as_ref(), "sent a manifest")? {
        Ok(()) => Err(Failure::new("the API accepted the manifest")),
        Err(status) => Ok(status),
    }
}
