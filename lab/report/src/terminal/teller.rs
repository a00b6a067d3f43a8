//! Chooses the lines that stay: pure, from events to text.

use std::{collections::HashMap, time::Duration};

use lab_model::{
    benchmark::{BenchmarkSummary, Point},
    event::{
        Event, Evidence, Fact, ImageReady, ImageSource, Progress, RunStarted, ScenarioRef,
        WindowMeasured,
    },
    outcome::Outcome,
    progress::Task,
    stage::Stage,
};

use crate::{
    figures::{bytes, counted, duration, moment},
    history::Expected,
    lang::{Lang, Words, told, words},
    paint::{Paint, Painter},
    terminal::{Settings, Verbosity, measured::measured, progress::Heard},
    text::{beginning, one_line, plain},
    words::{self as spelled, left, spoken},
};

/// The longest line, characters.
const LINE_LIMIT: usize = 300;
/// The most lines of evidence told with a step.
const EVIDENCE_LINES: usize = 12;
/// More than those lines can need, bytes; a huge log is not cleaned whole for them.
const EVIDENCE_BYTES: usize = 64 * 1024;

/// Turns events into lines. Remembers what is needed to say a thing once.
pub(crate) struct Teller {
    settings: Settings,
    painter: Painter,
    feature: Option<String>,
    failed_steps: HashMap<ScenarioRef, Vec<String>>,
    heard: Heard,
    expected: Option<Expected>,
    /// Windows of each workload that were told as they ended.
    windows: HashMap<String, usize>,
}

impl Teller {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings,
            painter: Painter {
                color: settings.color,
            },
            feature: None,
            failed_steps: HashMap::new(),
            heard: Heard::default(),
            expected: None,
            windows: HashMap::new(),
        }
    }

    /// Tells what is left, where that is known.
    pub(crate) fn expect(&mut self, expected: Option<Expected>) {
        self.expected = expected;
    }

    /// The lines that an event is worth.
    pub(crate) fn tell(&mut self, event: &Event) -> Vec<String> {
        let at = Duration::from_millis(event.elapsed_ms);
        let lines = self.lines(&event.fact, at);
        let clock = self
            .painter
            .paint(Paint::Faint, &format!("{:>6} ", moment(at)));
        lines
            .into_iter()
            .map(|line| format!("{clock}{line}").trim_end().to_owned())
            .collect()
    }

    fn lines(&mut self, fact: &Fact, at: Duration) -> Vec<String> {
        let quiet = self.settings.verbosity == Verbosity::Quiet;
        match fact {
            Fact::ScenarioFinished {
                scenario,
                outcome,
                millis,
            } => self.scenario(scenario, outcome, *millis),
            Fact::StepFinished { .. } => self.step(fact),
            Fact::ComponentFinished { outcome, .. } if !quiet || outcome.is_failed() => {
                self.component(fact)
            }
            Fact::StageFinished {
                stage,
                outcome,
                millis,
            } if !quiet || outcome.is_failed() => self.stage_finished(*stage, outcome, *millis),
            _ if quiet => Vec::new(),
            Fact::RunStarted(about) => self.run(about),
            Fact::StageStarted { stage } => vec![self.stage_started(*stage)],
            Fact::ImageReady(image) => vec![self.image(image)],
            Fact::ClusterReady {
                cluster,
                version,
                nodes,
                ..
            } => {
                let mark = self.painter.mark(Some(&Outcome::Passed));
                let version = one_line(version, LINE_LIMIT);
                let nodes = nodes.len();
                let ready = told(
                    format!(
                        "cluster {cluster}: Kubernetes {version}, {} ready",
                        counted(nodes, "node")
                    ),
                    format!("클러스터 {cluster}: 쿠버네티스 {version}, 노드 {nodes}개 준비됨"),
                );
                vec![format!("  {mark} {}", self.say(&ready))]
            }
            Fact::WindowMeasured(window) => self.window(window),
            Fact::BenchmarkFinished(summary) => self.benchmark(summary),
            Fact::Noted { remark } => {
                let note = self.say(&words("note", "메모")).to_owned();
                let remark = one_line(self.say(&spelled::remark(remark)), LINE_LIMIT);
                vec![format!("  {note}: {remark}")]
            }
            Fact::Progressed(progress) => self.progress(progress, at).into_iter().collect(),
            Fact::EvidenceCollected { evidence, .. } => self.evidence(evidence),
            _ => Vec::new(),
        }
    }

    fn say<'a>(&self, words: &'a Words) -> &'a str {
        words.of(self.settings.lang)
    }

    fn run(&self, about: &RunStarted) -> Vec<String> {
        let host = &about.host;
        let RunStarted {
            run,
            stack,
            lock,
            cluster,
            provider,
            lab_version,
            ..
        } = about;
        let what = told(
            format!(
                "run {run} · stack {stack}/{lock} · cluster {cluster} · provider {provider} · lab {lab_version}"
            ),
            format!(
                "실행 {run} · 스택 {stack}/{lock} · 클러스터 {cluster} · 제공자 {provider} · lab {lab_version}"
            ),
        );
        let machine = format!(
            "{} · {} · {} · Docker {}",
            host.os,
            self.say(&spelled::cpus(host.cpus)),
            bytes(host.memory_bytes),
            host.engine
        );
        vec![
            self.painter
                .paint(Paint::Strong, &one_line(self.say(&what), LINE_LIMIT)),
            self.painter
                .paint(Paint::Faint, &one_line(&machine, LINE_LIMIT)),
        ]
    }

    fn stage_started(&self, stage: Stage) -> String {
        let name = self.painter.paint(Paint::Strong, stage.as_str());
        let Some(expected) = self.expected.as_ref().filter(|_| !self.settings.live) else {
            return name;
        };
        let rest = left(expected.left(stage, Duration::ZERO).as_secs());
        format!(
            "{name}{}",
            self.painter.paint(Paint::Faint, self.say(&rest))
        )
    }

    fn stage_finished(&mut self, stage: Stage, outcome: &Outcome, millis: u64) -> Vec<String> {
        self.heard.clear();
        let mark = self.painter.mark(Some(outcome));
        let took = duration(Duration::from_millis(millis));
        let ending = match outcome {
            Outcome::Passed => told(format!("done in {took}"), format!("완료, {took}")),
            Outcome::NotRun { .. } => spoken(Some(outcome)),
            other => {
                let word = spoken(Some(other));
                told(
                    format!("{} after {took}", word.of(Lang::English)),
                    format!("{} 뒤 {}", took, word.of(Lang::Korean)),
                )
            }
        };
        let line = format!("{mark} {stage} {}", self.say(&ending));
        match self.reason(outcome) {
            Some(reason) => vec![format!("{line}: {reason}")],
            None => vec![line],
        }
    }

    /// Why something ended as it did, where it did not go well, on one line.
    fn reason(&self, outcome: &Outcome) -> Option<String> {
        let reason = spelled::reason(outcome)?;
        Some(one_line(self.say(&reason), LINE_LIMIT))
    }

    fn image(&mut self, image: &ImageReady) -> String {
        let name = image.name.clone();
        self.heard.end(&Task::Image { name });
        let took = duration(Duration::from_millis(image.millis));
        let source = match image.source {
            ImageSource::Pulled => told(format!("pulled in {took}"), format!("내려받음 {took}")),
            ImageSource::Built => told(format!("built in {took}"), format!("빌드함 {took}")),
            ImageSource::Cached => words("already here", "이미 있음"),
        };
        format!(
            "  {} {} {} {}, {}",
            self.painter.mark(Some(&Outcome::Passed)),
            self.say(&words("image", "이미지")),
            one_line(&image.name, LINE_LIMIT),
            self.say(&source),
            bytes(image.bytes)
        )
    }

    fn component(&mut self, fact: &Fact) -> Vec<String> {
        let Fact::ComponentFinished {
            component,
            actual,
            outcome,
            millis,
            ..
        } = fact
        else {
            return Vec::new();
        };
        let name = component.clone();
        self.heard.end(&Task::Component { name });
        let mark = self.painter.mark(Some(outcome));
        let name = one_line(component, LINE_LIMIT);
        let version = actual
            .as_deref()
            .map_or(String::new(), |version| format!(" {version}"));
        let version = one_line(&version, LINE_LIMIT);
        let space = if version.is_empty() { "" } else { " " };
        let ending = match self.reason(outcome) {
            None => {
                let took = duration(Duration::from_millis(*millis));
                let ready = told(format!("ready after {took}"), format!("{took} 뒤 준비됨"));
                self.say(&ready).to_owned()
            }
            Some(reason) => {
                format!("{}: {reason}", spoken(Some(outcome)).of(self.settings.lang))
            }
        };
        vec![format!("  {mark} {name}{space}{version} {ending}")]
    }

    fn scenario(&mut self, scenario: &ScenarioRef, outcome: &Outcome, millis: u64) -> Vec<String> {
        let details = self.failed_steps.remove(scenario).unwrap_or_default();
        if self.settings.verbosity == Verbosity::Quiet && !outcome.is_failed() {
            return Vec::new();
        }
        let mut lines = Vec::new();
        if self.feature.as_deref() != Some(scenario.file.as_str()) {
            self.feature = Some(scenario.file.clone());
            let title = format!("{} ({})", scenario.feature, scenario.file);
            let title = one_line(&title, LINE_LIMIT);
            lines.push(format!("  {}", self.painter.paint(Paint::Strong, &title)));
        }
        let took = duration(Duration::from_millis(millis));
        lines.push(format!(
            "  {} {} {}",
            self.painter.mark(Some(outcome)),
            one_line(&scenario.name, LINE_LIMIT),
            self.painter.paint(Paint::Faint, &format!("({took})")),
        ));
        if details.is_empty() {
            lines.extend(self.reason(outcome).map(|reason| {
                format!(
                    "      {}: {reason}",
                    spoken(Some(outcome)).of(self.settings.lang)
                )
            }));
        }
        lines.extend(details);
        lines
    }

    fn step(&mut self, fact: &Fact) -> Vec<String> {
        let Fact::StepFinished {
            scenario,
            keyword,
            text,
            outcome,
            evidence,
            ..
        } = fact
        else {
            return Vec::new();
        };
        let words = one_line(&format!("{} {text}", keyword.trim()), LINE_LIMIT);
        let verbose = self.settings.verbosity == Verbosity::Verbose;
        let mut lines = vec![format!(
            "      {} {words}",
            self.painter.mark(Some(outcome))
        )];
        if let Some(reason) = self.reason(outcome) {
            lines.push(format!(
                "        {}",
                self.painter.paint(Paint::Bad, &reason)
            ));
        }
        if verbose || outcome.is_failed() {
            for one in evidence {
                lines.extend(self.evidence(one));
            }
        }
        if verbose {
            return lines;
        }
        // Told under the scenario's own line, once it is known.
        if outcome.is_failed() {
            self.failed_steps.insert(scenario.clone(), lines);
        }
        Vec::new()
    }

    fn evidence(&self, evidence: &Evidence) -> Vec<String> {
        let source = one_line(&evidence.source, LINE_LIMIT);
        let mut lines = vec![format!(
            "        {}",
            self.painter.paint(Paint::Faint, &source)
        )];
        // Cleaned before it is split: a carriage return must not begin a line of its own.
        let text = &evidence.text[..evidence.text.floor_char_boundary(EVIDENCE_BYTES)];
        let clean = plain(text);
        let all: Vec<_> = clean.lines().take(1 + EVIDENCE_LINES).collect();
        for line in all.iter().take(EVIDENCE_LINES) {
            lines.push(format!("          {}", beginning(line, LINE_LIMIT)));
        }
        if all.len() > EVIDENCE_LINES {
            let rest = words("the rest is in the report", "나머지는 보고서에 있습니다");
            lines.push(format!("          … {}", self.say(&rest)));
        }
        lines
    }

    /// A window of a benchmark, once it has ended.
    fn window(&mut self, window: &WindowMeasured) -> Vec<String> {
        let task = window.task();
        self.heard.end(&task);
        if window.of.is_some() {
            *self.windows.entry(window.workload.clone()).or_default() += 1;
        }
        let offered = spelled::offered(window.point.offered);
        let task = spelled::task(&task);
        let offered = format!("{}: {}", self.say(&task), self.say(&offered));
        self.measured(&offered, &window.point)
    }

    /// The end of a benchmark: its windows, where they were not told one by one, its
    /// search, its budgets.
    fn benchmark(&mut self, summary: &BenchmarkSummary) -> Vec<String> {
        let told = self.windows.remove(&summary.workload).unwrap_or(0);
        let mut lines: Vec<_> = summary
            .points
            .iter()
            .skip(told)
            .flat_map(|point| self.measured(self.say(&spelled::offered(point.offered)), point))
            .collect();
        let highest = summary.highest.as_ref();
        lines.extend(highest.map(|highest| format!("  {}", self.say(&spelled::highest(highest)))));
        lines.extend(summary.missed.iter().map(|missed| {
            let missed = spelled::missed_line(missed);
            format!(
                "  {} {}",
                self.painter.paint(Paint::Bad, "✗"),
                self.painter.paint(Paint::Bad, self.say(&missed))
            )
        }));
        lines
    }

    fn measured(&self, offered: &str, point: &Point) -> Vec<String> {
        measured(self.painter, self.settings.lang, offered, point)
    }

    /// A line of progress, unless the moving bars say it.
    fn progress(&mut self, progress: &Progress, at: Duration) -> Option<String> {
        if self.settings.live {
            return None;
        }
        let line = self.heard.line(progress, at, self.settings.lang)?;
        Some(self.painter.paint(Paint::Faint, &line))
    }
}
