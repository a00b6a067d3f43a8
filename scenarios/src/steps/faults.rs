//! Faults of nodes and networks, while the deployed model is to keep answering.

use std::time::Duration;

use cucumber::{given, then, when};
use lab_model::fault::Fault;
use tokio::time::{Instant, sleep};

use crate::{
    failure::{Failure, StepResult, ensure},
    lab::{Lab, TRITON},
    load::{Load, LoadReport, Patience},
    poll::{self, Look},
    runs::Purpose,
    workers::{Workers, node_of, where_they_are},
    world::{World, left_by},
};

/// Longest time until Kubernetes gives up a node that says nothing: it waits 40 s, and
/// looks every 5 s.
const NOT_READY_DEADLINE: Duration = Duration::from_secs(90);
/// No request takes so long where nothing is broken, also on two busy cores.
const NOTICED: Duration = Duration::from_millis(500);
/// Longest time of the load around a fault; it is stopped before.
const LOAD_AT_MOST: Duration = Duration::from_mins(5);
/// How clients go on where a pod does not answer. Every second connection goes to the dead
/// pod until Kubernetes has noticed, so the last try must come after that.
const PATIENCE: Patience = Patience {
    one_try: Duration::from_secs(2),
    in_all: NOT_READY_DEADLINE,
};
/// Longest time until pods reach each other again over a network that was cut.
const REACHED_DEADLINE: Duration = Duration::from_mins(1);

/// Longest time until the kubelet has looked at the disk: it does so every 10 s.
const PRESSURE_DEADLINE: Duration = Duration::from_mins(1);
/// Kubernetes' words.
const DISK_PRESSURE: &str = "DiskPressure";

/// Asks Triton in the pod of that address for a sign of life.
const REACH: &str = "
import sys, urllib.request
try:
    urllib.request.urlopen('http://' + sys.argv[1] + ':8000/v2/health/live', timeout=1)
    print('reached')
except OSError as error:
    print(error)
";

/// What came of a cut network.
#[derive(Debug)]
pub(crate) struct Cut {
    /// What the pods said while it was cut, and whether one reached the other.
    meanwhile: [(bool, String); 2],
    /// How long after it was healed each had reached the other.
    reached_after: Duration,
}

impl Lab {
    /// Makes a fault while patient clients keep asking, and stops them after `meanwhile`.
    async fn break_under_load(
        &self,
        fault: Fault,
        meanwhile: impl Future<Output = StepResult>,
    ) -> Result<LoadReport, Failure> {
        let mut offer = self.checked_offer(&[Purpose::Better]).await?;
        offer.at_most = LOAD_AT_MOST;
        offer.patience = Some(PATIENCE);
        let load = Load::start(&self.triton, offer)?;
        let start = Instant::now();
        let what = fault.to_string();
        let broken = async {
            self.inject(fault).await?;
            meanwhile.await
        }
        .await;
        let took = start.elapsed().as_secs_f64();
        let report = load.stop().await;
        self.saw(what, format!("{} in {took:.1} s", report.in_words()));
        broken?;
        ensure!(
            report.longest > NOTICED,
            "no client noticed anything: {}",
            report.in_words()
        );
        Ok(report)
    }

    /// Whether the pod of Triton on one node reaches that on another, and what it said.
    async fn reaches(&self, from: &str, to: &str) -> Result<(bool, String), Failure> {
        let pods = self.placement().await?;
        let on = |node: &str| pods.iter().find(|(_, pod)| node_of(pod) == Some(node));
        let missing = |node: &str| Failure::new(format!("Triton has no pod on {node}"));
        let (pod, _) = on(from).ok_or_else(|| missing(from))?;
        let (_, target) = on(to).ok_or_else(|| missing(to))?;
        let status = target.status.as_ref();
        let address = status.and_then(|status| status.pod_ip.as_deref());
        let address = address.ok_or_else(|| Failure::new("the pod has no address"))?;
        let command = ["python", "-c", REACH, address];
        let said = self.kubernetes.exec(pod, TRITON, &command).await?;
        let said = said.trim();
        Ok((said == "reached", format!("{from} to {to}: {said}")))
    }

    async fn reach_each_other(&self, workers: &Workers) -> Result<[(bool, String); 2], Failure> {
        let Workers { one, other } = workers;
        let (there, back) = tokio::try_join!(self.reaches(one, other), self.reaches(other, one))?;
        Ok([there, back])
    }

    async fn until_reached(&self, workers: &Workers) -> Result<Duration, Failure> {
        let start = Instant::now();
        poll::until("the pods reach each other", REACHED_DEADLINE, || async {
            let both = self.reach_each_other(workers).await?;
            Ok(match both.iter().find(|(reached, _)| !reached) {
                None => Look::Ready(()),
                Some((_, said)) => Look::NotYet(said.clone()),
            })
        })
        .await?;
        Ok(start.elapsed())
    }
}

#[given("Triton has a pod on each of two workers without volumes")]
#[given("볼륨이 없는 워커 두 대에 Triton의 Pod가 하나씩 있다")]
async fn a_pod_on_each(world: &mut World) -> StepResult {
    let lab = world.lab()?;
    let workers = lab.workers().await?;
    lab.place_triton(&workers).await?;
    lab.saw("pods of Triton", where_they_are(&lab.placement().await?));
    world.workers = Some(workers);
    Ok(())
}

#[when(
    "one of the two workers dies while requests keep coming, until Kubernetes calls it not ready"
)]
#[when(
    "요청이 계속 들어오는 가운데 두 워커 중 하나가 죽고, 쿠버네티스가 그 노드를 NotReady로 판정한다"
)]
async fn a_worker_dies(world: &mut World) -> StepResult {
    let lab = world.lab()?;
    let node = left_by(world.workers.clone(), "chose two workers")?.one;
    let noticed = async {
        poll::until("a node that is not ready", NOT_READY_DEADLINE, || async {
            Ok(if lab.nodes.has(&node, "Ready").await? {
                Look::NotYet(format!("{node} is called ready"))
            } else {
                Look::Ready(())
            })
        })
        .await
    };
    let fault = Fault::NodeKilled { node: node.clone() };
    world.load = Some(lab.break_under_load(fault, noticed).await?);
    Ok(())
}

#[when("the worker is switched on again")]
#[when("그 워커를 다시 켠다")]
async fn switched_on(world: &mut World) -> StepResult {
    let lab = world.lab()?;
    let node = left_by(world.workers.clone(), "chose two workers")?.one;
    lab.heal(Fault::NodeKilled { node }).await
}

#[when(expr = "one of the two workers stands still for {int} seconds while requests keep coming")]
#[when(expr = "요청이 계속 들어오는 가운데 두 워커 중 하나가 {int}초 동안 멈춘다")]
async fn a_worker_stands_still(world: &mut World, seconds: u64) -> StepResult {
    let lab = world.lab()?;
    let node = left_by(world.workers.clone(), "chose two workers")?.one;
    let fault = Fault::NodePaused { node };
    let goes_on = async {
        sleep(Duration::from_secs(seconds)).await;
        lab.heal(fault.clone()).await
    };
    world.load = Some(lab.break_under_load(fault.clone(), goes_on).await?);
    Ok(())
}

#[when(expr = "the network between the two workers is cut for {int} seconds")]
#[when(expr = "두 워커 사이의 네트워크가 {int}초 동안 끊긴다")]
async fn network_is_cut(world: &mut World, seconds: u64) -> StepResult {
    let lab = world.lab()?;
    let workers = left_by(world.workers.clone(), "chose two workers")?;
    lab.until_reached(&workers).await?;
    let hears_nothing = |node: &str, from: &str| Fault::NetworkCut {
        node: node.to_owned(),
        from: from.to_owned(),
    };
    let cuts = [
        hears_nothing(&workers.one, &workers.other),
        hears_nothing(&workers.other, &workers.one),
    ];
    let end = Instant::now() + Duration::from_secs(seconds);
    for cut in &cuts {
        lab.inject(cut.clone()).await?;
    }
    let meanwhile = lab.reach_each_other(&workers).await?;
    tokio::time::sleep_until(end).await;
    for cut in cuts {
        lab.heal(cut).await?;
    }
    let reached_after = lab.until_reached(&workers).await?;
    world.cut = Some(Cut {
        meanwhile,
        reached_after,
    });
    Ok(())
}

#[then("neither of the two pods reached the other meanwhile")]
#[then("그동안 두 Pod는 서로에게 닿지 못했다")]
fn neither_reached(world: &mut World) -> StepResult {
    let lab = world.lab()?;
    let cut = left_by(world.cut.as_ref(), "cut a network")?;
    for (reached, said) in &cut.meanwhile {
        lab.saw("while it was cut", said);
        ensure!(!reached, "it was not cut: {said}");
    }
    Ok(())
}

#[then(expr = "each of the two pods reached the other again within {int} seconds")]
#[then(expr = "두 Pod는 {int}초 안에 다시 서로에게 닿았다")]
fn reached_again(world: &mut World, seconds: u64) -> StepResult {
    let lab = world.lab()?;
    let after = left_by(world.cut.as_ref(), "cut a network")?.reached_after;
    lab.saw(
        "recovery",
        format!("{:.1} s after the network was healed", after.as_secs_f64()),
    );
    ensure!(
        after <= Duration::from_secs(seconds),
        "it took {:.1} s",
        after.as_secs_f64()
    );
    Ok(())
}

#[then("every node is ready, and Triton has its pods where they were")]
#[then("모든 노드가 Ready이고, Triton의 Pod는 있던 자리에 그대로 있다")]
async fn as_it_was(world: &mut World) -> StepResult {
    let lab = world.lab()?;
    let workers = left_by(world.workers.clone(), "chose two workers")?;
    let took = lab.until_whole().await?;
    let pods = lab.placement().await?;
    lab.saw(
        "recovery",
        format!("{:.1} s; {}", took.as_secs_f64(), where_they_are(&pods)),
    );
    let mut nodes: Vec<_> = pods.values().filter_map(node_of).collect();
    nodes.sort_unstable();
    ensure!(
        nodes == [workers.one.as_str(), workers.other.as_str()],
        "the pods of Triton are elsewhere: {}",
        where_they_are(&pods)
    );
    Ok(())
}

#[when(
    expr = "one of the two workers sends at most {int} kilobits a second for {int} seconds while requests keep coming"
)]
#[when(
    expr = "요청이 계속 들어오는 가운데 두 워커 중 하나가 초당 최대 {int}킬로비트만 {int}초 동안 보낸다"
)]
async fn a_worker_sends_little(world: &mut World, kilobits: u32, seconds: u64) -> StepResult {
    let lab = world.lab()?;
    let node = left_by(world.workers.clone(), "chose two workers")?.one;
    let fault = Fault::NetworkThrottled {
        node,
        kilobits_per_second: kilobits,
    };
    let goes_on = async {
        sleep(Duration::from_secs(seconds)).await;
        lab.heal(fault.clone()).await
    };
    world.load = Some(lab.break_under_load(fault.clone(), goes_on).await?);
    Ok(())
}

#[when("the disk of one of the two workers is full as Kubernetes sees it")]
#[when("쿠버네티스가 보기에 두 워커 중 하나의 디스크가 가득 찬다")]
async fn disk_is_full(world: &mut World) -> StepResult {
    let lab = world.lab()?;
    let node = left_by(world.workers.clone(), "chose two workers")?.one;
    let start = Instant::now();
    lab.inject(Fault::DiskPressure { node: node.clone() })
        .await?;
    poll::until("DiskPressure", PRESSURE_DEADLINE, || async {
        Ok(if lab.nodes.has(&node, DISK_PRESSURE).await? {
            Look::Ready(())
        } else {
            Look::NotYet(format!("{node} has none"))
        })
    })
    .await?;
    let took = start.elapsed().as_secs_f64();
    // Its kubelet gives up pods that others need; they come up elsewhere.
    lab.until_whole().await?;
    lab.saw(
        format!("node {node}"),
        format!("{DISK_PRESSURE} after {took:.1} s"),
    );
    Ok(())
}

#[when("Triton is to have a third pod")]
#[when("Triton의 Pod를 세 개로 늘린다")]
async fn a_third_pod(world: &mut World) -> StepResult {
    world.lab()?.scale_triton(3).await
}

#[then("the third pod of Triton is on another node, and all three are ready")]
#[then("Triton의 세 번째 Pod는 다른 노드에 있고, 셋 모두 준비되었다")]
async fn third_elsewhere(world: &mut World) -> StepResult {
    let lab = world.lab()?;
    let one = left_by(world.workers.clone(), "chose two workers")?.one;
    lab.wait_for_rollout().await?;
    let pods = lab.placement().await?;
    lab.saw("pods of Triton", where_they_are(&pods));
    // The pod it had may have been given up or not; a new one it does not get.
    let on_full = pods.values().filter(|pod| node_of(pod) == Some(&one));
    ensure!(
        pods.len() == 3 && on_full.count() <= 1,
        "the pods are elsewhere: {}",
        where_they_are(&pods)
    );
    Ok(())
}
