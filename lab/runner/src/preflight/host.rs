//! The machine: CPUs, memory, disk, the kernel's limits.

use std::{fs, path::Path};

use lab_bench::load::runs_first;
use lab_engine::EngineInfo;
use lab_model::said::Said;

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
    findings.push(realtime(runs_first()));
    findings
}

/// Whether an open loop's thread may run before others, for its arrivals wait for nobody.
fn realtime(may: bool) -> Finding {
    if may {
        let found = Said::both(
            "open loops of `lab bench` wait for no processor",
            "`lab bench`의 열린 루프가 프로세서를 기다리지 않음",
        );
        return Finding::good("real-time", found);
    }
    Finding::limited(
        "real-time",
        Said::both(
            "open loops of `lab bench` wait for a processor like any program, and send late on a \
             busy machine",
            "`lab bench`의 열린 루프가 다른 프로그램처럼 프로세서를 기다려, 바쁜 머신에서는 늦게 보냄",
        ),
        "`sudo setcap cap_sys_nice=ep \"$(command -v lab)\"`",
    )
}

fn cpus(cpus: u32) -> Finding {
    if cpus >= CPUS_NEEDED {
        return Finding::good("cpus", cpus.to_string());
    }
    let fix = Said::both(
        format!("use a machine with {CPUS_NEEDED} CPUs or more"),
        format!("CPU가 {CPUS_NEEDED}개 이상인 머신을 쓰십시오"),
    );
    Finding::bad("cpus", cpus.to_string(), fix)
}

fn memory(bytes: u64) -> Finding {
    let found = Said::both(
        format!("{} available", gib(bytes)),
        format!("{} 쓸 수 있음", gib(bytes)),
    );
    if bytes >= MEMORY_NEEDED {
        return Finding::good("memory", found);
    }
    let needed = MEMORY_NEEDED / GIB;
    let fix = Said::both(
        format!(
            "free memory until {needed} GiB are available: the stack and its cluster take that"
        ),
        format!("메모리를 {needed} GiB 이상 비우십시오. 스택과 클러스터가 그만큼 씁니다"),
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
    let found = Said::both(
        format!("{} free in {folder}", gib(free)),
        format!("{folder}에 {} 남음", gib(free)),
    );
    if free >= DISK_NEEDED {
        return Finding::good("disk", found);
    }
    let lacking = gib(DISK_NEEDED - free);
    let fix = Said::both(
        format!("free {lacking} in `{folder}`: `docker system df` shows what takes it"),
        format!(
            "`{folder}`를 {lacking} 비우십시오. `docker system df`가 무엇이 차지하는지 보여 줍니다"
        ),
    );
    Finding::bad("disk", found, fix)
}

fn inotify(limit: &str, value: u64, needed: u64, good: u64) -> Finding {
    let found = format!("fs.inotify.{limit} = {value}");
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
        inotify fs.inotify.max_user_instances = 64 | sysctl -w fs.inotify.max_user_instances=512
        ");
    }

    #[test]
    fn to_wait_for_a_processor_is_told_and_no_reason_to_refuse() {
        assert_eq!(realtime(true).fix, None);
        assert!(realtime(false).ok && realtime(false).fix.is_some());
    }

    #[test]
    fn what_is_enough_is_good() {
        assert!(cpus(2).ok && memory(MEMORY_NEEDED).ok && free_disk(DISK_NEEDED, "/").ok);
    }
}
