//! Removing what dead processes left: by every command, by `lab clean`, by the reaper.

use std::io;

use lab_cluster::{
    Leftover, node,
    reaper::{self, When},
};
use lab_engine::Engine;
use lab_model::exit::Exit;
use lab_runner::RunError;

use super::{CommandError, Context};
use crate::{
    args::{CleanArgs, Command, ReapArgs},
    output,
};

/// Removes what dead processes left before a command begins. Never in the way of the
/// command: an engine that does not answer is the command's to report.
pub(super) async fn reap_dead(command: &Command) {
    if matches!(command, Command::Clean(_) | Command::Report(_)) {
        return;
    }
    let Ok(engine) = Engine::connect().await else {
        return;
    };
    for (cluster, fault) in node::heal_dead(&engine).await.unwrap_or_default() {
        output::remark(&format!(
            "healed in {cluster} after an ended process: {fault}"
        ));
    }
    let left = node::leftovers(&engine, false).await.unwrap_or_default();
    if left.is_empty() {
        return;
    }
    match node::clean(&engine, false).await {
        Ok(removed) => output::remark(&format!(
            "removed what an ended process left: {}",
            in_words(&removed, ", ")
        )),
        Err(error) => output::remark(&format!("{error}; `lab clean` tries again")),
    }
}

/// The reaper; nobody reads what it says.
pub(super) async fn wait_and_reap(args: ReapArgs) -> Exit {
    let when = match (args.owner, args.cluster) {
        (Some(owner), _) => When::OwnerIsDead(owner),
        (None, Some(cluster)) => When::LeaseIsOver(cluster),
        (None, None) => return Exit::Usage,
    };
    match reaper::reap(&when).await {
        Ok(_) => Exit::Ok,
        Err(_) => Exit::CleanupIncomplete,
    }
}

/// Says so when no reaper could be left behind; the next command reaps as well.
pub(super) fn leave_reaper(left: io::Result<()>) {
    if let Err(error) = left {
        output::remark(&format!(
            "no reaper could be started ({error}): should this process be killed, `lab clean` removes what it leaves"
        ));
    }
}

pub(super) async fn clean(context: &Context, args: CleanArgs) -> Result<Exit, CommandError> {
    let engine = Engine::connect().await.map_err(RunError::from)?;
    if args.check {
        let left = node::leftovers(&engine, false)
            .await
            .map_err(RunError::from)?;
        output::result(&context.global, &left, &in_words(&left, "\n"));
        return Ok(if left.is_empty() {
            Exit::Ok
        } else {
            Exit::CleanupIncomplete
        });
    }
    let removed = node::clean(&engine, args.all)
        .await
        .map_err(RunError::from)?;
    output::result(&context.global, &removed, &in_words(&removed, "\n"));
    Ok(Exit::Ok)
}

fn in_words(left: &[Leftover], between: &str) -> String {
    let words: Vec<_> = left.iter().map(ToString::to_string).collect();
    words.join(between)
}
