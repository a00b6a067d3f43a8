//! Output of containers, cut into lines.

use std::collections::VecDeque;

use bollard::container::LogOutput;

/// Where a line was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineSource {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A line of output, without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it was written.
    pub source: LineSource,
    /// Its text; bytes that are no UTF-8 are replaced.
    pub text: String,
}

/// Cuts chunks into lines, each stream on its own.
#[derive(Debug, Default)]
pub(crate) struct LineCutter {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    ready: VecDeque<Line>,
}

impl LineCutter {
    pub(crate) fn push(&mut self, chunk: &LogOutput) {
        let source = source_of(chunk);
        let rest = match source {
            LineSource::Stdout => &mut self.stdout,
            LineSource::Stderr => &mut self.stderr,
        };
        rest.extend_from_slice(chunk.as_ref());
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            self.ready.push_back(line_of(source, &line));
        }
    }

    /// Takes what was left without an end of line.
    pub(crate) fn finish(&mut self) {
        for (source, rest) in [
            (LineSource::Stdout, std::mem::take(&mut self.stdout)),
            (LineSource::Stderr, std::mem::take(&mut self.stderr)),
        ] {
            if !rest.is_empty() {
                self.ready.push_back(line_of(source, &rest));
            }
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Line> {
        self.ready.pop_front()
    }
}

pub(crate) fn source_of(chunk: &LogOutput) -> LineSource {
    match chunk {
        LogOutput::StdErr { .. } => LineSource::Stderr,
        LogOutput::StdOut { .. } | LogOutput::StdIn { .. } | LogOutput::Console { .. } => {
            LineSource::Stdout
        }
    }
}

fn line_of(source: LineSource, bytes: &[u8]) -> Line {
    Line {
        source,
        text: String::from_utf8_lossy(bytes)
            .trim_end_matches(['\n', '\r'])
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_streams_apart_and_waits_for_the_end_of_a_line() {
        let mut cutter = LineCutter::default();

        cutter.push(&LogOutput::StdOut {
            message: "one\ntw".into(),
        });
        cutter.push(&LogOutput::StdErr {
            message: "oops\n".into(),
        });
        cutter.push(&LogOutput::StdOut {
            message: "o\r\nrest".into(),
        });
        cutter.finish();

        let lines: Vec<_> = std::iter::from_fn(|| cutter.pop()).collect();
        let text: Vec<_> = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(text, ["one", "oops", "two", "rest"]);
        assert_eq!(lines[1].source, LineSource::Stderr);
    }
}
