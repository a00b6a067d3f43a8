//! What is being done, or waited for.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Step;
use crate::benchmark::Offered;

/// What is being done, or waited for. `Display` says it in English, [`Doing::korean`] in
/// Korean; the words of other programs are alike in both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "does", rename_all = "snake_case")]
pub enum Doing {
    /// A step.
    Step {
        /// Which.
        step: Step,
    },
    /// What the program that does it says.
    Says {
        /// What is being done.
        doing: Box<Doing>,
        /// Its line.
        line: String,
    },
    /// A step that a node came to.
    After {
        /// Seconds since its start, as it says them.
        seconds: String,
        /// Which.
        step: Step,
    },
    /// A node is up.
    Up {
        /// Seconds since its start, as it says them.
        seconds: String,
    },
    /// Packages are downloaded.
    Download {
        /// How many there are.
        packages: usize,
        /// How many there will be.
        of_packages: usize,
        /// Their size so far, MB.
        megabytes: u64,
        /// Their size, MB.
        of_megabytes: u64,
    },
    /// An image gets what another one made.
    CopyArtifact {
        /// The other one's recipe.
        artifact: String,
    },
    /// One of a cluster's nodes is Ready.
    NodeIsReady {
        /// Its name.
        node: String,
    },
    /// A node is not Ready.
    NotReady {
        /// Why, in its own words; it may say nothing.
        message: Option<String>,
    },
    /// A node is Ready and takes no pods.
    TakesNoPods {
        /// The taint that keeps them away.
        taint: String,
    },
    /// The cluster's DNS is waited for.
    WaitsForDns {
        /// What that waits for.
        why: Box<Doing>,
    },
    /// A container runs, and its pod is not ready.
    ContainerRuns {
        /// Its name.
        container: String,
    },
    /// A container does not run yet.
    ContainerWaits {
        /// Its name.
        container: String,
        /// Kubernetes' word for it.
        reason: String,
        /// What Kubernetes says of it.
        message: Option<String>,
    },
    /// A container ended, and will be started again.
    ContainerEnded {
        /// Its name.
        container: String,
        /// How often it ended.
        times: i32,
        /// Its last exit code.
        exit_code: i32,
        /// Kubernetes' word for its last end, where that says more.
        reason: Option<String>,
    },
    /// A server is asked before it is measured.
    WarmsUp {
        /// The load.
        offered: Offered,
    },
    /// A server is measured.
    Measures {
        /// The load.
        offered: Offered,
        /// Whole seconds since the window began.
        seconds: u64,
        /// The window's length, seconds.
        of_seconds: f64,
        /// Answers until now.
        answers: u64,
        /// Errors until now.
        errors: u64,
    },
    /// What was asked within the window is answered after it.
    Drains {
        /// The load.
        offered: Offered,
    },
    /// In the words of another program, or of an older record.
    #[serde(untagged)]
    Told(String),
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step { step } => step.fmt(f),
            Self::Says { doing, line } => write!(f, "{doing}: {line}"),
            Self::After { seconds, step } => write!(f, "{seconds} s: {step}"),
            Self::Up { seconds } => write!(f, "up after {seconds} s"),
            Self::Download {
                packages,
                of_packages,
                megabytes,
                of_megabytes,
            } => write!(
                f,
                "downloading packages: {packages} of {of_packages}, {megabytes} of {of_megabytes} MB"
            ),
            Self::CopyArtifact { artifact } => write!(f, "copy artifact {artifact}"),
            Self::NodeIsReady { node } => write!(f, "node {node} is Ready"),
            Self::NotReady { message } => {
                let message = message.as_deref().unwrap_or("nothing said");
                write!(f, "not Ready: {message}")
            }
            Self::TakesNoPods { taint } => write!(f, "takes no pods: {taint}"),
            Self::WaitsForDns { why } => write!(f, "{}: {why}", Step::WaitForDns),
            Self::ContainerRuns { container } => {
                write!(f, "container `{container}` runs and is not ready yet")
            }
            Self::ContainerWaits {
                container,
                reason,
                message,
            } => match message {
                Some(message) => write!(f, "container `{container}`: {reason}, {message}"),
                None => write!(f, "container `{container}`: {reason}"),
            },
            Self::ContainerEnded {
                container,
                times,
                exit_code,
                reason,
            } => {
                write!(
                    f,
                    "container `{container}`: CrashLoopBackOff, ended {times} times, at last with "
                )?;
                match reason {
                    Some(reason) => f.write_str(reason),
                    None => write!(f, "exit code {exit_code}"),
                }
            }
            Self::WarmsUp { offered } => write!(f, "{offered}, warming up"),
            Self::Measures {
                offered,
                seconds,
                of_seconds,
                answers,
                errors,
            } => write!(
                f,
                "{offered}, {seconds} s of {of_seconds} s, {answers} answers, {errors} errors"
            ),
            Self::Drains { offered } => write!(f, "{offered}, waiting for the last answers"),
            Self::Told(text) => f.write_str(text),
        }
    }
}

impl Doing {
    /// The same in Korean.
    pub fn korean(&self) -> String {
        match self {
            Self::Step { step } => step.korean().to_owned(),
            Self::Says { doing, line } => format!("{}: {line}", doing.korean()),
            Self::After { seconds, step } => format!("{seconds} s: {}", step.korean()),
            Self::Up { seconds } => format!("{seconds} s 뒤 시작됨"),
            Self::Download {
                packages,
                of_packages,
                megabytes,
                of_megabytes,
            } => format!(
                "패키지 내려받는 중: {packages}/{of_packages}개, {megabytes}/{of_megabytes} MB"
            ),
            Self::CopyArtifact { artifact } => format!("산출물 {artifact} 복사 중"),
            Self::NodeIsReady { node } => format!("노드 {node} Ready"),
            Self::NotReady { message } => {
                format!("Ready 아님: {}", message.as_deref().unwrap_or("이유 없음"))
            }
            Self::TakesNoPods { taint } => format!("파드를 받지 않음: {taint}"),
            Self::WaitsForDns { why } => {
                format!("{}: {}", Step::WaitForDns.korean(), why.korean())
            }
            Self::ContainerRuns { container } => {
                format!("컨테이너 `{container}` 실행 중, 아직 준비되지 않음")
            }
            Self::ContainerWaits {
                container,
                reason,
                message,
            } => match message {
                Some(message) => format!("컨테이너 `{container}`: {reason}, {message}"),
                None => format!("컨테이너 `{container}`: {reason}"),
            },
            Self::ContainerEnded {
                container,
                times,
                exit_code,
                reason,
            } => {
                let exit = || format!("종료 코드 {exit_code}");
                let last = reason.clone().unwrap_or_else(exit);
                format!("컨테이너 `{container}`: CrashLoopBackOff, {times}번 끝남, 마지막은 {last}")
            }
            Self::WarmsUp { offered } => format!("{}, 예열 중", offered.korean()),
            Self::Measures {
                offered,
                seconds,
                of_seconds,
                answers,
                errors,
            } => format!(
                "{}, {seconds}/{of_seconds} s, 응답 {answers}건, 오류 {errors}건",
                offered.korean()
            ),
            Self::Drains { offered } => {
                format!("{}, 마지막 응답 기다리는 중", offered.korean())
            }
            Self::Told(text) => text.clone(),
        }
    }
}

impl From<Step> for Doing {
    fn from(step: Step) -> Self {
        Self::Step { step }
    }
}

impl From<String> for Doing {
    fn from(words: String) -> Self {
        Self::Told(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::benchmark::ArrivalKind;
    use crate::in_both_languages;

    const CLOSED: Offered = Offered::Closed { concurrency: 16 };

    fn of_containers() -> Vec<Doing> {
        let container = || "mlflow".to_owned();
        let waits = |reason: &str, message: Option<&str>| Doing::ContainerWaits {
            container: container(),
            reason: reason.to_owned(),
            message: message.map(str::to_owned),
        };
        let ended = |reason: Option<&str>| Doing::ContainerEnded {
            container: container(),
            times: 3,
            exit_code: 137,
            reason: reason.map(str::to_owned),
        };
        vec![
            Doing::ContainerRuns {
                container: container(),
            },
            waits("ContainerCreating", None),
            waits("ImagePullBackOff", Some("no such host")),
            ended(None),
            ended(Some("OOMKilled")),
            Doing::WaitsForDns {
                why: Box::new(waits("ContainerCreating", None)),
            },
        ]
    }

    fn every() -> Vec<Doing> {
        let seconds = || "4.20".to_owned();
        let mut every = of_containers();
        every.extend([
            Step::TidyUp.into(),
            Doing::Says {
                doing: Box::new(Step::InstallPackages.into()),
                line: "Setting up libc6".to_owned(),
            },
            Doing::After {
                seconds: seconds(),
                step: Step::EtcdListens,
            },
            Doing::Up { seconds: seconds() },
            Doing::Download {
                packages: 3,
                of_packages: 90,
                megabytes: 4,
                of_megabytes: 60,
            },
            Doing::CopyArtifact {
                artifact: "probe".to_owned(),
            },
            Doing::NodeIsReady {
                node: "demo".to_owned(),
            },
            Doing::NotReady { message: None },
            Doing::NotReady {
                message: Some("no network".to_owned()),
            },
            Doing::TakesNoPods {
                taint: "node.kubernetes.io/not-ready".to_owned(),
            },
            Doing::WarmsUp { offered: CLOSED },
            Doing::Measures {
                offered: Offered::Open {
                    arrivals: ArrivalKind::Constant,
                    rate: 200.0,
                },
                seconds: 2,
                of_seconds: 5.0,
                answers: 400,
                errors: 1,
            },
            Doing::Drains { offered: CLOSED },
            Doing::Told("pulling fs layer".to_owned()),
        ]);
        every
    }

    #[test]
    fn each_has_its_words_in_both_languages() {
        let said = in_both_languages(&every(), Doing::korean);
        insta::assert_snapshot!(said);
    }

    #[test]
    fn what_is_told_is_read_and_so_are_words_of_older_records() {
        let json = serde_json::to_string(&every()).unwrap();
        assert!(
            json.contains(r#",{"does":"step","step":"tidy_up"},"#),
            "{json}"
        );
        assert!(json.ends_with(r#","pulling fs layer"]"#), "{json}");
        assert_eq!(serde_json::from_str::<Vec<Doing>>(&json).unwrap(), every());
    }
}
