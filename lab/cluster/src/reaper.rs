//! The reaper: a process of its own that outlives a killed `lab` and removes what it
//! left. It needs no container and no engine socket in one.

use std::{
    env, io,
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    time::Duration,
};

use lab_engine::{Engine, EngineError, owner};
use lab_model::name::ClusterName;
use tokio::time::{Instant, interval, sleep};

use crate::{ClusterError, Leftover, folder::Folder, node};

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
    /// When a cluster's time is up and nobody uses it.
    LeaseIsOver(ClusterName),
}

impl When {
    async fn comes(&self) -> Result<(), ClusterError> {
        let mut looks = interval(LOOK_EVERY);
        match self {
            Self::OwnerIsDead(owner) => {
                while owner::lives(owner) {
                    looks.tick().await;
                }
            }
            Self::LeaseIsOver(name) => {
                let folder = Folder::of(name)?;
                let mut was_used = false;
                while let Some(lease) = folder.lease() {
                    let is_used = lease.is_used();
                    if was_used && !is_used && lease.ttl_seconds.is_some() {
                        // The next user may come: the time to live begins here.
                        folder.renew()?;
                    } else if lease.is_over() {
                        break;
                    }
                    was_used = is_used;
                    looks.tick().await;
                }
            }
        }
        Ok(())
    }
}

/// Leaves a reaper behind that watches this process: `lab reap --owner OWNER`.
///
/// # Errors
/// When this program cannot be started again.
pub fn watch_this_process() -> io::Result<()> {
    watch_process(&owner::this_process())
}

/// Leaves a reaper behind that watches another process, named as in `lab_engine::owner`.
///
/// # Errors
/// When this program cannot be started again.
pub fn watch_process(owner: &str) -> io::Result<()> {
    start(&["--owner", owner])
}

/// Leaves a reaper behind for a cluster whose time ends: `lab reap --cluster NAME`.
///
/// # Errors
/// When this program cannot be started again.
pub fn watch_cluster(name: &ClusterName) -> io::Result<()> {
    start(&["--cluster", name.as_str()])
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

/// Waits until the time has come, then undoes faults and removes what nobody answers for.
///
/// # Errors
/// When the engine stays away or cannot undo or remove something.
pub async fn reap(when: &When) -> Result<Vec<Leftover>, ClusterError> {
    when.comes().await?;
    let engine = connect().await?;
    // A node that refuses to be healed may be part of what is removed.
    let healed = node::heal_dead(&engine).await;
    let removed = node::clean(&engine, false).await?;
    healed?;
    Ok(removed)
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
