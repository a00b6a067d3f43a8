//! Images that do not come.

use std::{cell::RefCell, time::Duration};

use cucumber::{then, when};
use lab_k8s::k8s_openapi::api::core::v1::Pod;
use lab_model::fault::Fault;

use crate::{
    failure::{StepResult, ensure},
    plain_words::explain_pull,
    poll::{self, Look},
    world::{World, left_by},
};

/// Longest time until a pull that cannot succeed is given up for the first time.
const PULL_DEADLINE: Duration = Duration::from_mins(2);
/// Kubernetes' word for a pull that has just failed.
const PULL_FAILED: &str = "ErrImagePull";

#[when("the nodes reach no registry any more")]
#[when("노드들이 더는 레지스트리에 닿지 못한다")]
async fn no_registry(world: &mut World) -> StepResult {
    let lab = world.lab()?;
    for node in lab.env.nodes.clone() {
        lab.inject(Fault::RegistriesCut { node }).await?;
    }
    Ok(())
}

#[then(expr = "the Pod {string} ends in {string}")]
#[then(expr = "{string} Pod는 {string} 상태가 된다")]
async fn ends_in(world: &mut World, name: String, reason: String) -> StepResult {
    let lab = world.lab()?;
    lab.remove_afterwards(&name).await;
    let said = RefCell::new(None);
    let what = format!("pod `{name}` in {reason}");
    poll::until(&what, PULL_DEADLINE, || async {
        let pod = lab.kubernetes.pods().get(&name).await?;
        let Some((now, message)) = waits_for(&pod) else {
            return Ok(Look::NotYet(
                "its container is not looked at yet".to_owned(),
            ));
        };
        // The cause is told once, between two pauses.
        if now == PULL_FAILED {
            said.replace(Some(message));
        }
        let is_told = said.borrow().is_some();
        Ok(if now == reason && is_told {
            Look::Ready(())
        } else {
            Look::NotYet(now)
        })
    })
    .await?;
    let said = said.take().unwrap_or_default();
    lab.saw(format!("pod {name}"), format!("{reason}: {said}"));
    world.pull = Some(said);
    Ok(())
}

#[then(expr = "in plain words the cause is {string}")]
#[then(expr = "쉬운 말로 그 원인은 {string}이다")]
#[expect(
    clippy::needless_pass_by_value,
    reason = "cucumber hands over what it read in the step"
)]
fn cause_is(world: &mut World, cause: String) -> StepResult {
    let words = explain_pull(left_by(world.pull.as_ref(), "waited for an image")?);
    world.lab()?.saw("in plain words", &words);
    ensure!(words.contains(&cause), "the explanation is `{words}`");
    Ok(())
}

/// Why the container of a pod waits: the reason and the kubelet's words.
fn waits_for(pod: &Pod) -> Option<(String, String)> {
    let mut containers = pod.status.as_ref()?.container_statuses.iter().flatten();
    let waiting = containers.find_map(|it| it.state.as_ref()?.waiting.clone())?;
    Some((waiting.reason?, waiting.message.unwrap_or_default()))
}
