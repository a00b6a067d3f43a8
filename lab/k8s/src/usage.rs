//! What the pods behind a Service have used up to now, by their own control groups.
//!
//! A kubelet tells that too, but up to ten seconds old: too old for a window of three.

use futures::future::try_join_all;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::AttachParams};
use tokio::io::AsyncReadExt;

use crate::{
    client::{Kube, KubeError},
    forward::{Target, places},
    nodes::PodUsage,
};

/// Reads control groups of version 2 and of version 1; what is not there is passed over.
const READ: [&str; 5] = [
    "cat",
    "/sys/fs/cgroup/cpu.stat",
    "/sys/fs/cgroup/memory.current",
    "/sys/fs/cgroup/cpuacct/cpuacct.usage",
    "/sys/fs/cgroup/memory/memory.usage_in_bytes",
];

/// What the first containers of a Service's pods have used in sum. `None` where one of
/// them cannot tell: its image has no `cat`, or shows no control group.
///
/// It starts a process in each of them: not for the time in which something is measured.
///
/// # Errors
/// When the API server does not answer, or does not let this user run something in a pod.
pub async fn of_service(kube: &Kube, service: &Target) -> Result<Option<PodUsage>, KubeError> {
    let pods = places(kube, service).await?;
    let reads = pods.iter().map(|(pod, _)| read(kube, service, pod));
    let texts = try_join_all(reads).await;
    let texts = texts.map_err(KubeError::doing("ask pods what they use"))?;
    if texts.is_empty() {
        return Ok(None);
    }
    let mut sum = PodUsage::default();
    for text in texts {
        let Some(one) = usage(&text) else {
            return Ok(None);
        };
        sum.cpu_nanoseconds += one.cpu_nanoseconds;
        sum.memory_bytes += one.memory_bytes;
    }
    Ok(Some(sum))
}

async fn read(kube: &Kube, service: &Target, pod: &str) -> kube::Result<String> {
    let pods: Api<Pod> = Api::namespaced(kube.client(), &service.namespace);
    let only_output = AttachParams::default().stderr(false);
    let mut process = pods.exec(pod, READ, &only_output).await?;
    let mut text = String::new();
    if let Some(mut output) = process.stdout() {
        // What cannot be read is no usage, which is told as such.
        let _ = output.read_to_string(&mut text).await;
    }
    let _ = process.join().await;
    Ok(text)
}

/// The usage, from the lines of the files that were there.
fn usage(text: &str) -> Option<PodUsage> {
    let mut lines = text.lines();
    if let Some(micros) = text
        .lines()
        .find_map(|line| line.strip_prefix("usage_usec "))
    {
        let memory = lines.find_map(|line| line.parse().ok());
        return Some(PodUsage {
            cpu_nanoseconds: micros.parse::<u64>().ok()?.checked_mul(1000)?,
            memory_bytes: memory?,
        });
    }
    Some(PodUsage {
        cpu_nanoseconds: lines.next()?.parse().ok()?,
        memory_bytes: lines.next()?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_of_control_groups_are_read() {
        let same = Some(PodUsage {
            cpu_nanoseconds: 1_250_000,
            memory_bytes: 4096,
        });
        assert_eq!(usage("1250000\n4096\n"), same);
        let second = "usage_usec 1250\nuser_usec 1000\nsystem_usec 250\nnr_periods 0\n4096\n";
        assert_eq!(usage(second), same);
    }

    #[test]
    fn what_says_nothing_is_no_usage() {
        for text in ["", "4096\n", "cat: not found\n", "usage_usec many\n4096\n"] {
            assert_eq!(usage(text), None, "{text}");
        }
    }
}
