//! The container engine, its control groups, and what it can give a node.

use lab_cluster::node;
use lab_engine::EngineInfo;

use super::Finding;

/// Without these no node can mount, route or confine anything.
const NEEDED: [&str; 5] = ["SYS_ADMIN", "NET_ADMIN", "MKNOD", "SYS_CHROOT", "SETUID"];

pub(super) fn findings(info: &EngineInfo) -> Vec<Finding> {
    let engine = Finding::good(
        "engine",
        format!(
            "Docker {} on {} (kernel {}, {})",
            info.version, info.os, info.kernel, info.storage_driver
        ),
    );
    vec![
        engine,
        cgroups(&info.cgroup_version),
        capabilities(&node::lacking_capabilities()),
    ]
}

fn cgroups(version: &str) -> Finding {
    let found = format!("version {version}");
    match version {
        "1" | "2" => Finding::good("cgroups", found),
        _ => Finding::limited(
            "cgroups",
            "the engine does not say which version it has",
            "pods may lack limits; `docker info` tells more",
        ),
    }
}

fn capabilities(lacking: &[String]) -> Finding {
    let needed: Vec<_> = lacking
        .iter()
        .filter(|it| NEEDED.contains(&it.as_str()))
        .cloned()
        .collect();
    if !needed.is_empty() {
        return Finding::bad(
            "capabilities",
            format!("this machine cannot give {}", needed.join(", ")),
            "run on the host itself, or in a container or sandbox that grants them",
        );
    }
    if lacking.is_empty() {
        return Finding::good("capabilities", "all of them");
    }
    Finding::good(
        "capabilities",
        format!("all that is needed; not {}", lacking.join(", ")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capability_that_no_node_can_do_without_is_bad() {
        let lacking = ["SYS_RESOURCE".to_owned(), "NET_ADMIN".to_owned()];
        let finding = capabilities(&lacking);
        assert!(!finding.ok);
        assert_eq!(finding.found, "this machine cannot give NET_ADMIN");
        assert!(capabilities(&lacking[..1]).ok);
    }
}
