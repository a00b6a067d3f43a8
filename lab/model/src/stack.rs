//! Stacks, their components and their locks, as their TOML files say them.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::{Range, RangeInclusive},
};

use toml::Spanned;

use crate::definition::{DefinitionError, Reader, read};

/// NodePorts of every Kubernetes.
const NODE_PORTS: RangeInclusive<u16> = 30_000..=32_767;

/// A named, ordered set of components.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    /// One line on what it is.
    pub description: String,
    /// Namespace it is installed into.
    pub namespace: String,
    /// The Helm release.
    pub release: Release,
    /// Its components, in the order reports show them.
    pub components: Vec<Component>,
}

/// A Helm release: what is installed under which name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Release {
    /// The release's name.
    pub name: String,
    /// The chart's folder under `fixtures/charts`.
    pub chart: String,
}

/// One thing to install.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    pub needs: Vec<String>,
    /// Whether the stack does without it where its image cannot be had.
    pub optional: bool,
    /// Chart value that switches it on.
    pub enable: Option<String>,
    /// Where it answers.
    pub endpoints: Vec<Endpoint>,
    /// How to ask it for its version.
    pub version_probe: Option<VersionProbe>,
}

/// Where a component answers.
#[derive(Debug, Clone, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionProbe {
    /// Name of the endpoint to ask.
    pub endpoint: String,
    /// Path to GET.
    pub path: String,
    /// JSON pointer of the version; without it the answer is the version.
    pub pointer: Option<String>,
}

/// Every version of a stack, resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// The stack it locks.
    pub stack: String,
    /// Kubernetes minor version it is meant for.
    pub kubernetes: String,
    /// Versions by component name.
    pub components: BTreeMap<String, LockedComponent>,
}

/// A component's version.
#[derive(Debug, Clone, PartialEq, Eq)]
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
        let stack = read(file, text, "stack", |top| {
            let description = plain(top.needed("description"));
            let namespace = plain(top.needed("namespace"));
            top.require("release");
            let release = top.table("release", |release| Release {
                name: plain(release.needed("name")),
                chart: plain(release.needed("chart")),
            });
            top.require("component");
            let written = top.tables("component", component);
            check(&written, top);
            Self {
                description,
                namespace,
                release: release.unwrap_or_default(),
                components: written.into_iter().map(|it| it.component).collect(),
            }
        });
        stack.map_err(|problems| DefinitionError::of(file, problems))
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
}

impl Lock {
    /// Parses a lock file; `file` is its name in messages. It must have a version for
    /// every component of `stack`, and for no other.
    ///
    /// # Errors
    /// [`DefinitionError`] with every problem found.
    pub fn parse(file: &str, text: &str, stack: &Stack) -> Result<Self, DefinitionError> {
        let lock = read(file, text, "lock", |top| {
            let name = plain(top.needed("stack"));
            let kubernetes = plain(top.needed("kubernetes"));
            let components = top.named("component", |one| LockedComponent {
                documented: plain(one.needed("documented")),
                version: plain(one.needed("version")),
            });
            let known: BTreeSet<_> = stack.components.iter().map(|it| &it.name).collect();
            for name in known.iter().filter(|it| !components.contains_key(**it)) {
                top.problem(0..0, format!("`[component.{name}]` is missing"));
            }
            for (name, one) in components.iter().filter(|(it, _)| !known.contains(it)) {
                top.problem(one.span(), format!("the stack has no component `{name}`"));
            }
            Self {
                stack: name,
                kubernetes,
                components: components
                    .into_iter()
                    .map(|(name, one)| (name, one.into_inner()))
                    .collect(),
            }
        });
        lock.map_err(|problems| DefinitionError::of(file, problems))
    }
}

/// A component, and where it says what only the whole stack can judge.
struct Written {
    component: Component,
    name: Range<usize>,
    needs: Vec<Spanned<String>>,
    ports: Vec<Spanned<u64>>,
}

fn component(table: &mut Reader<'_, '_>) -> Written {
    let name = table.needed("name");
    let title = plain(table.needed("title"));
    let workload = table.needed::<String>("workload");
    let kinds = ["deployment", "statefulset"];
    if let Some(wrong) = workload.as_ref().filter(|it| {
        let kind = it.get_ref().split_once('/').map(|(kind, _)| kind);
        !kind.is_some_and(|it| kinds.contains(&it))
    }) {
        let message = "key `workload` must be `deployment/NAME` or `statefulset/NAME`";
        table.problem(wrong.span(), message);
    }
    let image = plain(table.needed("image"));
    let needs = table.list::<String>("needs").unwrap_or_default();
    let optional = plain(table.get("optional"));
    let enable = table.get("enable").map(Spanned::into_inner);
    if optional != enable.is_some() {
        let message = "`optional = true` and key `enable` go together: both, or neither";
        table.problem(table.span(), message);
    }
    let endpoints = table.tables("endpoint", endpoint);
    let version_probe = table.table("version_probe", |probe| VersionProbe {
        endpoint: plain(probe.needed("endpoint")),
        path: plain(probe.needed("path")),
        pointer: probe.get("pointer").map(Spanned::into_inner),
    });
    let span = name.as_ref().map_or(table.span(), Spanned::span);
    let (endpoints, ports): (Vec<_>, Vec<_>) = endpoints.into_iter().unzip();
    let component = Component {
        name: plain(name),
        title,
        workload: plain(workload),
        image,
        needs: needs.iter().map(|it| it.get_ref().clone()).collect(),
        optional,
        enable,
        endpoints,
        version_probe,
    };
    Written {
        component,
        name: span,
        needs,
        ports: ports.into_iter().flatten().collect(),
    }
}

fn endpoint(table: &mut Reader<'_, '_>) -> (Endpoint, Option<Spanned<u64>>) {
    let name = plain(table.needed("name"));
    let service = plain(table.needed("service"));
    let service_port = table.needed("port");
    let node_port = table.needed("node_port");
    let endpoint = Endpoint {
        name,
        service,
        port: number(table, "port", service_port.as_ref(), 1..=u16::MAX),
        node_port: number(table, "node_port", node_port.as_ref(), NODE_PORTS),
    };
    (endpoint, node_port)
}

/// The number of a port, which must lie in a range; 0 stands for one that does not.
fn number(
    table: &mut Reader<'_, '_>,
    key: &str,
    written: Option<&Spanned<u64>>,
    range: RangeInclusive<u16>,
) -> u16 {
    let Some(written) = written else { return 0 };
    let number = u16::try_from(*written.get_ref()).ok();
    number.filter(|it| range.contains(it)).unwrap_or_else(|| {
        let (first, last) = (range.start(), range.end());
        let message = format!("key `{key}` must be from {first} to {last}");
        table.problem(written.span(), message);
        0
    })
}

/// Keeps what cannot be seen from one component alone.
fn check(written: &[Written], top: &mut Reader<'_, '_>) {
    let mut names = BTreeSet::new();
    let mut ports = BTreeSet::new();
    let known: BTreeSet<_> = written.iter().map(|it| &it.component.name).collect();
    for one in written {
        let name = &one.component.name;
        if !names.insert(name) {
            let message = format!("component `{name}` is there twice");
            top.problem(one.name.clone(), message);
        }
        for need in one.needs.iter().filter(|it| !known.contains(it.get_ref())) {
            let message = format!("`{name}` needs `{}`, which is no component", need.get_ref());
            top.problem(need.span(), message);
        }
        for port in &one.ports {
            if !ports.insert(*port.get_ref()) {
                let message = format!("node_port {} is used twice", port.get_ref());
                top.problem(port.span(), message);
            }
        }
    }
}

/// What stands for a value that is missing; its problem is kept already.
fn plain<T: Default>(value: Option<Spanned<T>>) -> T {
    value.map(Spanned::into_inner).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STACK: &str = include_str!("../../../fixtures/stacks/lifecycle/stack.toml");
    const LOCK: &str = include_str!("../../../fixtures/stacks/lifecycle/documented.toml");

    #[test]
    fn the_lifecycle_stack_and_its_lock_are_sound() {
        let stack = Stack::parse("stack.toml", STACK).unwrap();
        let lock = Lock::parse("documented.toml", LOCK, &stack).unwrap();
        assert_eq!(lock.stack, "lifecycle");
        assert!(stack.required_recipes().contains("mlflow"));
        assert_eq!(stack.optional_recipes(), ["grafana"].into());
    }

    #[test]
    fn every_problem_of_a_stack_is_told_at_once() {
        let text = r#"description = "x"
colour = "red"
[release]
name = "r"
[[component]]
name = "a"
title = "A"
workload = "pod/a"
image = "a"
needs = ["ghost"]
optional = true
[[component.endpoint]]
name = "a"
node_port = 80
[[component]]
name = "a"
title = 1
workload = "deployment/a"
image = "a"
"#;
        let error = Stack::parse("stack.toml", text).unwrap_err();
        insta::assert_snapshot!(error);
    }

    #[test]
    fn a_lock_has_a_version_for_every_component_and_for_no_other() {
        let text = "description = \"x\"\nnamespace = \"n\"\nrelease = { name = \"r\", chart = \"c\" }\n\
                    [[component]]\nname = \"a\"\ntitle = \"A\"\nworkload = \"deployment/a\"\nimage = \"a\"\n";
        let stack = Stack::parse("stack.toml", text).unwrap();
        let lock = "stack = \"x\"\n\n[component.b]\nversion = \"1\"\n";
        let error = Lock::parse("lock.toml", lock, &stack).unwrap_err();
        insta::assert_snapshot!(error);
    }
}
