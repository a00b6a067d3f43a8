//! English and Korean features say the same, and every step has one function.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use cucumber::{
    World as _,
    gherkin::{Feature, Scenario, Step},
    step::{Collection, Location},
};
use lab_scenarios::{Filter, World, features};

/// Made once: it compiles the expression of every step.
static STEPS: LazyLock<Collection<World>> = LazyLock::new(World::collection);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn english() -> Vec<Feature> {
    features(&root().join("features"), &Filter::default()).unwrap()
}

fn korean() -> Vec<Feature> {
    features(&root().join("features/ko"), &Filter::default()).unwrap()
}

fn file_name(feature: &Feature) -> String {
    let path = feature.path.as_ref().unwrap();
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn scenarios(features: &[Feature]) -> Vec<(String, &Scenario)> {
    features
        .iter()
        .flat_map(|feature| {
            let file = file_name(feature);
            feature
                .scenarios
                .iter()
                .map(move |scenario| (file.clone(), scenario))
        })
        .collect()
}

/// The name of the function below an attribute.
fn function_at(location: Location) -> String {
    let source = fs::read_to_string(root().join(location.path)).unwrap();
    let line = source
        .lines()
        .skip(location.line as usize)
        .find(|line| line.contains("fn "))
        .unwrap();
    let name = line.split("fn ").nth(1).unwrap();
    let name = name.split('(').next().unwrap();
    format!("{}::{name}", location.path)
}

/// The function that a step is bound to, and what it is given besides words of runs.
fn binding(step: &Step) -> (String, Vec<String>) {
    let (_, _, location, context) = STEPS
        .find(step)
        .unwrap_or_else(|error| panic!("`{}` is ambiguous: {error}", step.value))
        .unwrap_or_else(|| panic!("`{}` matches no step function", step.value));
    let given = context
        .matches
        .into_iter()
        .skip(1)
        .map(|(_, text)| text)
        .filter(|text| !text.is_empty())
        .map(|text| same_word(&text))
        .collect();
    (function_at(location.unwrap()), given)
}

/// The English word of a run, whichever language names it.
fn same_word(text: &str) -> String {
    let words = BTreeMap::from([
        ("기준", "baseline"),
        ("개선", "better"),
        ("재현", "repeated"),
        ("저하", "worse"),
        ("손상", "broken"),
        ("과대", "oversized"),
    ]);
    words.get(text).map_or(text, |word| *word).to_owned()
}

#[test]
fn the_order_is_that_of_a_models_life() {
    let files: Vec<String> = english().iter().map(file_name).collect();
    assert_eq!(
        files,
        [
            "api.feature",
            "train.feature",
            "register.feature",
            "deploy.feature",
            "monitor.feature",
            "retrain.feature",
            "gpu.feature",
            "faults.feature",
        ]
    );
}

#[test]
fn there_are_at_least_25_scenarios_of_the_five_stages() {
    let english = english();
    let count = scenarios(&english)
        .iter()
        .filter(|(file, _)| file != "api.feature")
        .count();
    assert!(count >= 25, "only {count}");
}

#[test]
fn both_languages_have_the_same_scenarios_with_the_same_tags() {
    let (english, korean) = (english(), korean());
    let shape = |features: &[Feature]| -> Vec<(String, Vec<String>, usize)> {
        scenarios(features)
            .into_iter()
            .map(|(file, scenario)| (file, scenario.tags.clone(), scenario.steps.len()))
            .collect()
    };
    assert_eq!(shape(&english), shape(&korean));
    let tags = |features: &[Feature]| -> Vec<Vec<String>> {
        features
            .iter()
            .map(|feature| feature.tags.clone())
            .collect()
    };
    assert_eq!(tags(&english), tags(&korean));
}

#[test]
fn twin_steps_are_bound_to_the_same_function_with_the_same_words() {
    let (english, korean) = (english(), korean());
    for ((file, ours), (_, twin)) in scenarios(&english).iter().zip(scenarios(&korean)) {
        for (step, twin_step) in ours.steps.iter().zip(&twin.steps) {
            let (function, mut given) = binding(step);
            let (twin_function, mut twin_given) = binding(twin_step);
            assert_eq!(
                function, twin_function,
                "{file}: `{}` and `{}`",
                step.value, twin_step.value
            );
            // Word order differs between the languages where the step takes two runs
            // of different parts; the function's own order is what counts.
            given.dedup();
            twin_given.dedup();
            assert_eq!(
                given, twin_given,
                "{file}: `{}` and `{}`",
                step.value, twin_step.value
            );
            assert_eq!(step.docstring, twin_step.docstring);
        }
    }
}

#[test]
fn every_step_function_is_used_by_a_feature() {
    let (english, korean) = (english(), korean());
    let used: Vec<String> = scenarios(&english)
        .into_iter()
        .chain(scenarios(&korean))
        .flat_map(|(_, scenario)| &scenario.steps)
        .map(|step| binding(step).0)
        .collect();
    for file in fs::read_dir(root().join("scenarios/src/steps")).unwrap() {
        let path = file.unwrap().path();
        let source = fs::read_to_string(&path).unwrap();
        let mut is_step = false;
        for line in source.lines() {
            if ["#[given(", "#[when(", "#[then("]
                .iter()
                .any(|attribute| line.starts_with(attribute))
            {
                is_step = true;
            } else if let Some(name) = line.trim_start_matches("async ").strip_prefix("fn ") {
                let name = name.split('(').next().unwrap();
                let file = path.file_name().unwrap().to_string_lossy();
                let whole = format!("{file}::{name}");
                assert!(
                    !is_step || used.iter().any(|function| function.ends_with(&whole)),
                    "no feature uses {whole}"
                );
                is_step = false;
            }
        }
    }
}

#[test]
fn scenario_names_are_unique() {
    for features in [english(), korean()] {
        let mut seen = std::collections::BTreeSet::new();
        for (file, scenario) in scenarios(&features) {
            assert!(
                seen.insert(scenario.name.clone()),
                "{file}: {}",
                scenario.name
            );
        }
    }
}
