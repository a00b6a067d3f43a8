//! Several runs side by side: two compared, and all of them in a list with trends.

mod brief;
mod compare;
mod expected;

pub use brief::{Brief, flaky};
pub use compare::{Comparison, Difference, compare};
pub use expected::Expected;
