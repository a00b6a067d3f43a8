//! What one scenario remembers between its steps.

use std::sync::Arc;

use lab_k8s::kube::core::Status;

use crate::{
    clients::triton::Prediction,
    failure::Failure,
    lab::Lab,
    load::LoadReport,
    steps::{faults::Cut, held_out::HeldOut},
    workers::Workers,
};

/// What one scenario remembers between its steps. Every scenario begins with an
/// empty one; what scenarios share is in the [`Lab`], which each reaches through it.
#[derive(Debug, Default, cucumber::World)]
pub struct World {
    /// Put here before the first step.
    pub(crate) lab: Option<Arc<Lab>>,
    /// A manifest to send.
    pub(crate) manifest: Option<String>,
    /// What the API said of it.
    pub(crate) verdict: Option<Result<(), Box<Status>>>,
    /// Status and text of a request that may be refused.
    pub(crate) answer: Option<(u16, String)>,
    /// Held-out images, with what the MLflow model says of them.
    pub(crate) held_out: Option<HeldOut>,
    /// What Triton said of the held-out images, one entry a way of sending.
    pub(crate) predictions: Vec<Prediction>,
    /// What came of requests that kept coming.
    pub(crate) load: Option<LoadReport>,
    /// Two workers, each with a pod of Triton.
    pub(crate) workers: Option<Workers>,
    /// What the kubelet said of an image that did not come.
    pub(crate) pull: Option<String>,
    /// What came of a cut network.
    pub(crate) cut: Option<Cut>,
    /// Pods that asked for a GPU, in this order.
    pub(crate) gpu_pods: Vec<String>,
    /// Prometheus's count before something was sent.
    pub(crate) count_before: Option<f64>,
}

impl World {
    /// What all scenarios share.
    pub(crate) fn lab(&self) -> Result<Arc<Lab>, Failure> {
        self.lab
            .clone()
            .ok_or_else(|| Failure::new("the scenario was not given a lab"))
    }
}

/// What an earlier step of the scenario left, or the word that it is missing.
pub(crate) fn left_by<T>(thing: Option<T>, step: &str) -> Result<T, Failure> {
    thing.ok_or_else(|| Failure::new(format!("no step before this one {step}")))
}
