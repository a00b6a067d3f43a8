//! What kept something from running here.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What kept something from running here. `Display` says it in English,
/// [`Hindrance::korean`] in Korean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Hindrance {
    /// The cluster has too few nodes.
    Nodes {
        /// How many are needed, as the scenario's tag says it.
        needed: String,
        /// How many there are.
        here: usize,
    },
    /// It needs an NVIDIA GPU.
    Gpu {
        /// What keeps it from one.
        why: Box<Hindrance>,
    },
    /// It needs a component that does not run here.
    Component {
        /// The component.
        name: String,
        /// What keeps that from running.
        why: Box<Hindrance>,
    },
    /// No node has a GPU for pods.
    NoGpu,
    /// The GPUs are of a cluster that lab did not make.
    GpusOfOthers,
    /// The nodes do not tell whether they have GPUs.
    UntoldGpus {
        /// Why, in the words of what asked them.
        error: String,
    },
    /// Nothing can make faults in this cluster.
    NoFaults,
    /// Faults are made only in clusters that lab made.
    FaultsOfOthers,
    /// The kernel cannot send late or little.
    NoQueue {
        /// The queue that it lacks: `netem`, `tbf`.
        queue: String,
        /// What it said.
        words: String,
    },
    /// The stack was installed without it.
    NotInstalled,
    /// Its image is not on the engine.
    NoImage {
        /// The image's recipe.
        recipe: String,
    },
    /// Its image is not on the nodes of a cluster that lab did not make.
    NotOnNodes {
        /// The image's reference.
        image: String,
    },
    /// A step before it failed.
    StepFailed,
    /// Somebody asked for an end.
    Interrupted,
    /// In the words of what noticed it, or of an older record.
    #[serde(untagged)]
    Told(String),
}

impl fmt::Display for Hindrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nodes { needed, here } => {
                write!(
                    f,
                    "it needs {needed} nodes: `--nodes {needed}`; here is {here}"
                )
            }
            Self::Gpu { why } => write!(f, "it needs an NVIDIA GPU: {why}"),
            Self::Component { name, why } => write!(f, "{name} does not run here: {why}"),
            Self::NoGpu => {
                f.write_str("no node has one for pods; `lab doctor` tells what is missing")
            }
            Self::GpusOfOthers => {
                f.write_str("others may need the GPUs of a cluster that lab did not make")
            }
            Self::UntoldGpus { error } => {
                write!(f, "the nodes do not tell what they have: {error}")
            }
            Self::NoFaults => f.write_str("nothing makes faults in this cluster"),
            Self::FaultsOfOthers => f.write_str("faults are made only in clusters that lab made"),
            Self::NoQueue { queue, words } => write!(
                f,
                "the kernel of this machine has no queue `{queue}` (sch_{queue}): {words}"
            ),
            Self::NotInstalled => f.write_str("the stack was installed without it"),
            Self::NoImage { recipe } => write!(
                f,
                "its image is not on this engine; `lab images build {recipe}` gets it where a \
                 registry answers"
            ),
            Self::NotOnNodes { image } => write!(f, "no node has its image `{image}`"),
            Self::StepFailed => f.write_str("a step before it failed"),
            Self::Interrupted => f.write_str("interrupted"),
            Self::Told(text) => f.write_str(text),
        }
    }
}

impl Hindrance {
    /// The same in Korean.
    pub fn korean(&self) -> String {
        match self {
            Self::Nodes { needed, here } => {
                format!("노드 {needed}개가 필요합니다(`--nodes {needed}`). 여기는 {here}개입니다")
            }
            Self::Gpu { why } => format!("NVIDIA GPU가 필요합니다: {}", why.korean()),
            Self::Component { name, why } => {
                format!("여기서는 {name} 없이 실행합니다: {}", why.korean())
            }
            Self::NoGpu => {
                "파드에 GPU를 줄 수 있는 노드가 없습니다. 무엇이 빠졌는지는 `lab doctor`가 알려 줍니다"
                    .to_owned()
            }
            Self::GpusOfOthers => {
                "lab이 만들지 않은 클러스터의 GPU는 다른 사람이 쓰고 있을 수 있습니다".to_owned()
            }
            Self::UntoldGpus { error } => {
                format!("노드가 무엇을 가졌는지 알려 주지 않습니다: {error}")
            }
            Self::NoFaults => "이 클러스터에는 고장을 낼 수단이 없습니다".to_owned(),
            Self::FaultsOfOthers => "고장은 lab이 만든 클러스터에만 냅니다".to_owned(),
            Self::NoQueue { queue, words } => {
                format!("이 컴퓨터의 커널에 큐 `{queue}`(sch_{queue})이(가) 없습니다: {words}")
            }
            Self::NotInstalled => "스택을 이것 없이 설치했습니다".to_owned(),
            Self::NoImage { recipe } => format!(
                "이미지가 이 엔진에 없습니다. 레지스트리에 닿는 곳에서 `lab images build {recipe}`로 받습니다"
            ),
            Self::NotOnNodes { image } => format!("이미지 `{image}`이(가) 어느 노드에도 없습니다"),
            Self::StepFailed => "앞 단계가 실패했습니다".to_owned(),
            Self::Interrupted => "중단되었습니다".to_owned(),
            Self::Told(text) => text.clone(),
        }
    }
}

impl From<String> for Hindrance {
    fn from(words: String) -> Self {
        Self::Told(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::in_both_languages;

    fn every() -> Vec<Hindrance> {
        vec![
            Hindrance::Nodes {
                needed: "3".to_owned(),
                here: 1,
            },
            Hindrance::Gpu {
                why: Box::new(Hindrance::NoGpu),
            },
            Hindrance::Component {
                name: "grafana".to_owned(),
                why: Box::new(Hindrance::Told("no registry answers".to_owned())),
            },
            Hindrance::Component {
                name: "grafana".to_owned(),
                why: Box::new(Hindrance::NotInstalled),
            },
            Hindrance::GpusOfOthers,
            Hindrance::UntoldGpus {
                error: "failed to list Nodes".to_owned(),
            },
            Hindrance::NoFaults,
            Hindrance::FaultsOfOthers,
            Hindrance::NoQueue {
                queue: "netem".to_owned(),
                words: "Specified qdisc kind is unknown.".to_owned(),
            },
            Hindrance::NoImage {
                recipe: "grafana".to_owned(),
            },
            Hindrance::NotOnNodes {
                image: "lab/grafana:1".to_owned(),
            },
            Hindrance::StepFailed,
            Hindrance::Interrupted,
        ]
    }

    #[test]
    fn each_has_its_words_in_both_languages() {
        let said = in_both_languages(&every(), Hindrance::korean);
        insta::assert_snapshot!(said);
    }

    #[test]
    fn what_is_recorded_is_read_and_so_are_words_of_older_records() {
        let json = serde_json::to_string(&every()).unwrap();
        assert_eq!(
            serde_json::from_str::<Vec<Hindrance>>(&json).unwrap(),
            every()
        );
        let words = Hindrance::Told("no registry".to_owned());
        assert_eq!(serde_json::to_string(&words).unwrap(), "\"no registry\"");
        assert_eq!(
            serde_json::from_str::<Hindrance>("\"no registry\"").unwrap(),
            words
        );
    }
}
