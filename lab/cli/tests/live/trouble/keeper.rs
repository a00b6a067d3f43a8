//! Sees to a test's namespaces: a process of its own that outlives the test's, and takes
//! back what the kernel does not.
//!
//! It ends the test when the test's process has gone, and then removes its control groups
//! and its folder. Were the keeper killed, the kernel would end the rest all the same.

use std::{
    env, fs,
    io::{self, Read},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

use libtest_mimic::Failed;
use rustix::process::{Pid, Signal, kill_process};

use super::{INSIDE, KEEPER};

const CGROUPS: &str = "/sys/fs/cgroup";
/// Killed processes leave their control groups within moments.
const EMPTY_WITHIN: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Runs a test in namespaces of its own.
pub(crate) fn start(name: &str) -> Result<(), Failed> {
    let mut keeper = Command::new(env::current_exe()?)
        .args([KEEPER, name])
        // It sees the end of this process by the end of its input.
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        // Ctrl-C in the terminal is not meant for it.
        .process_group(0)
        .spawn()?;
    let mut said = String::new();
    if let Some(stderr) = &mut keeper.stderr {
        stderr.read_to_string(&mut said)?;
    }
    let alive = keeper.stdin.take();
    let status = keeper.wait()?;
    drop(alive);
    if status.success() {
        Ok(())
    } else {
        Err(format!("{status}\n{said}").into())
    }
}

/// Be the keeper.
pub(crate) fn keep(name: &str) -> ExitCode {
    match kept(name) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the test's namespaces: {error}");
            ExitCode::FAILURE
        }
    }
}

fn kept(name: &str) -> io::Result<bool> {
    let folder = tempfile::Builder::new().prefix("lab-trouble-").tempdir()?;
    let mut test = in_namespaces(name, folder.path())?;
    let id = Pid::from_child(&test);
    thread::spawn(move || {
        // Ends when the other end is closed: nothing is ever written to it.
        let _ = io::stdin().read(&mut [0]);
        let _ = kill_process(id, Signal::KILL);
    });
    let status = test.wait()?;
    let cgroup = cgroup_of(folder.path());
    for hierarchy in fs::read_dir(CGROUPS)? {
        until_removed(&hierarchy?.path().join(&cgroup))?;
    }
    until_removed(&Path::new(CGROUPS).join(&cgroup))?;
    folder.close()?;
    Ok(status.success())
}

/// The end of any of these programs is the end of the next, and the end of the first
/// process in the namespaces is the end of everything there.
fn in_namespaces(name: &str, folder: &Path) -> io::Result<Child> {
    Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "unshare", "--kill-child=KILL"])
        .args(["--fork", "--pid", "--mount", "--mount-proc", "--net"])
        // Waits for orphans, as the first process of a machine does.
        .args(["docker-init", "--"])
        .arg(env::current_exe()?)
        .args([INSIDE, name])
        .arg(folder)
        .stdin(Stdio::null())
        .spawn()
}

/// The control group that the test's engine puts its containers into.
pub(crate) fn cgroup_of(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Removes a control group and those below it, as soon as they are empty.
fn until_removed(cgroup: &Path) -> io::Result<()> {
    let end = Instant::now() + EMPTY_WITHIN;
    loop {
        match remove(cgroup) {
            Err(error) if Instant::now() > end => return Err(error),
            Err(_) => thread::sleep(LOOK_EVERY),
            Ok(()) => return Ok(()),
        }
    }
}

fn remove(cgroup: &Path) -> io::Result<()> {
    if !cgroup.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(cgroup)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove(&entry.path())?;
        }
    }
    fs::remove_dir(cgroup)
}
