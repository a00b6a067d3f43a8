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
            Err(error) => output::remark(&format!("{} is left out: {error}", run.display())),
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
    let told = [about.stack, about.lock, about.provider, about.plan];
    let locked = &plan.locked;
    let wanted = [
        &locked.name,
        &locked.lock_name,
        plan.provider.as_str(),
        &plan.line(),
    ];
    Some(told == wanted)
}

fn folded(folder: &Path) -> Result<Report, ReadError> {
    Ok(read_report(&folder.join("events.ndjson"))?.0)
}

/// A run by the name of its folder.
fn name(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or(folder.as_os_str());
    name.to_string_lossy().into_owned()
}
