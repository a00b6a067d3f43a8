//! A checkout, a state folder and a cluster's name of a test's own.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use libtest_mimic::Failed;
use tempfile::TempDir;

/// Only ends a test that would hang.
const AT_MOST: Duration = Duration::from_mins(2);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Numbers the clusters of this process.
static PLACES: AtomicU32 = AtomicU32::new(1);

pub(crate) struct Place {
    folder: TempDir,
    image: String,
    /// The cluster's name.
    pub(crate) name: String,
}

impl Place {
    pub(crate) fn new(image: &str) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        for part in ["fixtures", "features"] {
            symlink(checkout().join(part), folder.path().join(part))?;
        }
        fs::create_dir(folder.path().join("state"))?;
        let number = PLACES.fetch_add(1, Ordering::Relaxed);
        Ok(Self {
            folder,
            image: image.to_owned(),
            name: format!("kind-{}-{number}", process::id()),
        })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where `lab` keeps the cluster's lease and kubeconfig.
    pub(crate) fn cluster_folder(&self) -> PathBuf {
        self.folder().join("state/lab/clusters").join(&self.name)
    }

    /// `lab`, to which the script is kind.
    pub(crate) fn lab(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kind/stand-in.sh");
        command
            .args(words)
            .env("LAB_ROOT", self.folder())
            // Marks all its processes, too.
            .env("XDG_STATE_HOME", self.folder().join("state"))
            .env("LAB_KIND", script)
            .env("STAND_IN_IMAGE", &self.image)
            .env("STAND_IN_PROGRAM", env!("CARGO_BIN_EXE_lab"))
            .stdin(Stdio::null());
        command
    }

    /// `lab up` of the cluster.
    pub(crate) fn up(&self) -> Command {
        self.lab(&["up", &self.name, "--provider", "kind"])
    }

    /// What a `lab` that must succeed says.
    pub(crate) fn said(&self, words: &[&str]) -> Result<String, Failed> {
        said(&mut self.lab(words))
    }

    /// The cluster's containers, by name.
    pub(crate) fn containers(&self) -> Result<Vec<String>, Failed> {
        let filter = format!("label=io.x-k8s.kind.cluster=lab-{}", self.name);
        let names = docker(&["ps", "-a", "--filter", &filter, "--format", "{{.Names}}"])?;
        Ok(names.lines().map(str::to_owned).collect())
    }

    pub(crate) fn nothing_is_left(&self) -> Result<(), Failed> {
        let containers = self.containers()?;
        expect(containers.is_empty(), &format!("{containers:?} is gone"))?;
        let filter = format!("label=lab.cluster={}", self.name);
        let networks = docker(&["network", "ls", "--quiet", "--filter", &filter])?;
        expect(networks.is_empty(), "the network is gone")?;
        expect(!self.cluster_folder().exists(), "the lease is gone")
    }

    pub(crate) fn no_process_is_left(&self) -> Result<(), Failed> {
        until(|| Ok(self.processes()?.is_empty()))
    }

    /// Whether kind has made its part of the cluster, as far as it is concerned.
    pub(crate) fn kind_has_ended(&self) -> Result<bool, Failed> {
        let is_at_work = self.processes()?.iter().any(|it| it.contains("stand-in"));
        Ok(!is_at_work && self.cluster_folder().join("kubeconfig").exists())
    }

    fn processes(&self) -> Result<Vec<String>, Failed> {
        processes_with(&format!(
            "XDG_STATE_HOME={}",
            self.folder().join("state").display()
        ))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What a failed test leaves.
        let _ = self.lab(&["down", &self.name]).output();
    }
}

/// Words of processes whose environment holds this variable.
fn processes_with(variable: &str) -> Result<Vec<String>, Failed> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        // A process may end between the two.
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        let mut variables = environment.split(|byte| *byte == 0);
        if variables.any(|it| it == variable.as_bytes()) {
            let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            found.push(String::from_utf8_lossy(&words).replace('\0', " "));
        }
    }
    // One that ended and was not waited for has no words any more.
    found.retain(|it| !it.is_empty());
    Ok(found)
}

/// What the program `docker` says.
pub(crate) fn docker(words: &[&str]) -> Result<String, Failed> {
    said(Command::new("docker").args(words))
}

fn said(command: &mut Command) -> Result<String, Failed> {
    let output = command.stderr(Stdio::piped()).output()?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?.trim().to_owned());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?} ended with {}: {stderr}", output.status).into())
}

pub(crate) fn signal(signal: &str, process: u32) -> Result<(), Failed> {
    said(Command::new("kill").args(["-s", signal, &process.to_string()])).map(drop)
}

/// Looks until it holds.
pub(crate) fn until(mut holds: impl FnMut() -> Result<bool, Failed>) -> Result<(), Failed> {
    let end = Instant::now() + AT_MOST;
    while !holds()? {
        expect(Instant::now() < end, "it comes to hold in time")?;
        thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

pub(crate) fn expect(holds: bool, what: &str) -> Result<(), Failed> {
    if holds {
        Ok(())
    } else {
        Err(format!("not so: {what}").into())
    }
}

pub(crate) fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
