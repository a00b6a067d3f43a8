//! `lab` on real engines: many clusters at once, what is left and what is told of it, what
//! reports say to do by hand, and engines in trouble.
//!
//! The tests run side by side, as many as the machine's memory holds. Those in `trouble`
//! run in namespaces of their own, for which this program starts itself again.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "tells its figures; it watches processes that cannot tell it anything"
)]

mod hand;
mod load;
mod many;
#[path = "../place/mod.rs"]
mod place;
#[path = "../shell/mod.rs"]
mod shell;
mod trouble;

use std::process::ExitCode;

use lab_engine::Engine;
use lab_image::{Images, Settings};
use libtest_mimic::{Arguments, Failed, Trial};
use mlops_lab::Room;
use place::checkout;
use tokio::runtime::Runtime;

/// What a node takes, with room for its pods.
const NODE_MIB: u64 = 1024;
/// What a node with the stack takes while it is used: a run's report says 2.8 GiB.
const STACK_MIB: u64 = 3072;
/// Images of the cluster and of the stack that it gets.
const STACK: [&str; 8] = [
    "node",
    "helm",
    "postgresql",
    "seaweedfs",
    "mlflow",
    "airflow",
    "triton",
    "prometheus",
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        [trouble::KEEPER, name] => trouble::keep(name),
        [trouble::INSIDE, name, folder] => trouble::inside(name, folder),
        _ => tests(),
    }
}

fn tests() -> ExitCode {
    let mut trials = vec![
        trial("four_at_once", 4 * NODE_MIB, many::four_at_once),
        trial("a_killed_load_ends_in_the_node", NODE_MIB, load::killed),
    ];
    let reason = ready(&STACK).err().or_else(hand::unfit);
    trials.push(in_room(
        "what_the_report_says_to_do_by_hand_works",
        STACK_MIB,
        reason,
        hand::what_the_report_says,
    ));
    trials.extend(trouble::trials());
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A test on the machine's own engine that takes so much memory.
fn trial(
    name: &str,
    mib: u64,
    test: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> Trial {
    let reason = ready(&["node", "python"]).err();
    in_room(name, mib, reason, test)
}

/// A test that waits for room on the machine. Where it cannot run, its name says why.
fn in_room(
    name: &str,
    mib: u64,
    reason: Option<String>,
    test: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> Trial {
    let is_required = std::env::var("LAB_REQUIRE_DOCKER").is_ok_and(|value| value == "1");
    let claim = format!("{name}-{}", std::process::id());
    match reason {
        None => Trial::test(name, move || {
            let _room = Runtime::new()?.block_on(Room::claim(&claim, mib))?;
            test()
        }),
        Some(reason) => {
            let failed = reason.clone();
            Trial::test(format!("{name} ({reason})"), || Err(failed.into()))
                .with_ignored_flag(!is_required)
        }
    }
}

/// References of these images on the machine's engine, or why they are not there.
fn ready(names: &[&str]) -> Result<Vec<String>, String> {
    let runtime = Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let engine = Engine::connect().await.map_err(|error| error.to_string())?;
        let folder = checkout().join("fixtures/images");
        let images = Images::open(engine.clone(), &folder, Settings::default())
            .map_err(|error| error.to_string())?;
        let mut references = Vec::new();
        for name in names {
            let reference = images.reference(name).map_err(|error| error.to_string())?;
            let found = engine.image(&reference).await;
            if found.map_err(|error| error.to_string())?.is_none() {
                return Err(format!("the image `{reference}` is not built"));
            }
            references.push(reference);
        }
        Ok(references)
    })
}
