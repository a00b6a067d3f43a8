//! `lab report --compare` and `--index`: several runs side by side.

use std::{fs, path::Path};

use lab_model::exit::Exit;
use lab_report::{
    fold::fold,
    history::{self, Brief},
    html::render_index,
    read::{ReadError, read_file},
    report::Report,
};
use serde_json::json;

use super::{
    CommandError, Context,
    report::{find, save},
};
use crate::output;

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

fn folded(folder: &Path) -> Result<Report, ReadError> {
    Ok(fold(&read_file(&folder.join("events.ndjson"))?.events))
}

/// A run by the name of its folder.
fn name(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or(folder.as_os_str());
    name.to_string_lossy().into_owned()
}
