//! One run: stages in order, events out, everything undone at the end.
