//! `lab bench`: measure the deployed model.

use lab_model::exit::Exit;
use lab_runner::{RunError, Session, benchmark};

use super::{CommandError, Context, cluster::open, live::Live};
use crate::{
    args::{BenchArgs, ImagePolicy},
    output, signals,
};

pub(super) async fn bench(context: &Context, args: BenchArgs) -> Result<Exit, CommandError> {
    let workbench = context.workbench(ImagePolicy::Auto).await?;
    let locked = workbench
        .catalogue
        .load(&args.stack.stack, &args.stack.lock)
        .map_err(RunError::from)?;
    let cluster = open(&workbench, &args.name).await?;
    let live = Live::start(&context.global, None);
    let (cancel, watcher) = signals::watch();
    let session = Session {
        workbench: &workbench,
        emitter: live.emitter(),
        cancel,
    };
    let measured = session
        .unless_interrupted(benchmark::measure(
            &session,
            &cluster,
            &locked,
            &args.workload,
        ))
        .await;
    drop(session);
    live.finish().await;
    drop(watcher);
    let summary = measured?;
    let mut text = String::from("concurrency  requests/s    p50 us    p95 us    p99 us  errors\n");
    for point in &summary.points {
        let latency = point.latency;
        text.push_str(&format!(
            "{:>11}  {:>10.1}  {:>8}  {:>8}  {:>8}  {:>6}\n",
            point.concurrency,
            point.throughput,
            latency.p50,
            latency.p95,
            latency.p99,
            point.errors
        ));
    }
    if !context.global.json {
        output::text(&text);
    }
    Ok(Exit::Ok)
}
