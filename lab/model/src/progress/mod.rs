//! How far a long piece of work is: which it is, and what is being done.

mod doing;
mod step;
mod task;

pub use doing::Doing;
pub use step::Step;
pub use task::Task;
