//! What a report says to do by hand, done: every command of every chapter, in a shell, in
//! the order of the report, from bringing the cluster up to leaving nothing behind.

use std::{fs, os::unix::fs::symlink, path::PathBuf};

use jiff::Timestamp;
use lab_model::event::{Event, Fact, Host, RunStarted};
use lab_report::{fold::fold, lessons};
use libtest_mimic::Failed;

use crate::{
    place::{Place, checkout},
    shell::{Typed, find, first_wrong},
};

/// What the commands ask of a machine, beside `lab`. kubectl and Helm are not among them:
/// the report says how lab gives them.
const PROGRAMS: [&str; 10] = [
    "bash", "cat", "curl", "docker", "env", "grep", "sed", "seq", "sleep", "tr",
];
/// Commands that take minutes as they are written; each is given an option that takes
/// most of the work away. CI's main job does the same work in full.
const SHORTER: [(&str, &str); 2] = [
    ("lab test NAME", " --feature api"),
    ("lab bench NAME", " --workload short.toml"),
];
/// What some commands must say, that end well either way; nothing means nothing at all.
const ANSWERS: [(&str, &str); 6] = [
    ("grep -E", "success"),
    ("alias=champion", "\"version\""),
    ("/infer -d", "probabilities"),
    ("nv_inference", "nv_inference_request_success"),
    ("rollout history", "REVISION"),
    ("docker ps -aq", ""),
];
/// How long all of it may take: only ends a test that would hang.
const AT_MOST: &str = "20m";

/// Why the commands cannot be done on this machine.
pub(crate) fn unfit() -> Option<String> {
    let missing: Vec<_> = PROGRAMS.iter().filter(|it| find(it).is_none()).collect();
    (!missing.is_empty()).then(|| format!("the machine lacks {missing:?}"))
}

pub(crate) fn what_the_report_says() -> Result<(), Failed> {
    let place = Place::new(None)?;
    let name = format!("hand-{}", std::process::id());
    let done = do_it(&place, &name);
    if done.is_err() {
        // The commands themselves take it down where all goes well.
        place.ask(&["down", &name])?;
    }
    done?;
    place.check()?;
    place.until_no_process()
}

fn do_it(place: &Place, name: &str) -> Result<(), Failed> {
    fs::write(place.root().join("short.toml"), short_workload()?)?;
    let programs = programs(place)?;
    let mut events = vec![began(name)?];
    let (_, up) = commands(&events)
        .find(|(_, command)| command.starts_with("lab up "))
        .ok_or("no command brings the cluster up")?;
    // The same command once more as a run's events: they tell the names.
    let words: Vec<_> = up.split(' ').skip(1).chain(["--json"]).collect();
    let told = place.succeed(&words)?;
    let told = serde_json::Deserializer::from_str(&told).into_iter::<serde_json::Value>();
    events.extend(told.filter_map(|it| serde_json::from_value::<Event>(it.ok()?).ok()));
    let all: Vec<_> = commands(&events).filter(|(_, it)| *it != up).collect();
    let typed: Vec<_> = all.iter().map(|(_, it)| shortened(it, name)).collect();
    let typed: Vec<_> = typed.iter().map(|it| must_say(it)).collect();
    let lab = place.lab(&[]);
    let wrong = first_wrong(place.root(), AT_MOST, &typed, |shell| {
        let environment = lab.get_envs();
        shell
            .envs(environment.filter_map(|(key, value)| Some((key, value?))))
            .env("PATH", programs)
            .env("KUBECACHEDIR", place.root().join("cache/kube"))
            .env_remove("KUBECONFIG");
    })?;
    match wrong {
        Some(wrong) => Err(format!("{}: {wrong}", all[wrong.place].0).into()),
        None => Ok(()),
    }
}

/// A command as it is typed: with the option that takes most of its work away.
fn shortened(command: &str, name: &str) -> String {
    let option = SHORTER
        .iter()
        .find_map(|(whole, option)| (whole.replace("NAME", name) == command).then_some(*option));
    format!("{command}{}", option.unwrap_or_default())
}

fn must_say(command: &str) -> Typed<'_> {
    let answer = ANSWERS.iter().find(|(part, _)| command.contains(part));
    Typed {
        command,
        says: answer.map(|(_, says)| *says),
    }
}

/// What a report says to do by hand, with the chapter's name.
fn commands(events: &[Event]) -> impl Iterator<Item = (String, String)> {
    lessons::by_hand(&fold(events.to_vec())).into_iter()
}

/// A run of that cluster, as its record begins.
fn began(name: &str) -> Result<Event, Failed> {
    let about = RunStarted {
        run: "run-by-hand".parse()?,
        cluster: name.parse()?,
        lab_version: env!("CARGO_PKG_VERSION").to_owned(),
        stack: "lifecycle".to_owned(),
        lock: "documented".to_owned(),
        provider: "node".to_owned(),
        plan: String::new(),
        host: Host {
            os: String::new(),
            kernel: String::new(),
            cpus: 1,
            memory_bytes: 0,
            engine: String::new(),
        },
    };
    Ok(Event {
        seq: 1,
        time: Timestamp::now(),
        elapsed_ms: 0,
        fact: Fact::RunStarted(about),
    })
}

/// A folder with the programs that the commands may use, and no others.
fn programs(place: &Place) -> Result<PathBuf, Failed> {
    let folder = place.root().join("bin");
    fs::create_dir(&folder)?;
    symlink(env!("CARGO_BIN_EXE_lab"), folder.join("lab"))?;
    for program in PROGRAMS {
        let path = find(program).ok_or_else(|| format!("there is no `{program}`"))?;
        symlink(path, folder.join(program))?;
    }
    Ok(folder)
}

/// The workload of `lab bench`, with one window of a second instead of nine of three.
fn short_workload() -> Result<String, Failed> {
    let folder = checkout().join("fixtures/workloads").canonicalize()?;
    let text = fs::read_to_string(folder.join("digits.toml"))?;
    let (text, _) = text.split_once("[open]").ok_or("it has no open loop")?;
    let samples = format!("samples = \"{}/", folder.display());
    let text = text
        .replace("concurrency = [1, 4, 16]", "concurrency = [4]")
        .replace("window_seconds = 3", "window_seconds = 1")
        .replace("samples = \"", &samples);
    Ok(text)
}
