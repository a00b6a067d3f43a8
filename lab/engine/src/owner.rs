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

/// Clock ticks between boot and the start of a process that has not ended.
fn start_time(id: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name, in parentheses, may hold anything; after it the first field is the
    // state and the 20th counts the ticks.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    // A process that has ended keeps its entry until its parent asks for its exit code.
    let has_ended = fields.next()? == "Z";
    fields.nth(18).filter(|_| !has_ended).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::{
        thread,
        time::{Duration, Instant},
    };

    use super::*;

    #[test]
    fn this_process_lives() {
        assert!(lives(&this_process()));
    }

    #[test]
    fn a_process_that_has_ended_does_not_live_though_nobody_asked_for_its_exit_code() {
        let mut child = process::Command::new("cat")
            .stdin(process::Stdio::piped())
            .stdout(process::Stdio::piped())
            .spawn()
            .unwrap();
        let owner = super::process(child.id()).unwrap();
        assert!(lives(&owner));

        child.kill().unwrap();
        // Its output ends when it does.
        std::io::copy(child.stdout.as_mut().unwrap(), &mut std::io::sink()).unwrap();
        let end = Instant::now() + Duration::from_secs(5);
        while lives(&owner) && Instant::now() < end {
            thread::yield_now();
        }

        assert!(!lives(&owner));
        child.wait().unwrap();
    }

    #[test]
    fn a_process_of_an_earlier_boot_does_not() {
        assert!(!lives("1:1:another-boot"));
        assert!(!lives("nonsense"));
    }
}
