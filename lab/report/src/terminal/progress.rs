//! Progress where nothing moves: a line when the work turns to something new, or was long
//! silent.

use std::{collections::HashMap, time::Duration};

use lab_model::event::Progress;

use crate::{lang::Lang, text::one_line, words::left};

/// The longest name of a task or of what is done, characters.
const NAME_LIMIT: usize = 300;
/// A long piece of work is heard of this often.
const EVERY: Duration = Duration::from_secs(15);
/// What every component goes through: worth a line only when it takes long.
const USUAL: [&str; 3] = ["ContainerCreating", "PodInitializing", "is not ready yet"];

/// What was told of each piece of work, and when.
#[derive(Default)]
pub(super) struct Heard {
    tasks: HashMap<String, (String, Duration)>,
}

impl Heard {
    /// A line, where it is time for one. What stands after a comma are figures, which
    /// change all the time.
    pub(super) fn line(&mut self, progress: &Progress, at: Duration, lang: Lang) -> Option<String> {
        let Progress { task, now, .. } = progress;
        let is_component = task.starts_with("component ");
        if is_component && progress.total == Some(progress.done) {
            // That it is ready is a fact, told on a line of its own.
            self.end(task);
            return None;
        }
        let known = self.tasks.get(task);
        let is_same = known.is_some_and(|(told, _)| head(told) == head(now));
        let is_usual = is_component && USUAL.iter().any(|it| now.ends_with(it));
        let last = known.map_or(at, |(_, told)| *told);
        if (is_same || is_usual) && at.saturating_sub(last) < EVERY {
            // Silence is counted from here.
            self.tasks
                .entry(task.clone())
                .or_insert((String::new(), at));
            return None;
        }
        self.tasks.insert(task.clone(), (now.clone(), at));
        let percent = progress.total.filter(|total| *total > 0).map(|total| {
            let percent = u128::from(progress.done) * 100 / u128::from(total);
            format!(", {} %", percent.min(100))
        });
        let rest = progress.remaining_seconds.map(left);
        Some(format!(
            "    {}: {}{}{}",
            one_line(task, NAME_LIMIT),
            one_line(now, NAME_LIMIT),
            percent.unwrap_or_default(),
            rest.as_ref().map_or("", |it| it.of(lang)),
        ))
    }

    /// Forgets a piece of work that has ended.
    pub(super) fn end(&mut self, task: &str) {
        self.tasks.remove(task);
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.tasks.clear();
    }
}

/// What is being done, without its figures.
fn head(now: &str) -> &str {
    now.split_once(", ").map_or(now, |(head, _)| head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(all: &[(u64, &str, &str, Option<u64>)]) -> Vec<String> {
        let mut heard = Heard::default();
        let line = |&(at, task, now, total): &(u64, &str, &str, Option<u64>)| {
            let progress = Progress {
                task: task.to_owned(),
                now: now.to_owned(),
                done: 1,
                total,
                remaining_seconds: None,
            };
            heard.line(&progress, Duration::from_secs(at), Lang::English)
        };
        all.iter().filter_map(line).collect()
    }

    #[test]
    fn a_component_is_told_of_when_it_is_in_trouble_or_takes_long() {
        let slow = "container `c` runs and is not ready yet";
        let full = "0/1 nodes are available: 1 Insufficient memory.";
        assert_eq!(
            told(&[
                (0, "component A", "container `c`: ContainerCreating", None),
                (1, "component B", full, None),
                (2, "component A", slow, None),
                (4, "component C", "container `c`: PodInitializing", None),
                (5, "component C", "ready", Some(1)),
                (20, "component A", slow, None),
            ]),
            [
                format!("    component B: {full}"),
                format!("    component A: {slow}"),
            ]
        );
    }

    #[test]
    fn figures_alone_are_told_seldom() {
        assert_eq!(
            told(&[
                (0, "image a", "unpacking, 1 MB", Some(4)),
                (3, "image a", "unpacking, 2 MB", Some(4)),
                (15, "image a", "unpacking, 3 MB", Some(4)),
                (16, "image a", "configuring", Some(4)),
            ]),
            [
                "    image a: unpacking, 1 MB, 25 %",
                "    image a: unpacking, 3 MB, 25 %",
                "    image a: configuring, 25 %",
            ]
        );
    }
}
