//! `lab install` and `lab test`: a stack on a cluster, and its scenarios.

use lab_cluster::{node, reaper};
use lab_model::exit::Exit;
use lab_runner::{RunError, Session};

use super::{CommandError, Context, cluster::open, live::Live, reap, run::scenarios};
use crate::{
    args::{ImagePolicy, InstallArgs, TestArgs},
    output, signals,
};

pub(super) async fn install(context: &Context, args: InstallArgs) -> Result<Exit, CommandError> {
    let locked = context.stack(&args.stack.stack, &args.stack.lock)?;
    let workbench = context.workbench(args.images.policy).await?;
    let cluster = open(&workbench, &args.name).await?;
    let live = Live::start(&context.global, None);
    let (cancel, watcher) = signals::watch();
    let session = Session {
        workbench: &workbench,
        emitter: live.emitter(),
        cancel,
    };
    let installed = async {
        let needed: Vec<_> = locked.stack.required_recipes().into_iter().collect();
        session.ready_images(&needed).await?;
        let on_cluster = async {
            let images = session.stack_on_engine(&locked).await?;
            session.load(&cluster, &images.recipes()).await?;
            session.install(&cluster, &locked, &images.not_run).await
        };
        session.unless_interrupted(on_cluster).await
    }
    .await;
    drop(session);
    live.finish().await;
    drop(watcher);
    installed?;
    Ok(Exit::Ok)
}

pub(super) async fn test(context: &Context, args: TestArgs) -> Result<Exit, CommandError> {
    let locked = context.stack(&args.stack.stack, &args.stack.lock)?;
    let scenarios = scenarios(&args.filter);
    scenarios.check(&context.root)?;
    let workbench = context.workbench(ImagePolicy::Auto).await?;
    let cluster = open(&workbench, &args.name).await?;
    // Scenarios make faults: should this process be killed, they are undone.
    reap::leave_reaper(reaper::watch_this_process());
    let live = Live::start(&context.global, None);
    let (cancel, watcher) = signals::watch();
    let session = Session {
        workbench: &workbench,
        emitter: live.emitter(),
        cancel,
    };
    let verified = session
        .unless_interrupted(async {
            let not_run = session.not_installed(&cluster, &locked).await?;
            session
                .verify(&cluster, &locked, &not_run, &scenarios)
                .await
        })
        .await;
    drop(session);
    live.finish().await;
    drop(watcher);
    node::heal_own(&workbench.engine, &cluster.name)
        .await
        .map_err(RunError::from)?;
    let summary = verified?;
    output::remark(&format!(
        "{} passed, {} failed, {} not run",
        summary.passed, summary.failed, summary.not_run
    ));
    Ok(if summary.failed == 0 {
        Exit::Ok
    } else {
        Exit::ScenariosFailed
    })
}
