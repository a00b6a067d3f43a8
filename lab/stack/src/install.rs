//! Installs a stack and waits until every component is ready.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use lab_k8s::{
    Kube,
    readiness::{ReadinessError, Told, Workload, wait_ready},
};
use lab_model::{
    event::{Emitter, Fact, Progress},
    hindrance::Hindrance,
    installed::{InstalledComponent, InstalledEndpoint, InstalledStack},
    outcome::Outcome,
    progress::{Step, Task},
    remark::Remark,
    stack::{Component, Endpoint},
};
use miette::Diagnostic;
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::{
    catalogue::LockedStack,
    helm::{Helm, HelmError},
    version,
};

/// How long nothing may change before a wait is given up. A database migration
/// under load is the longest silence seen.
const IDLE_LIMIT: Duration = Duration::from_mins(2);

/// A stack that could not be installed.
#[derive(Debug, Error, Diagnostic)]
pub enum InstallError {
    /// Helm refused.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Helm(#[from] HelmError),
    /// A component does not become ready.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Readiness(#[from] ReadinessError),
    /// No HTTP client could be made.
    #[error("failed to make an HTTP client")]
    #[diagnostic(code(lab::stack::http))]
    Http(#[source] reqwest::Error),
}

/// Where a stack is installed to.
pub struct Target<'a> {
    /// The cluster's API.
    pub kube: &'a Kube,
    /// Helm, bound to the same cluster.
    pub helm: &'a Helm,
    /// Image references by recipe name.
    pub images: BTreeMap<String, String>,
    /// Base URLs of the stack's endpoints, by their names.
    pub endpoints: BTreeMap<String, String>,
    /// Components that cannot run here, by name, with the reason.
    pub not_run: BTreeMap<String, Hindrance>,
    /// Labels by which what is ours is known, on a cluster that has others' things too.
    /// There no NodePorts are taken.
    pub own: Option<BTreeMap<String, String>>,
}

/// Installs the stack's release and waits for its components.
///
/// # Errors
/// When Helm refuses, or as soon as a component is known not to become ready.
pub async fn install(
    locked: &LockedStack,
    target: &Target<'_>,
    emitter: &dyn Emitter,
) -> Result<(), InstallError> {
    let started = Instant::now();
    let stack = &locked.stack;
    let release = &stack.release;
    let values = values(&stack.components, target);
    let handed = target
        .helm
        .upgrade_install(&release.name, &stack.namespace, &locked.chart, &values)
        .await;
    // Also where Helm gave up half-way: the pods that it made log all the same.
    hide_secrets(target.kube, &stack.namespace, emitter).await;
    handed?;
    emitter.emit(Fact::StackInstalled(installed(locked, target, started)));

    for component in stack
        .components
        .iter()
        .filter(|it| target.not_run.contains_key(&it.name))
    {
        let reason = target.not_run[&component.name].clone();
        emitter.emit(finished(
            locked,
            component,
            Outcome::NotRun { reason },
            None,
            started,
        ));
    }
    let running: Vec<_> = stack
        .components
        .iter()
        .filter(|it| !target.not_run.contains_key(&it.name))
        .collect();
    let workloads: BTreeSet<_> = running
        .iter()
        .filter_map(|it| Workload::parse(&it.workload))
        .collect();
    let workloads: Vec<_> = workloads.into_iter().collect();
    let mut ready = Vec::new();
    wait_ready(
        target.kube,
        &stack.namespace,
        &workloads,
        IDLE_LIMIT,
        |told| {
            let (Told::Ready(workload) | Told::Waits(workload, _)) = told;
            for component in &running {
                if Workload::parse(&component.workload).as_ref() != Some(workload) {
                    continue;
                }
                emitter.progress(waiting(component, told));
                if matches!(told, Told::Ready(_)) {
                    ready.push((*component, started.elapsed()));
                    emitter.emit(Fact::Noted {
                        remark: Remark::ComponentReady {
                            component: component.title.clone(),
                        },
                    });
                }
            }
        },
    )
    .await?;
    report_versions(locked, target, &ready, emitter).await
}

/// Sees that no password of a stack is ever told, whatever its pods log. A cluster that
/// does not answer now tells no logs either.
pub async fn hide_secrets(kube: &Kube, namespace: &str, emitter: &dyn Emitter) {
    if let Ok(secrets) = kube.secret_texts(namespace).await {
        emitter.hide(secrets);
    }
}

/// How far a component is.
fn waiting(component: &Component, told: Told<'_>) -> Progress {
    let (done, total, now) = match told {
        Told::Ready(_) => (1, Some(1), Step::Ready.into()),
        Told::Waits(_, why) => (0, None, why.clone()),
    };
    Progress {
        task: Task::Component {
            name: component.title.clone(),
        },
        now,
        done,
        total,
        remaining_seconds: None,
    }
}

/// What the cluster was given, with the addresses that a person can ask.
fn installed(locked: &LockedStack, target: &Target<'_>, started: Instant) -> InstalledStack {
    let stack = &locked.stack;
    let components = stack
        .components
        .iter()
        .filter(|it| !target.not_run.contains_key(&it.name));
    // Addresses of forwards are gone with this process.
    let urls = target.own.is_none().then_some(&target.endpoints);
    let endpoint = |it: &Endpoint| InstalledEndpoint {
        name: it.name.clone(),
        service: it.service.clone(),
        port: it.port,
        node_port: urls.is_some().then_some(it.node_port),
        url: urls.and_then(|urls| urls.get(&it.name)).cloned(),
    };
    InstalledStack {
        namespace: stack.namespace.clone(),
        release: stack.release.name.clone(),
        chart: stack.release.chart.clone(),
        millis: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        images: target.images.clone(),
        components: components
            .map(|it| InstalledComponent {
                name: it.name.clone(),
                title: it.title.clone(),
                workload: it.workload.clone(),
                needs: it.needs.clone(),
                endpoints: it.endpoints.iter().map(endpoint).collect(),
            })
            .collect(),
    }
}

async fn report_versions(
    locked: &LockedStack,
    target: &Target<'_>,
    ready: &[(&Component, Duration)],
    emitter: &dyn Emitter,
) -> Result<(), InstallError> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .build()
        .map_err(InstallError::Http)?;
    for (component, after) in ready {
        let actual = match &component.version_probe {
            Some(probe) => version::ask(&client, probe, &target.endpoints).await,
            None => None,
        };
        let actual =
            actual.or_else(|| Some(locked.lock.components[&component.name].version.clone()));
        let began = Instant::now()
            .checked_sub(*after)
            .unwrap_or_else(Instant::now);
        emitter.emit(finished(locked, component, Outcome::Passed, actual, began));
    }
    Ok(())
}

fn finished(
    locked: &LockedStack,
    component: &Component,
    outcome: Outcome,
    actual: Option<String>,
    started: Instant,
) -> Fact {
    Fact::ComponentFinished {
        component: component.title.clone(),
        image: Some(component.image.clone()),
        documented: locked.lock.components[&component.name].documented.clone(),
        actual,
        outcome,
        millis: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}

/// The chart's values: image references, and which optional components are on.
fn values(components: &[Component], target: &Target<'_>) -> Value {
    let mut values = Map::new();
    values.insert("images".to_owned(), json!(target.images));
    if let Some(labels) = &target.own {
        values.insert("commonLabels".to_owned(), json!(labels));
        values.insert("serviceType".to_owned(), json!("ClusterIP"));
    }
    for component in components {
        if let Some(enable) = &component.enable {
            let on = !target.not_run.contains_key(&component.name);
            set(&mut values, enable, Value::Bool(on));
        }
    }
    Value::Object(values)
}

/// Sets a dotted path, as `helm --set` would.
fn set(values: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            values.insert(path.to_owned(), value);
        }
        Some((head, rest)) => {
            let inner = values.entry(head.to_owned()).or_insert_with(|| json!({}));
            if let Value::Object(inner) = inner {
                set(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dotted_path_sets_a_nested_value() {
        let mut values = Map::new();
        set(&mut values, "grafana.enabled", Value::Bool(false));
        set(&mut values, "grafana.image", Value::from("x"));
        let expected = json!({"grafana": {"enabled": false, "image": "x"}});
        assert_eq!(Value::Object(values), expected);
    }
}
