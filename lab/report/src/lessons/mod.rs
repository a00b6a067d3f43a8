//! What a chapter of the report teaches: what its stage is for, how the tutorials do
//! it, how to do it by hand, what the tutorials get wrong, questions.
//!
//! The tutorials' labs are named by ids: `MFA-…` of mlops-for-all.github.io, `ML-…` of
//! mlops-lifecycle, `KT-…` of kubeflow-tutorial. The words are our own.

mod api;
mod benchmark;
mod by_hand;
mod collect;
mod deploy;
mod faults;
mod install;
mod load;
mod monitor;
mod names;
mod preflight;
mod provision;
mod register;
mod retrain;
mod teardown;
mod train;
mod verify;

use lab_model::stage::Stage;

use crate::lang::{Words, words};

pub use by_hand::by_hand;
pub(crate) use names::Names;

/// What a chapter teaches.
pub(crate) struct Lesson {
    /// The stage's name.
    pub(crate) title: Words,
    /// What it is for.
    pub(crate) purpose: Words,
    /// How the tutorials do it.
    pub(crate) tutorials: Words,
    /// The same by hand, with a run's names.
    pub(crate) by_hand: fn(&Names) -> Vec<Deed>,
    /// Where the tutorials are wrong or out of date.
    pub(crate) wrong: &'static [Wrong],
    /// Questions to ask oneself.
    pub(crate) questions: &'static [Question; 3],
}

/// A command with the reason for it.
pub(crate) struct Deed {
    /// What it is for.
    pub(crate) why: Words,
    /// For a shell in the folder of the checkout.
    pub(crate) command: String,
}

/// What a tutorial gets wrong.
pub(crate) struct Wrong {
    /// The tutorial's lab, or labs.
    pub(crate) lab: &'static str,
    /// What is wrong, and what is right.
    pub(crate) what: Words,
}

/// A question with its answer.
pub(crate) struct Question {
    /// The question.
    pub(crate) asked: Words,
    /// The answer.
    pub(crate) answer: Words,
}

const fn deed(why: Words, command: String) -> Deed {
    Deed { why, command }
}

const fn wrong(lab: &'static str, what: Words) -> Wrong {
    Wrong { lab, what }
}

const fn question(asked: Words, answer: Words) -> Question {
    Question { asked, answer }
}

/// The lesson of a stage of a run.
pub(crate) const fn of_stage(stage: Stage) -> &'static Lesson {
    match stage {
        Stage::Preflight => &preflight::LESSON,
        Stage::Provision => &provision::LESSON,
        Stage::Load => &load::LESSON,
        Stage::Install => &install::LESSON,
        Stage::Verify => &verify::LESSON,
        Stage::Benchmark => &benchmark::LESSON,
        Stage::Collect => &collect::LESSON,
        Stage::Teardown => &teardown::LESSON,
    }
}

/// What a feature is called, by its file; nothing for one that this version does not know.
pub(crate) fn title_of_feature(file: &str) -> Option<Words> {
    match of_feature(file) {
        Some(lesson) => Some(lesson.title.clone()),
        // It has no lesson: no tutorial gives pods GPUs.
        None => match name_of_feature(file)? {
            "gpu" => Some(words("Give pods GPUs", "Pod에 GPU 나누어 주기")),
            _ => None,
        },
    }
}

fn name_of_feature(file: &str) -> Option<&str> {
    file.rsplit('/').next()?.strip_suffix(".feature")
}

/// The lesson of a feature, by its file; none for one that this version does not know.
pub(crate) fn of_feature(file: &str) -> Option<&'static Lesson> {
    match name_of_feature(file)? {
        "train" => Some(&train::LESSON),
        "register" => Some(&register::LESSON),
        "deploy" => Some(&deploy::LESSON),
        "monitor" => Some(&monitor::LESSON),
        "retrain" => Some(&retrain::LESSON),
        "api" => Some(&api::LESSON),
        "faults" => Some(&faults::LESSON),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn every_feature_has_a_title_in_both_languages() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../features");
        for language in ["", "ko"] {
            for entry in fs::read_dir(folder.join(language)).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                if name.ends_with(".feature") {
                    let file = format!("{language}/{name}");
                    assert!(title_of_feature(&file).is_some(), "{file}");
                }
            }
        }
    }
}
