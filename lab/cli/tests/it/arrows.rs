//! Holds the arrows between crates, and who may name which library.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde_json::Value;

/// Lower layers first. A crate may use those of lower layers only.
const LAYERS: [&[&str]; 6] = [
    &["lab-model"],
    &["lab-engine", "lab-k8s"],
    &["lab-image", "lab-node"],
    &["lab-cluster", "lab-stack", "lab-scenarios", "lab-bench"],
    &["lab-runner", "lab-report", "mlops-lab"],
    &["lab-cli", "mlops-lab-testcontainers"],
];

/// The one crate that may name a library.
const ONLY: [(&str, &str); 8] = [
    ("bollard", "lab-engine"),
    ("kube", "lab-k8s"),
    ("k8s-openapi", "lab-k8s"),
    ("cucumber", "lab-scenarios"),
    ("clap", "lab-cli"),
    ("hickory-server", "lab-node"),
    ("tonic", "lab-node"),
    ("testcontainers", "mlops-lab-testcontainers"),
];

fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--offline",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let name = |it: &Value| it["name"].as_str().unwrap().to_owned();
    metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            let all = package["dependencies"].as_array().unwrap();
            (
                name(package),
                all.iter()
                    .filter(|it| it["kind"].is_null())
                    .map(name)
                    .collect(),
            )
        })
        .collect()
}

fn layer(package: &str) -> usize {
    LAYERS
        .iter()
        .position(|layer| layer.contains(&package))
        .unwrap_or_else(|| panic!("`{package}` is in no layer: add it to LAYERS"))
}

#[test]
fn arrows_point_down() {
    for (package, uses) in dependencies() {
        for used in uses.iter().filter(|it| it.starts_with("lab-")) {
            assert!(
                layer(used) < layer(&package),
                "`{package}` must not use `{used}`"
            );
        }
    }
}

#[test]
fn a_library_is_named_by_its_one_crate() {
    for (package, uses) in dependencies() {
        for (library, only) in ONLY {
            assert!(
                !uses.contains(library) || package == only,
                "`{package}` names `{library}`: only `{only}` may"
            );
        }
    }
}

#[test]
fn the_model_does_no_input_or_output() {
    let uses = &dependencies()["lab-model"];
    for library in ["tokio", "reqwest", "rustix", "tempfile"] {
        assert!(
            !uses.contains(library),
            "lab-model must stay pure, but uses `{library}`"
        );
    }
}
