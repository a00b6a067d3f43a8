//! All commands that the report gives for doing it by hand.

use lab_model::stage::Stage;

use super::{Names, of_feature, of_stage};
use crate::report::Report;

/// The features, in the order of a model's life.
const FEATURES: [&str; 7] = [
    "train", "register", "deploy", "monitor", "retrain", "api", "faults",
];

/// The commands of every chapter, with the chapter's name, in the order of the report:
/// for a test that does what they say.
pub fn by_hand(report: &Report) -> Vec<(String, String)> {
    let names = Names::of(report);
    let stages = Stage::ALL.map(|stage| (stage.to_string(), of_stage(stage)));
    let features = FEATURES
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), of_feature(&format!("{name}.feature"))?)));
    let (before, after) = stages.split_at(5);
    let chapters = before
        .iter()
        .cloned()
        .chain(features)
        .chain(after.iter().cloned());
    chapters
        .flat_map(|(chapter, lesson)| {
            let deeds = (lesson.by_hand)(&names).into_iter();
            deeds
                .map(move |deed| (chapter.clone(), deed.command))
                .collect::<Vec<_>>()
        })
        .collect()
}
