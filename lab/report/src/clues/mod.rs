//! What was seen around a failure, in order of time: pod states, Kubernetes' events,
//! logs, the machine's own signals. What came first is the likeliest cause.

mod further;
mod gather;

pub(crate) use further::further;
pub(crate) use gather::{Clue, Kind, clues};
