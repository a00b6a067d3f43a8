//! `lab fault`: faults by hand and for tests, undone on every way out.

use lab_cluster::{node, reaper};
use lab_engine::Engine;
use lab_model::{exit::Exit, fault::Fault};
use lab_runner::RunError;
use serde_json::json;
use tokio::time::sleep;

use super::{CommandError, Context, reap, up};
use crate::{
    args::{FaultCommand, HealArgs, MakeArgs, Named},
    output, signals,
};

pub(super) async fn fault(context: &Context, command: FaultCommand) -> Result<Exit, CommandError> {
    match command {
        FaultCommand::Make(args) => make(context, args).await,
        FaultCommand::Heal(args) => heal(context, args).await,
        FaultCommand::List(named) => list(context, &named),
    }
}

async fn make(context: &Context, args: MakeArgs) -> Result<Exit, CommandError> {
    let user = args.user.map(up::process).transpose()?;
    let engine = Engine::connect().await.map_err(RunError::from)?;
    let (name, fault) = (&args.name, Fault::from(args.fault));
    if let Some(user) = user {
        reap::leave_reaper(reaper::watch_process(&user));
        node::inject_for(&engine, name, &fault, &user)
            .await
            .map_err(RunError::from)?;
        show(context, &[fault]);
        return Ok(Exit::Ok);
    }
    reap::leave_reaper(reaper::watch_this_process());
    let (cancel, watcher) = signals::watch(context.global.lang.lang());
    let made = node::inject(&engine, name, &fault).await;
    if made.is_ok() {
        output::remark(&format!("{fault}, until Ctrl-C"));
        let time_is_up = async {
            match args.time {
                Some(time) => sleep(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = cancel.cancelled() => {}
            () = time_is_up => {}
        }
        node::heal(&engine, name, &fault)
            .await
            .map_err(RunError::from)?;
        show(context, &[fault]);
    }
    drop(watcher);
    made.map_err(RunError::from)?;
    Ok(Exit::Ok)
}

async fn heal(context: &Context, args: HealArgs) -> Result<Exit, CommandError> {
    let engine = Engine::connect().await.map_err(RunError::from)?;
    node::known(&engine, &args.name)
        .await
        .map_err(RunError::from)?;
    let healed = match args.fault.map(Fault::from) {
        Some(fault) => node::heal(&engine, &args.name, &fault)
            .await
            .map(|()| vec![fault]),
        None => node::heal_all(&engine, &args.name).await,
    };
    show(context, &healed.map_err(RunError::from)?);
    Ok(Exit::Ok)
}

fn list(context: &Context, named: &Named) -> Result<Exit, CommandError> {
    let faults = node::faults(&named.name).map_err(RunError::from)?;
    show(context, &faults);
    Ok(Exit::Ok)
}

fn show(context: &Context, faults: &[Fault]) {
    let lines: Vec<_> = faults.iter().map(ToString::to_string).collect();
    output::result(&context.global, &json!(faults), &lines.join("\n"));
}
