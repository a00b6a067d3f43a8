//! What a run will do, decided before anything is touched.

use std::fmt;

use jiff::Timestamp;
use lab_cluster::existing::Wish;
use lab_image::Registry;
use lab_model::{
    name::{ClusterName, InvalidName, RunId},
    provider::Provider,
    stage::Stage,
};
use lab_stack::catalogue::LockedStack;

/// Recipes of the images that every cluster with a stack needs.
pub const ALWAYS: [&str; 2] = ["node", "helm"];
/// The same where the nodes are others'.
pub const WITHOUT_NODES: [&str; 1] = ["helm"];

/// What a run will do. Pure: made from options, shown by `--dry-run`.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The run.
    pub run: RunId,
    /// The cluster it makes.
    pub cluster: ClusterName,
    /// The provider that makes it.
    pub provider: Provider,
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
    pub workload: Option<String>,
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

/// A run's id from the time it starts and the process that runs it: runs sort by
/// name, and two that start at once differ.
///
/// # Errors
/// Never for times of this era; the error keeps the caller honest.
pub fn run_id(now: Timestamp, process: u32) -> Result<RunId, InvalidName> {
    format!("run-{}-{process}", now.strftime("%Y%m%d-%H%M%S")).parse()
}

/// Recipes of the images that every cluster of that provider needs.
pub const fn always(provider: Provider) -> &'static [&'static str] {
    if matches!(provider, Provider::Existing) {
        &WITHOUT_NODES
    } else {
        &ALWAYS
    }
}

impl Plan {
    /// The stages this run goes through.
    pub fn stages(&self) -> impl Iterator<Item = Stage> {
        Stage::ALL
            .into_iter()
            .filter(|it| *it != Stage::Benchmark || self.workload.is_some())
    }

    /// Recipes of every image it needs.
    pub fn recipes(&self) -> Vec<&str> {
        let mut recipes = always(self.provider).to_vec();
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
        writeln!(
            f,
            "cluster   {} (provider {}, {nodes})",
            self.cluster, self.provider
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
    fn run_ids_sort_by_time() {
        let early = run_id("2025-06-01T08:00:00Z".parse().unwrap(), 77).unwrap();
        let late = run_id("2025-06-01T08:00:01Z".parse().unwrap(), 12).unwrap();
        assert_eq!(early.as_str(), "run-20250601-080000-77");
        assert!(early < late);
    }
}
