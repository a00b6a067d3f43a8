//! `lab bench compare`: a verdict on two servers.

use lab_bench::{
    Server,
    duel::{Compared, Duel},
    trust::Trust,
    verdict::{Outcome, Plan},
    workload::Workload,
};
use lab_model::{exit::Exit, name::ClusterName};
use lab_report::lang::Lang;
use lab_runner::{Endpoints, RunError, benchmark};
use serde_json::json;

use super::{CommandError, Context, bench::trust, cluster::open, live::Live};
use crate::{
    args::{CompareArgs, ImagePolicy, StackArgs},
    output, signals,
};

pub(super) async fn compare(context: &Context, args: CompareArgs) -> Result<Exit, CommandError> {
    let workload =
        benchmark::workload(&context.root, &args.measure.workload).map_err(RunError::from)?;
    let plan = plan(&args);
    let trust = trust(&args.measure.tls)?;
    let stack = &args.measure.stack;
    let find = async |named| Found::find(context, named, stack, &workload, &trust).await;
    let (a, b) = (find(&args.a).await?, find(&args.b).await?);
    let duel = Duel {
        workload: &workload,
        concurrency: args.concurrency,
        a: &a.server,
        b: &b.server,
    };
    let live = Live::start(&context.global, None);
    let (cancel, watcher) = signals::watch(context.global.lang.lang());
    let calibrates = !args.no_calibration;
    let compared = benchmark::compare(&duel, &plan, calibrates, &*live.emitter(), &cancel).await;
    live.finish().await;
    drop(watcher);
    let Compared {
        verdict,
        comparison,
    } = compared?;
    let all = json!({"a": a.server.url, "b": b.server.url, "verdict": verdict, "runs": comparison});
    let text = match context.global.lang.lang() {
        Lang::English => verdict.to_string(),
        Lang::Korean => verdict.korean().to_string(),
    };
    output::line(&context.global, &all, &text);
    Ok(match verdict.outcome {
        _ if cancel.is_cancelled() => Exit::Interrupted,
        Outcome::Slower => Exit::BudgetMissed,
        Outcome::Faster | Outcome::Same | Outcome::Undecided => Exit::Ok,
    })
}

fn plan(args: &CompareArgs) -> Plan {
    let plan = if args.tails {
        Plan::for_tails(args.seed)
    } else {
        Plan::new(args.seed)
    };
    Plan {
        pairs: args.pairs.unwrap_or(plan.pairs),
        threshold: args.threshold / 100.0,
        ..plan
    }
}

/// A server that is compared.
struct Found {
    server: Server,
    /// Forwards live as long as they are held.
    _endpoints: Option<Endpoints>,
}

impl Found {
    /// An address as it is, or the model server of the cluster of this name.
    async fn find(
        context: &Context,
        named: &str,
        stack: &StackArgs,
        workload: &Workload,
        trust: &Trust,
    ) -> Result<Self, CommandError> {
        if named.contains("://") {
            return Ok(Self {
                server: Server {
                    url: named.to_owned(),
                    trust: trust.clone(),
                },
                _endpoints: None,
            });
        }
        let name = cluster_name(named)?;
        let locked = context.stack(&stack.stack, &stack.lock)?;
        let workbench = context.workbench(ImagePolicy::Auto).await?;
        let cluster = open(&workbench, &name).await?;
        let endpoints = Endpoints::open(&cluster, &locked).await?;
        let server = benchmark::server(&endpoints, &locked, workload).map_err(RunError::from)?;
        Ok(Self {
            server,
            _endpoints: Some(endpoints),
        })
    }
}

/// The name of a cluster, where an address could stand as well.
pub(super) fn cluster_name(named: &str) -> Result<ClusterName, CommandError> {
    named
        .parse::<ClusterName>()
        .map_err(|error| CommandError::NoServer {
            named: named.to_owned(),
            reason: error.to_string(),
        })
}
