//! The chapters: a stage or a feature each, with what it is for, what was seen, how to
//! do it by hand, and questions.

use std::time::Duration;

use lab_model::{outcome::Outcome, stage::Stage};
use maud::{Markup, html};

use super::{
    benchmark,
    evidence::{self, Shown},
    lesson,
    scenarios::scenario,
    versions,
    words::{left_out, mark, name, took},
};
use crate::{
    figures::moment,
    lang::{Words, alike, told, words},
    lessons::{Lesson, Names, of_feature, of_stage, title_of_feature},
    report::{Report, ScenarioReport, StageReport},
    words as said,
};

/// The most steps of a page: of a run with more the rest is in its record.
const STEPS_SHOWN: usize = 3_000;
/// The most scenarios of a page.
const SCENARIOS_SHOWN: usize = 1_000;

/// How many times as much room there is for what needs a look.
const FOR_TROUBLE: usize = 4;

/// One chapter.
pub(super) enum Chapter<'a> {
    /// Of a stage of the run.
    Stage(&'a StageReport),
    /// Of a feature, with its scenarios.
    Feature(Vec<&'a ScenarioReport>),
}

/// All chapters, in the order of the run; those of features after the scenarios' stage.
pub(super) fn chapters(report: &Report) -> Vec<Chapter<'_>> {
    let mut features: Vec<_> = features(report).into_iter().map(Chapter::Feature).collect();
    let mut chapters = Vec::new();
    for stage in &report.stages {
        chapters.push(Chapter::Stage(stage));
        if stage.stage == Stage::Verify {
            chapters.append(&mut features);
        }
    }
    // A record without its beginning may have scenarios and no stage.
    chapters.append(&mut features);
    chapters
}

/// Scenarios by feature file, in the order of the first of each.
pub(super) fn features(report: &Report) -> Vec<Vec<&ScenarioReport>> {
    let mut features: Vec<Vec<&ScenarioReport>> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for scenario in &report.scenarios {
        let place = *places
            .entry(scenario.scenario.file.as_str())
            .or_insert(features.len());
        match features.get_mut(place) {
            Some(feature) => feature.push(scenario),
            None => features.push(vec![scenario]),
        }
    }
    features
}

impl Chapter<'_> {
    /// Its anchor. Names from outside never get into one.
    pub(super) fn id(&self) -> String {
        match self {
            Self::Stage(stage) => {
                format!("stage-{}-{}", stage.stage, stage.span.start.as_millis())
            }
            Self::Feature(scenarios) => {
                let start = scenarios.first().map_or(Duration::ZERO, |it| it.span.start);
                format!("feature-{}", start.as_millis())
            }
        }
    }

    /// Its title.
    pub(super) fn title(&self) -> Words {
        match self {
            Self::Stage(stage) => of_stage(stage.stage).title.clone(),
            Self::Feature(scenarios) => {
                let at = &scenarios[0].scenario;
                title_of_feature(&at.file).unwrap_or_else(|| alike(name(&at.feature)))
            }
        }
    }

    /// How it ended; a feature ends as the worst of its scenarios.
    pub(super) fn outcome(&self) -> Option<&Outcome> {
        match self {
            Self::Stage(stage) => stage.outcome.as_ref(),
            Self::Feature(scenarios) => scenarios
                .iter()
                .map(|it| it.outcome.as_ref())
                .max_by_key(|outcome| match outcome {
                    Some(Outcome::Failed { .. }) => 4,
                    None => 3,
                    Some(Outcome::Flaky { .. }) => 2,
                    Some(Outcome::Passed) => 1,
                    Some(Outcome::NotRun { .. }) => 0,
                })
                .flatten(),
        }
    }

    /// How long it took.
    pub(super) fn length(&self) -> Duration {
        match self {
            Self::Stage(stage) => stage.span.length(),
            Self::Feature(scenarios) => scenarios.iter().map(|it| it.span.length()).sum(),
        }
    }

    /// Whether it belongs to the chapter before it.
    pub(super) const fn is_inner(&self) -> bool {
        matches!(self, Self::Feature(_))
    }

    fn lesson(&self) -> Option<&'static Lesson> {
        match self {
            Self::Stage(stage) => Some(of_stage(stage.stage)),
            Self::Feature(scenarios) => of_feature(&scenarios[0].scenario.file),
        }
    }
}

/// All chapters, in full.
pub(super) fn all(report: &Report) -> Markup {
    let names = Names::of(report);
    let chapters = chapters(report);
    let features = chapters.iter().filter(|it| it.is_inner()).count();
    let book = Book {
        report,
        names,
        room: Room {
            scenarios: SCENARIOS_SHOWN / features.max(1),
            steps: STEPS_SHOWN / features.max(1),
        },
    };
    html! {
        @for chapter in &chapters { (one(chapter, &book)) }
    }
}

/// What all chapters are made of.
struct Book<'a> {
    report: &'a Report,
    names: Names,
    room: Room,
}

/// The most that one chapter shows.
#[derive(Clone, Copy)]
struct Room {
    scenarios: usize,
    steps: usize,
}

fn one(chapter: &Chapter<'_>, book: &Book<'_>) -> Markup {
    let report = book.report;
    let lesson = chapter.lesson();
    html! {
        section.chapter {
            h2 id=(chapter.id()) {
                (mark(chapter.outcome())) " " (chapter.title()) " " (took(chapter.length()))
            }
            @if let Some(lesson) = lesson { (lesson::before(lesson)) }
            @match chapter {
                Chapter::Stage(stage) => (of_the_stage(stage, report)),
                Chapter::Feature(scenarios) => (of_the_feature(scenarios, book.room)),
            }
            @if let Some(lesson) = lesson { (lesson::after(lesson, &book.names)) }
        }
        @if matches!(chapter, Chapter::Stage(stage) if stage.stage == Stage::Benchmark) {
            (benchmark::section(report))
        }
    }
}

fn of_the_stage(stage: &StageReport, report: &Report) -> Markup {
    html! {
        @if let Some(reason) = stage.outcome.as_ref().and_then(said::reason) {
            (evidence::reason(&reason))
        }
        @if stage.stage == Stage::Preflight { (versions::images(report)) }
        @if stage.stage == Stage::Collect { (collected(report)) }
    }
}

/// The scenarios, with their steps, as long as there is room; one that needs a look has
/// more of it.
fn of_the_feature(scenarios: &[&ScenarioReport], room: Room) -> Markup {
    let (mut fine, mut troubled, mut steps) = (0, 0, 0);
    let shown = scenarios.iter().filter_map(|it| {
        let is_fine = matches!(it.outcome, Some(Outcome::Passed | Outcome::NotRun { .. }));
        let (like_it, times) = if is_fine {
            (&mut fine, 1)
        } else {
            (&mut troubled, FOR_TROUBLE)
        };
        *like_it += 1;
        steps += it.steps.len();
        (*like_it <= room.scenarios * times).then_some((*it, steps <= room.steps * times))
    });
    let shown: Vec<_> = shown.collect();
    let unseen = scenarios.len() - shown.len();
    let passed = scenarios
        .iter()
        .filter_map(|it| it.outcome.as_ref())
        .filter(|it| matches!(it, Outcome::Passed | Outcome::Flaky { .. }))
        .count();
    html! {
        p.quiet {
            q { (name(&scenarios[0].scenario.feature)) } " · "
            (told(
                format!("{passed} of {} passed", scenarios.len()),
                format!("{}개 중 {passed}개 통과", scenarios.len()),
            ))
        }
        @for (one, with_steps) in shown { (scenario(one, with_steps)) }
        (left_out(unseen, "scenario", "시나리오"))
    }
}

/// What was kept where no chapter has it: the run ended before it collected.
pub(super) fn left_over(report: &Report) -> Markup {
    let has_chapter = report.stages.iter().any(|it| it.stage == Stage::Collect);
    html! {
        @if !has_chapter && !report.evidence.is_empty() {
            section.chapter { (collected(report)) }
        }
    }
}

/// Evidence gathered outside scenarios, wherever in the run.
fn collected(report: &Report) -> Markup {
    html! {
        @if !report.evidence.is_empty() {
            h3 { (words("What was kept, in order of time", "남긴 것, 시간 순서")) }
            @for one in &report.evidence {
                div.collected {
                    span.at { (moment(one.at)) " " (one.stage) }
                    (evidence::all(std::slice::from_ref(&one.evidence), Shown::Folded))
                }
            }
        }
    }
}
