//! `lab bench`: measure the deployed model, or any server.

use std::{fs, path::Path};

use lab_bench::{Server, error::BenchError, identity::Identity, trust::Trust, workload::Workload};
use lab_model::{
    benchmark::BenchmarkSummary,
    event::{Event, Fact},
    exit::Exit,
    name::ClusterName,
};
use lab_report::{lang::Lang, pictures};
use lab_runner::{RunError, Session, benchmark, benchmark::BenchmarkError, generators};

use super::{CommandError, Context, cluster::open, compare::compare, live::Live, sweep::sweep};
use crate::{
    args::{BenchArgs, BenchCommand, ImagePolicy, StackArgs, TlsArgs},
    output, signals,
};

pub(super) async fn bench(context: &Context, args: BenchArgs) -> Result<Exit, CommandError> {
    match args.command {
        Some(BenchCommand::Compare(args)) => return compare(context, args).await,
        Some(BenchCommand::Sweep(args)) => return sweep(context, args).await,
        None => {}
    }
    let workload =
        benchmark::workload(&context.root, &args.measure.workload).map_err(RunError::from)?;
    let out = args.out.as_deref();
    if let Some(folder) = out {
        make(folder)?;
    }
    let summary = match (args.url, args.name) {
        (Some(url), _) => {
            let trust = trust(&args.measure.tls)?;
            server(context, &Server { url, trust }, &workload, out).await?
        }
        (None, Some(name)) => {
            let wish = Wish {
                name: &name,
                stack: &args.measure.stack,
                generators: args.generators,
            };
            cluster(context, &wish, &workload, out).await?
        }
        (None, None) => return Ok(Exit::Usage),
    };
    if !context.global.json {
        output::text(&lab_report::bench::table(
            &summary,
            context.global.lang.lang(),
        ));
    }
    Ok(if summary.missed.is_empty() {
        Exit::Ok
    } else {
        Exit::BudgetMissed
    })
}

/// Who is believed to say who a server is: also those of a file, where one is named. And
/// what a server is shown that asks who speaks to it.
pub(super) fn trust(args: &TlsArgs) -> Result<Trust, RunError> {
    let read = || -> Result<Trust, BenchError> {
        let believed = args.cacert.as_deref().map(Trust::with_file).transpose()?;
        let believed = believed.unwrap_or_default();
        Ok(match (&args.cert, &args.key) {
            (Some(certificate), Some(key)) => believed.showing(Identity::read(certificate, key)?),
            _ => believed,
        })
    };
    read().map_err(|error| BenchmarkError::from(error).into())
}

/// Measures a server that needs no cluster of ours.
async fn server(
    context: &Context,
    server: &Server,
    workload: &Workload,
    out: Option<&Path>,
) -> Result<BenchmarkSummary, CommandError> {
    let live = Live::start(&context.global, None);
    let (cancel, watcher) = signals::watch(context.global.lang.lang());
    let measured = benchmark::measure_at(server, None, workload, &*live.emitter(), &cancel).await;
    let events = live.finish().await;
    drop(watcher);
    keep(context, out, &events)?;
    Ok(measured?)
}

/// What is to be measured on which cluster.
struct Wish<'a> {
    name: &'a ClusterName,
    stack: &'a StackArgs,
    /// How many make the load, within the cluster; none where this process does.
    generators: Option<u32>,
}

/// Measures what a stack on a cluster has deployed.
async fn cluster(
    context: &Context,
    wish: &Wish<'_>,
    workload: &Workload,
    out: Option<&Path>,
) -> Result<BenchmarkSummary, CommandError> {
    let locked = context.stack(&wish.stack.stack, &wish.stack.lock)?;
    let workbench = context.workbench(ImagePolicy::Auto).await?;
    let cluster = open(&workbench, wish.name).await?;
    let live = Live::start(&context.global, None);
    let (cancel, watcher) = signals::watch(context.global.lang.lang());
    let session = Session {
        workbench: &workbench,
        emitter: live.emitter(),
        cancel,
    };
    let measured = match wish.generators {
        None => benchmark::measure(&session, &cluster, &locked, workload).await,
        Some(count) => generators::measure(&session, &cluster, &locked, workload, count).await,
    };
    drop(session);
    let events = live.finish().await;
    drop(watcher);
    keep(context, out, &events)?;
    Ok(measured?)
}

/// Keeps the figures and pictures of what was measured, by the events that told it.
fn keep(context: &Context, folder: Option<&Path>, events: &[Event]) -> Result<(), CommandError> {
    let finished = events.iter().rev().find_map(|event| match &event.fact {
        Fact::BenchmarkFinished(summary) => Some(summary),
        _ => None,
    });
    let (Some(folder), Some(summary)) = (folder, finished) else {
        return Ok(());
    };
    let lang = context.global.lang.lang();
    write(folder, summary, lang)?;
    tell(folder, lang);
    Ok(())
}

/// Tells where they are.
pub(super) fn tell(folder: &Path, lang: Lang) {
    let folder = folder.display();
    output::say(
        lang,
        &format!("figures and pictures: {folder}"),
        &format!("수치와 그림: {folder}"),
    );
}

/// Makes a folder, before anything is measured: what cannot be kept need not be measured.
pub(super) fn make(folder: &Path) -> Result<(), CommandError> {
    let made = fs::create_dir_all(folder);
    Ok(made.map_err(output::doing(format!("make `{}`", folder.display())))?)
}

/// Writes figures and pictures into a folder.
pub(super) fn write(
    folder: &Path,
    summary: &BenchmarkSummary,
    lang: Lang,
) -> Result<(), CommandError> {
    let json = serde_json::to_string_pretty(summary).unwrap_or_default() + "\n";
    let pictures = pictures::of(summary, lang);
    let pictures = pictures
        .iter()
        .map(|one| (one.file.as_str(), one.svg.as_str()));
    for (file, text) in [("summary.json", json.as_str())]
        .into_iter()
        .chain(pictures)
    {
        let path = folder.join(file);
        fs::write(&path, text).map_err(output::doing(format!("write `{}`", path.display())))?;
    }
    Ok(())
}
