//! Events as JSON lines for programs that watch a run. The same lines as the record.

use crate::record::Recorder;

/// Writes every event as one JSON line, for example to standard output.
pub type JsonLines<W> = Recorder<W>;
