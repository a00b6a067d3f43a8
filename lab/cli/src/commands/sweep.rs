//! `lab bench sweep`: the model served in different ways.

use std::path::Path;

use lab_bench::{Server, sweep::Sweep};
use lab_model::{
    event::{Event, Fact},
    exit::Exit,
};
use lab_report::lang::Lang;
use lab_runner::{
    RunError, Session, benchmark,
    sweep::{self, Swept},
};

use super::{CommandError, Context, bench, cluster::open, compare::cluster_name, live::Live};
use crate::{
    args::{ImagePolicy, SweepArgs},
    output, signals,
};

pub(super) async fn sweep(context: &Context, args: SweepArgs) -> Result<Exit, CommandError> {
    let workload =
        benchmark::workload(&context.root, &args.measure.workload).map_err(RunError::from)?;
    let sweep = Sweep {
        workload: &workload,
        variants: &args.axes().variants(),
    };
    let lang = context.global.lang.lang();
    if let Some(folder) = &args.out {
        bench::make(folder)?;
    }
    let live = Live::start(&context.global, None);
    let swept = measure(context, &args, &sweep, &live).await;
    let events = live.finish().await;
    if let Some(folder) = &args.out {
        keep(folder, &events, lang)?;
    }
    let swept: Vec<_> = swept?
        .into_iter()
        .map(|(variant, summary)| (variant.to_string(), summary))
        .collect();
    if !context.global.json {
        output::text(&lab_report::sweep::table(&swept, lang));
    }
    let within = swept.iter().all(|(_, one)| one.missed.is_empty());
    Ok(if within { Exit::Ok } else { Exit::BudgetMissed })
}

async fn measure(
    context: &Context,
    args: &SweepArgs,
    wished: &Sweep<'_>,
    live: &Live,
) -> Result<Swept, CommandError> {
    if args.server.contains("://") {
        let server = Server {
            url: args.server.clone(),
            trust: bench::trust(&args.measure.tls)?,
        };
        let (cancel, _watcher) = signals::watch(context.global.lang.lang());
        let measured = sweep::sweep_at(&server, wished, &*live.emitter(), &cancel).await;
        return Ok(measured?);
    }
    let name = cluster_name(&args.server)?;
    let locked = context.stack(&args.measure.stack.stack, &args.measure.stack.lock)?;
    let workbench = context.workbench(ImagePolicy::Auto).await?;
    let cluster = open(&workbench, &name).await?;
    let (cancel, _watcher) = signals::watch(context.global.lang.lang());
    let session = Session {
        workbench: &workbench,
        emitter: live.emitter(),
        cancel,
    };
    Ok(sweep::sweep(&session, &cluster, &locked, wished).await?)
}

/// Keeps what each way brought, in a folder named by it.
fn keep(folder: &Path, events: &[Event], lang: Lang) -> Result<(), CommandError> {
    for event in events {
        if let Fact::BenchmarkFinished(summary) = &event.fact {
            let own = folder.join(summary.workload.replace(['(', ')'], "").replace(' ', "-"));
            bench::make(&own)?;
            bench::write(&own, summary, lang)?;
            bench::tell(&own, lang);
        }
    }
    Ok(())
}
