//! kind at work. It starts only after its process stands in the lease, so that whoever
//! reads the lease can end it: nothing is made after everything was removed.

use std::{collections::VecDeque, ffi::OsString, io, path::Path, process::Stdio, time::Duration};

use lab_engine::owner;
use lab_model::secrets::without_secrets;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, Command},
    time::{interval, timeout},
};

use super::KindError;
use crate::ClusterError;

/// Becomes the program when a line comes; ends when none can come any more.
const GATE: &str = r#"read -r go && exec "$@" </dev/null"#;
/// kind says something at each step. Its longest is the pull of a node image of
/// half a gigabyte, of which it says nothing until it is there.
const LONGEST_STEP: Duration = Duration::from_mins(15);
/// Lines kept of what it says.
const LINES_KEPT: usize = 40;
/// SIGKILL takes moments.
const ENDS_WITHIN: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What kind is to do.
pub(super) struct Work<'a> {
    /// The program.
    pub(super) program: &'a Path,
    /// What it is asked for, in words for an error.
    pub(super) doing: String,
    /// Its arguments.
    pub(super) words: Vec<OsString>,
    /// The network its containers are created in.
    pub(super) network: &'a str,
}

impl Work<'_> {
    /// Does it: `claim` is given its process before it begins, `tell` each of its steps.
    pub(super) async fn run(
        self,
        claim: impl FnOnce(String) -> Result<(), ClusterError>,
        tell: impl FnMut(&str),
    ) -> Result<(), ClusterError> {
        let run = |source| KindError::Run {
            path: self.program.display().to_string(),
            source,
        };
        let mut child = self.start().map_err(run)?;
        let maker = child.id().and_then(owner::process);
        claim(maker.ok_or_else(|| run(io::ErrorKind::NotFound.into()))?)?;
        if let Some(mut gate) = child.stdin.take() {
            gate.write_all(b"go\n").await.map_err(run)?;
        }
        let said = follow(&mut child, LONGEST_STEP, tell).await.map_err(run)?;
        let Some(words) = said.ended() else {
            return Err(KindError::Stalled {
                seconds: LONGEST_STEP.as_secs(),
                words: said.text(),
            }
            .into());
        };
        if child.wait().await.map_err(run)?.success() {
            return Ok(());
        }
        Err(KindError::Failed {
            doing: self.doing,
            words,
        }
        .into())
    }

    fn start(&self) -> io::Result<Child> {
        Command::new("sh")
            .args(["-c", GATE, "sh"])
            .arg(self.program)
            .args(&self.words)
            .env("KIND_EXPERIMENTAL_DOCKER_NETWORK", self.network)
            // It would take another engine where it finds one.
            .env("KIND_EXPERIMENTAL_PROVIDER", "docker")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // Ctrl-C in the terminal is not meant for it: it would be half-way for ever.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
    }
}

/// What kind said, the end of it.
#[derive(Debug, Default)]
struct Said {
    lines: VecDeque<String>,
    has_ended: bool,
}

impl Said {
    fn push(&mut self, line: String) {
        if self.lines.len() == LINES_KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    fn text(&self) -> String {
        let lines: Vec<_> = self.lines.iter().map(String::as_str).collect();
        without_secrets(&lines.join("\n"))
    }

    fn ended(&self) -> Option<String> {
        self.has_ended.then(|| self.text())
    }
}

/// Reads what it says until it ends, or says nothing for too long.
async fn follow(
    child: &mut Child,
    longest_step: Duration,
    mut tell: impl FnMut(&str),
) -> io::Result<Said> {
    let mut said = Said::default();
    let Some(stderr) = child.stderr.take() else {
        return Ok(said);
    };
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(line) = timeout(longest_step, lines.next_line()).await {
        let Some(line) = line? else {
            said.has_ended = true;
            break;
        };
        if let Some(step) = step(&line) {
            tell(step);
        }
        if !line.trim().is_empty() {
            said.push(line);
        }
    }
    Ok(said)
}

/// The step that a line says to begin: ` • Preparing nodes 📦   ...`.
fn step(line: &str) -> Option<&str> {
    let step = line.trim_start().strip_prefix('•')?;
    Some(step.trim_end().trim_end_matches('.').trim())
}

/// Ends a kind and the programs that it started; tells whether it was at work.
pub(super) async fn end(maker: &str) -> bool {
    if !owner::lives(maker) {
        return false;
    }
    let id = maker.split(':').next().and_then(|id| id.parse().ok());
    if let Some(group) = id.and_then(Pid::from_raw) {
        // What has ended meanwhile need not be ended.
        let _ = kill_process_group(group, Signal::KILL);
    }
    let mut looks = interval(LOOK_EVERY);
    let gone = async {
        while owner::lives(maker) {
            looks.tick().await;
        }
    };
    // Where it does not go, what it makes is looked for all the same.
    let _ = timeout(ENDS_WITHIN, gone).await;
    true
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn work<'a>(program: &'a Path, words: &[&str]) -> Work<'a> {
        Work {
            program,
            doing: "make the cluster".to_owned(),
            words: words.iter().map(Into::into).collect(),
            network: "lab-demo",
        }
    }

    #[test]
    fn a_step_is_what_begins() {
        assert_eq!(
            step(" • Preparing nodes 📦   ..."),
            Some("Preparing nodes 📦")
        );
        assert_eq!(step(" ✓ Preparing nodes 📦 "), None);
        assert_eq!(step("Creating cluster \"lab-demo\" ..."), None);
    }

    #[tokio::test]
    async fn it_begins_only_after_its_process_is_claimed() {
        let folder = tempfile::tempdir().unwrap();
        let made = folder.path().join("made");
        let script = format!("touch {}", made.display());
        let work = work(Path::new("/bin/sh"), &["-c", &script]);

        let claimed = work.run(
            |maker| {
                assert!(owner::lives(&maker) && !made.exists());
                Err(ClusterError::Interrupted)
            },
            |_| {},
        );

        assert!(matches!(claimed.await, Err(ClusterError::Interrupted)));
        assert!(!made.exists(), "what is not claimed does not begin");
    }

    #[tokio::test]
    async fn its_own_words_tell_why_it_failed() {
        let script = "echo ' • Preparing nodes  ...' >&2; echo 'ERROR: no' >&2; exit 1";
        let work = work(Path::new("/bin/sh"), &["-c", script]);
        let mut steps = Vec::new();

        let error = work
            .run(|_| Ok(()), |step| steps.push(step.to_owned()))
            .await
            .unwrap_err();

        assert_eq!(
            error.to_string(),
            "kind could not make the cluster\n • Preparing nodes  ...\nERROR: no"
        );
        assert_eq!(steps, ["Preparing nodes"]);
    }

    #[tokio::test]
    async fn one_that_says_nothing_for_too_long_is_given_up() {
        let work = work(Path::new("/bin/sh"), &["-c", "echo one >&2; exec sleep 60"]);
        let mut child = work.start().unwrap();
        let mut gate = child.stdin.take().unwrap();
        gate.write_all(b"go\n").await.unwrap();

        let said = follow(&mut child, Duration::from_millis(500), |_| {}).await;

        assert_eq!(said.unwrap().ended(), None);
    }

    #[tokio::test]
    async fn it_ends_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let ids = folder.path().join("id");
        let script = format!(
            "sleep 60 & echo $! > {}; echo begun >&2; wait",
            ids.display()
        );
        let mut child = work(Path::new("/bin/sh"), &["-c", &script])
            .start()
            .unwrap();
        let maker = owner::process(child.id().unwrap()).unwrap();
        let mut gate = child.stdin.take().unwrap();
        gate.write_all(b"go\n").await.unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        assert_eq!(stderr.next_line().await.unwrap().unwrap(), "begun");
        let id: u32 = fs::read_to_string(ids).unwrap().trim().parse().unwrap();
        let started = owner::process(id).unwrap();

        assert!(end(&maker).await);

        // Its output ends when the last process that has it is about to.
        assert_eq!(stderr.next_line().await.unwrap(), None);
        let ending = async {
            while owner::lives(&maker) || owner::lives(&started) {
                tokio::task::yield_now().await;
            }
        };
        timeout(ENDS_WITHIN, ending).await.unwrap();
        assert!(!end(&maker).await, "there is none any more");
    }
}
