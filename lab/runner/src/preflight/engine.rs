//! The container engine, its control groups, and what it can give a node.

use lab_cluster::node;
use lab_engine::EngineInfo;
use lab_model::said::Said;

use super::Finding;

/// Without these no node can mount, route or confine anything.
const NEEDED: [&str; 5] = ["SYS_ADMIN", "NET_ADMIN", "MKNOD", "SYS_CHROOT", "SETUID"];

pub(super) fn findings(info: &EngineInfo) -> Vec<Finding> {
    let engine = Finding::good(
        "engine",
        format!(
            "Docker {}, {}, kernel {}, {}",
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
    match version {
        "1" | "2" => Finding::good("cgroups", format!("v{version}")),
        _ => Finding::limited(
            "cgroups",
            Said::both(
                "the engine does not say which version it has",
                "엔진이 버전을 알려 주지 않음",
            ),
            Said::both(
                "pods may lack limits; `docker info` tells more",
                "파드의 제한이 듣지 않을 수 있습니다. `docker info`에 더 자세한 내용이 있습니다",
            ),
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
            Said::both(
                format!("this machine cannot give {}", needed.join(", ")),
                format!("이 머신은 {}를 줄 수 없음", needed.join(", ")),
            ),
            Said::both(
                "run on the host itself, or in a container or sandbox that grants them",
                "호스트에서 직접, 또는 이 권한을 주는 컨테이너나 샌드박스에서 실행하십시오",
            ),
        );
    }
    if lacking.is_empty() {
        return Finding::good("capabilities", Said::both("all of them", "모두 있음"));
    }
    Finding::good(
        "capabilities",
        Said::both(
            format!("all that is needed; not {}", lacking.join(", ")),
            format!("필요한 것은 모두 있음. 없는 것: {}", lacking.join(", ")),
        ),
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
        assert_eq!(
            finding.found.to_string(),
            "this machine cannot give NET_ADMIN"
        );
        assert!(capabilities(&lacking[..1]).ok);
    }
}
