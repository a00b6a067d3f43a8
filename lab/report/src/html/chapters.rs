//! Scenarios, a chapter a feature: what the stage is for, then what was tried.

use maud::{Markup, html};

use super::{
    evidence::{self, Shown},
    words::{class, heading, mark, name, took},
};
use crate::{
    figures::counted,
    report::{Report, ScenarioReport, StepReport},
};

/// What a stage of a model's life is for, in both languages.
struct Lesson {
    /// The feature file's name without its ending.
    stem: &'static str,
    korean: &'static str,
    english_text: &'static str,
    korean_text: &'static str,
}

const LESSONS: [Lesson; 5] = [
    Lesson {
        stem: "train",
        korean: "학습",
        english_text: "Data is checked, a model is fitted in its own pod, and what it took \
            (parameters, data, metrics, files) is kept so that the same result can be had again.",
        korean_text: "데이터를 검사하고 별도의 파드에서 모델을 학습한 뒤, 같은 결과를 다시 \
            얻을 수 있도록 파라미터·데이터·지표·파일을 남깁니다.",
    },
    Lesson {
        stem: "register",
        korean: "등록",
        english_text: "A candidate becomes a version only when it beats the one in use on the \
            same held-out data; an alias says which version is in use.",
        korean_text: "후보 모델은 같은 검증 데이터에서 현재 모델보다 나을 때만 새 버전이 \
            되며, 별칭이 사용 중인 버전을 가리킵니다.",
    },
    Lesson {
        stem: "deploy",
        korean: "배포",
        english_text: "The chosen version reaches the inference server by a rollout that loses \
            no request, and can be taken back.",
        korean_text: "선택된 버전은 요청을 하나도 잃지 않는 롤아웃으로 추론 서버에 배포되며, \
            되돌릴 수도 있습니다.",
    },
    Lesson {
        stem: "monitor",
        korean: "모니터링",
        english_text: "Requests, times and the shape of the inputs are watched; when inputs \
            drift away from what the model learned, an alert says so.",
        korean_text: "요청 수와 응답 시간, 입력의 분포를 지켜보고, 입력이 학습 때와 달라지면 \
            경보를 울립니다.",
    },
    Lesson {
        stem: "retrain",
        korean: "재학습",
        english_text: "The alert starts training by itself, the better model takes over, and \
            the alert ends: the loop is closed without a hand in it.",
        korean_text: "경보가 스스로 재학습을 시작하고 더 나은 모델이 교체되면 경보가 \
            끝납니다. 사람의 손 없이 순환이 완성됩니다.",
    },
];

fn lesson(file: &str) -> Option<&'static Lesson> {
    let stem = file.rsplit('/').next()?.strip_suffix(".feature")?;
    LESSONS.iter().find(|lesson| lesson.stem == stem)
}

/// All scenarios.
pub(super) fn section(report: &Report) -> Markup {
    let chapters = chapters(report);
    html! {
        @if !chapters.is_empty() {
            section {
                (heading("scenarios", "Scenarios", "시나리오"))
                p {
                    "Every scenario asserts on effects: what a service answered, what an object "
                    "became. Unfold one to see its steps and the evidence."
                }
                @for chapter in &chapters { (self::chapter(chapter)) }
            }
        }
    }
}

/// Scenarios by feature file, in the order of the first of each.
pub(super) fn chapters(report: &Report) -> Vec<Vec<&ScenarioReport>> {
    let mut chapters: Vec<Vec<&ScenarioReport>> = Vec::new();
    for scenario in &report.scenarios {
        let file = &scenario.scenario.file;
        match chapters.iter_mut().find(|of| of[0].scenario.file == *file) {
            Some(chapter) => chapter.push(scenario),
            None => chapters.push(vec![scenario]),
        }
    }
    chapters
}

fn chapter(scenarios: &[&ScenarioReport]) -> Markup {
    let first = &scenarios[0].scenario;
    let passed = scenarios
        .iter()
        .filter(|one| {
            one.outcome
                .as_ref()
                .is_some_and(|outcome| matches!(outcome.word(), "passed" | "flaky"))
        })
        .count();
    let lesson = lesson(&first.file);
    html! {
        div.chapter {
            h3 {
                (name(&first.feature))
                @if let Some(lesson) = lesson { " " span.ko lang="ko" { (lesson.korean) } }
                span.tally { (passed) " of " (counted(scenarios.len(), "scenario")) " passed" }
            }
            @if let Some(lesson) = lesson {
                p.lesson { (lesson.english_text) }
                p.lesson.ko lang="ko" { (lesson.korean_text) }
            }
            @for one in scenarios { (scenario(one)) }
        }
    }
}

fn scenario(scenario: &ScenarioReport) -> Markup {
    let outcome = scenario.outcome.as_ref();
    let at = &scenario.scenario;
    let attention = !matches!(class(outcome), "passed" | "not-run");
    html! {
        details class={ "scenario " (class(outcome)) } open[attention] {
            summary {
                (mark(outcome))
                span.name { (name(&at.name)) }
                (took(scenario.span.length()))
            }
            p.origin {
                code { "features/" (name(&at.file)) ":" (at.line) }
                @for tag in &at.tags { " " span.tag { "@" (name(tag)) } }
                @if scenario.attempts > 1 { " · tried " (scenario.attempts) " times" }
            }
            @if let Some(reason) = outcome.and_then(|outcome| outcome.reason()) {
                @if !scenario.steps.iter().any(|step| step.outcome.reason() == Some(reason)) {
                    (evidence::reason(reason))
                }
            }
            @if outcome.is_none() { p.reason { "The run ended before this scenario did." } }
            ol.steps {
                @for one in &scenario.steps { (step(one, scenario.attempts)) }
            }
        }
    }
}

fn step(step: &StepReport, attempts: u32) -> Markup {
    let shown = if step.outcome.is_failed() {
        Shown::Open
    } else {
        Shown::Folded
    };
    html! {
        li class=(class(Some(&step.outcome))) {
            div.line {
                (mark(Some(&step.outcome)))
                span.words {
                    @if attempts > 1 { span.at { "try " (step.attempt) " " } }
                    b.keyword { (name(step.keyword.trim())) } " " (name(&step.text))
                }
                (took(step.span.length()))
            }
            @if let Some(reason) = step.outcome.reason() { (evidence::reason(reason)) }
            (evidence::all(&step.evidence, shown))
        }
    }
}
