//! Ends every process of the pods when the node stops.

use std::{fs, process, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

/// What pods get to end by themselves.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often the process table is read while waiting.
const LOOK_EVERY: Duration = Duration::from_millis(30);

/// Asks every process whose name is not in `spared` to end, then forces it.
/// The first process and this one are always spared.
pub(crate) async fn end_all_but(spared: &[&str]) {
    signal_all(spared, Signal::TERM);
    let deadline = Instant::now() + PATIENCE;
    while !others(spared).is_empty() && Instant::now() < deadline {
        sleep(LOOK_EVERY).await;
    }
    signal_all(spared, Signal::KILL);
}

fn signal_all(spared: &[&str], signal: Signal) {
    for id in others(spared) {
        // It may have ended by itself.
        let _ = kill_process(id, signal);
    }
}

fn others(spared: &[&str]) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let own = i32::try_from(process::id()).unwrap_or_default();
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|id| *id != 1 && *id != own)
        .filter(|id| !is_spared(*id, spared))
        .filter_map(Pid::from_raw)
        .collect()
}

/// Zombies, and programs whose name (cut to 15 bytes by the kernel) is spared.
fn is_spared(id: i32, spared: &[&str]) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{id}/stat")) else {
        return true;
    };
    let Some((name, rest)) = stat
        .split_once('(')
        .and_then(|(_, rest)| rest.rsplit_once(')'))
    else {
        return true;
    };
    rest.trim_start().starts_with('Z')
        || spared
            .iter()
            .any(|spared| name == &spared[..spared.len().min(15)])
}
