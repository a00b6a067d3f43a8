//! The features on disk: reading, choosing, ordering. No network.

use std::path::{Path, PathBuf};

use cucumber::{
    feature::Ext as _,
    gherkin::{Feature, GherkinEnv, ParseFileError, Scenario, tagexpr::TagOperation},
    tag::Ext as _,
};
use lab_model::hindrance::Hindrance;
use miette::Diagnostic;
use thiserror::Error;

use crate::env::ScenarioEnv;

/// A model's life, in the order it is lived. A file of another name comes last.
const ORDER: [&str; 8] = [
    "api", "train", "register", "deploy", "monitor", "retrain", "gpu", "faults",
];

/// A tag of this form names what the scenario needs: a component, `faults`, a GPU, or so
/// many nodes.
const REQUIRES: &str = "requires-";
const FAULTS: &str = "faults";
const GPU: &str = "gpu";
const NODES: &str = "nodes-";

/// Which scenarios to run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Names of feature files without `.feature`; all when empty.
    pub features: Vec<String>,
    /// A tag expression, for example `@deploy and not @slow`; all when none.
    pub tags: Option<String>,
}

/// The features cannot be read or chosen from.
#[derive(Debug, Error, Diagnostic)]
pub enum CatalogError {
    /// The folder cannot be listed.
    #[error("failed to read the features in `{}`", folder.display())]
    #[diagnostic(code(lab::scenarios::features_folder))]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file is not Gherkin.
    #[error("failed to read the feature `{}`", file.display())]
    #[diagnostic(
        code(lab::scenarios::gherkin),
        help(
            "each line begins with a Gherkin keyword; https://cucumber.io/docs/gherkin lists them"
        )
    )]
    Gherkin {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: Box<ParseFileError>,
    },
    /// An outline uses a name that its examples do not have.
    #[error("failed to fill in the examples of `{}`: {reason}", file.display())]
    #[diagnostic(code(lab::scenarios::examples))]
    Examples {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// There is no such feature.
    #[error("there is no feature `{name}`")]
    #[diagnostic(code(lab::scenarios::no_such_feature), help("there are: {}", there.join(", ")))]
    NoSuchFeature {
        /// The name asked for.
        name: String,
        /// The names there are.
        there: Vec<String>,
    },
    /// The tag expression cannot be read.
    #[error("`{expression}` is not a tag expression")]
    #[diagnostic(
        code(lab::scenarios::tag_expression),
        help("write for example `@deploy and not @retrain`")
    )]
    Tags {
        /// The expression.
        expression: String,
    },
}

/// The chosen features of a folder in the order of a model's life, outlines filled
/// in. Folders in it are left alone: `features/ko` is a folder of its own.
pub fn features(folder: &Path, filter: &Filter) -> Result<Vec<Feature>, CatalogError> {
    let tags = filter
        .tags
        .as_ref()
        .map(|expression| {
            expression
                .parse::<TagOperation>()
                .map_err(|_| CatalogError::Tags {
                    expression: expression.clone(),
                })
        })
        .transpose()?;
    let files = files(folder)?;
    for wanted in &filter.features {
        if !files.iter().any(|file| stem(file) == wanted) {
            return Err(CatalogError::NoSuchFeature {
                name: wanted.clone(),
                there: files.iter().map(|file| stem(file).to_owned()).collect(),
            });
        }
    }
    let mut features = Vec::new();
    for file in files {
        if filter.features.is_empty() || filter.features.iter().any(|name| name == stem(&file)) {
            let mut feature = read(&file)?;
            if let Some(tags) = &tags {
                retain(&mut feature, tags);
            }
            features.push(feature);
        }
    }
    features.retain(|feature| !feature.scenarios.is_empty());
    Ok(features)
}

/// Why a scenario cannot run here.
pub fn not_run_reason(
    feature: &Feature,
    scenario: &Scenario,
    env: &ScenarioEnv,
) -> Option<Hindrance> {
    all_tags(feature, scenario)
        .filter_map(|tag| tag.strip_prefix(REQUIRES))
        .find_map(|need| lack_of(need, env))
}

fn lack_of(need: &str, env: &ScenarioEnv) -> Option<Hindrance> {
    if let Some(why) = env.not_run_components.get(need) {
        let why = Box::new(why.clone());
        return Some(if need == GPU {
            Hindrance::Gpu { why }
        } else {
            let name = need.to_owned();
            Hindrance::Component { name, why }
        });
    }
    if need == FAULTS && env.faults.is_none() {
        return Some(Hindrance::NoFaults);
    }
    let needed = need.strip_prefix(NODES)?;
    let there = env.nodes.len();
    // A number that cannot be read is never reached: the scenario then says so.
    let is_enough = needed.parse().is_ok_and(|needed: usize| there >= needed);
    (!is_enough).then(|| Hindrance::Nodes {
        needed: needed.to_owned(),
        here: there,
    })
}

/// Tags of a scenario and of its feature, without `@`.
pub(crate) fn all_tags<'a>(
    feature: &'a Feature,
    scenario: &'a Scenario,
) -> impl Iterator<Item = &'a str> + Clone {
    feature
        .tags
        .iter()
        .chain(&scenario.tags)
        .map(|tag| tag.trim_start_matches('@'))
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, CatalogError> {
    let failed = |source| CatalogError::Folder {
        folder: folder.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "feature")
        {
            files.push(path);
        }
    }
    files.sort_by_key(|file| {
        let place = ORDER.iter().position(|name| *name == stem(file));
        (place.unwrap_or(ORDER.len()), file.clone())
    });
    Ok(files)
}

fn stem(file: &Path) -> &str {
    file.file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default()
}

fn read(file: &Path) -> Result<Feature, CatalogError> {
    let feature = Feature::parse_path(file, GherkinEnv::default()).map_err(|source| {
        CatalogError::Gherkin {
            file: file.to_owned(),
            source: Box::new(source),
        }
    })?;
    feature
        .expand_examples()
        .map_err(|error| CatalogError::Examples {
            file: file.to_owned(),
            reason: error.to_string(),
        })
}

fn retain(feature: &mut Feature, tags: &TagOperation) {
    let mut scenarios = std::mem::take(&mut feature.scenarios);
    scenarios.retain(|scenario| tags.eval(all_tags(feature, scenario)));
    feature.scenarios = scenarios;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn env() -> ScenarioEnv {
        ScenarioEnv {
            kubeconfig: PathBuf::new(),
            namespace: String::new(),
            endpoints: BTreeMap::new(),
            airflow: (String::new(), String::new()),
            cluster: "demo".to_owned(),
            nodes: vec!["demo".to_owned()],
            not_run_components: BTreeMap::new(),
            faults: None,
            dashboards: PathBuf::new(),
        }
    }

    fn feature(text: &str) -> Feature {
        Feature::parse(text, GherkinEnv::default()).unwrap()
    }

    #[test]
    fn scenario_of_a_component_that_does_not_run_is_not_run() {
        let feature = feature(
            "@monitor\nFeature: f\n  @requires-grafana\n  Scenario: a\n    Given x\n\n  \
             Scenario: b\n    Given x\n",
        );
        let mut here = env();
        here.not_run_components = [("grafana".to_owned(), Hindrance::NotInstalled)].into();
        assert_eq!(
            not_run_reason(&feature, &feature.scenarios[0], &here),
            Some(Hindrance::Component {
                name: "grafana".to_owned(),
                why: Box::new(Hindrance::NotInstalled),
            })
        );
        assert_eq!(not_run_reason(&feature, &feature.scenarios[1], &here), None);
    }

    #[test]
    fn scenario_that_needs_more_nodes_is_not_run() {
        let feature = feature("Feature: f\n  @requires-nodes-3\n  Scenario: a\n    Given x\n");
        let reason = |env: &ScenarioEnv| not_run_reason(&feature, &feature.scenarios[0], env);
        let mut here = env();
        assert_eq!(
            reason(&here),
            Some(Hindrance::Nodes {
                needed: "3".to_owned(),
                here: 1,
            })
        );
        here.nodes = ["a", "b", "c"].map(str::to_owned).to_vec();
        assert_eq!(reason(&here), None);
    }

    #[test]
    fn scenario_of_faults_needs_something_that_makes_them() {
        let feature = feature("Feature: f\n  @requires-faults\n  Scenario: a\n    Given x\n");
        assert_eq!(
            not_run_reason(&feature, &feature.scenarios[0], &env()),
            Some(Hindrance::NoFaults)
        );
    }

    #[test]
    fn scenario_of_a_gpu_needs_one() {
        let feature = feature("@requires-gpu\nFeature: f\n  Scenario: a\n    Given x\n");
        let reason = |env: &ScenarioEnv| not_run_reason(&feature, &feature.scenarios[0], env);
        let mut here = env();
        assert_eq!(reason(&here), None);
        here.not_run_components = [("gpu".to_owned(), Hindrance::NoGpu)].into();
        let why = Box::new(Hindrance::NoGpu);
        assert_eq!(reason(&here), Some(Hindrance::Gpu { why }));
    }

    #[test]
    fn tags_of_the_feature_count_for_its_scenarios() {
        let mut feature = feature(
            "@monitor\nFeature: f\n  @slow\n  Scenario: a\n    Given x\n\n  \
             Scenario: b\n    Given x\n",
        );
        retain(&mut feature, &"@monitor and not @slow".parse().unwrap());
        let names: Vec<_> = feature.scenarios.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["b"]);
    }

    #[test]
    fn a_bad_tag_expression_is_told() {
        let filter = Filter {
            tags: Some("@a and".to_owned()),
            ..Filter::default()
        };
        let error = features(Path::new("."), &filter).unwrap_err();
        assert_eq!(error.to_string(), "`@a and` is not a tag expression");
    }
}
