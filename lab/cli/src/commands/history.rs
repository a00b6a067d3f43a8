//! Several runs side by side: `lab report --compare` and `--index`, and how long a run takes.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::Path,
};

use lab_model::{
    event::{Event, Fact},
    exit::Exit,
};
use lab_report::{
    history::{self, Brief, Expected},
    html::render_index,
    read::{ReadError, read_report},
    report::{Report, Verdict},
};
use lab_runner::Plan;
use serde_json::json;

use super::{
    CommandError, Context,
    report::{find, save},
};
use crate::output;

/// Runs that are looked at for how long one takes, newest first, and those that count.
const LOOKED_AT: usize = 20;
const COUNTED: usize = 5;

/// Tells what differs between two runs.
pub(super) fn compare(
    context: &Context,
    before: &Path,
    after: &Path,
) -> Result<Exit, CommandError> {
    let before = find(context, Some(before))?;
    let after = find(context, Some(after))?;
    let (first, second) = (folded(&before)?, folded(&after)?);
    let comparison = history::compare((&name(&before), &first), (&name(&after), &second));
    let text = comparison.text(context.global.lang.lang());
    output::result(&context.global, &comparison, &text);
    Ok(Exit::Ok)
}

/// Writes the list of runs.
pub(super) fn index(context: &Context) -> Result<Exit, CommandError> {
    let folder = context.runs();
    let mut runs = Vec::new();
    for run in fs::read_dir(&folder).into_iter().flatten().flatten() {
        let run = run.path();
        if !run.join("events.ndjson").is_file() {
            continue;
        }
        match folded(&run) {
            Ok(report) => runs.push(Brief::of(&name(&run), &report)),
            // One damaged record must not hide the others.
            Err(error) => {
                let run = run.display();
                output::say(
                    context.global.lang.lang(),
                    &format!("{run} is left out: {error}"),
                    &format!("{run} 제외: {error}"),
                );
            }
        }
    }
    runs.sort_by(|one, other| (one.began, &one.folder).cmp(&(other.began, &other.folder)));
    let page = folder.join("index.html");
    fs::create_dir_all(&folder).map_err(output::doing(format!("make `{}`", folder.display())))?;
    save(&page, &render_index(&runs, context.global.lang.of_page()))?;
    let text = page.to_string_lossy();
    output::result(
        &context.global,
        &json!({"page": page, "runs": runs.len()}),
        &text,
    );
    Ok(Exit::Ok)
}

/// How long runs of the same plan took here; nothing where none has passed yet.
pub(super) fn expected(context: &Context, plan: &Plan) -> Option<Expected> {
    let mut runs: Vec<_> = fs::read_dir(context.runs())
        .ok()?
        .flatten()
        .map(|run| run.path().join("events.ndjson"))
        .collect();
    // Their names begin with the time.
    runs.sort_unstable();
    let runs = runs.iter().rev().take(LOOKED_AT);
    let alike = runs.filter(|record| is_alike(record, plan).unwrap_or(false));
    let reports = alike.filter_map(|record| Some(read_report(record).ok()?.0));
    let passed = reports.filter(|it| it.verdict() == Verdict::Passed);
    Expected::of(&passed.take(COUNTED).collect::<Vec<_>>())
}

/// Whether the run of this record did what a plan is about to do; only its first line is read.
fn is_alike(record: &Path, plan: &Plan) -> Option<bool> {
    let mut first = String::new();
    let mut record = BufReader::new(File::open(record).ok()?);
    record.read_line(&mut first).ok()?;
    let first: Event = serde_json::from_str(&first).ok()?;
    let Fact::RunStarted(about) = first.fact else {
        return None;
    };
    Some(plan.is_like(&about))
}

fn folded(folder: &Path) -> Result<Report, ReadError> {
    Ok(read_report(&folder.join("events.ndjson"))?.0)
}

/// A run by the name of its folder.
fn name(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or(folder.as_os_str());
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use lab_model::event::Host;
    use lab_report::{
        read::read_file,
        record::Recorder,
        reporter::Reporter,
        terminal::{Settings, Terminal},
    };
    use tempfile::TempDir;

    use super::*;
    use crate::{
        args::{Cli, Command},
        commands::{live, run},
        settings::Mirrors,
    };

    /// A checkout of a test's own.
    fn checkout() -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for part in ["fixtures", "features"] {
            std::os::unix::fs::symlink(from.join(part), folder.path().join(part)).unwrap();
        }
        folder
    }

    /// What `lab run WORDS` plans there.
    fn planned(folder: &TempDir, words: &[&str]) -> (Context, Plan) {
        let root = folder.path().to_string_lossy();
        let words = [&["lab", "run", "--root", root.as_ref()][..], words].concat();
        let cli = Cli::parse_from(words);
        let context = Context {
            root: folder.path().to_owned(),
            mirrors: Mirrors::default(),
            global: cli.global,
        };
        let Command::Run(args) = cli.command else {
            panic!("`run` is another command");
        };
        let plan = run::plan(&context, &args).unwrap();
        (context, plan)
    }

    /// Records a run of the plan as one that passed, in its folder.
    fn record(context: &Context, plan: &Plan) -> Vec<Event> {
        let passed = context.root.join("fixtures/runs/synthetic-passed.ndjson");
        let mut events = read_file(&passed).unwrap().events;
        events[0].fact = Fact::RunStarted(plan.begins(Host {
            os: String::new(),
            kernel: String::new(),
            cpus: 2,
            memory_bytes: 1 << 33,
            engine: String::new(),
        }));
        let folder = context.runs().join(plan.run.as_str());
        let mut recorder = Recorder::new(live::record_in(&folder).unwrap());
        for event in &events {
            recorder.record(event).unwrap();
        }
        events
    }

    /// What the terminal says of events where so much is expected.
    fn told(expected: Option<Expected>, events: &[Event]) -> String {
        let mut said = Vec::new();
        let mut terminal = Terminal::new(&mut said, Settings::default()).expecting(expected);
        for event in events {
            terminal.event(event).unwrap();
        }
        drop(terminal);
        String::from_utf8(said).unwrap()
    }

    #[test]
    fn a_second_run_of_a_plan_tells_what_is_left_by_the_first() {
        let folder = checkout();
        let (context, first) = planned(&folder, &[]);
        assert_eq!(expected(&context, &first), None);
        let events = record(&context, &first);
        let (_, second) = planned(&folder, &[]);

        let told = told(expected(&context, &second), &events);

        assert!(told.contains(" preflight, about 6 min left\n"), "{told}");
        assert!(told.contains(" teardown, about 1 s left\n"), "{told}");
    }

    #[test]
    fn a_run_of_another_plan_says_nothing_of_this_one() {
        let folder = checkout();
        let (context, first) = planned(&folder, &[]);
        record(&context, &first);
        for words in [
            &["--nodes", "3"][..],
            &["--no-bench"],
            &["--feature", "api"],
            &["--provider", "k3s"],
        ] {
            let (_, other) = planned(&folder, words);
            assert_eq!(expected(&context, &other), None, "{words:?}");
        }
    }
}
