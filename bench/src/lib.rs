//! Load engine and statistics for inference servers.
