//! The engine restarts, or dies and is started again.

use std::{
    fs,
    process::{Child, Stdio},
    time::Instant,
};

use libtest_mimic::Failed;
use rustix::process::Signal;

use super::engine::PrivateEngine;
use crate::place::{Place, ended, told, until};

/// What a person may read when the engine has gone.
const WORDS: [&str; 3] = [
    "the engine broke off",
    "the stream to the engine broke",
    "no Docker engine answers",
];

/// As `systemctl restart docker` does it: containers are stopped first.
pub(crate) fn in_order(engine: &mut PrivateEngine) -> Result<(), Failed> {
    under_an_up(engine, Signal::TERM)?;
    with_a_kept_cluster(engine, Signal::TERM)
}

/// Its containers outlive it for a while.
pub(crate) fn suddenly(engine: &mut PrivateEngine) -> Result<(), Failed> {
    under_an_up(engine, Signal::KILL)?;
    with_a_kept_cluster(engine, Signal::KILL)
}

fn under_an_up(engine: &mut PrivateEngine, signal: Signal) -> Result<(), Failed> {
    let place = Place::new(Some(engine.address()))?;
    let up = place.lab(&["up", "met"]).stderr(Stdio::piped()).spawn()?;
    if !until(|| Ok(engine.runs("lab-met")))? {
        return Err("the cluster's container does not run".into());
    }
    engine.restart(signal)?;
    ends_right_or_tells(up)?;
    place.succeed(&["clean"])?;
    place.check()?;
    if engine.runs("lab-met") {
        // It went on and came up: then it is there on purpose.
        place.succeed(&["down", "met"])?;
    }
    engine.holds_nothing()?;
    place.until_no_process()
}

fn with_a_kept_cluster(engine: &mut PrivateEngine, signal: Signal) -> Result<(), Failed> {
    let place = Place::new(Some(engine.address()))?;
    place.succeed(&["up", "kept"])?;
    engine.restart(signal)?;
    let list = place.succeed(&["list"])?;
    if !list.contains("exited") {
        return Err(format!("`lab list` does not tell that it stands still:\n{list}").into());
    }
    let status = place.ask(&["status", "kept"])?;
    let told = told(&status);
    if status.status.code() != Some(12) || !told.contains("`kept` does not run") {
        return Err(format!("`lab status` does not tell that it stands still:\n{told}").into());
    }
    // Nobody asked for its end, so it is not left over.
    place.check()?;
    place.succeed(&["down", "kept"])?;
    engine.holds_nothing()?;
    place.until_no_process()
}

pub(crate) fn under_a_load(engine: &mut PrivateEngine) -> Result<(), Failed> {
    let place = Place::new(Some(engine.address()))?;
    place.succeed(&["up", "met"])?;
    let load = place
        .lab(&["images", "load", "met", "python"])
        .stderr(Stdio::piped())
        .spawn()?;
    if !until(an_import_runs)? {
        return Err("no import begins".into());
    }
    engine.restart(Signal::KILL)?;
    ends_right_or_tells(load)?;
    place.succeed(&["down", "met"])?;
    place.check()?;
    engine.holds_nothing()?;
    place.until_no_process()
}

fn ends_right_or_tells(mut lab: Child) -> Result<(), Failed> {
    let since = Instant::now();
    ended(&mut lab)?;
    let took = since.elapsed().as_secs_f32();
    let output = lab.wait_with_output()?;
    let told = told(&output);
    println!("ended {took:.1} s after the engine was back: {told}");
    let is_told = WORDS.iter().any(|words| told.contains(words));
    match output.status.code() {
        Some(0) => Ok(()),
        Some(12) if is_told => Ok(()),
        _ => Err(format!("it does not tell that the engine went away: {told}").into()),
    }
}

/// Whether an image is imported in a node: all processes here are this test's.
fn an_import_runs() -> Result<bool, Failed> {
    for entry in fs::read_dir("/proc")?.flatten() {
        let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if words.starts_with(b"ctr\0") && words.windows(6).any(|it| it == b"import") {
            return Ok(true);
        }
    }
    Ok(false)
}
