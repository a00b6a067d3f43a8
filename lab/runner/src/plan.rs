//! What a run will do, decided before anything is touched.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use lab_bench::workload::Workload;
use lab_cluster::existing::Wish;
use lab_image::Registry;
use lab_model::{
    event::{Host, RunStarted},
    gpu::Gpus,
    name::{ClusterName, InvalidName, RunId},
    provider::Provider,
    stage::Stage,
};
use lab_scenarios::Filter;
use lab_stack::catalogue::LockedStack;

use crate::error::RunError;

/// Recipes of the images that are built for the nodes of a provider.
pub const fn of_nodes(provider: Provider) -> &'static [&'static str] {
    match provider {
        Provider::Node => &["node"],
        Provider::K3s | Provider::Kind | Provider::Existing => &[],
    }
}

/// Recipes of the images that every cluster with a stack needs, besides what its nodes
/// run where that is pulled.
pub fn always(provider: Provider) -> Vec<&'static str> {
    [of_nodes(provider), &["helm"]].concat()
}

/// What a run will do. Pure: made from options, shown by `--dry-run`.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The run.
    pub run: RunId,
    /// The cluster it makes.
    pub cluster: ClusterName,
    /// The provider that makes it.
    pub provider: Provider,
    /// The image of its nodes, where the provider leaves a choice and one was made.
    pub node_image: Option<String>,
    /// How many of the machine's GPUs it gets.
    pub gpus: Gpus,
    /// Which cluster that is there is meant, for the provider `existing`.
    pub existing: Option<Wish>,
    /// Where that cluster's nodes pull images from.
    pub registry: Option<Registry>,
    /// How many nodes the cluster has.
    pub nodes: u8,
    /// The stack and its versions.
    pub locked: LockedStack,
    /// Which scenarios.
    pub scenarios: Scenarios,
    /// The workload to measure with; none leaves the benchmark out.
    pub workload: Option<Workload>,
    /// Whether a failed run keeps its cluster.
    pub keep_on_failure: bool,
}

/// Which scenarios run.
#[derive(Debug, Clone, Default)]
pub struct Scenarios {
    /// Only features of these names; empty means all.
    pub features: Vec<String>,
    /// Only scenarios whose tags match this expression.
    pub tags: Option<String>,
    /// The language of the features: `en` or `ko`.
    pub lang: String,
}

impl Scenarios {
    /// Sees that they can be chosen, before anything is made that they could run on.
    ///
    /// # Errors
    /// When a name or an expression is none, or nothing is left to run.
    pub fn check(&self, root: &Path) -> Result<(), RunError> {
        Ok(lab_scenarios::check(&self.folder(root), &self.filter())?)
    }

    /// Where their features lie in a checkout.
    pub(crate) fn folder(&self, root: &Path) -> PathBuf {
        let english = root.join("features");
        match self.lang.as_str() {
            "en" => english,
            other => english.join(other),
        }
    }

    pub(crate) fn filter(&self) -> Filter {
        Filter {
            features: self.features.clone(),
            tags: self.tags.clone(),
        }
    }
}

/// A run's id from the time it starts and the process that runs it: runs sort by
/// name, and two that start at once differ.
///
/// # Errors
/// Never for times of this era; the error keeps the caller honest.
pub fn run_id(now: Timestamp, process: u32) -> Result<RunId, InvalidName> {
    format!("run-{}-{process}", now.strftime("%Y%m%d-%H%M%S")).parse()
}

impl Plan {
    /// The stages this run goes through.
    pub fn stages(&self) -> impl Iterator<Item = Stage> {
        Stage::ALL
            .into_iter()
            .filter(|it| *it != Stage::Benchmark || self.workload.is_some())
    }

    /// What a run of it begins with, on this machine.
    pub fn begins(&self, host: Host) -> RunStarted {
        RunStarted {
            run: self.run.clone(),
            cluster: self.cluster.clone(),
            lab_version: env!("CARGO_PKG_VERSION").to_owned(),
            stack: self.locked.name.clone(),
            lock: self.locked.lock_name.clone(),
            provider: self.provider.to_string(),
            plan: self.line(),
            host,
        }
    }

    /// Whether a run that began so did what this plan is about to do.
    pub fn is_like(&self, began: &RunStarted) -> bool {
        began.stack == self.locked.name
            && began.lock == self.locked.lock_name
            && began.provider == self.provider.as_str()
            && began.plan == self.line()
    }

    /// By what, beside stack and provider, one plan does the same as another.
    fn line(&self) -> String {
        let Scenarios {
            features,
            tags,
            lang,
        } = &self.scenarios;
        let features = match features.as_slice() {
            [] => "all".to_owned(),
            some => some.join(", "),
        };
        let workload = self.workload.as_ref().map_or("none", |it| &it.name);
        format!(
            "nodes {}, GPUs {}, features {features}, tags {}, lang {lang}, workload {workload}",
            self.nodes,
            self.gpus,
            tags.as_deref().unwrap_or("any"),
        )
    }

    /// Recipes of every image it needs.
    pub fn recipes(&self) -> Vec<&str> {
        let mut recipes = always(self.provider);
        if self.provider == Provider::K3s && self.node_image.is_none() {
            recipes.push("k3s");
        }
        recipes.extend(self.locked.stack.required_recipes());
        recipes
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stack = &self.locked.stack;
        writeln!(f, "run       {}", self.run)?;
        let nodes = match (&self.existing, self.nodes) {
            (Some(wish), _) => match &wish.context {
                Some(context) => format!("context {context}"),
                None => "the current context".to_owned(),
            },
            (None, 1) => "1 node".to_owned(),
            (None, several) => format!("{several} nodes"),
        };
        let gpus = match self.gpus {
            Gpus::Auto => String::new(),
            other => format!(", GPUs: {other}"),
        };
        writeln!(
            f,
            "cluster   {} (provider {}{}, {nodes}{gpus})",
            self.cluster,
            self.provider,
            self.node_image
                .iter()
                .fold(String::new(), |_, it| format!(", image {it}"))
        )?;
        writeln!(
            f,
            "stack     {} ({}): {}",
            self.locked.name, self.locked.lock_name, stack.description
        )?;
        writeln!(f, "images    {}", self.recipes().join(", "))?;
        let optional: Vec<_> = stack.optional_recipes().into_iter().collect();
        if !optional.is_empty() {
            let optional = optional.join(", ");
            writeln!(
                f,
                "          {optional} (goes on without, where it cannot be had)"
            )?;
        }
        for component in &stack.components {
            let version = &self.locked.lock.components[&component.name].version;
            writeln!(f, "component {}: {version}", component.title)?;
        }
        let stages: Vec<_> = self.stages().map(Stage::as_str).collect();
        write!(f, "stages    {}", stages.join(" > "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_needs_no_node_image_of_ours() {
        assert_eq!(always(Provider::Node), ["node", "helm"]);
        assert_eq!(always(Provider::Kind), ["helm"]);
    }

    #[test]
    fn run_ids_sort_by_time() {
        let early = run_id("2025-06-01T08:00:00Z".parse().unwrap(), 77).unwrap();
        let late = run_id("2025-06-01T08:00:01Z".parse().unwrap(), 12).unwrap();
        assert_eq!(early.as_str(), "run-20250601-080000-77");
        assert!(early < late);
    }
}
