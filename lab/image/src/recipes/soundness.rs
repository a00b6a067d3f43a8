//! Whether recipes can stand on each other: every name is one, and no circle.

use std::{collections::BTreeMap, ops::Range};

use lab_model::definition::Problem;
use toml::Spanned;

use super::BASE;
use crate::recipe::{Kind, Read};

/// What is wrong between recipes that are each sound: names first, for a circle is one
/// of known names.
pub(super) fn problems(all: &BTreeMap<String, Read>) -> Vec<Problem> {
    let unknown = unknown_names(all);
    if unknown.is_empty() {
        circles(all)
    } else {
        unknown
    }
}

fn unknown_names(all: &BTreeMap<String, Read>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for read in all.values() {
        if let Some(from) = &read.from
            && let Some(message) = unfit_parent(from.get_ref(), all)
        {
            problems.push(problem(read, &from.span(), message));
        }
        for artifact in &read.artifacts {
            let name = artifact.get_ref().as_str();
            let known = all
                .get(name)
                .is_some_and(|other| other.recipe.kind == Kind::Artifact);
            if !known {
                let message = format!("[artifacts]: `{name}` is no recipe of kind artifact");
                problems.push(problem(read, &artifact.span(), message));
            }
        }
    }
    problems
}

/// Why nothing can stand on the recipe of that name.
fn unfit_parent(name: &str, all: &BTreeMap<String, Read>) -> Option<String> {
    if name == BASE {
        return None;
    }
    match all.get(name).map(|other| &other.recipe) {
        Some(parent) if parent.pull().is_some() => Some(format!(
            "`from`: `{name}` is pulled; a recipe stands on one that is built"
        )),
        Some(parent) if parent.kind == Kind::Image => None,
        _ => Some(format!("`from`: `{name}` is no image recipe")),
    }
}

fn circles(all: &BTreeMap<String, Read>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (start, read) in all {
        let mut path = vec![start.as_str()];
        let mut open: Vec<(usize, &str)> = needs_of(read).map(|need| (1, need)).collect();
        while let Some((depth, name)) = open.pop() {
            path.truncate(depth);
            if name == start {
                path.push(name);
                let message = format!("recipes stand on each other: {}", path.join(" -> "));
                let span = read.from.as_ref().map_or(0..0, Spanned::span);
                problems.push(problem(read, &span, message));
                break;
            }
            if path.contains(&name) {
                continue;
            }
            path.push(name);
            open.extend(
                all.get(name)
                    .into_iter()
                    .flat_map(needs_of)
                    .map(|need| (depth + 1, need)),
            );
        }
    }
    problems
}

fn needs_of(read: &Read) -> impl Iterator<Item = &str> {
    read.from
        .iter()
        .chain(&read.artifacts)
        .map(|name| name.get_ref().as_str())
}

fn problem(read: &Read, span: &Range<usize>, message: String) -> Problem {
    Problem::at(&read.file, &read.text, span, message)
}
