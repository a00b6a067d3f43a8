//! Several generators that make one load together, wherever they run.
//!
//! [`serve`] is a generator: it does what it is told on one stream and tells on another
//! what it measured. [`Generators`] divides a window among them, has them begin together
//! and adds what they counted, without loss. Knows neither pods nor processes.

mod crew;
mod message;
mod record;
mod serve;
mod talk;
mod together;

pub use crew::{Clocks, Generators, Wire};
pub use serve::serve;
