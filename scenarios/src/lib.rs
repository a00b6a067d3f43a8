//! Gherkin scenarios of a model's life on the stack: train, register, deploy,
//! monitor, retrain.
//!
//! Owns the [`World`], the step functions (one module a stage), the clients of the
//! services under test and the bridge from cucumber's events to the lab's facts.
//! Must not know how a cluster or a stack is made: it gets a kubeconfig, a
//! namespace and the services' addresses, and the same features run on every one.

mod breakage;
mod bridge;
mod catalog;
pub mod clients;
mod env;
mod evidence;
mod failure;
mod lab;
mod load;
mod plain_words;
mod poll;
mod run;
mod runs;
mod steps;
mod task_pods;
mod workers;
mod world;

pub use catalog::{CatalogError, Filter, features, not_run_reason};
pub use env::{Faults, ScenarioEnv};
pub use failure::Failure;
pub use lab::Lab;
pub use plain_words::{explain_pull, explain_rejection};
pub use run::{ScenarioError, Summary, check, run};
pub use world::World;
