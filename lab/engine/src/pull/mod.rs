//! Pulling an image out of a container registry, and why one does not come, told
//! apart where a person would act differently.

mod error;
mod progress;
pub(crate) mod words;

pub use error::PullError;
pub use progress::PullProgress;
