//! The part of the terminal that moves: one line of the stage, one a piece of work.

use std::{collections::HashMap, fmt::Write, sync::Arc, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use lab_model::{
    event::{Event, Fact, Progress},
    outcome::Outcome,
    progress::Task,
    stage::Stage,
};

use crate::{
    history::Expected,
    lang::Lang,
    text::one_line,
    words::{self, left},
};

/// The most pieces of work shown at once: a stack's components, and some more.
const MOST_TASKS: usize = 12;
/// The longest words of one bar, characters; where the terminal is narrower they are cut.
const WORDS_LIMIT: usize = 160;
/// Slow enough to cost nothing, fast enough to show that the run lives.
const TICK: Duration = Duration::from_millis(250);

/// Bars below the lines that stay.
pub(crate) struct Bars {
    all: MultiProgress,
    stage: ProgressBar,
    tasks: HashMap<Task, ProgressBar>,
    /// Of work whose size is known, and of other work.
    styles: [ProgressStyle; 2],
    color: bool,
    lang: Lang,
    expected: Option<Arc<Expected>>,
    passed: usize,
    failed: usize,
    not_run: usize,
}

impl Bars {
    pub(crate) fn new(target: ProgressDrawTarget, color: bool, lang: Lang) -> Self {
        let all = MultiProgress::with_draw_target(target);
        let stage = all.add(ProgressBar::no_length());
        let styles = if color {
            [
                "    {prefix} [{bar:20.cyan/dim}] {msg}",
                "    {prefix}: {wide_msg:.dim}",
            ]
        } else {
            ["    {prefix} [{bar:20}] {msg}", "    {prefix}: {wide_msg}"]
        };
        Self {
            all,
            stage,
            tasks: HashMap::new(),
            styles: styles.map(style),
            color,
            lang,
            expected: None,
            passed: 0,
            failed: 0,
            not_run: 0,
        }
    }

    /// Tells from now on what is left, by runs that were made before.
    pub(crate) fn expect(&mut self, expected: Expected) {
        self.expected = Some(Arc::new(expected));
    }

    /// The stage's line: it counts what is left by itself, between events too.
    fn stage_style(&self, stage: Stage) -> ProgressStyle {
        let template = if self.color {
            "{spinner:.cyan} {prefix:.bold} {msg} {elapsed:.dim}{left:.dim}"
        } else {
            "{spinner} {prefix} {msg} {elapsed}{left}"
        };
        let (expected, lang) = (self.expected.clone(), self.lang);
        style(template).with_key("left", move |state: &ProgressState, out: &mut dyn Write| {
            if let Some(expected) = &expected {
                let rest = expected.left(stage, state.elapsed()).as_secs();
                // What cannot be written here is a line on a terminal.
                let _ = out.write_str(left(rest).of(lang));
            }
        })
    }

    /// Writes lines above the bars.
    pub(crate) fn above<T>(&self, write: impl FnOnce() -> T) -> T {
        self.all.suspend(write)
    }

    /// Takes the bars away.
    pub(crate) fn clear(&mut self) {
        self.clear_tasks();
        self.stage.finish_and_clear();
    }

    pub(crate) fn take(&mut self, event: &Event) {
        match &event.fact {
            Fact::StageStarted { stage } => {
                self.stage.set_style(self.stage_style(*stage));
                self.stage.set_prefix(stage.as_str());
                self.stage.set_message("");
                self.stage.reset_elapsed();
                self.stage.enable_steady_tick(TICK);
            }
            Fact::StageFinished { .. } => self.clear_tasks(),
            Fact::ImageReady(image) => {
                let name = image.name.clone();
                self.remove(&Task::Image { name });
            }
            Fact::ComponentFinished { component, .. } => {
                let name = component.clone();
                self.remove(&Task::Component { name });
            }
            Fact::WindowMeasured(window) => self.remove(&window.task()),
            Fact::ScenarioStarted { scenario } => {
                let name = one_line(&scenario.name, WORDS_LIMIT);
                self.stage.set_message(format!("{}{name}", self.counts()));
            }
            Fact::ScenarioFinished { outcome, .. } => {
                match outcome {
                    Outcome::Passed | Outcome::Flaky { .. } => self.passed += 1,
                    Outcome::Failed { .. } => self.failed += 1,
                    Outcome::NotRun { .. } => self.not_run += 1,
                }
                self.stage.set_message(self.counts());
            }
            Fact::Progressed(progress) => self.progress(progress),
            Fact::RunFinished { .. } => self.clear(),
            _ => {}
        }
    }

    /// `12 ✓ 1 ✗ 2 – `, with what there is none of left out.
    fn counts(&self) -> String {
        let all = [(self.passed, "✓"), (self.failed, "✗"), (self.not_run, "–")];
        let some = all.iter().filter(|(number, _)| *number > 0);
        let parts: Vec<_> = some
            .map(|(number, mark)| format!("{number} {mark} "))
            .collect();
        parts.concat()
    }

    fn progress(&mut self, progress: &Progress) {
        let whole = progress.total.unwrap_or(0);
        if whole > 0 && progress.done >= whole {
            self.remove(&progress.task);
            return;
        }
        if !self.tasks.contains_key(&progress.task) {
            if self.tasks.len() >= MOST_TASKS {
                return;
            }
            let bar = self.all.add(ProgressBar::new(whole));
            let task = words::task(&progress.task);
            bar.set_prefix(one_line(task.of(self.lang), WORDS_LIMIT));
            self.tasks.insert(progress.task.clone(), bar);
        }
        let Some(bar) = self.tasks.get(&progress.task) else {
            return;
        };
        bar.set_style(self.styles[usize::from(whole == 0)].clone());
        bar.set_length(whole);
        bar.set_position(progress.done.min(whole));
        let rest = progress.remaining_seconds.map(left);
        let rest = rest.as_ref().map_or("", |it| it.of(self.lang));
        let now = words::doing(&progress.now);
        let now = one_line(now.of(self.lang), WORDS_LIMIT);
        bar.set_message(format!("{now}{rest}"));
    }

    fn remove(&mut self, task: &Task) {
        if let Some(bar) = self.tasks.remove(task) {
            bar.finish_and_clear();
        }
    }

    fn clear_tasks(&mut self) {
        for (_, bar) in self.tasks.drain() {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}

#[cfg(test)]
mod tests {
    use indicatif::InMemoryTerm;
    use lab_model::{
        event::ScenarioRef,
        progress::{Doing, Step},
    };

    use super::*;

    fn event(fact: Fact) -> Event {
        Event {
            seq: 1,
            time: "2026-01-15T09:30:00Z".parse().unwrap(),
            elapsed_ms: 0,
            fact,
        }
    }

    fn progress(task: Task, now: impl Into<Doing>, done: u64, total: Option<u64>) -> Fact {
        Fact::Progressed(Progress {
            task,
            now: now.into(),
            done,
            total,
            remaining_seconds: total.map(|_| 40),
        })
    }

    /// What a terminal shows after these facts, without what moves by itself.
    fn shown(lang: Lang, facts: Vec<Fact>) -> String {
        let screen = InMemoryTerm::new(24, 100);
        let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
        let mut bars = Bars::new(target, false, lang);
        let stages = [(Stage::Install, 15), (Stage::Verify, 160)];
        bars.expect(Expected::from(
            stages.map(|(stage, seconds)| (stage, Duration::from_secs(seconds))),
        ));
        for fact in facts {
            bars.take(&event(fact));
        }
        bars.stage.disable_steady_tick();
        bars.stage.tick();
        let lines = screen.contents();
        let spinner = |char: char| ('\u{2800}'..'\u{28ff}').contains(&char);
        let lines = lines.lines().map(|line| line.replace(spinner, "*"));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn component(name: &str) -> Task {
        let name = name.to_owned();
        Task::Component { name }
    }

    fn installing() -> Vec<Fact> {
        let full = "0/1 nodes are available: 1 Insufficient memory.".to_owned();
        let creating = Doing::ContainerWaits {
            container: "postgresql".to_owned(),
            reason: "ContainerCreating".to_owned(),
            message: None,
        };
        let killed = Doing::ContainerEnded {
            container: "mlflow".to_owned(),
            times: 3,
            exit_code: 137,
            reason: Some("OOMKilled".to_owned()),
        };
        vec![
            Fact::StageStarted {
                stage: Stage::Install,
            },
            progress(component("PostgreSQL"), creating, 0, None),
            progress(component("Triton"), full, 0, None),
            progress(component("MLflow"), killed, 0, None),
            progress(component("PostgreSQL"), Step::Ready, 1, Some(1)),
            progress(Task::LoadImages, Step::Stream, 30, Some(120)),
        ]
    }

    #[test]
    fn pods_that_are_not_ready_say_why() {
        insta::assert_snapshot!(shown(Lang::English, installing()));
    }

    #[test]
    fn in_korean_too() {
        insta::assert_snapshot!(shown(Lang::Korean, installing()));
    }

    #[test]
    fn scenarios_are_counted() {
        let scenario = ScenarioRef {
            feature: "Train".to_owned(),
            file: "train.feature".to_owned(),
            name: "Broken data ends the run".to_owned(),
            line: 3,
            tags: Vec::new(),
        };
        let finished = |outcome| Fact::ScenarioFinished {
            scenario: scenario.clone(),
            outcome,
            millis: 1,
        };
        let reason = || "why".to_owned();
        insta::assert_snapshot!(shown(
            Lang::English,
            vec![
                Fact::StageStarted {
                    stage: Stage::Verify,
                },
                finished(Outcome::Passed),
                finished(Outcome::Failed {
                    reason: reason().into(),
                }),
                finished(Outcome::NotRun {
                    reason: reason().into(),
                }),
                Fact::ScenarioStarted {
                    scenario: scenario.clone(),
                },
            ],
        ));
    }
}
