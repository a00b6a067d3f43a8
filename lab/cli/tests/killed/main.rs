//! `lab` ended at random moments, then one `lab clean`: nothing may be left.
//!
//! `LAB_KILLS=50 LAB_KILL_SEED=7 cargo test -p lab-cli --test killed -- --nocapture`
//! is 50 `kill -9` of `lab up` and `lab run`, and a quarter as many Ctrl-C and SIGTERM.
//! It compares the whole engine before and after, so nothing else may use it meanwhile.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tells its figures; it watches processes that cannot tell it anything"
)]

mod builds;
mod left;
mod machine;
#[path = "../place/mod.rs"]
mod place;
mod schedule;

use std::{
    process::{Child, Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

use builds::Recipe;
use lab_engine::Engine;
use lab_image::{Images, Settings};
use libtest_mimic::{Arguments, Failed, Trial};
use machine::Machine;
use place::{Place, checkout, ended};
use rand::{SeedableRng, rngs::SmallRng};
use schedule::{End, Kill};
use tokio::runtime::Runtime;

/// Kills in CI; one command does more of them.
const KILLS: usize = 4;
const SEED: u64 = 20_261_124;
const CLUSTER: &str = "killed";

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Each of them compares the whole engine.
    arguments.test_threads = Some(1);
    let trials = vec![
        trial("what_is_left_is_told", &[], left::is_told),
        trial(
            "ended_at_any_moment_a_cluster_leaves_nothing",
            &["node", "triton", "airflow"],
            clusters,
        ),
        trial(
            "ended_at_any_moment_a_build_leaves_nothing",
            &[builds::PARENT],
            image_builds,
        ),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(
    name: &str,
    images: &[&str],
    test: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> Trial {
    let ready = Runtime::new()
        .map_err(|error| error.to_string())
        .and_then(|runtime| runtime.block_on(ready(images)));
    let is_required = std::env::var("LAB_REQUIRE_DOCKER").is_ok_and(|value| value == "1");
    match ready {
        Ok(()) => Trial::test(name, test),
        Err(reason) => {
            let failed = reason.clone();
            Trial::test(format!("{name} ({reason})"), || Err(failed.into()))
                .with_ignored_flag(!is_required)
        }
    }
}

/// An engine with the images, or why there is none: a kill shall meet no other build.
async fn ready(names: &[&str]) -> Result<(), String> {
    let engine = Engine::connect().await.map_err(|error| error.to_string())?;
    let folder = checkout().join("fixtures/images");
    let images = Images::open(engine.clone(), &folder, Settings::default())
        .map_err(|error| error.to_string())?;
    for name in names {
        let reference = images.reference(name).map_err(|error| error.to_string())?;
        let found = engine.image(&reference).await;
        if found.map_err(|error| error.to_string())?.is_none() {
            return Err(format!("the image `{reference}` is not built"));
        }
    }
    Ok(())
}

fn clusters() -> Result<(), Failed> {
    let place = Place::new(None)?;
    let mut sweep = Sweep::new(&place)?;
    for kill in schedule::of_clusters(kills()) {
        sweep.end(&kill, || {
            // A command that was quicker than the moment leaves its cluster on purpose.
            place.ask(&["down", CLUSTER])?;
            Ok(())
        })?;
    }
    sweep.verdict()
}

fn image_builds() -> Result<(), Failed> {
    let place = Place::new(None)?;
    let recipe = Recipe::add_to(&place)?;
    let mut sweep = Sweep::new(&place)?;
    for (number, kill) in schedule::of_builds(kills()).iter().enumerate() {
        recipe.renew(number)?;
        sweep.end(kill, builds::remove_finished)?;
    }
    let verdict = sweep.verdict();
    // The engine ends a commit that it has begun, whoever asked for it.
    builds::remove_finished()?;
    verdict
}

fn kills() -> usize {
    let wished = std::env::var("LAB_KILLS").ok();
    wished.and_then(|it| it.parse().ok()).unwrap_or(KILLS)
}

fn seed() -> u64 {
    let wished = std::env::var("LAB_KILL_SEED").ok();
    wished.and_then(|it| it.parse().ok()).unwrap_or(SEED)
}

/// Commands ended one after the other, and what each of them left.
struct Sweep<'a> {
    place: &'a Place,
    before: Machine,
    moments: SmallRng,
    killed: usize,
    asked: usize,
    left: usize,
}

impl<'a> Sweep<'a> {
    fn new(place: &'a Place) -> Result<Self, Failed> {
        println!("seed {}", seed());
        Ok(Self {
            place,
            before: Machine::look()?,
            moments: SmallRng::seed_from_u64(seed()),
            killed: 0,
            asked: 0,
            left: 0,
        })
    }

    /// Starts a command, ends it, sees to what it left and counts what is there all the same.
    fn end(
        &mut self,
        kill: &Kill,
        tidy: impl FnOnce() -> Result<(), Failed>,
    ) -> Result<(), Failed> {
        let moment = kill.moment(&mut self.moments);
        let took = end(self.place, kill, moment)?;
        tidy()?;
        self.place.until_no_process()?;
        let mut left = Machine::look()?.since(&self.before);
        let files = self.place.files_left()?;
        left.extend(files.iter().map(|file| format!("file {}", file.display())));
        println!(
            "{:>2}: {kill} at {:.2} s; seen to after {:.1} s; left: {left:?}",
            self.killed + self.asked + 1,
            moment.as_secs_f32(),
            took.as_secs_f32(),
        );
        match kill.end {
            End::Asked(_) => self.asked += 1,
            _ => self.killed += 1,
        }
        self.left += left.len();
        Ok(())
    }

    fn verdict(&self) -> Result<(), Failed> {
        let Self {
            killed,
            asked,
            left,
            ..
        } = self;
        println!("{killed} `kill -9`, {asked} asked to end: {left} things left");
        if *left == 0 {
            Ok(())
        } else {
            Err(format!("{left} things left").into())
        }
    }
}

/// Ends the command in its way; tells how long it was until nothing was left of it.
fn end(place: &Place, kill: &Kill, moment: Duration) -> Result<Duration, Failed> {
    let mut child = place.lab(kill.words).spawn()?;
    thread::sleep(moment);
    let since = Instant::now();
    match kill.end {
        End::Asked(signal) => ask(&mut child, signal)?,
        End::KilledThenReaped => {
            child.kill()?;
            child.wait()?;
            // The reaper ends when nothing is left.
            place.until_no_process()?;
        }
        End::KilledThenCleaned => {
            child.kill()?;
            child.wait()?;
            place.succeed(&["clean"])?;
        }
    }
    place.check()?;
    Ok(since.elapsed())
}

fn ask(child: &mut Child, signal: &str) -> Result<(), Failed> {
    let id = child.id().to_string();
    Command::new("kill")
        .args(["-s", signal, &id])
        .stderr(Stdio::null())
        .status()?;
    ended(child)?;
    match child.wait()?.code() {
        // Before it listens for signals, the signal itself ends it.
        Some(130 | 0) | None => Ok(()),
        code => Err(format!("SIG{signal} ended it with {code:?}").into()),
    }
}
