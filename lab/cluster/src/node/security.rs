//! What a node's container may do: everything the host can give.

use std::fs;

use lab_engine::{CgroupNamespace, Security};

/// The kernel's capabilities, by number.
const CAPABILITIES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// What a node's container may do on this machine.
pub fn security() -> Security {
    let lacking = lacking();
    if lacking.is_empty() {
        privileged()
    } else {
        all_but(lacking)
    }
}

/// `--privileged`, with cgroups that go with the container.
pub(super) fn privileged() -> Security {
    Security {
        privileged: true,
        cgroup_namespace: Some(CgroupNamespace::Private),
        ..Security::default()
    }
}

/// All that `--privileged` gives but the capabilities the host itself lacks.
pub(super) fn all_but(lacking: Vec<String>) -> Security {
    Security {
        privileged: false,
        cap_add: vec!["ALL".to_owned()],
        cap_drop: lacking,
        options: ["seccomp", "apparmor", "systempaths"]
            .map(|what| format!("{what}=unconfined"))
            .to_vec(),
        device_cgroup_rules: vec!["a *:* rwm".to_owned()],
        cgroup_namespace: Some(CgroupNamespace::Private),
    }
}

/// Capabilities that this machine cannot give. The engine may run elsewhere: then
/// only its refusal tells, and [`assumed_lacking`] is what is left out.
pub fn lacking() -> Vec<String> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let last = fs::read_to_string("/proc/sys/kernel/cap_last_cap").unwrap_or_default();
    lacking_of(&status, last.trim().parse().unwrap_or(40))
}

/// What hosts that refuse `--privileged` lack most often.
pub(super) fn assumed_lacking() -> Vec<String> {
    vec!["SYS_RESOURCE".to_owned()]
}

fn lacking_of(status: &str, last: usize) -> Vec<String> {
    let bounding = status
        .lines()
        .find_map(|line| line.strip_prefix("CapBnd:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let Some(bounding) = bounding else {
        return Vec::new();
    };
    CAPABILITIES
        .iter()
        .enumerate()
        .take(last + 1)
        .filter(|(number, _)| bounding & (1 << number) == 0)
        .map(|(_, name)| (*name).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_host_lacks_nothing() {
        assert!(lacking_of("CapBnd:\t000001ffffffffff\n", 40).is_empty());
    }

    #[test]
    fn a_host_may_lack_one() {
        assert_eq!(
            lacking_of("CapBnd:\t000001fffeffffff\n", 40),
            ["SYS_RESOURCE"]
        );
    }

    #[test]
    fn an_older_kernel_knows_fewer() {
        assert!(lacking_of("CapBnd:\t0000003fffffffff\n", 37).is_empty());
    }
}
