//! Which process answers for what the engine holds, and whether it still lives.

use std::{fs, process};

/// This process, as the label `lab.owner` names it.
pub fn this_process() -> String {
    let id = process::id();
    format!("{id}:{}:{}", start_time(id).unwrap_or_default(), boot_id())
}

/// That process, as the label `lab.owner` names it, if it lives.
pub fn process(id: u32) -> Option<String> {
    Some(format!("{id}:{}:{}", start_time(id)?, boot_id()))
}

/// Whether the process that a label `lab.owner` names lives.
pub fn lives(owner: &str) -> bool {
    let mut parts = owner.splitn(3, ':');
    let (Some(id), Some(start), Some(boot)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let Ok(id) = id.parse() else { return false };
    boot == boot_id() && start_time(id).as_deref() == Some(start)
}

fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|id| id.trim().to_owned())
        .unwrap_or_default()
}

/// Clock ticks between boot and the start of a process.
fn start_time(id: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name, in parentheses, may hold anything; the 20th field after it counts.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_ascii_whitespace().nth(19).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives() {
        assert!(lives(&this_process()));
    }

    #[test]
    fn a_process_of_an_earlier_boot_does_not() {
        assert!(!lives("1:1:another-boot"));
        assert!(!lives("nonsense"));
    }
}
