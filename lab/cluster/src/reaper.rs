//! The reaper: a process of its own that outlives a killed `lab` and removes what it
//! left. It needs no container and no engine socket in one.

use std::{
    env, io,
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use lab_engine::{Engine, EngineError, owner};
use tokio::time::{Instant, interval, sleep};

use crate::{ClusterError, Leftover, node};

/// How often the reaper looks whether its time has come.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long it waits for an engine that is away, for example because it restarts.
const ENGINE_AWAY_AT_MOST: Duration = Duration::from_mins(2);
const ASK_ENGINE_EVERY: Duration = Duration::from_secs(2);

/// When a reaper begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// When the process that a label `lab.owner` names is dead.
    OwnerIsDead(String),
    /// At a time.
    Time(SystemTime),
}

impl When {
    fn has_come(&self) -> bool {
        match self {
            Self::OwnerIsDead(owner) => !owner::lives(owner),
            Self::Time(time) => *time <= SystemTime::now(),
        }
    }
}

/// Leaves a reaper behind that watches this process: `lab reap --owner OWNER`.
///
/// # Errors
/// When this program cannot be started again.
pub fn watch_this_process() -> io::Result<()> {
    start(&["--owner", &owner::this_process()])
}

/// Leaves a reaper behind for a cluster whose time ends: `lab reap --at SECONDS`.
///
/// # Errors
/// When this program cannot be started again.
pub fn wake_at(time: SystemTime) -> io::Result<()> {
    let since = time.duration_since(UNIX_EPOCH);
    // The lease counts whole seconds: one later it is over for sure.
    let seconds = since.map_or(0, |since| since.as_secs() + 1);
    start(&["--at", &seconds.to_string()])
}

/// Nobody waits for it: it ends after this process and is init's then.
fn start(when: &[&str]) -> io::Result<()> {
    Command::new(env::current_exe()?)
        .arg("reap")
        .args(when)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .current_dir("/")
        // Ctrl-C in the terminal is not meant for it.
        .process_group(0)
        .spawn()?;
    Ok(())
}

/// Waits until the time has come, then removes what nobody answers for.
///
/// # Errors
/// When the engine stays away or cannot remove something.
pub async fn reap(when: &When) -> Result<Vec<Leftover>, ClusterError> {
    let mut looks = interval(LOOK_EVERY);
    while !when.has_come() {
        looks.tick().await;
    }
    let engine = connect().await?;
    node::clean(&engine, false).await
}

async fn connect() -> Result<Engine, EngineError> {
    let end = Instant::now() + ENGINE_AWAY_AT_MOST;
    loop {
        let connected = Engine::connect().await;
        if connected.is_ok() || Instant::now() >= end {
            return connected;
        }
        sleep(ASK_ENGINE_EVERY).await;
    }
}
