//! The help of an error in Korean.
//!
//! What an error says is data and words of whoever failed, and stays as it is; what to do
//! next is for the person who reads it. Commands stand between backticks in the English
//! help and are taken from there, so that they are written once.

use toml::Table;

const CATALOGUE: &str = include_str!("help.ko.toml");

/// What the help of an error with this code says, in Korean. `None` where the catalogue has
/// no words for it, or they do not fit the English ones.
pub fn korean(code: &str, english: &str) -> Option<String> {
    fill(words(&catalogue(), code)?, english)
}

fn catalogue() -> Table {
    CATALOGUE.parse().unwrap_or_default()
}

/// The words for a code such as `lab::cluster::unknown`: in the table of its area.
fn words<'a>(catalogue: &'a Table, code: &str) -> Option<&'a str> {
    let code = code.strip_prefix("lab::")?;
    let (area, name) = code.split_once("::").unwrap_or((code, ""));
    catalogue.get(area)?.get(name)?.as_str()
}

/// Puts what the English help has into Korean words: `None` where it lacks something.
fn fill(words: &str, english: &str) -> Option<String> {
    let mut filled = String::new();
    let mut rest = words;
    while let Some((before, after)) = rest.split_once('{') {
        let (slot, after) = after.split_once('}')?;
        filled.push_str(before);
        filled.push_str(&taken(slot, english)?);
        rest = after;
    }
    filled.push_str(rest);
    Some(filled)
}

/// What a slot is filled with.
fn taken(slot: &str, english: &str) -> Option<String> {
    let mut spans = code_spans(english);
    let span = match slot {
        "list" => return Some(english.rsplit_once(": ")?.1.to_owned()),
        "last" => spans.last(),
        number => spans.nth(number.parse().ok()?),
    };
    Some(format!("`{}`", span?))
}

/// What stands between backticks.
fn code_spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs, path::Path};

    use regex::Regex;

    use super::*;

    /// Helps that are mostly figures and names, which stay in English; and what only a node
    /// in its container or a test says, which has no language.
    const ENGLISH: [&str; 6] = [
        "lab::bench::calibration_too_short",
        "lab::bench::cannot_fire",
        "lab::bench::figures_need_more",
        "lab::bench::samples_invalid",
        "lab::cli::no_component",
        "lab::cluster::unknown_node",
    ];
    const WITHOUT_LANGUAGE: [&str; 2] = ["lab::node::", "lab::library::"];

    /// Every code that has help in our sources, with the help as it is written there.
    fn written() -> BTreeMap<String, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let pattern = r#"code\((lab::[\w:]+)\),\s*help\(\s*"((?:[^"\\]|\\(?s:.))*)""#;
        let pattern = Regex::new(pattern).unwrap();
        let mut written = BTreeMap::new();
        let mut folders = ["lab", "bench", "scenarios"]
            .map(|it| root.join(it))
            .to_vec();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|it| it == "rs") {
                    let source = fs::read_to_string(&path).unwrap();
                    let all = pattern.captures_iter(&source);
                    written.extend(all.map(|it| (it[1].to_owned(), it[2].to_owned())));
                }
            }
        }
        written
    }

    fn has_language(code: &str) -> bool {
        !ENGLISH.contains(&code) && !WITHOUT_LANGUAGE.iter().any(|it| code.starts_with(it))
    }

    #[test]
    fn every_help_has_korean_words_that_fit_it() {
        let (catalogue, written) = (catalogue(), written());
        assert!(written.len() > 150, "{} helps", written.len());
        for (code, english) in written.iter().filter(|(code, _)| has_language(code)) {
            let korean = words(&catalogue, code).unwrap_or_else(|| panic!("{code} has none"));
            let filled = fill(korean, english);
            assert!(filled.is_some(), "{code}: {korean} does not fit {english}");
            let all = code_spans(english).count();
            let told = code_spans(&filled.unwrap()).count();
            assert_eq!(told, all, "{code}: a command of {english} is not told");
        }
    }

    #[test]
    fn korean_words_are_those_of_a_help() {
        let written = written();
        for (area, codes) in catalogue() {
            for name in codes.as_table().unwrap().keys() {
                let code = format!("lab::{area}::{name}");
                let code = code.strip_suffix("::").unwrap_or(&code);
                assert!(written.contains_key(code), "{code}");
            }
        }
    }

    #[test]
    fn commands_and_lists_are_taken_from_the_english_help() {
        let english = "`lab list` shows them; `lab up demo` makes one of: a, b";
        assert_eq!(
            fill("{1} 명령이 만들고 {0}에 보입니다: {list}", english).unwrap(),
            "`lab up demo` 명령이 만들고 `lab list`에 보입니다: a, b"
        );
        assert_eq!(fill("{last}", english).unwrap(), "`lab up demo`");
        assert_eq!(fill("{2}", english), None);
    }
}
