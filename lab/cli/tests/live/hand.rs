//! What a report says to do by hand, done: every command of every chapter, in a shell, in
//! the order of the report, from bringing the cluster up to leaving nothing behind.

use std::{
    env, fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use jiff::Timestamp;
use lab_model::event::{Event, Fact, Host, RunStarted};
use lab_report::{fold::fold, lessons};
use libtest_mimic::Failed;

use crate::place::{Place, checkout, told};

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
    let failed = shell(place, &programs, &script(&all, name))?;
    for (number, (chapter, command)) in all.iter().enumerate() {
        let said = fs::read_to_string(place.root().join(format!("said/{number}")));
        let said = said.unwrap_or_default();
        let wanted = ANSWERS.iter().find(|(part, _)| command.contains(part));
        let is_answered = wanted.is_none_or(|(_, wanted)| match *wanted {
            "" => said.trim().is_empty(),
            wanted => said.contains(wanted),
        });
        if failed == Some(number) || !is_answered {
            return Err(format!("{chapter}: `{command}` said: {said}").into());
        }
    }
    Ok(())
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

/// One shell for all, as a person has: variables and background jobs stay. Each command's
/// output goes to a file of its own; the first that fails ends it.
fn script(commands: &[(String, String)], name: &str) -> String {
    let mut script = "set -uo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null' EXIT\n".to_owned();
    for (number, (_, command)) in commands.iter().enumerate() {
        let longer = SHORTER.iter().find_map(|(whole, option)| {
            (whole.replace("NAME", name) == *command).then(|| format!("{command}{option}"))
        });
        let command = longer.as_deref().unwrap_or(command);
        script.push_str(&format!(
            "{{\n{command}\n}} >said/{number} 2>&1 || {{ echo {number} >failed; exit 1; }}\n"
        ));
    }
    script
}

/// Runs the script; answers with the number of the command that failed.
fn shell(place: &Place, programs: &Path, script: &str) -> Result<Option<usize>, Failed> {
    let root = place.root();
    fs::create_dir(root.join("said"))?;
    fs::write(root.join("by-hand.sh"), script)?;
    let lab = place.lab(&[]);
    let environment = lab
        .get_envs()
        .filter_map(|(key, value)| Some((key, value?)));
    let timeout = find("timeout").ok_or("there is no `timeout`")?;
    let output = Command::new(timeout)
        .args([AT_MOST, "bash", "by-hand.sh"])
        .current_dir(root)
        .envs(environment)
        .env("PATH", programs)
        .env("KUBECACHEDIR", root.join("cache/kube"))
        .env_remove("KUBECONFIG")
        .stdin(Stdio::null())
        .output()?;
    if output.status.success() {
        return Ok(None);
    }
    match fs::read_to_string(root.join("failed")) {
        Ok(number) => Ok(Some(number.trim().parse()?)),
        Err(_) => Err(told(&output).into()),
    }
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

fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|it| it.is_file())
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
