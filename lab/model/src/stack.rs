//! Stacks, their components and their locks, as their TOML files say them.

use std::collections::{BTreeMap, BTreeSet};

use miette::{Diagnostic, NamedSource, SourceSpan};
use serde::{Deserialize, de::DeserializeOwned};
use thiserror::Error;

/// A definition file that cannot be used.
#[derive(Debug, Error, Diagnostic)]
#[error("failed to use `{file}`")]
#[diagnostic(
    code(lab::stack::definition),
    help("mend the marked places and run again")
)]
pub struct DefinitionError {
    file: String,
    #[source_code]
    source_code: NamedSource<String>,
    /// Every problem found, in the file's order.
    #[related]
    pub problems: Vec<Problem>,
}

/// One problem in a definition file.
#[derive(Debug, Error, Diagnostic, PartialEq, Eq)]
#[error("{file}:{line}: {message}")]
pub struct Problem {
    file: String,
    line: usize,
    message: String,
    #[label("here")]
    at: SourceSpan,
}

/// A named, ordered set of components.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stack {
    /// One line on what it is.
    pub description: String,
    /// Namespace it is installed into.
    pub namespace: String,
    /// The Helm release.
    pub release: Release,
    /// Its components, in the order reports show them.
    #[serde(rename = "component")]
    pub components: Vec<Component>,
}

/// A Helm release: what is installed under which name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The release's name.
    pub name: String,
    /// The chart's folder under `fixtures/charts`.
    pub chart: String,
}

/// One thing to install.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// What people call it; unique in its stack.
    pub name: String,
    /// Its name in reports.
    pub title: String,
    /// `deployment/NAME` or `statefulset/NAME` that must become ready.
    pub workload: String,
    /// Recipe of its image.
    pub image: String,
    /// Components it cannot work without.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Whether the stack does without it where its image cannot be had.
    #[serde(default)]
    pub optional: bool,
    /// Chart value that switches it on.
    pub enable: Option<String>,
    /// Where it answers.
    #[serde(default, rename = "endpoint")]
    pub endpoints: Vec<Endpoint>,
    /// How to ask it for its version.
    pub version_probe: Option<VersionProbe>,
}

/// Where a component answers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// How scenarios call it.
    pub name: String,
    /// The Service that answers.
    pub service: String,
    /// The Service's port.
    pub port: u16,
    /// The Service's NodePort.
    pub node_port: u16,
}

/// How to ask a component for its version over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionProbe {
    /// Name of the endpoint to ask.
    pub endpoint: String,
    /// Path to GET.
    pub path: String,
    /// JSON pointer of the version; without it the answer is the version.
    pub pointer: Option<String>,
}

/// Every version of a stack, resolved.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// The stack it locks.
    pub stack: String,
    /// Kubernetes minor version it is meant for.
    pub kubernetes: String,
    /// Versions by component name.
    #[serde(rename = "component")]
    pub components: BTreeMap<String, LockedComponent>,
}

/// A component's version.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedComponent {
    /// What the tutorials install.
    pub documented: String,
    /// What this lab installs.
    pub version: String,
}

impl Stack {
    /// Parses a `stack.toml`; `file` is its name in messages.
    ///
    /// # Errors
    /// [`DefinitionError`] with every problem found.
    pub fn parse(file: &str, text: &str) -> Result<Self, DefinitionError> {
        let stack: Self = parse(file, text)?;
        let problems = stack.problems();
        if problems.is_empty() {
            Ok(stack)
        } else {
            Err(located(file, text, problems))
        }
    }

    /// Recipes of all its images, each once.
    pub fn recipes(&self) -> BTreeSet<&str> {
        self.recipes_of(|_| true)
    }

    /// Recipes of the images it cannot do without, each once.
    pub fn required_recipes(&self) -> BTreeSet<&str> {
        self.recipes_of(|it| !it.optional)
    }

    /// Recipes of the images it can do without, each once.
    pub fn optional_recipes(&self) -> BTreeSet<&str> {
        &self.recipes() - &self.required_recipes()
    }

    fn recipes_of(&self, wanted: impl Fn(&Component) -> bool) -> BTreeSet<&str> {
        let components = self.components.iter();
        components
            .filter(|it| wanted(it))
            .map(|it| it.image.as_str())
            .collect()
    }

    /// NodePorts of all its endpoints.
    pub fn node_ports(&self) -> impl Iterator<Item = u16> {
        self.components
            .iter()
            .flat_map(|it| &it.endpoints)
            .map(|it| it.node_port)
    }

    /// What a reader cannot see from one key alone: `(quoted text, message)`.
    fn problems(&self) -> Vec<(String, String)> {
        let mut names = BTreeSet::new();
        let mut ports = BTreeSet::new();
        let known: BTreeSet<&str> = self.components.iter().map(|it| it.name.as_str()).collect();
        let mut problems = Vec::new();
        for component in &self.components {
            if !names.insert(&component.name) {
                let message = format!("component `{}` is there twice", component.name);
                problems.push((component.name.clone(), message));
            }
            if !matches!(
                component.workload.split_once('/'),
                Some(("deployment" | "statefulset", _))
            ) {
                let message = "workload must be `deployment/NAME` or `statefulset/NAME`";
                problems.push((component.workload.clone(), message.to_owned()));
            }
            for need in component
                .needs
                .iter()
                .filter(|it| !known.contains(it.as_str()))
            {
                problems.push((
                    need.clone(),
                    format!("needs `{need}`, which is no component"),
                ));
            }
            if component.optional != component.enable.is_some() {
                let message = format!(
                    "`{}` needs both `optional = true` and `enable`, or neither",
                    component.name
                );
                problems.push((component.name.clone(), message));
            }
            for endpoint in &component.endpoints {
                if !ports.insert(endpoint.node_port) {
                    let message = format!("node_port {} is used twice", endpoint.node_port);
                    problems.push((endpoint.name.clone(), message));
                }
            }
        }
        problems
    }
}

impl Lock {
    /// Parses a lock file; `file` is its name in messages. Every component of
    /// `stack` must be in it.
    ///
    /// # Errors
    /// [`DefinitionError`] with every problem found.
    pub fn parse(file: &str, text: &str, stack: &Stack) -> Result<Self, DefinitionError> {
        let lock: Self = parse(file, text)?;
        let missing: Vec<_> = stack
            .components
            .iter()
            .filter(|it| !lock.components.contains_key(&it.name))
            .map(|it| {
                (
                    String::new(),
                    format!("component `{}` has no version here", it.name),
                )
            })
            .collect();
        if missing.is_empty() {
            Ok(lock)
        } else {
            Err(located(file, text, missing))
        }
    }
}

fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, DefinitionError> {
    toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        let problem = problem(file, text, span, error.message().to_owned());
        definition_error(file, text, vec![problem])
    })
}

/// Finds each quoted text in the file, so that the message can point at it.
fn located(file: &str, text: &str, problems: Vec<(String, String)>) -> DefinitionError {
    let problems = problems
        .into_iter()
        .map(|(quoted, message)| {
            let needle = format!("\"{quoted}\"");
            let at = text
                .rfind(&needle)
                .filter(|_| !quoted.is_empty())
                .unwrap_or(0);
            let length = if at == 0 { 0 } else { needle.len() };
            problem(file, text, at..at + length, message)
        })
        .collect();
    definition_error(file, text, problems)
}

fn problem(file: &str, text: &str, span: std::ops::Range<usize>, message: String) -> Problem {
    let line = text[..span.start].matches('\n').count() + 1;
    Problem {
        file: file.to_owned(),
        line,
        message,
        at: span.into(),
    }
}

fn definition_error(file: &str, text: &str, problems: Vec<Problem>) -> DefinitionError {
    DefinitionError {
        file: file.to_owned(),
        source_code: NamedSource::new(file, text.to_owned()),
        problems,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STACK: &str = include_str!("../../../fixtures/stacks/lifecycle/stack.toml");
    const LOCK: &str = include_str!("../../../fixtures/stacks/lifecycle/documented.toml");

    fn messages(error: &DefinitionError) -> Vec<String> {
        error.problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_lifecycle_stack_and_its_lock_are_sound() {
        let stack = Stack::parse("stack.toml", STACK).unwrap();
        let lock = Lock::parse("documented.toml", LOCK, &stack).unwrap();
        assert_eq!(lock.stack, "lifecycle");
        assert!(stack.required_recipes().contains("mlflow"));
        assert_eq!(stack.optional_recipes(), ["grafana"].into());
    }

    #[test]
    fn an_unknown_key_is_an_error_with_file_and_line() {
        let error =
            Stack::parse("stack.toml", "description = \"x\"\ncolour = \"red\"\n").unwrap_err();
        let messages = messages(&error);
        assert!(
            messages[0].starts_with("stack.toml:2: unknown field `colour`"),
            "{messages:?}"
        );
    }

    #[test]
    fn every_problem_is_reported_at_once() {
        let text = r#"
description = "x"
namespace = "n"
[release]
name = "r"
chart = "c"
[[component]]
name = "a"
title = "A"
workload = "pod/a"
image = "a"
needs = ["ghost"]
optional = true
"#;
        let messages = messages(&Stack::parse("stack.toml", text).unwrap_err());
        assert_eq!(
            messages,
            [
                "stack.toml:10: workload must be `deployment/NAME` or `statefulset/NAME`",
                "stack.toml:12: needs `ghost`, which is no component",
                "stack.toml:11: `a` needs both `optional = true` and `enable`, or neither",
            ]
        );
    }

    #[test]
    fn a_lock_must_name_every_component() {
        let stack = Stack::parse("stack.toml", STACK).unwrap();
        let text = "stack = \"lifecycle\"\nkubernetes = \"1.20\"\n[component]\n";
        let error = Lock::parse("x.toml", text, &stack).unwrap_err();
        assert_eq!(error.problems.len(), stack.components.len());
    }
}
