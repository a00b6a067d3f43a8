//! Files of recorded arrivals.

use std::{path::Path, sync::Arc, time::Duration};

use super::{WorkloadError, text};

/// Recorded arrivals: seconds after the start, one a line, ascending, all within the window.
pub(super) fn load(path: &Path, window: Duration) -> Result<Arc<[u64]>, WorkloadError> {
    let wrong = |reason: String| WorkloadError::Samples {
        path: path.to_owned(),
        reason,
        help: "it must hold one arrival a line: seconds after the start, ascending, before \
               `window_seconds` is over",
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
    let Some(last) = offsets.last() else {
        return Err(wrong("it holds no arrival".to_owned()));
    };
    // Cut short without a word, it would not be the load that was recorded.
    let last = Duration::from_nanos(*last);
    if last >= window {
        return Err(wrong(format!(
            "its last arrival is at {last:?}, and the window ends at {window:?}"
        )));
    }
    Ok(offsets.into())
}
