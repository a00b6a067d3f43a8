//! A checkout and folders of a test's own, and `lab` run there.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use libtest_mimic::Failed;
use tempfile::TempDir;

/// Only ends a test that would hang.
const ENDED_AT_MOST: Duration = Duration::from_mins(3);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Where `lab` keeps things in a test, and which engine it uses.
pub(crate) struct Place {
    folder: TempDir,
    engine: Option<String>,
}

impl Place {
    /// A new one; without an engine it uses the one that everybody uses.
    pub(crate) fn new(engine: Option<String>) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        for part in ["fixtures", "features"] {
            symlink(checkout().join(part), folder.path().join(part))?;
        }
        for part in ["state", "cache", "tmp"] {
            fs::create_dir(folder.path().join(part))?;
        }
        Ok(Self { folder, engine })
    }

    /// The checkout's folder.
    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// `lab WORDS`, in silence.
    pub(crate) fn lab(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
        command
            .args(words)
            .env("LAB_ROOT", self.root())
            // Marks all its processes, too.
            .env("XDG_STATE_HOME", self.root().join("state"))
            .env("XDG_CACHE_HOME", self.root().join("cache"))
            .env("TMPDIR", self.root().join("tmp"))
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some(engine) = &self.engine {
            command.env("DOCKER_HOST", engine);
        }
        command
    }

    /// Runs `lab WORDS` to its end, which must be success.
    pub(crate) fn succeed(&self, words: &[&str]) -> Result<String, Failed> {
        let output = self.ask(words)?;
        if output.status.success() {
            return Ok(text(&output.stdout));
        }
        Err(format!("`lab {}`: {}", words.join(" "), told(&output)).into())
    }

    /// Runs `lab WORDS` to its end, whatever that is.
    pub(crate) fn ask(&self, words: &[&str]) -> Result<Output, Failed> {
        let mut lab = self.lab(words);
        let mut lab = lab.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        ended(&mut lab)?;
        Ok(lab.wait_with_output()?)
    }

    /// Nothing is left that `lab clean` would remove.
    pub(crate) fn check(&self) -> Result<(), Failed> {
        self.succeed(&["clean", "--check"]).map(drop)
    }

    /// Waits until no process that was started here is there any more.
    pub(crate) fn until_no_process(&self) -> Result<(), Failed> {
        let marker = format!("XDG_STATE_HOME={}", self.root().join("state").display());
        if until(|| Ok(processes_with(&marker)?.is_empty()))? {
            return Ok(());
        }
        let left = processes_with(&marker)?;
        Err(format!("processes are left: {left:?}").into())
    }

    /// Files that a command left. Locks stay, and in the cache Helm, perhaps half written:
    /// the next command writes it anew.
    pub(crate) fn files_left(&self) -> Result<Vec<PathBuf>, Failed> {
        let mut left = Vec::new();
        for part in ["state", "cache", "tmp"] {
            left.extend(files(&self.root().join(part))?);
        }
        left.retain(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            !matches!(&*name, ".lock" | "helm" | "helm.new")
        });
        Ok(left)
    }
}

/// Looks until it holds, or too long: then the answer is false.
pub(crate) fn until(mut holds: impl FnMut() -> Result<bool, Failed>) -> Result<bool, Failed> {
    let end = Instant::now() + ENDED_AT_MOST;
    while !holds()? {
        if Instant::now() > end {
            return Ok(false);
        }
        thread::sleep(LOOK_EVERY);
    }
    Ok(true)
}

/// Waits for the end of a process; one that does not end is killed, and that is an error.
pub(crate) fn ended(child: &mut Child) -> Result<(), Failed> {
    if until(|| Ok(child.try_wait()?.is_some()))? {
        return Ok(());
    }
    child.kill()?;
    child.wait()?;
    let seconds = ENDED_AT_MOST.as_secs();
    Err(format!("process {} did not end within {seconds} s", child.id()).into())
}

/// How a command ended and what it said.
pub(crate) fn told(output: &Output) -> String {
    format!(
        "{}\n{}{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    )
}

pub(crate) fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(self::files(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

/// Processes whose environment holds this variable.
fn processes_with(variable: &str) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        // A process may end between the two.
        let Ok(environment) = fs::read(entry.path().join("environ")) else {
            continue;
        };
        if environment
            .split(|byte| *byte == 0)
            .any(|it| it == variable.as_bytes())
        {
            let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let words = String::from_utf8_lossy(&words).replace('\0', " ");
            // One that ended and was not waited for has no words any more.
            if !words.is_empty() {
                found.push(words);
            }
        }
    }
    Ok(found)
}
