//! Cleans text that came from outside.
