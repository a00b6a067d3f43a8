//! One run: stages in order, events out, everything undone at the end.
//!
//! Puts the pieces together (images, cluster, stack, scenarios, benchmark) and
//! knows nothing of how a run is shown: it only emits events.

pub mod benchmark;
pub mod endpoints;
pub mod error;
pub mod events;
mod faults;
pub mod generators;
mod hidden;
pub mod images;
mod place;
pub mod plan;
pub mod preflight;
pub mod run;
mod server_pods;
pub mod session;
pub mod sweep;
mod telling;
pub mod workbench;

pub use endpoints::Endpoints;
pub use error::RunError;
pub use events::EventLog;
pub use images::StackImages;
pub use plan::Plan;
pub use run::run;
pub use session::Session;
pub use workbench::Workbench;
