//! `lab` with the provider `kind`, as a person meets it. Where the real kind cannot run,
//! a script stands in for the program; the engine and the containers are real.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tells its figures; it watches processes that cannot tell it anything"
)]

mod place;
mod real;
mod whole;

use std::{process::ExitCode, time::Instant};

use lab_engine::Engine;
use lab_image::{Images, Settings};
use libtest_mimic::{Arguments, Failed, Trial};
use place::{Place, checkout, expect, until};
use tokio::runtime::Runtime;

type Test = fn(&Place) -> Result<(), Failed>;

const TESTS: [(&str, Test); 5] = [
    ("without_the_program_the_way_on_is_named", missing),
    ("an_old_program_is_refused", too_old),
    ("what_kind_says_is_shown_and_nothing_is_left", fails),
    ("interrupted_at_work_nothing_is_left", interrupted),
    ("killed_at_work_nothing_is_left", killed),
];

fn main() -> ExitCode {
    let is_required = std::env::var("LAB_REQUIRE_DOCKER").is_ok_and(|value| value == "1");
    let ready = Runtime::new()
        .map_err(|error| error.to_string())
        .and_then(|runtime| runtime.block_on(ready()));
    let mut arguments = Arguments::from_args();
    // Each test takes every core there is.
    arguments.test_threads.get_or_insert(1);
    let tests = TESTS.into_iter().chain([whole::TEST]);
    let mut trials: Vec<Trial> = tests
        .map(|(name, test)| match &ready {
            Ok(image) => {
                let image = image.clone();
                Trial::test(name, move || test(&Place::new(&image)?))
            }
            Err(reason) => {
                let failed = reason.clone();
                Trial::test(format!("{name} (not run: {reason})"), || Err(failed.into()))
                    .with_ignored_flag(!is_required)
            }
        })
        .collect();
    trials.push(real::trial());
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The node image's reference, or why nothing can be tested.
async fn ready() -> Result<String, String> {
    let engine = Engine::connect().await.map_err(|error| error.to_string())?;
    let folder = checkout().join("fixtures/images");
    let images = Images::open(engine.clone(), &folder, Settings::default())
        .map_err(|error| error.to_string())?;
    let reference = images
        .reference("node")
        .map_err(|error| error.to_string())?;
    let found = engine.image(&reference).await;
    if found.map_err(|error| error.to_string())?.is_none() {
        return Err(format!("the image `{reference}` is not built"));
    }
    place::docker(&["version", "--format", "{{.Client.Version}}"])
        .map_err(|_| "there is no program `docker`, which kind runs".to_owned())?;
    Ok(reference)
}

fn missing(place: &Place) -> Result<(), Failed> {
    let up = place
        .up()
        .env("LAB_KIND", place.folder().join("no-such-kind"))
        .output()?;
    let told = String::from_utf8_lossy(&up.stderr);
    expect(up.status.code() == Some(12), "set-up failed: 12")?;
    expect(
        told.contains("lab::kind::missing") && told.contains("--provider node"),
        &told,
    )?;
    place.nothing_is_left()
}

fn too_old(place: &Place) -> Result<(), Failed> {
    let up = place.up().env("STAND_IN_VERSION", "version-old").output()?;
    let told = String::from_utf8_lossy(&up.stderr);
    expect(up.status.code() == Some(12), "set-up failed: 12")?;
    expect(
        told.contains("is kind v0.19.0, and v0.20.0 is the oldest"),
        &told,
    )?;
    place.nothing_is_left()
}

fn fails(place: &Place) -> Result<(), Failed> {
    for (how, words) in [
        ("fails", "failed to pull image"),
        ("refused", "unable to apply caps: operation not permitted"),
    ] {
        let up = place.up().env("STAND_IN", how).output()?;
        let told = String::from_utf8_lossy(&up.stderr);
        expect(up.status.code() == Some(12), "set-up failed: 12")?;
        expect(told.contains("ERROR: failed to create cluster"), &told)?;
        expect(told.contains(words), &told)?;
        place.nothing_is_left()?;
    }
    Ok(())
}

fn interrupted(place: &Place) -> Result<(), Failed> {
    let mut up = place.up().env("STAND_IN", "at-work").spawn()?;
    until(|| Ok(place.containers()?.len() > 1))?;
    let asked = Instant::now();
    place::signal("INT", up.id())?;
    let code = up.wait()?.code();
    println!("down after {:.2} s", asked.elapsed().as_secs_f32());
    expect(code == Some(130), "interrupted: 130")?;
    place.no_process_is_left()?;
    place.nothing_is_left()
}

/// kind goes on when `lab` dies; the next `lab` ends it before it cleans.
fn killed(place: &Place) -> Result<(), Failed> {
    let mut up = place.up().env("STAND_IN", "at-work").spawn()?;
    until(|| Ok(place.containers()?.len() > 1))?;
    place::signal("KILL", up.id())?;
    up.wait()?;
    let before = place.containers()?.len();
    until(|| Ok(place.containers()?.len() > before))?;
    // The program need not be there any more.
    let clean = place.lab(&["clean"]).env_remove("LAB_KIND").output()?;
    expect(clean.status.success(), "it can be cleaned")?;
    place.no_process_is_left()?;
    place.nothing_is_left()
}
