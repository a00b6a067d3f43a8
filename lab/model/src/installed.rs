//! What a cluster was given of a stack, as a run's events tell it: names and addresses
//! with which a person can look for himself. Never a secret.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A stack that Helm has handed to a cluster; its components may not be ready yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledStack {
    /// The namespace it is in.
    pub namespace: String,
    /// The name of Helm's release.
    pub release: String,
    /// Name of its chart, a folder under `fixtures/charts`.
    pub chart: String,
    /// How long Helm took, milliseconds.
    pub millis: u64,
    /// The chart's `images`: what the cluster knows them as, by recipe.
    pub images: BTreeMap<String, String>,
    /// Its components that run here.
    pub components: Vec<InstalledComponent>,
}

/// A component of an installed stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledComponent {
    /// Its name, unique in the stack, for example `mlflow`.
    pub name: String,
    /// What it is called in reports, for example `MLflow`.
    pub title: String,
    /// `deployment/NAME` or `statefulset/NAME`.
    pub workload: String,
    /// Names of the components that it calls.
    pub needs: Vec<String>,
    /// Where it answers.
    pub endpoints: Vec<InstalledEndpoint>,
}

/// Where a component answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledEndpoint {
    /// Its name, for example `triton-metrics`.
    pub name: String,
    /// The Service.
    pub service: String,
    /// The Service's port.
    pub port: u16,
    /// The port of a node that leads there, published on the machine of the run; none where
    /// the Service is reached through a forward, and in older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_port: Option<u16>,
    /// Base URL on the machine of the run, while the cluster lived; none where it was
    /// reached through a forward.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}
