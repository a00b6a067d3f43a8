//! Deploy, while requests keep coming: rolling out, rolling back, losing a pod.

use std::{collections::BTreeMap, time::Duration};

use cucumber::{given, then, when};
use lab_k8s::k8s_openapi::api::core::v1::PodTemplateSpec;
use lab_model::fault::Fault;
use tokio::time::{Instant, sleep};

use crate::{
    clients::rollouts::Rollout,
    failure::{Failure, StepResult, ensure},
    lab::{Lab, MODEL, MODEL_VERSION, TRITON},
    load::{Load, LoadReport, Offer},
    poll::{self, Look},
    runs::Purpose,
    world::{World, left_by},
};

/// Longest time in which a rollout does not move. Triton loads its model in some ten seconds on two
/// busy cores.
const ROLLOUT_DEADLINE: Duration = Duration::from_mins(2);
/// Answers of one version in a row, each over a new connection, after which no other
/// pod is behind the Service any more. While there is one, it gets about every second
/// connection: kube-proxy picks at random.
const ANSWERS_IN_A_ROW: usize = 20;
/// How long requests keep coming behind a rollout: several of each client, who sends every
/// 100 ms. The answers in a row take less than that.
const AFTERWARDS: Duration = Duration::from_secs(1);

impl Lab {
    /// The version that Triton's Deployment asks for.
    pub(crate) async fn wanted_version(&self) -> Result<Option<String>, Failure> {
        let deployment = self.kubernetes.deployment(TRITON).await?;
        Ok(deployment.spec.and_then(|spec| version_in(spec.template)))
    }

    /// The version that it asked for before.
    async fn version_before(&self) -> Result<Option<String>, Failure> {
        let deployment = self.kubernetes.deployment(TRITON).await?;
        let template = self.kubernetes.template_before(&deployment).await?;
        Ok(template.and_then(version_in))
    }

    /// Makes Triton's Deployment ask for a version, and waits until it serves.
    pub(crate) async fn roll_out_and_wait(&self, version: &str) -> Result<(), Failure> {
        if self.wanted_version().await?.as_deref() != Some(version) {
            self.roll_out(version).await?;
        }
        self.wait_for_rollout().await
    }

    /// Makes Triton's Deployment ask for a version.
    async fn roll_out(&self, version: &str) -> Result<(), Failure> {
        self.kubernetes
            .set_env(TRITON, MODEL_VERSION, version)
            .await
    }

    /// Waits until Triton's rollout is complete and clients see it.
    pub(crate) async fn wait_for_rollout(&self) -> Result<(), Failure> {
        self.wait_for_new_pods().await?;
        let wanted = self.wanted_version().await?.unwrap_or_default();
        poll::until("answers of the new version only", ROLLOUT_DEADLINE, || {
            self.look_who_answers(&wanted)
        })
        .await
    }

    /// A complete rollout says nothing of the nodes: a terminating pod is asked until
    /// kube-proxy has heard of its end.
    async fn look_who_answers(&self, wanted: &str) -> Result<Look<()>, Failure> {
        for _ in 0..ANSWERS_IN_A_ROW {
            match self.triton.metadata(MODEL).await {
                Ok(model) if model.versions == [wanted] => {}
                Ok(model) => return Ok(Look::NotYet(format!("versions {:?}", model.versions))),
                Err(error) => return Ok(Look::NotYet(Failure::from(error).to_string())),
            }
        }
        Ok(Look::Ready(()))
    }

    async fn wait_for_new_pods(&self) -> Result<(), Failure> {
        poll::while_it_moves("the rollout of Triton", ROLLOUT_DEADLINE, || async {
            match self.kubernetes.rollout(TRITON).await? {
                Rollout::Complete => Ok(Look::Ready(())),
                Rollout::Going(state) => Ok(Look::NotYet(state)),
                Rollout::Stuck(reason) => Err(Failure::new(reason)),
            }
        })
        .await
    }

    /// Rolls a version out over another while requests keep coming, and does `meanwhile`
    /// as soon as the rollout was asked for.
    async fn roll_out_over(
        &self,
        new: Purpose,
        old: Purpose,
        meanwhile: impl Future<Output = Result<(), Failure>>,
    ) -> Result<LoadReport, Failure> {
        // Both runs are over before: each deploys its own version at its end.
        let version = self.version_for(new).await?.version;
        let old_version = self.version_for(old).await?.version;
        self.roll_out_and_wait(&old_version).await?;
        let load = Load::start(&self.triton, self.checked_offer(&[old, new]).await?)?;
        let start = Instant::now();
        let rolled: Result<(), Failure> = async {
            self.roll_out(&version).await?;
            meanwhile.await?;
            self.wait_for_rollout().await?;
            sleep(AFTERWARDS).await;
            Ok(())
        }
        .await;
        let report = load.stop().await;
        self.saw(
            "requests during the rollout",
            format!(
                "{} in {:.1} s",
                report.in_words(),
                start.elapsed().as_secs_f64()
            ),
        );
        rolled?;
        ensure!(
            report.right.contains_key(&version) && report.right.contains_key(&old_version),
            "not both versions answered: {}",
            report.in_words()
        );
        Ok(report)
    }

    /// Lets the API server stand still for a time.
    async fn stop_api_server(&self, time: Duration) -> Result<(), Failure> {
        self.inject(Fault::ApiServerStopped).await?;
        sleep(time).await;
        self.heal(Fault::ApiServerStopped).await?;
        self.saw(
            "API server",
            format!("stood still for {} s", time.as_secs()),
        );
        Ok(())
    }

    /// Requests of the held-out images, each answer checked against what the MLflow
    /// model of the answering version says.
    pub(crate) async fn checked_offer(&self, purposes: &[Purpose]) -> Result<Offer, Failure> {
        let mut images = Vec::new();
        let mut labels = BTreeMap::new();
        for purpose in purposes {
            let version = self.version_for(*purpose).await?.version;
            let held_out = self.held_out_for(*purpose).await?;
            ensure!(
                images.is_empty() || images == held_out.inputs,
                "the runs hold out different images"
            );
            images = held_out.inputs;
            labels.insert(version, held_out.predicted);
        }
        Ok(Offer {
            images,
            batch: 1,
            labels,
            pace: Duration::from_millis(100),
            at_most: ROLLOUT_DEADLINE,
            patience: None,
        })
    }
}

/// The version that a pod template asks for.
fn version_in(template: PodTemplateSpec) -> Option<String> {
    let containers = template.spec?.containers;
    let mut variables = containers
        .into_iter()
        .flat_map(|container| container.env.unwrap_or_default());
    variables
        .find(|variable| variable.name == MODEL_VERSION)?
        .value
}

#[given(expr = "the version of the {run} run was rolled out after that of the {run} run")]
#[given(expr = "{run} 실행의 버전이 {run} 실행의 버전 다음으로 롤아웃되었다")]
async fn rolled_out_after(world: &mut World, new: Purpose, old: Purpose) -> StepResult {
    let lab = world.lab()?;
    let new_version = lab.version_for(new).await?.version;
    let old_version = lab.version_for(old).await?.version;
    let before = lab.version_before().await?;
    // So it is after the two runs, unless other rollouts came in between.
    if lab.wanted_version().await?.as_ref() != Some(&new_version)
        || before.as_ref() != Some(&old_version)
    {
        lab.roll_out_and_wait(&old_version).await?;
    }
    lab.roll_out_and_wait(&new_version).await?;
    lab.saw(
        format!("Deployment {TRITON}"),
        format!("version {new_version}, before it version {old_version}"),
    );
    Ok(())
}

#[when("the rollout is undone")]
#[when("롤아웃을 되돌린다")]
async fn undo(world: &mut World) -> StepResult {
    let lab = world.lab()?;
    let before = lab.wanted_version().await?;
    let start = Instant::now();
    lab.kubernetes.undo_rollout(TRITON).await?;
    lab.wait_for_rollout().await?;
    let after = lab.wanted_version().await?;
    lab.saw(
        format!("Deployment {TRITON}"),
        format!(
            "from version {before:?} back to {after:?} in {:.1} s",
            start.elapsed().as_secs_f64()
        ),
    );
    ensure!(before != after, "it still asks for version {after:?}");
    Ok(())
}

#[when(
    expr = "the version of the {run} run is rolled out over that of the {run} run while requests keep coming"
)]
#[when(expr = "요청이 계속 들어오는 가운데 {run} 실행의 버전을 {run} 실행의 버전 위에 롤아웃한다")]
async fn roll_out_under_load(world: &mut World, new: Purpose, old: Purpose) -> StepResult {
    let lab = world.lab()?;
    let nothing = std::future::ready(Ok(()));
    world.load = Some(lab.roll_out_over(new, old, nothing).await?);
    Ok(())
}

#[when(
    expr = "the API server stands still for {int} seconds while the version of the {run} run is rolled out over that of the {run} run"
)]
#[when(
    expr = "API 서버가 {int}초 동안 멈춘 가운데 {run} 실행의 버전을 {run} 실행의 버전 위에 롤아웃한다"
)]
async fn roll_out_without_api_server(
    world: &mut World,
    seconds: u64,
    new: Purpose,
    old: Purpose,
) -> StepResult {
    let lab = world.lab()?;
    let stands_still = lab.stop_api_server(Duration::from_secs(seconds));
    world.load = Some(lab.roll_out_over(new, old, stands_still).await?);
    Ok(())
}

#[when("Triton's pod is killed while requests keep coming")]
#[when("요청이 계속 들어오는 가운데 Triton의 Pod를 강제로 죽인다")]
async fn kill_under_load(world: &mut World) -> StepResult {
    let lab = world.lab()?;
    let offer = lab.checked_offer(&[Purpose::Better]).await?;
    let image = offer.images[0].clone();
    let deployment = lab.kubernetes.deployment(TRITON).await?;
    let pod = lab
        .kubernetes
        .pods_of(&deployment)
        .await?
        .into_iter()
        .filter(|pod| pod.metadata.deletion_timestamp.is_none())
        .find_map(|pod| pod.metadata.name)
        .ok_or_else(|| Failure::new("Triton has no pod"))?;
    let load = Load::start(&lab.triton, offer)?;
    let start = Instant::now();
    let back = async {
        lab.kubernetes.kill(&pod).await?;
        poll::until("a new pod of Triton", ROLLOUT_DEADLINE, || async {
            if let Some(reason) = new_pod_trouble(&lab, &pod).await? {
                return Ok(Look::NotYet(reason));
            }
            Ok(
                match lab.triton.infer(MODEL, std::slice::from_ref(&image)).await {
                    Ok(_) => Look::Ready(()),
                    Err(failure) => Look::NotYet(failure.to_string()),
                },
            )
        })
        .await
    }
    .await;
    let report = load.stop().await;
    lab.saw(
        format!("pod {pod} killed"),
        format!(
            "answers again after {:.1} s; {}",
            start.elapsed().as_secs_f64(),
            report.in_words()
        ),
    );
    world.load = Some(report);
    back
}

/// What is still missing before another pod than `old` is ready.
async fn new_pod_trouble(lab: &Lab, old: &str) -> Result<Option<String>, Failure> {
    let deployment = lab.kubernetes.deployment(TRITON).await?;
    let pods = lab.kubernetes.pods_of(&deployment).await?;
    let is_ready = pods.iter().any(|pod| {
        pod.metadata.name.as_deref() != Some(old)
            && pod.metadata.deletion_timestamp.is_none()
            && pod
                .status
                .iter()
                .flat_map(|status| status.conditions.iter().flatten())
                .any(|condition| condition.type_ == "Ready" && condition.status == "True")
    });
    Ok((!is_ready).then(|| "no other pod is ready".to_owned()))
}

#[then("no request failed and none was answered wrongly")]
#[then("실패한 요청도, 잘못 답한 요청도 없다")]
#[then("every request was answered in the end, and none wrongly")]
#[then("모든 요청이 결국 응답을 받았고, 잘못된 답은 하나도 없다")]
fn none_failed(world: &mut World) -> StepResult {
    let report = left_by(world.load.as_ref(), "sent requests")?;
    ensure!(
        report.sent > 0 && report.failed == 0 && report.wrong == 0,
        "{}",
        report.in_words()
    );
    Ok(())
}

#[then("no request was answered wrongly")]
#[then("잘못 답한 요청은 없다")]
fn none_wrong(world: &mut World) -> StepResult {
    let report = left_by(world.load.as_ref(), "sent requests")?;
    ensure!(
        report.sent > 0 && report.wrong == 0,
        "{}",
        report.in_words()
    );
    Ok(())
}
