//! Step functions, one module a stage. Each is bound to its English and its Korean
//! sentence, so that both languages' features do the same.

mod api;
mod deploy;
pub(crate) mod faults;
mod gpu;
pub(crate) mod held_out;
mod monitor;
mod panels;
mod pulls;
mod register;
pub(crate) mod retrain;
mod rollout;
mod train;
