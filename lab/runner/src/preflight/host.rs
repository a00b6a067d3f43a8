//! The machine: CPUs, memory, disk, the kernel's limits.

use std::{fs, path::Path};

use lab_engine::EngineInfo;

use super::Finding;

const GIB: u64 = 1 << 30;
/// Memory that the lifecycle stack and its cluster may take.
const MEMORY_NEEDED: u64 = 4 * GIB;
/// Disk for images, their copies in the cluster and the builds' caches.
const DISK_NEEDED: u64 = 12 * GIB;
const CPUS_NEEDED: u32 = 2;
/// The kernel's limits on watchers of files, and what a node takes of each: the
/// kubelet, containerd and every log follower watch files.
const INOTIFY: [(&str, u64, u64); 2] = [
    ("max_user_instances", 128, 512),
    ("max_user_watches", 8_192, 524_288),
];

pub(super) fn findings(info: &EngineInfo) -> Vec<Finding> {
    let mut findings = vec![
        cpus(info.cpus),
        memory(available_memory().unwrap_or(info.memory_bytes)),
    ];
    findings.extend(disk(Path::new(&info.root_dir)));
    findings.extend(INOTIFY.into_iter().filter_map(|(limit, needed, good)| {
        let path = format!("/proc/sys/fs/inotify/{limit}");
        let value = fs::read_to_string(path).ok()?.trim().parse().ok()?;
        Some(inotify(limit, value, needed, good))
    }));
    findings
}

fn cpus(cpus: u32) -> Finding {
    if cpus >= CPUS_NEEDED {
        return Finding::good("cpus", cpus.to_string());
    }
    let fix = format!("use a machine with {CPUS_NEEDED} CPUs or more");
    Finding::bad("cpus", cpus.to_string(), fix)
}

fn memory(bytes: u64) -> Finding {
    let found = format!("{} available", gib(bytes));
    if bytes >= MEMORY_NEEDED {
        return Finding::good("memory", found);
    }
    let fix = format!(
        "free memory until {} GiB are available: the stack and its cluster take that",
        MEMORY_NEEDED / GIB
    );
    Finding::bad("memory", found, fix)
}

/// The engine's folder is this machine's only when the engine is; else nothing is known.
fn disk(folder: &Path) -> Option<Finding> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    Some(free_disk(
        stat.f_bavail * stat.f_frsize,
        &folder.display().to_string(),
    ))
}

fn free_disk(free: u64, folder: &str) -> Finding {
    let found = format!("{} free in {folder}", gib(free));
    if free >= DISK_NEEDED {
        return Finding::good("disk", found);
    }
    let fix = format!(
        "free {} in `{folder}`: `docker system df` shows what takes it",
        gib(DISK_NEEDED - free)
    );
    Finding::bad("disk", found, fix)
}

fn inotify(limit: &str, value: u64, needed: u64, good: u64) -> Finding {
    let found = format!("fs.inotify.{limit} is {value}");
    if value >= needed {
        return Finding::good("inotify", found);
    }
    Finding::bad(
        "inotify",
        found,
        format!("sysctl -w fs.inotify.{limit}={good}"),
    )
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
    fn what_is_too_small_is_told_with_its_fix() {
        let bad = [
            cpus(1),
            memory(3 * GIB),
            free_disk(5 * GIB, "/var/lib/docker"),
            inotify("max_user_instances", 64, 128, 512),
        ];
        let told: Vec<_> = bad
            .iter()
            .map(|it| format!("{} {} | {}", it.check, it.found, it.fix.clone().unwrap()))
            .collect();
        assert!(bad.iter().all(|it| !it.ok));
        insta::assert_snapshot!(told.join("\n"), @r"
        cpus 1 | use a machine with 2 CPUs or more
        memory 3.0 GiB available | free memory until 4 GiB are available: the stack and its cluster take that
        disk 5.0 GiB free in /var/lib/docker | free 7.0 GiB in `/var/lib/docker`: `docker system df` shows what takes it
        inotify fs.inotify.max_user_instances is 64 | sysctl -w fs.inotify.max_user_instances=512
        ");
    }

    #[test]
    fn what_is_enough_is_good() {
        assert!(cpus(2).ok && memory(MEMORY_NEEDED).ok && free_disk(DISK_NEEDED, "/").ok);
    }
}
