//! Why the figures of a window do not count.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why the figures of a window say nothing of the server. `Display` says it in English,
/// [`Void::korean`] in Korean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Void {
    /// The generator was too busy.
    Busy {
        /// The share of its thread that it used, from 0 to 1.
        used: f64,
        /// The most that it may use.
        most: f64,
    },
    /// The generator sent so late that it moved the latency.
    Late {
        /// The part of the latency that is its own lateness, from 0 to 1.
        share: f64,
        /// The most that may be.
        most: f64,
        /// How late it sent, 99th percentile, microseconds.
        p99_micros: f64,
        /// Whether its thread had to wait for a processor like any other.
        #[serde(default)]
        ordinary: bool,
    },
    /// The host of this virtual machine ran something else on its processors.
    Stolen {
        /// The share of the machine's CPU time that was taken, from 0 to 1.
        share: f64,
        /// The most that may be.
        most: f64,
    },
    /// One of several generators began too long after the first.
    BeganLate {
        /// Its name.
        generator: String,
        /// How long after the first, milliseconds.
        millis: f64,
        /// The most that may be, as a part of the window, from 0 to 1.
        most: f64,
    },
    /// One of several generators has a reason of its own.
    Of {
        /// Its name.
        generator: String,
        /// The reason.
        void: Box<Void>,
    },
    /// One of several generators was lost, and its part of the load with it.
    Lost {
        /// Its name.
        generator: String,
        /// Why, in the words of what noticed it.
        reason: String,
    },
    /// In words, as older records have it.
    #[serde(untagged)]
    Told(String),
}

impl fmt::Display for Void {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy { used, most } => write!(
                f,
                "the generator used {:.0} % of its thread; above {:.0} % the figures are its own",
                100.0 * used,
                100.0 * most
            ),
            Self::Late {
                share,
                most,
                p99_micros,
                ordinary,
            } => write!(
                f,
                "{:.1} % of the latency is the generator's own lateness (p99 {p99_micros:.0} µs); \
                 above {:.0} % the figures are its own{}",
                100.0 * share,
                100.0 * most,
                if *ordinary {
                    "; with CAP_SYS_NICE it would wait for no processor"
                } else {
                    ""
                }
            ),
            Self::Stolen { share, most } => write!(
                f,
                "the host took {:.0} % of this machine's CPU time away (steal in /proc/stat); \
                 above {:.0} % the figures are the host's",
                100.0 * share,
                100.0 * most
            ),
            Self::BeganLate {
                generator,
                millis,
                most,
            } => write!(
                f,
                "generator {generator} began {millis:.1} ms after the first, more than {:.0} % of \
                 the window",
                100.0 * most
            ),
            Self::Of { generator, void } => write!(f, "generator {generator}: {void}"),
            Self::Lost { generator, reason } => write!(
                f,
                "generator {generator} was lost, and its part of the load with it: {reason}"
            ),
            Self::Told(text) => f.write_str(text),
        }
    }
}

impl Void {
    /// The same in Korean.
    pub fn korean(&self) -> String {
        match self {
            Self::Busy { used, most } => format!(
                "부하 발생기가 제 스레드의 {:.0} %를 썼습니다. {:.0} %를 넘으면 수치는 발생기 자신의 것입니다",
                100.0 * used,
                100.0 * most
            ),
            Self::Late {
                share,
                most,
                p99_micros,
                ordinary,
            } => format!(
                "응답 시간의 {:.1} %는 부하 발생기가 늦게 보낸 탓입니다(p99 {p99_micros:.0} µs). \
                 {:.0} %를 넘으면 수치는 발생기 자신의 것입니다{}",
                100.0 * share,
                100.0 * most,
                if *ordinary {
                    ". CAP_SYS_NICE가 있으면 프로세서를 기다리지 않습니다"
                } else {
                    ""
                }
            ),
            Self::Stolen { share, most } => format!(
                "호스트가 이 머신 CPU 시간의 {:.0} %를 가져갔습니다(/proc/stat의 steal). \
                 {:.0} %를 넘으면 수치는 호스트의 것입니다",
                100.0 * share,
                100.0 * most
            ),
            Self::BeganLate {
                generator,
                millis,
                most,
            } => format!(
                "발생기 {generator}: 첫 발생기보다 {millis:.1} ms 늦게 시작했습니다. 구간의 {:.0} %를 넘습니다",
                100.0 * most
            ),
            Self::Of { generator, void } => format!("발생기 {generator}: {}", void.korean()),
            Self::Lost { generator, reason } => {
                format!("발생기 {generator}: 사라졌고, 맡은 부하도 함께 사라졌습니다: {reason}")
            }
            Self::Told(text) => text.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::in_both_languages;

    fn every() -> Vec<Void> {
        let generator = || "lab-load-1".to_owned();
        let busy = Void::Busy {
            used: 0.57,
            most: 0.5,
        };
        vec![
            busy.clone(),
            Void::Late {
                share: 0.083,
                most: 0.05,
                p99_micros: 410.0,
                ordinary: true,
            },
            Void::Stolen {
                share: 0.13,
                most: 0.05,
            },
            Void::BeganLate {
                generator: generator(),
                millis: 41.3,
                most: 0.01,
            },
            Void::Of {
                generator: generator(),
                void: Box::new(busy),
            },
            Void::Lost {
                generator: generator(),
                reason: "it ended".to_owned(),
            },
            Void::Told("the generator was busy".to_owned()),
        ]
    }

    #[test]
    fn each_reason_has_its_words_in_both_languages() {
        let said = in_both_languages(&every(), Void::korean);
        insta::assert_snapshot!(said);
    }

    #[test]
    fn figures_are_recorded_and_words_of_older_records_are_read() {
        let json = serde_json::to_string(&every()).unwrap();
        assert!(
            json.starts_with(r#"[{"because":"busy","used":0.57,"most":0.5},"#),
            "{json}"
        );
        assert!(json.ends_with(r#","the generator was busy"]"#), "{json}");
        assert_eq!(serde_json::from_str::<Vec<Void>>(&json).unwrap(), every());
    }
}
