//! Waiting for something to become true, with a deadline that names it.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::failure::Failure;

/// Time between two looks. Most services under test change at their own pace of a
/// second or more; a shorter interval would only take CPU from them.
const INTERVAL: Duration = Duration::from_millis(500);

/// One look at what is awaited.
pub(crate) enum Look<T> {
    /// It is there.
    Ready(T),
    /// Not yet; what is seen now, for the message when the deadline passes.
    NotYet(String),
}

/// Looks again and again until it is there, a look fails, or nothing changes for as
/// long as `patience`: what moves may take its time on a busy machine.
pub(crate) async fn while_it_moves<T, F>(
    what: &str,
    patience: Duration,
    mut look: impl FnMut() -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Result<Look<T>, Failure>>,
{
    let mut last = String::new();
    let mut end = Instant::now() + patience;
    loop {
        match look().await.map_err(|failure| failure.context(what))? {
            Look::Ready(value) => return Ok(value),
            Look::NotYet(state) if state != last => {
                last = state;
                end = Instant::now() + patience;
            }
            Look::NotYet(_) if Instant::now() >= end => {
                return Err(Failure::new(format!(
                    "{what}: nothing changed for {} s; last seen: {last}",
                    patience.as_secs()
                )));
            }
            Look::NotYet(_) => {}
        }
        sleep(INTERVAL).await;
    }
}

/// Looks again and again until it is there, a look fails, or the deadline passes.
///
/// A look that fails ends the wait at once: looks return an error for states that
/// cannot get better, and `NotYet` for all others.
pub(crate) async fn until<T, F>(
    what: &str,
    deadline: Duration,
    mut look: impl FnMut() -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Result<Look<T>, Failure>>,
{
    let end = Instant::now() + deadline;
    loop {
        match look().await.map_err(|failure| failure.context(what))? {
            Look::Ready(value) => return Ok(value),
            Look::NotYet(state) if Instant::now() >= end => {
                return Err(Failure::new(format!(
                    "{what}: not within {} s; last seen: {state}",
                    deadline.as_secs()
                )));
            }
            Look::NotYet(_) => sleep(INTERVAL).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn deadline_names_what_was_awaited_and_what_was_seen() {
        let waited: Result<(), _> = until("champion", Duration::ZERO, || async {
            Ok(Look::NotYet("no version".to_owned()))
        })
        .await;
        assert_eq!(
            waited.unwrap_err().to_string(),
            "champion: not within 0 s; last seen: no version"
        );
    }

    #[tokio::test]
    async fn a_wait_goes_on_while_something_moves() {
        let mut states = vec!["b", "b", "a"].into_iter().rev();
        let waited: Result<(), _> = while_it_moves("run", Duration::ZERO, || {
            let state = states.next().unwrap_or("b").to_owned();
            async { Ok(Look::NotYet(state)) }
        })
        .await;
        assert_eq!(
            waited.unwrap_err().to_string(),
            "run: nothing changed for 0 s; last seen: b"
        );
    }

    #[tokio::test]
    async fn hopeless_state_ends_the_wait_at_once() {
        let waited: Result<(), _> = until("pod", Duration::from_mins(1), || async {
            Err(Failure::new("crash loop"))
        })
        .await;
        assert_eq!(waited.unwrap_err().to_string(), "pod: crash loop");
    }
}
