//! The part of the terminal that moves: one line of the stage, one a piece of work.

use std::{collections::HashMap, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use lab_model::{
    event::{Event, Fact, Progress, WindowMeasured},
    outcome::Outcome,
};

use crate::{
    figures::rough,
    lang::{Lang, told},
    text::one_line,
};

/// The most pieces of work shown at once.
const MOST_TASKS: usize = 6;
/// The longest words of one bar, characters.
const WORDS_LIMIT: usize = 60;
/// Slow enough to cost nothing, fast enough to show that the run lives.
const TICK: Duration = Duration::from_millis(250);

/// Bars below the lines that stay.
pub(crate) struct Bars {
    all: MultiProgress,
    stage: ProgressBar,
    tasks: HashMap<String, ProgressBar>,
    style: ProgressStyle,
    lang: Lang,
    passed: usize,
    failed: usize,
    not_run: usize,
}

impl Bars {
    pub(crate) fn new(target: ProgressDrawTarget, color: bool, lang: Lang) -> Self {
        let all = MultiProgress::with_draw_target(target);
        let stage = all.add(ProgressBar::no_length());
        stage.set_style(style(if color {
            "{spinner:.cyan} {prefix:.bold} {msg} {elapsed:.dim}"
        } else {
            "{spinner} {prefix} {msg} {elapsed}"
        }));
        Self {
            all,
            stage,
            tasks: HashMap::new(),
            style: style(if color {
                "    {prefix} [{bar:20.cyan/dim}] {msg}"
            } else {
                "    {prefix} [{bar:20}] {msg}"
            }),
            lang,
            passed: 0,
            failed: 0,
            not_run: 0,
        }
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
                self.stage.set_prefix(stage.as_str());
                self.stage.set_message("");
                self.stage.reset_elapsed();
                self.stage.enable_steady_tick(TICK);
            }
            Fact::StageFinished { .. } => self.clear_tasks(),
            Fact::ImageReady(image) => self.remove(&format!("image {}", image.name)),
            Fact::ComponentFinished { component, .. } => {
                self.remove(&format!("component {component}"));
            }
            Fact::WindowMeasured(window) => {
                self.remove(&WindowMeasured::task(window.number, window.of));
            }
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
            bar.set_style(self.style.clone());
            bar.set_prefix(one_line(&progress.task, WORDS_LIMIT));
            self.tasks.insert(progress.task.clone(), bar);
        }
        let Some(bar) = self.tasks.get(&progress.task) else {
            return;
        };
        bar.set_length(whole);
        bar.set_position(progress.done.min(whole));
        let left = progress.remaining_seconds.map_or(String::new(), |seconds| {
            let left = rough(seconds);
            let words = told(format!(", about {left} left"), format!(", 약 {left} 남음"));
            words.of(self.lang).to_owned()
        });
        bar.set_message(format!("{}{left}", one_line(&progress.now, WORDS_LIMIT)));
    }

    fn remove(&mut self, task: &str) {
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
