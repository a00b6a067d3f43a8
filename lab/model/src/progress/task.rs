//! A piece of work that takes a while.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A piece of work that takes a while. `Display` says it in English, [`Task::korean`] in
/// Korean.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Task {
    /// Getting an image.
    Image {
        /// Its recipe, or what it is pulled as.
        name: String,
    },
    /// Giving an image to a registry.
    Push {
        /// Its recipe.
        name: String,
    },
    /// Bringing images to the nodes.
    LoadImages,
    /// A node's start.
    Node {
        /// Its name.
        name: String,
    },
    /// A cluster's start.
    Cluster,
    /// A component's start.
    Component {
        /// Its name.
        name: String,
    },
    /// A window of a benchmark.
    Window {
        /// Its position among the workload's windows, from 1; of a search, among its own.
        number: usize,
        /// How many the workload asks for; none for a search.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<usize>,
    },
    /// A comparison of a server with itself.
    Calibration,
    /// A comparison of two servers.
    Comparison,
    /// By a name, or in the words of an older record.
    #[serde(untagged)]
    Told(String),
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image { name } => write!(f, "image {name}"),
            Self::Push { name } => write!(f, "push {name}"),
            Self::LoadImages => f.write_str("load images"),
            Self::Node { name } => write!(f, "node {name}"),
            Self::Cluster => f.write_str("cluster"),
            Self::Component { name } => write!(f, "component {name}"),
            Self::Window {
                number,
                of: Some(of),
            } => write!(f, "window {number} of {of}"),
            Self::Window { number, of: None } => write!(f, "search {number}"),
            Self::Calibration => f.write_str("calibration"),
            Self::Comparison => f.write_str("comparison"),
            Self::Told(text) => f.write_str(text),
        }
    }
}

impl Task {
    /// The same in Korean.
    pub fn korean(&self) -> String {
        match self {
            Self::Image { name } => format!("이미지 {name}"),
            Self::Push { name } => format!("{name} 올리기"),
            Self::LoadImages => "이미지 싣기".to_owned(),
            Self::Node { name } => format!("노드 {name}"),
            Self::Cluster => "클러스터".to_owned(),
            Self::Component { name } => format!("구성 요소 {name}"),
            Self::Window {
                number,
                of: Some(of),
            } => format!("구간 {number}/{of}"),
            Self::Window { number, of: None } => format!("탐색 {number}"),
            Self::Calibration => "보정".to_owned(),
            Self::Comparison => "비교".to_owned(),
            Self::Told(text) => text.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::in_both_languages;

    fn every() -> Vec<Task> {
        let name = || "mlflow".to_owned();
        vec![
            Task::Image { name: name() },
            Task::Push { name: name() },
            Task::LoadImages,
            Task::Node {
                name: "demo".to_owned(),
            },
            Task::Cluster,
            Task::Component { name: name() },
            Task::Window {
                number: 2,
                of: Some(5),
            },
            Task::Window {
                number: 3,
                of: None,
            },
            Task::Calibration,
            Task::Comparison,
            Task::Told("kind".to_owned()),
        ]
    }

    #[test]
    fn each_has_its_words_in_both_languages() {
        let said = in_both_languages(&every(), Task::korean);
        insta::assert_snapshot!(said);
    }

    #[test]
    fn what_is_told_is_read_and_so_are_words_of_older_records() {
        let json = serde_json::to_string(&every()).unwrap();
        assert!(
            json.ends_with(r#",{"kind":"comparison"},"kind"]"#),
            "{json}"
        );
        assert_eq!(serde_json::from_str::<Vec<Task>>(&json).unwrap(), every());
    }
}
