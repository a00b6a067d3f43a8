//! Which process answers for a container, and whether it still lives.

use std::{fs, process};

/// This process, as the label `lab.owner` names it.
pub(crate) fn this_process() -> String {
    let pid = process::id();
    let start = start_time(pid).unwrap_or_default();
    format!("{pid}:{start}:{}", boot_id())
}

/// Whether the process that a label `lab.owner` names is another one and alive.
pub(crate) fn is_another_and_alive(owner: &str) -> bool {
    let mut parts = owner.splitn(3, ':');
    let (Some(pid), Some(start), Some(boot)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let Ok(pid) = pid.parse::<u32>() else {
        return false;
    };
    pid != process::id() && boot == boot_id() && start_time(pid).as_deref() == Some(start)
}

fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|id| id.trim().to_owned())
        .unwrap_or_default()
}

/// Clock ticks between boot and the start of a process.
fn start_time(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command, in parentheses, may hold anything; the 20th field after it counts.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_ascii_whitespace().nth(19).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_no_other() {
        assert!(!is_another_and_alive(&this_process()));
    }

    #[test]
    fn the_parent_is_another_that_lives() {
        let parent = std::os::unix::process::parent_id();
        let owner = format!("{parent}:{}:{}", start_time(parent).unwrap(), boot_id());

        assert!(is_another_and_alive(&owner));
    }

    #[test]
    fn a_process_of_an_earlier_boot_is_gone() {
        assert!(!is_another_and_alive("1:1:another-boot"));
        assert!(!is_another_and_alive("nonsense"));
    }
}
