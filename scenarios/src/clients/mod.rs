//! Clients of the services under test: small, typed, loopback only.
//!
//! Each knows one service's HTTP API and nothing of the scenarios. Where a service
//! answers something else than expected, the error carries its own words.

pub mod airflow;
pub mod alertmanager;
mod http;
pub mod kubernetes;
pub mod mlflow;
pub mod nodes;
pub mod prometheus;
pub mod rollouts;
pub mod s3;
pub mod triton;

pub use http::{ClientError, Http};
