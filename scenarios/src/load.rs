//! Requests that keep coming: a small, paced, bounded load that checks every answer.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use reqwest::StatusCode;
use serde_json::Value;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};

use crate::{
    clients::{
        ClientError,
        triton::{Image, Triton, infer_body, prediction},
    },
    lab::MODEL,
};

/// Clients at once; half of them keep their connection, half open a new one for
/// every request, for the two fail in different ways while pods come and go.
const CLIENTS: u32 = 4;

/// A pause, lest a client that is refused at once asks without end.
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// What is sent, what a right answer is, and how fast.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    /// Sent in turn.
    pub(crate) images: Vec<Image>,
    /// Images a request.
    pub(crate) batch: usize,
    /// The right label of each image by the version that answers. An answer of a
    /// version that is not here is not checked.
    pub(crate) labels: BTreeMap<String, Vec<i64>>,
    /// Time between two requests of one client.
    pub(crate) pace: Duration,
    /// When it ends by itself.
    pub(crate) at_most: Duration,
    /// How clients try again; without it a request that is not answered has failed.
    pub(crate) patience: Option<Patience>,
}

/// How a client goes on where it gets no answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// How long it waits before it tries again.
    pub(crate) one_try: Duration,
    /// When it gives up.
    pub(crate) in_all: Duration,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LoadReport {
    /// Requests sent.
    pub(crate) sent: u64,
    /// Not answered, or not with 200.
    pub(crate) failed: u64,
    /// Answered with 200 and the wrong labels.
    pub(crate) wrong: u64,
    /// Tries beyond the first.
    pub(crate) tried_again: u64,
    /// The longest that a request took, all its tries together.
    pub(crate) longest: Duration,
    /// Right answers by the version that gave them.
    pub(crate) right: BTreeMap<String, u64>,
    /// The first that went wrong, in words.
    pub(crate) first_problem: Option<String>,
}

/// A load that goes on until it is stopped.
#[derive(Debug)]
pub(crate) struct Load {
    stop: watch::Sender<bool>,
    clients: JoinSet<LoadReport>,
}

impl Load {
    /// Begins.
    pub(crate) fn start(triton: &Triton, offer: Offer) -> Result<Self, ClientError> {
        let (stop, stopped) = watch::channel(false);
        let offer = Arc::new(offer);
        let mut clients = JoinSet::new();
        for number in 0..CLIENTS {
            let triton = if number % 2 == 0 {
                triton.clone()
            } else {
                triton.keeping_connections()?
            };
            clients.spawn(client(triton, Arc::clone(&offer), number, stopped.clone()));
        }
        Ok(Self { stop, clients })
    }

    /// Ends, waiting for the requests under way, and tells what came of it.
    pub(crate) async fn stop(mut self) -> LoadReport {
        self.stop.send_replace(true);
        let mut whole = LoadReport::default();
        while let Some(part) = self.clients.join_next().await {
            match part {
                Ok(part) => whole.add(part),
                Err(error) => whole.problem(format!("a client broke: {error}")),
            }
        }
        whole
    }
}

impl LoadReport {
    /// For evidence.
    pub(crate) fn in_words(&self) -> String {
        let versions = self
            .right
            .iter()
            .map(|(version, count)| format!("{count} right answers by version {version}"))
            .collect::<Vec<_>>()
            .join(", ");
        let problem = self
            .first_problem
            .as_ref()
            .map(|problem| format!("; first problem: {problem}"))
            .unwrap_or_default();
        let patiently = if self.longest.is_zero() {
            String::new()
        } else {
            format!(
                ", {} tries beyond the first, the longest took {:.1} s",
                self.tried_again,
                self.longest.as_secs_f64()
            )
        };
        format!(
            "{} requests: {versions}, {} wrong, {} failed{patiently}{problem}",
            self.sent, self.wrong, self.failed
        )
    }

    fn add(&mut self, part: Self) {
        self.sent += part.sent;
        self.failed += part.failed;
        self.wrong += part.wrong;
        self.tried_again += part.tried_again;
        self.longest = self.longest.max(part.longest);
        for (version, count) in part.right {
            *self.right.entry(version).or_default() += count;
        }
        if let Some(problem) = part.first_problem {
            self.first_problem.get_or_insert(problem);
        }
    }

    fn problem(&mut self, text: String) {
        self.failed += 1;
        self.first_problem.get_or_insert(text);
    }

    /// Sends a request, and again where it is not answered and there is patience left.
    async fn ask(
        &mut self,
        triton: &Triton,
        body: &Value,
        patience: Option<Patience>,
    ) -> Result<(StatusCode, String), ClientError> {
        let Some(patience) = patience else {
            return triton.infer_raw(MODEL, body).await;
        };
        let start = Instant::now();
        let mut tries = 0;
        let answer = loop {
            tries += 1;
            let one_try = timeout(patience.one_try, triton.infer_raw(MODEL, body)).await;
            let is_last = start.elapsed() >= patience.in_all;
            match one_try {
                Ok(Ok((StatusCode::OK, text))) => break Ok((StatusCode::OK, text)),
                Ok(answer) if is_last => break answer,
                // As long as any client waits; its answer or its error is what counts.
                Err(_) if is_last => break triton.infer_raw(MODEL, body).await,
                Ok(_) | Err(_) => sleep(BETWEEN_TRIES).await,
            }
        };
        self.tried_again += tries - 1;
        self.longest = self.longest.max(start.elapsed());
        answer
    }

    /// Counts one answer to a request for the images from `first` on.
    fn count(
        &mut self,
        offer: &Offer,
        first: usize,
        answer: Result<(StatusCode, String), ClientError>,
    ) {
        self.sent += 1;
        let text = match answer {
            Ok((StatusCode::OK, text)) => text,
            Ok((status, text)) => return self.problem(format!("{status}: {text}")),
            Err(error) => {
                return self.problem(crate::failure::Failure::from(error).to_string());
            }
        };
        let said = match prediction(&text) {
            Ok(said) => said,
            Err(failure) => return self.problem(failure.to_string()),
        };
        let expected = offer.labels.get(&said.model_version);
        let is_right = expected.is_none_or(|labels| {
            labels.get(first..first + said.labels.len()) == Some(said.labels.as_slice())
        });
        if is_right {
            *self.right.entry(said.model_version).or_default() += 1;
        } else {
            self.wrong += 1;
            self.first_problem.get_or_insert(format!(
                "version {} says {:?} of image {first}",
                said.model_version, said.labels
            ));
        }
    }
}

async fn client(
    triton: Triton,
    offer: Arc<Offer>,
    number: u32,
    mut stopped: watch::Receiver<bool>,
) -> LoadReport {
    let mut report = LoadReport::default();
    let end = Instant::now() + offer.at_most;
    // Clients take turns within a pace instead of all sending at once.
    let mut ticks = interval(offer.pace);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let places = offer.images.len().saturating_sub(offer.batch) + 1;
    let mut turn = number as usize;
    loop {
        tokio::select! {
            _ = stopped.changed() => return report,
            _ = ticks.tick() => {}
        }
        if Instant::now() >= end {
            return report;
        }
        let first = turn % places;
        let body = infer_body(&offer.images[first..first + offer.batch]);
        let answer = report.ask(&triton, &body, offer.patience).await;
        report.count(&offer, first, answer);
        turn += CLIENTS as usize;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer() -> Offer {
        Offer {
            images: vec![vec![0.0; 64]; 2],
            batch: 1,
            labels: BTreeMap::from([("2".to_owned(), vec![7, 3])]),
            pace: Duration::from_millis(100),
            at_most: Duration::from_secs(1),
            patience: None,
        }
    }

    fn answer(version: &str, label: i64) -> (StatusCode, String) {
        let text = serde_json::json!({"model_version": version, "outputs": [
            {"name": "label", "data": [label]}]});
        (StatusCode::OK, text.to_string())
    }

    #[test]
    fn counts_right_wrong_and_failed() {
        let mut report = LoadReport::default();
        report.count(&offer(), 0, Ok(answer("2", 7)));
        report.count(&offer(), 1, Ok(answer("2", 7)));
        report.count(
            &offer(),
            0,
            Ok((StatusCode::SERVICE_UNAVAILABLE, "gone".to_owned())),
        );
        insta::assert_snapshot!(
            report.in_words(),
            @"3 requests: 1 right answers by version 2, 1 wrong, 1 failed; first problem: version 2 says [7] of image 1"
        );
    }

    #[test]
    fn a_version_without_expectation_is_only_counted() {
        let mut report = LoadReport::default();
        report.count(&offer(), 0, Ok(answer("9", 1)));
        assert_eq!(report.right["9"], 1);
        assert_eq!(report.wrong, 0);
    }
}
