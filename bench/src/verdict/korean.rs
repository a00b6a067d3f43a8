//! A verdict in Korean: the same table, the same sentences.

use std::fmt::{self, Display, Formatter};

use super::{
    compare::End,
    judge::{BlockCounts, Doubt, Finding, Verdict},
    metric::Metric,
    rule::Outcome,
    sample::Side,
    stage::{Stage, StageChange},
    words::{Cells, figures, micros, percent, share, table, tenths, whole_share},
};

/// A verdict that is written in Korean.
#[derive(Debug, Clone, Copy)]
pub struct Korean<'a>(&'a Verdict);

impl Verdict {
    /// The verdict in Korean, to be written as its English is.
    pub const fn korean(&self) -> Korean<'_> {
        Korean(self)
    }
}

impl Display for Korean<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let verdict = self.0;
        let threshold = verdict.plan.threshold;
        let head: Cells =
            ["", "A", "B", "B/A", "95 % 구간", "p", "감지 한계", "결과"].map(str::to_owned);
        let rows = verdict.findings.iter().map(|it| {
            let outcome = match doubt(it, threshold) {
                Some(why) => format!("{}: {why}", word(it.outcome)),
                None => word(it.outcome).to_owned(),
            };
            figures(it, metric(it.metric).to_owned(), outcome).map(|it| it.replace(" to ", " ~ "))
        });
        let rows: Vec<_> = std::iter::once(head).chain(rows).collect();
        table(formatter, &rows)?;
        if let Some(attribution) = &verdict.attribution {
            writeln!(formatter)?;
            for it in &attribution.stages {
                writeln!(
                    formatter,
                    "p50 변화 중 {} {:+.0} µs ({})",
                    stage(it.stage),
                    it.change_micros,
                    whole_share(it.share)
                )?;
            }
        }
        writeln!(formatter)?;
        for note in notes(verdict) {
            writeln!(formatter, "{note}")?;
        }
        write!(formatter, "{}", conclusion(verdict))
    }
}

const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Faster => "빨라짐",
        Outcome::Slower => "느려짐",
        Outcome::Same => "같음",
        Outcome::Undecided => "알 수 없음",
    }
}

const fn metric(metric: Metric) -> &'static str {
    match metric {
        Metric::Throughput => "처리율",
        Metric::P50 => "p50",
        Metric::P95 => "p95",
        Metric::P99 => "p99",
    }
}

const fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Queue => "대기",
        Stage::Input => "입력",
        Stage::Compute => "계산",
        Stage::Output => "출력",
        Stage::Network => "네트워크",
        Stage::Client => "클라이언트",
    }
}

/// The outcome in one sentence.
fn conclusion(verdict: &Verdict) -> String {
    let with = |outcome| {
        verdict
            .findings
            .iter()
            .filter(move |it| it.outcome == outcome)
    };
    let changes = |outcome| with(outcome).map(change).collect::<Vec<_>>().join(", ");
    let outcome = word(verdict.outcome);
    match verdict.outcome {
        Outcome::Slower | Outcome::Faster => {
            let mut said = format!("{outcome}: {}", changes(verdict.outcome));
            if verdict.outcome == Outcome::Slower && with(Outcome::Faster).next().is_some() {
                said.push_str(&format!(". 다만 빨라진 것: {}", changes(Outcome::Faster)));
            }
            if let Some(attribution) = &verdict.attribution {
                said.push_str(&match &attribution.explained_by {
                    Some(change) => explained(change),
                    None => "; 어느 한 부분만으로는 설명되지 않음".to_owned(),
                });
            }
            said + &left_open(verdict)
        }
        Outcome::Same => {
            let names: Vec<_> = with(Outcome::Same).map(|it| metric(it.metric)).collect();
            let limit = share(verdict.plan.threshold);
            let names = names.join(", ");
            format!(
                "{outcome}: {names}의 차이가 {limit}보다 작음{}",
                left_open(verdict)
            )
        }
        Outcome::Undecided => undecided(verdict),
    }
}

fn undecided(verdict: &Verdict) -> String {
    let (planned, counted) = (verdict.plan.pairs, verdict.blocks.counted);
    let outcome = word(Outcome::Undecided);
    match verdict.blocks.end {
        End::Cancelled => format!("{outcome}: {planned}쌍 중 {counted}쌍에서 중단됨"),
        End::SpareSpent => format!(
            "{outcome}: {planned}쌍 중 {counted}쌍만 유효 ({})",
            lost(&verdict.blocks).join(", ")
        ),
        End::Complete => format!("{outcome}{}", left_open(verdict)).replacen(';', ":", 1),
    }
}

fn left_open(verdict: &Verdict) -> String {
    let doubts = verdict.findings.iter().filter_map(|it| {
        let why = doubt(it, verdict.plan.threshold)?;
        Some(format!("; {}: {why}", metric(it.metric)))
    });
    let failed = [Side::A, Side::B].into_iter().filter_map(|side| {
        match verdict.blocks.failures(Some(side)) {
            0 => None,
            count => Some(format!("; {side:?}의 실행 {count}개 실패")),
        }
    });
    doubts.chain(failed).collect()
}

fn change(finding: &Finding) -> String {
    format!(
        "{} {} ({} ~ {})",
        metric(finding.metric),
        percent(finding.ratio),
        percent(finding.interval.low),
        percent(finding.interval.high)
    )
}

fn explained(change: &StageChange) -> String {
    format!(
        "; p50 변화의 {}는 {}의 몫 ({:+.0} µs)",
        whole_share(change.share),
        stage(change.stage),
        change.change_micros
    )
}

/// Why a figure is undecided.
fn doubt(finding: &Finding, threshold: f64) -> Option<String> {
    Some(match finding.doubt? {
        Doubt::PairsNeeded { needed } => format!("{needed}쌍이 필요함"),
        Doubt::Incomplete { counted } => format!("{counted}쌍만 유효"),
        Doubt::Noise => match finding.detectable {
            Some(it) => format!("감지할 수 있는 가장 작은 차이가 {}", tenths(it.power80)),
            None => "이렇게 적은 쌍으로는 아무것도 감지하지 못함".to_owned(),
        },
        Doubt::AboutThreshold => format!(
            "차이는 있으나 {}보다 큰지 작은지 확실하지 않음",
            share(threshold)
        ),
    })
}

fn lost(blocks: &BlockCounts) -> Vec<String> {
    [
        (blocks.void, "빈 서버가 흔들려 무효"),
        (blocks.failures(Some(Side::A)), "A에서 실패"),
        (blocks.failures(Some(Side::B)), "B에서 실패"),
        (blocks.failures(None), "빈 서버에서 실패"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count}개 {what}"))
    .collect()
}

fn notes(verdict: &Verdict) -> Vec<String> {
    let Verdict { blocks, plan, .. } = verdict;
    let lost = lost(blocks);
    let lost = match lost.as_slice() {
        [] => String::new(),
        some => format!(" ({})", some.join(", ")),
    };
    let mut notes = vec![format!(
        "{}쌍 중 {}쌍 유효{lost}, 순서와 부하는 시드 {}에서",
        plan.pairs, blocks.counted, plan.seed
    )];
    if let Some(first) = blocks.failed.first() {
        notes.push(format!(
            "블록 {} 실패: {}",
            first.block,
            first.reason.korean()
        ));
    }
    notes.push(format!(
        "규칙: 모든 수치에 대해 보정한 p가 {} 미만이고 비의 중앙값이 {}를 넘으면 달라짐, 구간이 그 안에 있으면 같음",
        plan.alpha,
        share(plan.threshold)
    ));
    notes.push(
        "감지 한계: 이만큼 잡음이 있는 비교 100번 중 80번에서 찾아내는 가장 작은 악화".to_owned(),
    );
    notes.push(match &verdict.false_alarms {
        Some(it) => format!(
            "이 컴퓨터에서 이 규칙의 오경보: 같은 실행끼리의 비교 {}번 중 {}번 ({}쌍 측정)",
            it.gates, it.alarms, it.pairs
        ),
        None => "이 컴퓨터에서 이 규칙의 오경보: 재지 않음".to_owned(),
    });
    notes.extend(verdict.cold_start.as_ref().map(|cold| {
        let (a, b) = (micros(cold.a_micros), micros(cold.b_micros));
        format!("연결을 새로 맺은 실행의 첫 응답, 판정하지 않음: A {a}, B {b}")
    }));
    notes
}
