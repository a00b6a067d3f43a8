//! What verdicts and places are called, in one place for every output.

use lab_model::{
    benchmark::{Found, Generators, Highest, Offered},
    budget::Missed,
    cause::Cause,
    hindrance::Hindrance,
    outcome::Outcome,
    progress::{Doing, Task},
    remark::Remark,
    void::Void,
};

use crate::{
    figures::{counted, micros, rate, rough},
    lang::{Lang, Words, told, words},
    report::{Counts, NotRunKind, Place, Verdict},
    text::one_line,
};

/// The longest name in a line, characters.
const NAME_LIMIT: usize = 160;
/// The longest reason in a line, characters.
const REASON_LIMIT: usize = 400;

/// The verdict as a headline.
pub(crate) const fn verdict(verdict: Verdict) -> Words {
    match verdict {
        Verdict::Passed => words("Passed", "통과"),
        Verdict::NothingVerified => words("Nothing was verified", "검증된 것 없음"),
        Verdict::ScenariosFailed => words("Scenarios failed", "실패한 시나리오 있음"),
        Verdict::BudgetMissed => words("Benchmark missed its budget", "성능 목표 미달"),
        Verdict::SetupFailed => words("Set-up failed", "설치 실패"),
        Verdict::CleanupIncomplete => words("Clean-up is incomplete", "정리 미완료"),
        Verdict::Interrupted => words("Interrupted", "중단됨"),
        Verdict::Error(2) => words("Wrong use", "잘못된 사용"),
        Verdict::Error(_) => words("Ended by an error", "오류로 종료"),
    }
}

/// The verdict as a sign.
pub(crate) const fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "✓",
        Verdict::NothingVerified => "–",
        Verdict::Interrupted => "■",
        _ => "✗",
    }
}

/// `27 scenarios passed, 1 failed, 2 not run`.
pub(crate) fn counts(counts: Counts) -> Words {
    if counts.all() == 0 {
        return words("no scenario ran", "실행된 시나리오 없음");
    }
    let mut english = vec![format!("{} passed", counted(counts.passed, "scenario"))];
    let mut korean = vec![format!("시나리오 {}개 통과", counts.passed)];
    for (number, in_english, in_korean) in [
        (counts.flaky, "passed at a later try", "재시도 후 통과"),
        (counts.failed, "failed", "실패"),
        (counts.not_run, "not run", "실행 안 됨"),
        (counts.unfinished, "not finished", "끝나지 않음"),
    ] {
        if number > 0 {
            english.push(format!("{number} {in_english}"));
            korean.push(format!("{number}개 {in_korean}"));
        }
    }
    told(english.join(", "), korean.join(", "))
}

/// The answer of a search in a sentence.
pub(crate) fn highest(highest: &Highest) -> Words {
    let target = micros(highest.p99_micros);
    match highest.found {
        Found::Rate { rate: found } => {
            let found = rate(found);
            told(
                format!(
                    "Highest rate that kept p99 within {target} without errors, confirmed: {found}/s."
                ),
                format!("오류 없이 p99를 {target} 안에 지킨 최고 처리율(확인됨): {found}/s."),
            )
        }
        Found::Unconfirmed { rate: found } => {
            let found = rate(found);
            told(
                format!(
                    "The time ran out: {found}/s kept p99 within {target}, but was not confirmed."
                ),
                format!(
                    "시간이 다 되었습니다: {found}/s에서 p99가 {target} 안이었지만 확인하지 못했습니다."
                ),
            )
        }
        Found::None => told(
            format!("No rate that was tried kept p99 within {target} without errors."),
            format!("시도한 어느 처리율도 오류 없이 p99를 {target} 안에 지키지 못했습니다."),
        ),
    }
}

/// A load, `16 at once` or `300/s poisson`.
pub(crate) fn offered(offered: Offered) -> Words {
    told(offered.to_string(), offered.korean())
}

/// A long piece of work.
pub(crate) fn task(task: &Task) -> Words {
    told(task.to_string(), task.korean())
}

/// What is being done of it.
pub(crate) fn doing(doing: &Doing) -> Words {
    told(doing.to_string(), doing.korean())
}

/// How many CPUs a machine has.
pub(crate) fn cpus(cpus: u32) -> Words {
    told(counted(cpus as usize, "CPU"), format!("CPU {cpus}개"))
}

/// Who made a load, where that was not lab itself.
pub(crate) fn generators(generators: Generators) -> Words {
    remark(&Remark::LoadOf(generators))
}

/// How many inferences each request asked for.
pub(crate) fn batch_size(size: u32) -> Words {
    told(
        format!("each request asks for {size} inferences"),
        format!("요청마다 추론 {size}건"),
    )
}

/// A budget of a benchmark that was not kept.
pub(crate) fn missed(missed: &Missed) -> Words {
    shortened(missed.to_string(), missed.korean())
}

/// The same in a line of its own.
pub(crate) fn missed_line(missed: &Missed) -> Words {
    let missed = self::missed(missed);
    told(
        format!("budget missed: {}", missed.of(Lang::English)),
        format!("기준 미달: {}", missed.of(Lang::Korean)),
    )
}

/// What was remarked for the person who runs it.
pub(crate) fn remark(remark: &Remark) -> Words {
    told(remark.to_string(), remark.korean())
}

/// What kept something from running.
pub(crate) fn hindrance(hindrance: &Hindrance) -> Words {
    told(hindrance.to_string(), hindrance.korean())
}

/// Why something failed.
pub(crate) fn cause(cause: &Cause) -> Words {
    told(cause.to_string(), cause.korean())
}

/// Why something ended as it did, where it did not go well.
pub(crate) fn reason(outcome: &Outcome) -> Option<Words> {
    match outcome {
        Outcome::Passed => None,
        Outcome::Failed { reason } | Outcome::Flaky { reason } => Some(cause(reason)),
        Outcome::NotRun { reason } => Some(hindrance(reason)),
    }
}

/// Why the figures of a window do not count.
pub(crate) fn void(void: &Void) -> Words {
    shortened(void.to_string(), void.korean())
}

/// Words that may hold what came from outside, on one line.
fn shortened(english: String, korean: String) -> Words {
    told(english, korean).map(|it| one_line(it, REASON_LIMIT))
}

/// What is left of something, behind a comma: `, about 3 min left`.
pub(crate) fn left(seconds: u64) -> Words {
    let left = rough(seconds);
    told(format!(", about {left} left"), format!(", 약 {left} 남음"))
}

/// Where something failed: `scenario "…" (features/deploy.feature:31)`.
pub(crate) fn place(place: &Place) -> Words {
    match place {
        Place::Stage(stage) => told(format!("stage {stage}"), format!("단계 {stage}")),
        Place::Component(name) => {
            let name = one_line(name, NAME_LIMIT);
            told(format!("component {name}"), format!("구성 요소 {name}"))
        }
        Place::Scenario { scenario, .. } => {
            let at = format!(
                "\"{}\" (features/{}:{})",
                one_line(&scenario.name, NAME_LIMIT),
                one_line(&scenario.file, NAME_LIMIT),
                scenario.line
            );
            told(format!("scenario {at}"), format!("시나리오 {at}"))
        }
    }
}

/// The outcome's word as people say it.
pub(crate) const fn spoken(outcome: Option<&Outcome>) -> Words {
    match outcome {
        Some(Outcome::Passed) => words("passed", "통과"),
        Some(Outcome::Failed { .. }) => words("failed", "실패"),
        Some(Outcome::Flaky { .. }) => words("passed at a later try", "재시도 후 통과"),
        Some(Outcome::NotRun { .. }) => words("not run", "실행 안 됨"),
        None => words("not finished", "끝나지 않음"),
    }
}

/// What could not run.
pub(crate) const fn kind(kind: NotRunKind) -> Words {
    match kind {
        NotRunKind::Component => words("component", "구성 요소"),
        NotRunKind::Scenario => words("scenario", "시나리오"),
        NotRunKind::Stage => words("stage", "단계"),
    }
}
