//! `lab` killed at random moments, then one `lab clean`: nothing may be left.
//!
//! `LAB_KILLS=50 LAB_KILL_SEED=7 cargo test -p lab-cli --test killed -- --nocapture`

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tells its figures; it watches processes that cannot tell it anything"
)]

mod machine;

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

use lab_engine::Engine;
use lab_image::{Images, Settings};
use libtest_mimic::{Arguments, Failed, Trial};
use machine::Machine;
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Kills in CI; one command does more of them.
const KILLS: u32 = 5;
const SEED: u64 = 20_261_124;
/// Moments are drawn from as long as this: what is made outside the process is made
/// in the first part of a command.
const LONGEST_UP: Duration = Duration::from_secs(12);
const LONGEST_RUN: Duration = Duration::from_mins(1);
/// Only ends a test that would hang.
const ENDED_AT_MOST: Duration = Duration::from_mins(1);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What ends the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// `kill -9`, then `lab clean`.
    KilledThenCleaned,
    /// `kill -9`; the reaper is alone with what is left.
    KilledThenReaped,
    /// Ctrl-C or SIGTERM: the command cleans up itself.
    Asked(&'static str),
}

/// A command and how it ends.
struct Kill {
    command: &'static [&'static str],
    longest: Duration,
    end: End,
}

const UP: &[&str] = &["up", "killed"];
const RUN: &[&str] = &["run", "--no-bench"];
const ROUND: [Kill; 5] = [
    Kill {
        command: UP,
        longest: LONGEST_UP,
        end: End::KilledThenCleaned,
    },
    Kill {
        command: RUN,
        longest: LONGEST_RUN,
        end: End::KilledThenReaped,
    },
    Kill {
        command: UP,
        longest: LONGEST_UP,
        end: End::Asked("INT"),
    },
    Kill {
        command: RUN,
        longest: LONGEST_RUN,
        end: End::Asked("TERM"),
    },
    Kill {
        command: RUN,
        longest: LONGEST_RUN,
        end: End::KilledThenCleaned,
    },
];

fn main() -> ExitCode {
    let ready = Runtime::new()
        .map_err(|error| error.to_string())
        .and_then(|runtime| runtime.block_on(ready()));
    let is_required = std::env::var("LAB_REQUIRE_DOCKER").is_ok_and(|value| value == "1");
    let name = "killed_at_any_moment_nothing_is_left";
    let trial = match ready {
        Ok(()) => Trial::test(name, all),
        Err(reason) => {
            let failed = reason.clone();
            Trial::test(format!("{name} ({reason})"), || Err(failed.into()))
                .with_ignored_flag(!is_required)
        }
    };
    libtest_mimic::run(&Arguments::from_args(), vec![trial]).exit_code()
}

/// An engine with the images, or why there is none: a kill shall not meet a build.
async fn ready() -> Result<(), String> {
    let engine = Engine::connect().await.map_err(|error| error.to_string())?;
    let images = Images::open(
        engine.clone(),
        &checkout().join("fixtures/images"),
        Settings::default(),
    )
    .map_err(|error| error.to_string())?;
    for name in ["node", "triton", "airflow"] {
        let reference = images.reference(name).map_err(|error| error.to_string())?;
        let found = engine.image(&reference).await;
        if found.map_err(|error| error.to_string())?.is_none() {
            return Err(format!("the image `{reference}` is not built"));
        }
    }
    Ok(())
}

fn all() -> Result<(), Failed> {
    let number = |name: &str| std::env::var(name).ok().and_then(|it| it.parse().ok());
    let kills = number("LAB_KILLS").unwrap_or(u64::from(KILLS));
    let mut moments = SmallRng::seed_from_u64(number("LAB_KILL_SEED").unwrap_or(SEED));
    let place = Place::new()?;
    let before = Machine::look()?;
    let mut left = 0;
    for (index, kill) in (0..kills).zip(ROUND.iter().cycle()) {
        let moment = kill.longest.mul_f64(moments.random::<f64>());
        let told = place.kill(kill, moment)?;
        let found = Machine::look()?.since(&before);
        println!(
            "{:>2}: {:?} at {:.2} s, {:?}: {told}; left: {found:?}",
            index + 1,
            kill.command,
            moment.as_secs_f32(),
            kill.end
        );
        left += found.len();
    }
    println!("{kills} kills, {left} things left");
    if left == 0 {
        Ok(())
    } else {
        Err(format!("{left} things left").into())
    }
}

/// A checkout and a state folder of its own.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        for part in ["fixtures", "features"] {
            symlink(checkout().join(part), folder.path().join(part))?;
        }
        fs::create_dir(folder.path().join("state"))?;
        Ok(Self { folder })
    }

    fn lab(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
        command
            .args(words)
            .env("LAB_ROOT", self.folder.path())
            // Marks all its processes, too.
            .env("XDG_STATE_HOME", self.state())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// Starts the command, ends it and sees to what it left; tells how that went.
    fn kill(&self, kill: &Kill, moment: Duration) -> Result<String, Failed> {
        let mut child = self.lab(kill.command).spawn()?;
        thread::sleep(moment);
        let since = Instant::now();
        match kill.end {
            End::Asked(signal) => self.ask(child, signal)?,
            End::KilledThenReaped => {
                child.kill()?;
                child.wait()?;
                self.until_reaped()?;
            }
            End::KilledThenCleaned => {
                child.kill()?;
                child.wait()?;
                self.clean()?;
            }
        }
        let took = since.elapsed();
        // A command that was quicker than the moment leaves its cluster on purpose.
        self.lab(&["clean", "--all"]).status()?;
        self.until_no_process()?;
        Ok(format!("seen to after {:.1} s", took.as_secs_f32()))
    }

    fn ask(&self, mut child: Child, signal: &str) -> Result<(), Failed> {
        let id = child.id().to_string();
        Command::new("kill")
            .args(["-s", signal, &id])
            .stderr(Stdio::null())
            .status()?;
        let ended = until(|| Ok(child.try_wait()?.is_some()))?;
        if !ended {
            child.kill()?;
            return Err(format!("SIG{signal} did not end it").into());
        }
        let code = child.wait()?.code();
        // Before it listens for signals, the signal itself ends it.
        if matches!(code, Some(130 | 0) | None) {
            self.check()
        } else {
            Err(format!("SIG{signal} ended it with {code:?}").into())
        }
    }

    fn clean(&self) -> Result<(), Failed> {
        let cleaned = self.lab(&["clean"]).status()?;
        if cleaned.success() {
            return self.check();
        }
        Err(format!("`lab clean` ended with {cleaned}").into())
    }

    fn check(&self) -> Result<(), Failed> {
        let check = self.lab(&["clean", "--check"]).output()?;
        if check.status.success() {
            return Ok(());
        }
        Err(format!("left: {}", String::from_utf8_lossy(&check.stdout)).into())
    }

    fn until_reaped(&self) -> Result<(), Failed> {
        // The reaper ends when nothing is left.
        self.until_no_process()?;
        self.check()
    }

    fn until_no_process(&self) -> Result<(), Failed> {
        let marker = format!("XDG_STATE_HOME={}", self.state().display());
        if until(|| Ok(machine::processes_with(&marker)?.is_empty()))? {
            return Ok(());
        }
        let left = machine::processes_with(&marker)?;
        Err(format!("processes are left: {left:?}").into())
    }
}

/// Looks until it holds, or too long: then the answer is false.
fn until(mut holds: impl FnMut() -> Result<bool, Failed>) -> Result<bool, Failed> {
    let end = Instant::now() + ENDED_AT_MOST;
    while !holds()? {
        if Instant::now() > end {
            return Ok(false);
        }
        thread::sleep(LOOK_EVERY);
    }
    Ok(true)
}

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
