//! What nodes and their pods use, from the nodes' own cgroups.

use futures::future::try_join_all;
use lab_engine::{Engine, ExecSpec};

use super::names;
use crate::{Cluster, ClusterError, Usage};

/// Of cgroup v1 and v2, whichever there is.
const FILES: [&str; 4] = [
    "/sys/fs/cgroup/memory/memory.stat",
    "/sys/fs/cgroup/cpuacct/cpuacct.usage",
    "/sys/fs/cgroup/memory.stat",
    "/sys/fs/cgroup/cpu.stat",
];

/// Memory and CPU of the cluster now, over all its nodes.
///
/// # Errors
/// When a node does not run.
pub async fn usage(engine: &Engine, cluster: &Cluster) -> Result<Usage, ClusterError> {
    let nodes = cluster.nodes.iter().map(async |node| {
        let command = std::iter::once("cat").chain(FILES);
        let container = names::container_of(&cluster.name, node);
        let output = engine.run(&container, ExecSpec::new(command)).await?;
        Ok::<_, ClusterError>(parse(&output.stdout))
    });
    let usages = try_join_all(nodes).await?;
    Ok(Usage {
        memory_bytes: usages.iter().map(|usage| usage.memory_bytes).sum(),
        cpu_seconds: usages.iter().map(|usage| usage.cpu_seconds).sum(),
    })
}

/// Resident is what processes hold: anonymous memory and mapped files, not the
/// page cache that the kernel takes back when someone needs it.
fn parse(text: &str) -> Usage {
    let value = |key: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))
            .and_then(|value| value.trim().parse::<u64>().ok())
    };
    let nanoseconds = text.lines().find_map(|line| line.parse::<u64>().ok());
    let microseconds = value("usage_usec").or(nanoseconds.map(|it| it / 1000));
    let anonymous = value("total_rss").or_else(|| value("anon"));
    let mapped = value("total_mapped_file").or_else(|| value("file_mapped"));
    Usage {
        memory_bytes: anonymous.unwrap_or_default() + mapped.unwrap_or_default(),
        cpu_seconds: std::time::Duration::from_micros(microseconds.unwrap_or_default())
            .as_secs_f64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_split_cgroups() {
        let text = "rss 1\nmapped_file 2\ntotal_rss 300\ntotal_mapped_file 40\n2500000000\n";
        assert_eq!(
            parse(text),
            Usage {
                memory_bytes: 340,
                cpu_seconds: 2.5
            }
        );
    }

    #[test]
    fn reads_the_unified_cgroup() {
        let text = "anon 300\nfile 9\nfile_mapped 40\nusage_usec 2500000\nuser_usec 1\n";
        assert_eq!(
            parse(text),
            Usage {
                memory_bytes: 340,
                cpu_seconds: 2.5
            }
        );
    }
}
