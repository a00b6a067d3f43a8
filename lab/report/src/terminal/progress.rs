//! Progress where nothing moves: a line when the work turns to something new, or was long
//! silent.

use std::{collections::HashMap, time::Duration};

use lab_model::{
    event::Progress,
    progress::{Doing, Task},
};

use crate::{
    lang::Lang,
    text::one_line,
    words::{self, left},
};

/// The longest name of a task or of what is done, characters.
const NAME_LIMIT: usize = 300;
/// A long piece of work is heard of this often.
const EVERY: Duration = Duration::from_secs(15);
/// What every container waits for at first.
const USUAL: [&str; 2] = ["ContainerCreating", "PodInitializing"];

/// What was told of each piece of work, and when.
#[derive(Default)]
pub(super) struct Heard {
    tasks: HashMap<Task, (String, Duration)>,
}

impl Heard {
    /// A line, where it is time for one. What stands after a comma are figures, which
    /// change all the time.
    pub(super) fn line(&mut self, progress: &Progress, at: Duration, lang: Lang) -> Option<String> {
        let Progress { task, now, .. } = progress;
        let is_component = matches!(task, Task::Component { .. });
        let english = now.to_string();
        if is_component && progress.total == Some(progress.done) {
            // That it is ready is a fact, told on a line of its own.
            self.end(task);
            return None;
        }
        let known = self.tasks.get(task);
        let is_same = known.is_some_and(|(told, _)| head(told) == head(&english));
        let is_usual = is_component && is_usual(now);
        let last = known.map_or(at, |(_, told)| *told);
        if (is_same || is_usual) && at.saturating_sub(last) < EVERY {
            // Silence is counted from here.
            self.tasks
                .entry(task.clone())
                .or_insert((String::new(), at));
            return None;
        }
        self.tasks.insert(task.clone(), (english, at));
        let percent = progress.total.filter(|total| *total > 0).map(|total| {
            let percent = u128::from(progress.done) * 100 / u128::from(total);
            format!(", {} %", percent.min(100))
        });
        let rest = progress.remaining_seconds.map(left);
        Some(format!(
            "    {}: {}{}{}",
            one_line(words::task(task).of(lang), NAME_LIMIT),
            one_line(words::doing(now).of(lang), NAME_LIMIT),
            percent.unwrap_or_default(),
            rest.as_ref().map_or("", |it| it.of(lang)),
        ))
    }

    /// Forgets a piece of work that has ended.
    pub(super) fn end(&mut self, task: &Task) {
        self.tasks.remove(task);
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.tasks.clear();
    }
}

/// What every component goes through: worth a line only when it takes long.
fn is_usual(now: &Doing) -> bool {
    match now {
        Doing::ContainerRuns { .. } => true,
        Doing::ContainerWaits {
            reason, message, ..
        } => message.is_none() && USUAL.contains(&reason.as_str()),
        _ => false,
    }
}

/// What is being done, without its figures.
fn head(now: &str) -> &str {
    now.split_once(", ").map_or(now, |(head, _)| head)
}

#[cfg(test)]
mod tests {
    use lab_model::progress::Step;

    use super::*;

    fn told(lang: Lang, all: &[(u64, Task, Doing, Option<u64>)]) -> Vec<String> {
        let mut heard = Heard::default();
        let line = |(at, task, now, total): &(u64, Task, Doing, Option<u64>)| {
            let progress = Progress {
                task: task.clone(),
                now: now.clone(),
                done: 1,
                total: *total,
                remaining_seconds: None,
            };
            heard.line(&progress, Duration::from_secs(*at), lang)
        };
        all.iter().filter_map(line).collect()
    }

    fn component(name: &str) -> Task {
        let name = name.to_owned();
        Task::Component { name }
    }

    fn installing() -> Vec<(u64, Task, Doing, Option<u64>)> {
        let waits = |reason: &str| Doing::ContainerWaits {
            container: "c".to_owned(),
            reason: reason.to_owned(),
            message: None,
        };
        let slow = || Doing::ContainerRuns {
            container: "c".to_owned(),
        };
        let full = "0/1 nodes are available: 1 Insufficient memory.".to_owned();
        vec![
            (0, component("A"), waits("ContainerCreating"), None),
            (1, component("B"), full.into(), None),
            (2, component("A"), slow(), None),
            (4, component("C"), waits("PodInitializing"), None),
            (5, component("C"), Step::Ready.into(), Some(1)),
            (20, component("A"), slow(), None),
        ]
    }

    #[test]
    fn a_component_is_told_of_when_it_is_in_trouble_or_takes_long() {
        assert_eq!(
            told(Lang::English, &installing()),
            [
                "    component B: 0/1 nodes are available: 1 Insufficient memory.",
                "    component A: container `c` runs and is not ready yet",
            ]
        );
    }

    #[test]
    fn what_lab_says_itself_is_told_in_korean_too() {
        assert_eq!(
            told(Lang::Korean, &installing()),
            [
                "    구성 요소 B: 0/1 nodes are available: 1 Insufficient memory.",
                "    구성 요소 A: 컨테이너 `c` 실행 중, 아직 준비되지 않음",
            ]
        );
    }

    #[test]
    fn figures_alone_are_told_seldom() {
        let image = || Task::Image {
            name: "a".to_owned(),
        };
        let told = |text: &str| Doing::Told(text.to_owned());
        assert_eq!(
            self::told(
                Lang::English,
                &[
                    (0, image(), told("unpacking, 1 MB"), Some(4)),
                    (3, image(), told("unpacking, 2 MB"), Some(4)),
                    (15, image(), told("unpacking, 3 MB"), Some(4)),
                    (16, image(), told("configuring"), Some(4)),
                ]
            ),
            [
                "    image a: unpacking, 1 MB, 25 %",
                "    image a: unpacking, 3 MB, 25 %",
                "    image a: configuring, 25 %",
            ]
        );
    }
}
