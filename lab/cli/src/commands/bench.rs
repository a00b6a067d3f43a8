//! `lab bench`: measure the deployed model, or any server.

use lab_bench::workload::Workload;
use lab_model::{benchmark::BenchmarkSummary, exit::Exit, name::ClusterName};
use lab_runner::{RunError, Session, benchmark};

use super::{CommandError, Context, cluster::open, compare::compare, live::Live};
use crate::{
    args::{BenchArgs, BenchCommand, ImagePolicy, StackArgs},
    output, signals,
};

pub(super) async fn bench(context: &Context, args: BenchArgs) -> Result<Exit, CommandError> {
    if let Some(BenchCommand::Compare(args)) = args.command {
        return compare(context, args).await;
    }
    let workload = benchmark::workload(&context.root, &args.workload).map_err(RunError::from)?;
    let summary = match (args.url, args.name) {
        (Some(url), _) => server(context, &url, &workload).await?,
        (None, Some(name)) => cluster(context, &name, &args.stack, &workload).await?,
        (None, None) => return Ok(Exit::Usage),
    };
    if !context.global.json {
        output::text(&table(&summary));
    }
    Ok(if summary.missed.is_empty() {
        Exit::Ok
    } else {
        Exit::BudgetMissed
    })
}

/// Measures a server that needs no cluster of ours.
async fn server(
    context: &Context,
    url: &str,
    workload: &Workload,
) -> Result<BenchmarkSummary, CommandError> {
    let live = Live::start(&context.global, None);
    let (cancel, watcher) = signals::watch();
    let measured = benchmark::measure_at(url, workload, &*live.emitter(), &cancel).await;
    live.finish().await;
    drop(watcher);
    Ok(measured?)
}

/// Measures what a stack on a cluster has deployed.
async fn cluster(
    context: &Context,
    name: &ClusterName,
    stack: &StackArgs,
    workload: &Workload,
) -> Result<BenchmarkSummary, CommandError> {
    let locked = context.stack(&stack.stack, &stack.lock)?;
    let workbench = context.workbench(ImagePolicy::Auto).await?;
    let cluster = open(&workbench, name).await?;
    let live = Live::start(&context.global, None);
    let (cancel, watcher) = signals::watch();
    let session = Session {
        workbench: &workbench,
        emitter: live.emitter(),
        cancel,
    };
    let measured = session
        .unless_interrupted(benchmark::measure(&session, &cluster, &locked, workload))
        .await;
    drop(session);
    live.finish().await;
    drop(watcher);
    Ok(measured?)
}

fn table(summary: &BenchmarkSummary) -> String {
    let mut text =
        String::from("load               requests/s    p50 us    p95 us    p99 us  errors\n");
    for point in &summary.points {
        let latency = point.latency;
        text.push_str(&format!(
            "{:<17}  {:>10.1}  {:>8.0}  {:>8.0}  {:>8.0}  {:>6}{}\n",
            point.offered.to_string(),
            point.throughput,
            latency.p50,
            latency.p95,
            latency.p99,
            point.errors,
            if point.void.is_empty() { "" } else { "  void" }
        ));
    }
    text
}
