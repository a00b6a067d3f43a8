//! What is remarked for the person who runs it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    benchmark::{Generators, Offered},
    failure_class::FailureClass,
    name::ClusterName,
    secrets::MASK,
};

/// A remark for the person who runs it. `Display` says it in English,
/// [`Remark::korean`] in Korean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "says", rename_all = "snake_case")]
pub enum Remark {
    /// The machine has GPUs, and the cluster gets none.
    NoGpus,
    /// The run goes on without an image.
    WithoutImage {
        /// The image's recipe.
        recipe: String,
        /// Why it cannot be had, in the words of what failed.
        reason: String,
    },
    /// A component of the stack is ready.
    ComponentReady {
        /// The component's name.
        component: String,
    },
    /// What is measured goes through a port-forward.
    Forwarded,
    /// Who makes the load of a benchmark.
    LoadOf(Generators),
    /// A generator's pod ended before its time.
    GeneratorEnded {
        /// The pod and how it ended, in Kubernetes' words.
        pod: String,
    },
    /// Requests of a window that failed in the same way.
    Failures {
        /// The load of the window.
        offered: Offered,
        /// How they failed.
        class: FailureClass,
        /// How many did.
        count: u64,
        /// The first one, in the words of what noticed it.
        example: String,
    },
    /// The cluster is not removed, as was asked for.
    ClusterKept {
        /// The cluster.
        cluster: ClusterName,
    },
    /// A fact is not told: there was a secret in it.
    LeftOut,
    /// In the words of whoever remarks it, or of an older record.
    #[serde(untagged)]
    Told(String),
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoGpus => f.write_str(
                "the cluster gets no GPU: the engine gives none to containers; `lab doctor` \
                 tells what is missing",
            ),
            Self::WithoutImage { recipe, reason } => {
                write!(f, "goes on without image {recipe}: {reason}")
            }
            Self::ComponentReady { component } => write!(f, "{component} is ready"),
            Self::Forwarded => f.write_str(
                "the benchmark goes through a port-forward of the API server, which is part of \
                 what it measures",
            ),
            Self::LoadOf(generators) => write!(f, "load of {generators}"),
            Self::GeneratorEnded { pod } => write!(f, "a generator ended early: {pod}"),
            Self::Failures {
                offered,
                class,
                count,
                example,
            } => write!(
                f,
                "{offered}: {count} times {class}, the first one: {example}"
            ),
            Self::ClusterKept { cluster } => write!(
                f,
                "the cluster is kept: `lab status {cluster}`; `lab down {cluster}` removes it"
            ),
            Self::LeftOut => write!(f, "a fact was left out: it held a secret {MASK}"),
            Self::Told(text) => f.write_str(text),
        }
    }
}

impl Remark {
    /// The same in Korean.
    pub fn korean(&self) -> String {
        match self {
            Self::NoGpus => "클러스터에 GPU가 없습니다. 엔진이 컨테이너에 GPU를 주지 않습니다. \
                             무엇이 빠졌는지는 `lab doctor`가 알려 줍니다"
                .to_owned(),
            Self::WithoutImage { recipe, reason } => {
                format!("이미지 {recipe} 없이 계속합니다: {reason}")
            }
            Self::ComponentReady { component } => format!("{component} 준비됨"),
            Self::Forwarded => "벤치마크가 API 서버의 포트 포워드를 거칩니다. 측정값에는 이것도 \
                                들어 있습니다"
                .to_owned(),
            Self::LoadOf(generators) => format!("부하: {}", generators.korean()),
            Self::GeneratorEnded { pod } => format!("발생기 하나가 일찍 끝났습니다: {pod}"),
            Self::Failures {
                offered,
                class,
                count,
                example,
            } => format!(
                "{}: {} {count}건, 첫 번째: {example}",
                offered.korean(),
                class.korean()
            ),
            Self::ClusterKept { cluster } => format!(
                "클러스터를 남겨 둡니다(`lab status {cluster}`). `lab down {cluster}`로 지웁니다"
            ),
            Self::LeftOut => format!("비밀 값이 들어 있던 사실 하나를 뺐습니다 {MASK}"),
            Self::Told(text) => text.clone(),
        }
    }
}

impl From<String> for Remark {
    fn from(words: String) -> Self {
        Self::Told(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::benchmark::ArrivalKind;
    use crate::in_both_languages;

    fn every() -> Vec<Remark> {
        let failures = |offered, class| Remark::Failures {
            offered,
            class,
            count: 12,
            example: "no healthy upstream".to_owned(),
        };
        let open = Offered::Open {
            arrivals: ArrivalKind::Poisson,
            rate: 300.0,
        };
        vec![
            Remark::NoGpus,
            Remark::WithoutImage {
                recipe: "grafana".to_owned(),
                reason: "no registry answers".to_owned(),
            },
            Remark::ComponentReady {
                component: "MLflow".to_owned(),
            },
            Remark::Forwarded,
            Remark::LoadOf(Generators {
                count: 4,
                nodes: 2,
                clocks_apart_micros: 1250.0,
                clocks_within_micros: 90.0,
            }),
            Remark::GeneratorEnded {
                pod: "lab-load-1 on demo: OOMKilled".to_owned(),
            },
            failures(
                Offered::Closed { concurrency: 16 },
                FailureClass::Status(503),
            ),
            failures(open, FailureClass::TimedOut),
            Remark::ClusterKept {
                cluster: "demo".parse().unwrap(),
            },
            Remark::LeftOut,
            Remark::Told("digits-batch-8".to_owned()),
        ]
    }

    #[test]
    fn each_has_its_words_in_both_languages() {
        let said = in_both_languages(&every(), Remark::korean);
        insta::assert_snapshot!(said);
    }

    #[test]
    fn what_is_recorded_is_read_and_so_are_words_of_older_records() {
        let json = serde_json::to_string(&every()).unwrap();
        assert!(
            json.ends_with(r#",{"says":"left_out"},"digits-batch-8"]"#),
            "{json}"
        );
        assert_eq!(serde_json::from_str::<Vec<Remark>>(&json).unwrap(), every());
    }
}
