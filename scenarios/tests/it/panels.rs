//! The dashboards of the chart and the scenarios that ask their queries.

use std::{collections::BTreeSet, fs, path::Path};

use lab_scenarios::{Filter, features};
use serde_json::Value;

/// Titles of the panels that have a query.
fn titles(panels: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for panel in panels.as_array().into_iter().flatten() {
        if panel["targets"].is_array() {
            found.insert(panel["title"].as_str().unwrap().to_owned());
        }
        found.extend(titles(&panel["panels"]));
    }
    found
}

#[test]
fn every_panel_of_every_dashboard_has_a_scenario() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut panels = BTreeSet::new();
    for file in fs::read_dir(root.join("fixtures/charts/mlops-platform/dashboards")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let dashboard: Value = serde_json::from_str(&text).unwrap();
        panels.extend(titles(&dashboard["panels"]));
    }
    for folder in ["features", "features/ko"] {
        let features = features(&root.join(folder), &Filter::default()).unwrap();
        let asked: BTreeSet<String> = features
            .iter()
            .flat_map(|feature| &feature.scenarios)
            .flat_map(|scenario| &scenario.steps)
            .filter(|step| step.value.contains("quer") || step.value.contains("쿼리"))
            .filter_map(|step| Some(step.value.split('"').nth(1)?.to_owned()))
            .collect();
        assert_eq!(asked, panels, "{folder}");
    }
}
