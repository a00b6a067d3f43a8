//! `lab install` and `lab test`: a stack on a cluster, and its scenarios.

use lab_cluster::{Cluster, existing, node, reaper};
use lab_model::{exit::Exit, provider::Provider};
use lab_runner::{RunError, Session, StackImages};
use lab_stack::catalogue::LockedStack;

use super::{CommandError, Context, cluster::open, live::Live, reap, run::scenarios};
use crate::{
    args::{ImagePolicy, InstallArgs, TestArgs},
    output, signals,
};

pub(super) async fn install(context: &Context, args: InstallArgs) -> Result<Exit, CommandError> {
    let locked = context.stack(&args.stack.stack, &args.stack.lock)?;
    let workbench = context.workbench(args.images.policy).await?;
    let cluster = open(&workbench, &args.name).await?;
    if let Some(place) = args
        .registry
        .place
        .as_ref()
        .filter(|_| is_existing(&cluster))
    {
        existing::pull_from(&cluster.name, place).map_err(RunError::from)?;
    }
    let live = Live::start(&context.global, None);
    let (cancel, watcher) = signals::watch(context.global.lang.lang());
    let session = Session {
        workbench: &workbench,
        emitter: live.emitter(),
        cancel,
    };
    let installed = async {
        let images = ready(&session, &cluster, &locked).await?;
        let on_cluster = async {
            let images = session.place(&cluster, &locked, images).await?;
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

fn is_existing(cluster: &Cluster) -> bool {
    cluster.provider == Provider::Existing
}

/// The images the stack is to be installed with. What it can do without is not waited for.
async fn ready(
    session: &Session<'_>,
    cluster: &Cluster,
    locked: &LockedStack,
) -> Result<StackImages, RunError> {
    if is_existing(cluster) {
        let registry = existing::registry(&cluster.name)?;
        return session
            .ready_for(cluster.provider, registry.as_ref(), locked)
            .await;
    }
    let needed: Vec<_> = locked.stack.required_recipes().into_iter().collect();
    session.ready_images(&needed).await?;
    session.stack_on_engine(locked).await
}

pub(super) async fn test(context: &Context, args: TestArgs) -> Result<Exit, CommandError> {
    let locked = context.stack(&args.stack.stack, &args.stack.lock)?;
    let scenarios = scenarios(context, &args.filter);
    scenarios.check(&context.root)?;
    let workbench = context.workbench(ImagePolicy::Auto).await?;
    let cluster = open(&workbench, &args.name).await?;
    // Scenarios make faults: should this process be killed, they are undone.
    reap::leave_reaper(reaper::watch_this_process());
    let live = Live::start(&context.global, None);
    let (cancel, watcher) = signals::watch(context.global.lang.lang());
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
    let (passed, failed, not_run) = (summary.passed, summary.failed, summary.not_run);
    output::say(
        context.global.lang.lang(),
        &format!("{passed} passed, {failed} failed, {not_run} not run"),
        &format!("{passed}개 통과, {failed}개 실패, {not_run}개 실행 안 됨"),
    );
    Ok(if summary.failed == 0 {
        Exit::Ok
    } else {
        Exit::ScenariosFailed
    })
}
