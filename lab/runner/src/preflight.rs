//! Looks at the machine before anything is started.

use std::{fs, path::Path};

use lab_engine::Engine;
use serde::Serialize;

use crate::error::RunError;

const GIB: u64 = 1 << 30;
/// Memory that the lifecycle stack and its cluster may take.
const MEMORY_NEEDED: u64 = 4 * GIB;
/// Disk for images, their copies in the cluster and the builds' caches.
const DISK_NEEDED: u64 = 12 * GIB;
/// inotify instances: the kubelet, containerd and every log follower take some.
const INOTIFY_INSTANCES_NEEDED: u64 = 128;

/// One thing looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// Whether it is enough.
    pub ok: bool,
    /// What was found.
    pub found: String,
    /// What to do where it is not enough.
    pub fix: Option<String>,
}

/// Looks at the machine; never fails on what it finds.
///
/// # Errors
/// When the engine does not answer.
pub async fn look(engine: &Engine) -> Result<Vec<Finding>, RunError> {
    let info = engine.info().await?;
    let mut findings = vec![
        Finding {
            check: "engine",
            ok: true,
            found: format!(
                "Docker {} on {} (kernel {}, {}, cgroup v{})",
                info.version, info.os, info.kernel, info.storage_driver, info.cgroup_version
            ),
            fix: None,
        },
        cpus(info.cpus),
        memory(available_memory().unwrap_or(info.memory_bytes)),
    ];
    findings.extend(disk(Path::new(&info.root_dir)));
    findings.extend(inotify());
    Ok(findings)
}

/// Refuses a machine that is too small, naming what to mend.
///
/// # Errors
/// [`RunError::TooSmall`].
pub fn require(findings: &[Finding]) -> Result<(), RunError> {
    let bad: Vec<_> = findings.iter().filter(|it| !it.ok).collect();
    if bad.is_empty() {
        return Ok(());
    }
    let found = bad
        .iter()
        .map(|it| format!("{}: {}", it.check, it.found))
        .collect::<Vec<_>>();
    let mend = bad
        .iter()
        .filter_map(|it| it.fix.clone())
        .collect::<Vec<_>>();
    Err(RunError::TooSmall {
        found: found.join("; "),
        mend: mend.join("; "),
    })
}

fn cpus(cpus: u32) -> Finding {
    let ok = cpus >= 2;
    let fix = (!ok).then(|| "use a machine with two CPUs or more".to_owned());
    Finding {
        check: "cpus",
        ok,
        found: cpus.to_string(),
        fix,
    }
}

fn memory(bytes: u64) -> Finding {
    let ok = bytes >= MEMORY_NEEDED;
    let fix = (!ok).then(|| {
        format!(
            "free memory until {} GiB are available: the stack and its cluster take that",
            MEMORY_NEEDED / GIB
        )
    });
    Finding {
        check: "memory",
        ok,
        found: format!("{} available", gib(bytes)),
        fix,
    }
}

/// The engine's folder is this machine's only when the engine is; else nothing is known.
fn disk(folder: &Path) -> Option<Finding> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    let free = stat.f_bavail * stat.f_frsize;
    let ok = free >= DISK_NEEDED;
    let fix = (!ok).then(|| {
        format!(
            "free {} in `{}`: `docker system df` shows what takes it",
            gib(DISK_NEEDED - free),
            folder.display()
        )
    });
    let found = format!("{} free in {}", gib(free), folder.display());
    Some(Finding {
        check: "disk",
        ok,
        found,
        fix,
    })
}

fn inotify() -> Option<Finding> {
    let text = fs::read_to_string("/proc/sys/fs/inotify/max_user_instances").ok()?;
    let instances: u64 = text.trim().parse().ok()?;
    let ok = instances >= INOTIFY_INSTANCES_NEEDED;
    let fix = (!ok).then(|| "sysctl -w fs.inotify.max_user_instances=512".to_owned());
    Some(Finding {
        check: "inotify",
        ok,
        found: format!("{instances} instances"),
        fix,
    })
}

fn available_memory() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Bytes in GiB, with one digit after the point.
fn gib(bytes: u64) -> String {
    let tenths = bytes * 10 / GIB;
    format!("{}.{} GiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_with_too_little_memory_is_refused_with_the_fix() {
        let error = require(&[cpus(2), memory(3 * GIB)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the machine is too small: memory: 3.0 GiB available"
        );
    }

    #[test]
    fn a_large_enough_machine_passes() {
        require(&[cpus(2), memory(MEMORY_NEEDED)]).unwrap();
    }
}
