//! Reports: pure folds of a run's events.
