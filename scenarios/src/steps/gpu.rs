//! Pods with GPUs: what they hold, and who waits.

use std::time::Duration;

use cucumber::{given, then, when};
use lab_k8s::{
    k8s_openapi::api::core::v1::{Container, Pod},
    kube::api::PostParams,
};
use serde_json::json;

use crate::{
    clients::nodes::GPU,
    failure::{Failure, StepResult, ensure},
    lab::{Lab, TRITON},
    poll::{self, Look},
    world::{World, left_by},
};

/// Longest time until a pod whose image is there runs or is told to wait; also until one
/// gets what another has just given back.
const DEADLINE: Duration = Duration::from_mins(1);
const CONTAINER: &str = "gpu";

/// Opens every GPU's device file, as only those may that were given them, and tells which.
const HOLD: &str = "
import glob, os
for path in sorted(glob.glob('/dev/nvidia[0-9]*')):
    try:
        os.close(os.open(path, os.O_RDWR))
        print(path)
    except OSError as error:
        print('not opened:', error)
";
/// Asks CUDA's own library how many GPUs it finds.
const COUNT: &str = "
import ctypes
try:
    cuda, count = ctypes.CDLL('libcuda.so.1'), ctypes.c_int()
    status = cuda.cuInit(0) or cuda.cuDeviceGetCount(ctypes.byref(count))
    print(f'error {status}' if status else f'{count.value} found')
except OSError as error:
    print(error)
";

impl Lab {
    /// Makes a pod that asks for a GPU and does nothing with it; it goes with the scenario.
    async fn ask_for_gpu(&self, world: &mut World) -> StepResult {
        let name = format!("gpu-{}", world.gpu_pods.len() + 1);
        let image = self.triton_container().await?;
        let has_class = self.nodes.has_runtime_class("nvidia").await?;
        let pod = serde_json::from_value(json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name},
            "spec": {
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 0,
                "runtimeClassName": has_class.then_some("nvidia"),
                "tolerations": [{"key": GPU, "operator": "Exists"}],
                "containers": [{
                    "name": CONTAINER,
                    "image": image.image,
                    "imagePullPolicy": image.image_pull_policy,
                    "command": ["sleep", "infinity"],
                    "resources": {"limits": {GPU: "1"}},
                }],
            },
        }))?;
        self.kubernetes
            .pods()
            .create(&PostParams::default(), &pod)
            .await?;
        self.remove_afterwards(&name).await;
        world.gpu_pods.push(name);
        Ok(())
    }

    /// Its image is on the nodes, and Python in it.
    async fn triton_container(&self) -> Result<Container, Failure> {
        let deployment = self.kubernetes.deployment(TRITON).await?;
        let template = deployment.spec.and_then(|it| it.template.spec);
        let containers = template.map(|it| it.containers).unwrap_or_default();
        let mut named = containers.into_iter().filter(|it| it.name == TRITON);
        named
            .next()
            .ok_or_else(|| Failure::new("Triton has no container"))
    }

    async fn until_it_runs(&self, pod: &str) -> StepResult {
        poll::until(&format!("pod `{pod}` runs"), DEADLINE, || async {
            let pod = self.kubernetes.pods().get(pod).await?;
            Ok(match phase(&pod) {
                "Running" => Look::Ready(()),
                "Pending" => Look::NotYet(why_it_waits(&pod).unwrap_or_default()),
                other => return Err(Failure::new(format!("it is {other}"))),
            })
        })
        .await
    }

    async fn python(&self, pod: &str, script: &str) -> Result<String, Failure> {
        let command = ["python3", "-c", script];
        let said = self.kubernetes.exec(pod, CONTAINER, &command).await?;
        Ok(said.trim().to_owned())
    }
}

#[given("pods hold every GPU of the cluster")]
#[given("클러스터의 모든 GPU를 Pod들이 쥐고 있다")]
async fn all_are_held(world: &mut World) -> StepResult {
    let lab = world.lab()?;
    for _ in 0..lab.nodes.gpus().await? {
        lab.ask_for_gpu(world).await?;
    }
    for pod in &world.gpu_pods {
        lab.until_it_runs(pod).await?;
    }
    Ok(())
}

#[when("a pod asks for a GPU")]
#[when("어떤 Pod가 GPU 하나를 요청한다")]
#[when("one more pod asks for a GPU")]
#[when("또 다른 Pod가 GPU 하나를 요청한다")]
async fn asks(world: &mut World) -> StepResult {
    world.lab()?.ask_for_gpu(world).await
}

#[then("it holds one, and only one")]
#[then("그 Pod는 GPU를 정확히 하나 가진다")]
async fn holds_one(world: &mut World) -> StepResult {
    let lab = world.lab()?;
    let pod = last(world)?;
    lab.until_it_runs(pod).await?;
    let files = lab.python(pod, HOLD).await?;
    lab.saw(format!("pod {pod}"), &files);
    ensure!(
        files.starts_with("/dev/nvidia") && files.lines().count() == 1,
        "its device files: `{files}`"
    );
    Ok(())
}

#[then("CUDA finds it there")]
#[then("거기서 CUDA가 그 GPU를 찾는다")]
async fn cuda_finds_it(world: &mut World) -> StepResult {
    let lab = world.lab()?;
    let said = lab.python(last(world)?, COUNT).await?;
    ensure!(said == "1 found", "CUDA in the pod: `{said}`");
    Ok(())
}

#[then("it waits, because there are not enough")]
#[then("그 Pod는 GPU가 모자라서 기다린다")]
async fn waits(world: &mut World) -> StepResult {
    let lab = world.lab()?;
    let name = last(world)?;
    poll::until(&format!("pod `{name}` waits"), DEADLINE, || async {
        let pod = lab.kubernetes.pods().get(name).await?;
        ensure!(phase(&pod) == "Pending", "it is {}", phase(&pod));
        Ok(match why_it_waits(&pod) {
            Some(why) if why.contains(&format!("Insufficient {GPU}")) => {
                lab.saw(format!("pod {name}"), why);
                Look::Ready(())
            }
            other => Look::NotYet(other.unwrap_or_default()),
        })
    })
    .await
}

#[when("one of the others ends")]
#[when("다른 Pod 하나가 끝난다")]
async fn another_ends(world: &mut World) -> StepResult {
    let first = left_by(world.gpu_pods.first(), "made pods with GPUs")?;
    world.lab()?.kubernetes.kill(first).await
}

fn last(world: &World) -> Result<&str, Failure> {
    let last = world.gpu_pods.last().map(String::as_str);
    left_by(last, "asked for a GPU")
}

fn phase(pod: &Pod) -> &str {
    let phase = pod.status.as_ref().and_then(|it| it.phase.as_deref());
    phase.unwrap_or("Pending")
}

/// The scheduler's words.
fn why_it_waits(pod: &Pod) -> Option<String> {
    let mut conditions = pod.status.as_ref()?.conditions.iter().flatten();
    conditions.find_map(|it| it.message.clone())
}
