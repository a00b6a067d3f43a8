//! `lab logs`: what a node, one of its programs or a component of the stack says.

use futures::TryStreamExt;
use lab_cluster::{
    kind,
    node::{self, LogWish},
};
use lab_engine::Engine;
use lab_k8s::{
    Kube,
    logs::{LogRange, of_workload},
    readiness::Workload,
};
use lab_model::{exit::Exit, stack::Component};
use lab_runner::RunError;
use lab_stack::catalogue::LockedStack;
use serde_json::json;

use super::{CommandError, Context};
use crate::{args::LogsArgs, output, signals};

pub(super) async fn logs(context: &Context, args: LogsArgs) -> Result<Exit, CommandError> {
    if let Some(folder) = &args.export {
        kind::export(&args.name, folder)
            .await
            .map_err(RunError::from)?;
        let text = folder.to_string_lossy();
        output::result(&context.global, &json!({"folder": folder}), &text);
        return Ok(Exit::Ok);
    }
    let locked = context.stack(&args.stack.stack, &args.stack.lock)?;
    let engine = Engine::connect().await.map_err(RunError::from)?;
    let (cancel, watcher) = signals::watch(context.global.lang.lang());
    let ended = tokio::select! {
        ended = print(context, &engine, &locked, args) => ended,
        () = cancel.cancelled() => Err(RunError::Interrupted.into()),
    };
    drop(watcher);
    ended?;
    Ok(Exit::Ok)
}

async fn print(
    context: &Context,
    engine: &Engine,
    locked: &LockedStack,
    args: LogsArgs,
) -> Result<(), CommandError> {
    let Some(name) = &args.component else {
        let show = |line: &str| show(context, None, line);
        let printed = lab_cluster::logs(engine, &args.name, &wish(&args), show).await;
        return Ok(printed.map_err(RunError::from)?);
    };
    let components = &locked.stack.components;
    match components.iter().find(|it| it.name == *name) {
        Some(component) => of_stack(context, engine, locked, component, &args).await,
        None => of_node(context, engine, locked, name, &args).await,
    }
}

fn wish(args: &LogsArgs) -> LogWish {
    LogWish {
        node: args.node.clone(),
        tail: args.tail,
        follow: args.follow,
    }
}

/// What the containers of a component of the stack say.
async fn of_stack(
    context: &Context,
    engine: &Engine,
    locked: &LockedStack,
    component: &Component,
    args: &LogsArgs,
) -> Result<(), CommandError> {
    let cluster = lab_cluster::open(engine, &args.name)
        .await
        .map_err(RunError::from)?;
    let kube = Kube::from_kubeconfig_file(&cluster.kubeconfig)
        .await
        .map_err(RunError::from)?;
    let range = LogRange {
        tail: args.tail,
        follow: args.follow,
    };
    let namespace = &locked.stack.namespace;
    let lines = match Workload::parse(&component.workload) {
        Some(workload) => of_workload(&kube, namespace, &workload, range).await,
        None => Ok(None),
    };
    let Some(mut lines) = lines.map_err(RunError::from)? else {
        return Err(CommandError::NotInstalled {
            component: component.name.clone(),
            cluster: args.name.clone(),
        });
    };
    let mut is_silent = true;
    while let Some(line) = lines.try_next().await.map_err(RunError::from)? {
        is_silent = false;
        let source = format!("{}/{}", line.pod, line.container);
        show(context, Some(&source), &line.text);
    }
    if is_silent {
        let (component, cluster) = (&component.name, &args.name);
        output::say(
            context.global.lang.lang(),
            &format!(
                "{component} says nothing, or has no pod now: `lab status {cluster}` shows the pods"
            ),
            &format!(
                "{component}: 출력이 없거나 지금 파드가 없습니다. 파드는 `lab status {cluster}`로 봅니다"
            ),
        );
    }
    Ok(())
}

/// What one of the node's own programs says.
async fn of_node(
    context: &Context,
    engine: &Engine,
    locked: &LockedStack,
    program: &str,
    args: &LogsArgs,
) -> Result<(), CommandError> {
    let programs = node::programs(engine, &args.name, args.node.as_deref())
        .await
        .map_err(RunError::from)?;
    if !programs.iter().any(|it| it == program) {
        let components = locked.stack.components.iter();
        let components: Vec<_> = components.map(|it| it.name.as_str()).collect();
        return Err(CommandError::NoComponent {
            component: program.to_owned(),
            stack: components.join(", "),
            node: programs.join(", "),
        });
    }
    let show = |line: &str| show(context, None, line);
    node::program_log(engine, &args.name, program, &wish(args), show)
        .await
        .map_err(RunError::from)?;
    Ok(())
}

/// Prints a line, with the container that says it where there may be several.
fn show(context: &Context, source: Option<&str>, line: &str) {
    let text = match source {
        Some(source) => format!("{source}: {line}"),
        None => line.to_owned(),
    };
    output::line(
        &context.global,
        &json!({"source": source, "line": line}),
        &text,
    );
}
