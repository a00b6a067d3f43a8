//! Cucumber Messages.

use std::{collections::BTreeSet, env, fs, path::Path};

use jsonschema::{Draft, Registry, Validator};
use lab_report::messages;
use serde_json::Value;

use crate::{STREAMS, report};

/// Keys by which a message names another.
const REFERENCES: [&str; 9] = [
    "pickleId",
    "pickleStepId",
    "hookId",
    "astNodeId",
    "astNodeIds",
    "testCaseId",
    "testCaseStartedId",
    "testStepId",
    "testRunStartedId",
];

fn messages_of(name: &str) -> Vec<Value> {
    messages::render(&report(name))
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn messages_of_every_stream() {
    for name in STREAMS {
        insta::assert_snapshot!(format!("messages-{name}"), messages::render(&report(name)));
    }
}

#[test]
fn what_a_message_names_was_told_before() {
    for name in STREAMS {
        let mut told = BTreeSet::new();
        for message in messages_of(name) {
            ids(&message, &mut told);
            assert_told(&message, &told);
        }
    }
}

fn ids(value: &Value, told: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => {
            if let Some(Value::String(id)) = entries.get("id") {
                assert!(told.insert(id.clone()), "`{id}` is told twice");
            }
            entries.values().for_each(|it| ids(it, told));
        }
        Value::Array(items) => items.iter().for_each(|it| ids(it, told)),
        _ => {}
    }
}

fn assert_told(value: &Value, told: &BTreeSet<String>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                if !REFERENCES.contains(&key.as_str()) {
                    assert_told(value, told);
                    continue;
                }
                let named = value
                    .as_array()
                    .map_or(std::slice::from_ref(value), Vec::as_slice);
                for id in named.iter().filter_map(Value::as_str) {
                    assert!(told.contains(id), "`{key}` names `{id}`");
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|it| assert_told(it, told)),
        _ => {}
    }
}

/// `LAB_CUCUMBER_SCHEMA=…/messages/jsonschema/src cargo test -p lab-report --test it -- --ignored`
/// with a checkout of <https://github.com/cucumber/messages> at the tag `v34.2.0`.
#[test]
#[ignore = "needs the official schema, which no crate carries: name its folder in LAB_CUCUMBER_SCHEMA"]
fn every_message_is_as_the_official_schema_has_it() {
    let folder = env::var("LAB_CUCUMBER_SCHEMA").unwrap();
    let validator = validator(Path::new(&folder));
    assert!(!validator.is_valid(&serde_json::json!({"meta": {}})));
    for name in STREAMS {
        for message in messages_of(name) {
            let problems: Vec<_> = validator
                .iter_errors(&message)
                .map(|problem| problem.to_string())
                .collect();
            assert_eq!(problems, [] as [String; 0], "{name}: {message}");
        }
    }
}

fn validator(folder: &Path) -> Validator {
    let schemas = fs::read_dir(folder).unwrap().map(|entry| {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let schema: Value = serde_json::from_str(&text).unwrap();
        let id = schema["$id"].as_str().unwrap().to_owned();
        (id, Draft::Draft202012.create_resource(schema))
    });
    let mut registry = Registry::new();
    for (id, schema) in schemas {
        registry = registry.add(id, schema).unwrap();
    }
    let registry = registry.prepare().unwrap();
    let envelope = serde_json::json!({"$ref": "https://cucumber.io/schema/Envelope.schema.json"});
    jsonschema::options()
        .with_registry(&registry)
        .build(&envelope)
        .unwrap()
}
