//! Runs recorded once, to be judged again and again: how the rule does on a real machine.

use std::{
    fs,
    path::{Path, PathBuf},
};

use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::sample::Sample;

/// Rounds of runs of one server and of slower ones, each round in random order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    /// Machine, server, load and day, for people.
    pub about: String,
    /// The rounds, in the order measured.
    pub rounds: Vec<Round>,
}

/// One run of each, minutes apart at most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Round {
    /// The server.
    #[serde(rename = "A")]
    pub a: Sample,
    /// The same server again.
    #[serde(rename = "A2")]
    pub again: Sample,
    /// With 2 % more service time.
    #[serde(rename = "+2%")]
    pub slower_2: Sample,
    /// With 5 % more service time.
    #[serde(rename = "+5%")]
    pub slower_5: Sample,
    /// With 10 % more service time.
    #[serde(rename = "+10%")]
    pub slower_10: Sample,
}

/// Why a recording could not be used.
#[derive(Debug, Error, Diagnostic)]
pub enum RecordingError {
    /// The file could not be read.
    #[error("failed to read the recorded runs in `{}`", path.display())]
    #[diagnostic(
        code(lab::bench::recording_missing),
        help("recorded runs lie in `bench/baselines`")
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file does not hold recorded runs.
    #[error("`{}` does not hold recorded runs: {reason}", path.display())]
    #[diagnostic(
        code(lab::bench::recording_invalid),
        help("it must hold `about` and `rounds`, each round with `A`, `A2`, `+2%`, `+5%`, `+10%`")
    )]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line or round.
        reason: String,
    },
}

impl Recording {
    /// Reads recorded runs.
    ///
    /// # Errors
    /// Fails where the file cannot be read, is of another form, or holds a figure that no
    /// run can have.
    pub fn read(path: &Path) -> Result<Self, RecordingError> {
        let text = fs::read_to_string(path).map_err(|source| RecordingError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text).map_err(|reason| RecordingError::Invalid {
            path: path.to_owned(),
            reason,
        })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let recording: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        for (index, round) in recording.rounds.iter().enumerate() {
            for (name, sample) in round.samples() {
                sample
                    .check()
                    .map_err(|error| format!("round {}, `{name}`: {error}", index + 1))?;
            }
        }
        Ok(recording)
    }
}

impl Round {
    const fn samples(&self) -> [(&'static str, &Sample); 5] {
        [
            ("A", &self.a),
            ("A2", &self.again),
            ("+2%", &self.slower_2),
            ("+5%", &self.slower_5),
            ("+10%", &self.slower_10),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str =
        r#"{"throughput":1982.4,"p50_micros":1993,"p95_micros":2210,"p99_micros":2890}"#;

    fn text(p50: &str) -> String {
        let slow = RUN.replace("1993", p50);
        format!(
            r#"{{"about":"one core","rounds":[
                {{"A":{RUN},"A2":{RUN},"+2%":{RUN},"+5%":{slow},"+10%":{RUN}}}]}}"#
        )
    }

    #[test]
    fn recorded_runs_are_read_and_written_alike() {
        let recording = Recording::parse(&text("2090.5")).unwrap();
        assert!((recording.rounds[0].slower_5.p50_micros - 2090.5).abs() < 1e-9);
        let written = serde_json::to_string(&recording).unwrap();
        assert_eq!(Recording::parse(&written), Ok(recording));
    }

    #[test]
    fn a_figure_no_run_can_have_is_named_with_its_round() {
        assert_eq!(
            Recording::parse(&text("0")).unwrap_err(),
            "round 1, `+5%`: p50 is 0, which no run can have"
        );
    }

    #[test]
    fn another_form_is_refused_with_its_place() {
        let error = Recording::parse(r#"{"about":"x","rounds":[{"A":{}}]}"#).unwrap_err();
        assert_eq!(error, "missing field `throughput` at line 1 column 30");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Recording::read(Path::new("/nowhere/gates.json")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "failed to read the recorded runs in `/nowhere/gates.json`"
        );
    }
}
