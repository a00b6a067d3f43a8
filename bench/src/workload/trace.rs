//! Files of recorded arrivals.

use std::{path::Path, sync::Arc, time::Duration};

use super::{WorkloadError, text};

/// Recorded arrivals: seconds after the start, one a line, ascending.
pub(super) fn load(path: &Path) -> Result<Arc<[u64]>, WorkloadError> {
    let wrong = |reason: String| WorkloadError::Samples {
        path: path.to_owned(),
        reason,
        help: "it must hold one arrival a line: seconds after the start, ascending",
    };
    let mut offsets: Vec<u64> = Vec::new();
    for (number, line) in (1..).zip(text(path)?.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let seconds = line
            .parse::<f64>()
            .ok()
            .and_then(|it| Duration::try_from_secs_f64(it).ok())
            .ok_or_else(|| wrong(format!("line {number} is no number of seconds: `{line}`")))?;
        let nanos = u64::try_from(seconds.as_nanos()).unwrap_or(u64::MAX);
        if offsets.last().is_some_and(|last| *last > nanos) {
            return Err(wrong(format!(
                "line {number} comes before the line above it"
            )));
        }
        offsets.push(nanos);
    }
    if offsets.is_empty() {
        return Err(wrong("it holds no arrival".to_owned()));
    }
    Ok(offsets.into())
}
