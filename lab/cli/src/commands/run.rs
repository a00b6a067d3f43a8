//! `lab run`: the whole job.

use jiff::Timestamp;
use lab_cluster::reaper;
use lab_model::exit::Exit;
use lab_report::fold::fold;
use lab_runner::{Plan, RunError, benchmark, plan, run as whole_job};

use super::{CommandError, Context, existing, history, live, reap, report};
use crate::{
    args::{FilterArgs, RunArgs},
    output, signals,
};

/// The workload that a run measures with.
const WORKLOAD: &str = "digits";

pub(super) async fn run(context: &Context, args: RunArgs) -> Result<Exit, CommandError> {
    let plan = plan(context, &args)?;
    if args.dry_run {
        output::text(&plan.to_string());
        return Ok(Exit::Ok);
    }
    existing::examine(&plan.cluster, plan.existing.as_ref()).await?;
    let workbench = context.workbench(args.images.policy).await?;
    reap::leave_reaper(reaper::watch_this_process());
    let folder = context.runs().join(plan.run.as_str());
    let expected = history::expected(context, &plan);
    let record = live::record_in(&folder)?;
    let live = live::Live::start_expecting(&context.global, Some(record), expected);
    let (cancel, watcher) = signals::watch(context.global.lang.lang());
    let ended = whole_job(&plan, &workbench, live.log(), &cancel).await;
    let events = live.finish().await;
    drop(watcher);
    report::write(context, &folder, &fold(events))?;
    Ok(ended?)
}

/// What a run with these arguments will do.
pub(super) fn plan(context: &Context, args: &RunArgs) -> Result<Plan, CommandError> {
    let locked = context.stack(&args.stack, &args.lock)?;
    let scenarios = scenarios(context, &args.filter);
    scenarios.check(&context.root)?;
    let workload = benchmark::workload(&context.root, WORKLOAD).map_err(RunError::from)?;
    let run = plan::run_id(Timestamp::now(), std::process::id())
        .map_err(output::doing("name the run"))?;
    let cluster = run
        .as_str()
        .replacen("run-", "lab-", 1)
        .parse()
        .map_err(output::doing("name the cluster"))?;
    Ok(Plan {
        run,
        cluster,
        provider: args.cluster.provider,
        node_image: args.cluster.node_image(),
        gpus: args.cluster.gpus,
        existing: existing::wish(&args.cluster)?,
        registry: args.cluster.existing.registry.place.clone(),
        nodes: args.cluster.nodes,
        locked,
        scenarios,
        workload: (!args.no_bench).then_some(workload),
        keep_on_failure: args.keep_on_failure,
    })
}

/// Which scenarios the arguments ask for.
pub(super) fn scenarios(context: &Context, filter: &FilterArgs) -> plan::Scenarios {
    plan::Scenarios {
        features: filter.feature.clone(),
        tags: filter.tags.clone(),
        lang: context.global.lang.lang().code().to_owned(),
    }
}
