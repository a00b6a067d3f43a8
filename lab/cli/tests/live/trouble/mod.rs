//! Engines in trouble: a full disk, a restart, a sudden end.
//!
//! Each test has an engine of its own in namespaces of its own (mounts, network,
//! processes), so that the machine's engine is never disturbed, and the kernel takes
//! everything back when the test ends, however it ends.

mod disk;
mod engine;
mod keeper;
mod restart;

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
};

use libtest_mimic::{Failed, Trial};

use crate::{in_room, ready};
use engine::PrivateEngine;
pub(crate) use keeper::keep;

/// This program as the one that sees to a test's namespaces: `keeper NAME`.
pub(crate) const KEEPER: &str = "keeper";
/// This program as the test itself, in its namespaces: `inside NAME FOLDER`.
pub(crate) const INSIDE: &str = "inside";

/// A cluster, and what its engine holds on a disk in memory.
const MIB: u64 = 3072;
/// What the tests need on the machine: Docker's own programs and those of util-linux.
const PROGRAMS: [&str; 6] = [
    "dockerd",
    "docker-init",
    "ip",
    "mount",
    "setpriv",
    "unshare",
];

type Test = fn(&mut PrivateEngine) -> Result<(), Failed>;

const TESTS: [(&str, Test); 4] = [
    ("a_full_disk_is_told_and_leaves_nothing", disk::full),
    ("a_cluster_whose_engine_restarts", restart::in_order),
    ("a_cluster_whose_engine_dies", restart::suddenly),
    ("a_load_whose_engine_dies", restart::under_a_load),
];

pub(crate) fn trials() -> Vec<Trial> {
    if let Some(reason) = unfit() {
        // An engine is not enough for these: they are not what LAB_REQUIRE_DOCKER asks for.
        let name = |name| format!("{name} (not run: {reason})");
        return TESTS
            .map(|(it, _)| Trial::test(name(it), || Ok(())).with_ignored_flag(true))
            .into();
    }
    let reason = ready(&["node", "python"]).err();
    TESTS
        .map(|(name, _)| {
            let reason = reason.clone();
            in_room(name, MIB, reason, move || keeper::start(name))
        })
        .into()
}

/// Why no engine of one's own can be started here.
fn unfit() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("only root can start an engine of its own".to_owned());
    }
    if env::var_os("DOCKER_HOST").is_some_and(|it| !it.to_string_lossy().starts_with("unix://")) {
        return Some("the machine's engine is reached over a network".to_owned());
    }
    let missing = PROGRAMS.into_iter().find(|it| !is_on_path(it))?;
    Some(format!("the program `{missing}` is not on the PATH"))
}

fn is_on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder: PathBuf| folder.join(program).is_file())
}

/// The test itself.
pub(crate) fn inside(name: &str, folder: &str) -> ExitCode {
    let test = TESTS.into_iter().find(|(it, _)| *it == name);
    let ended = test
        .ok_or_else(|| format!("there is no test `{name}`").into())
        .and_then(|(_, test)| test(&mut PrivateEngine::start(Path::new(folder))?));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("{}", failed.message().unwrap_or_default());
            ExitCode::FAILURE
        }
    }
}
