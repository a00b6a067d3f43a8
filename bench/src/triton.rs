//! Triton's statistics extension: where a server's own counters say the time went.

use std::{collections::BTreeMap, time::Duration};

use lab_model::benchmark::{BatchCount, ServerTimes};
use prost::Message;
use serde::Deserialize;

use crate::{
    grpc::{
        MODEL_STATISTICS, ask,
        message::{ModelStatisticsRequest, ModelStatisticsResponse, StatisticDuration},
    },
    record::micros,
    server::Server,
};

/// Counters of one model since its server started, of all its versions together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    inferences: u64,
    executions: u64,
    success: Counter,
    queue: Counter,
    input: Counter,
    infer: Counter,
    output: Counter,
    /// Executions by batch size.
    batches: BTreeMap<u64, u64>,
}

/// Events and the nanoseconds they took, in sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
struct Counter {
    count: u64,
    ns: u64,
}

#[derive(Deserialize)]
struct Statistics {
    model_stats: Vec<ModelStatistics>,
}

#[derive(Deserialize)]
struct ModelStatistics {
    #[serde(default)]
    inference_count: u64,
    #[serde(default)]
    execution_count: u64,
    inference_stats: InferenceStatistics,
    #[serde(default)]
    batch_stats: Vec<BatchStatistics>,
}

#[derive(Deserialize)]
struct InferenceStatistics {
    success: Counter,
    queue: Counter,
    compute_input: Counter,
    compute_infer: Counter,
    compute_output: Counter,
}

#[derive(Deserialize)]
struct BatchStatistics {
    batch_size: u64,
    compute_infer: Counter,
}

/// Reads the counters of a model. `None`: the server does not keep them.
pub(crate) async fn counters(
    client: &reqwest::Client,
    server: &Server,
    model: &str,
) -> Option<Counters> {
    let server = server.url.trim_end_matches('/');
    let url = format!("{server}/v2/models/{model}/stats");
    let answer = client.get(url).send().await.ok()?.error_for_status().ok()?;
    let statistics: Statistics = serde_json::from_slice(&answer.bytes().await.ok()?).ok()?;
    Some(sum(statistics))
}

/// Reads the counters of a model over gRPC. `None`: the server does not keep them, or
/// does not say them within the time.
pub(crate) async fn counters_over_grpc(
    server: &Server,
    model: &str,
    timeout: Duration,
) -> Option<Counters> {
    let request = ModelStatisticsRequest {
        name: model.to_owned(),
    };
    let request = request.encode_to_vec();
    let answer = ask(server, MODEL_STATISTICS, &request);
    let answer = tokio::time::timeout(timeout, answer).await.ok()??;
    let answer = ModelStatisticsResponse::decode(answer).ok()?;
    Some(sum(Statistics::from(answer)))
}

impl From<Option<StatisticDuration>> for Counter {
    fn from(duration: Option<StatisticDuration>) -> Self {
        let StatisticDuration { count, ns } = duration.unwrap_or_default();
        Self { count, ns }
    }
}

impl From<ModelStatisticsResponse> for Statistics {
    fn from(answer: ModelStatisticsResponse) -> Self {
        let models = answer.model_stats.into_iter().map(|model| {
            let stats = model.inference_stats.unwrap_or_default();
            ModelStatistics {
                inference_count: model.inference_count,
                execution_count: model.execution_count,
                inference_stats: InferenceStatistics {
                    success: stats.success.into(),
                    queue: stats.queue.into(),
                    compute_input: stats.compute_input.into(),
                    compute_infer: stats.compute_infer.into(),
                    compute_output: stats.compute_output.into(),
                },
                batch_stats: model
                    .batch_stats
                    .into_iter()
                    .map(|batch| BatchStatistics {
                        batch_size: batch.batch_size,
                        compute_infer: batch.compute_infer.into(),
                    })
                    .collect(),
            }
        });
        Self {
            model_stats: models.collect(),
        }
    }
}

fn sum(statistics: Statistics) -> Counters {
    let models = statistics.model_stats.into_iter().map(Counters::from);
    models.fold(Counters::default(), Counters::plus)
}

impl From<ModelStatistics> for Counters {
    fn from(model: ModelStatistics) -> Self {
        let stats = model.inference_stats;
        let batches = model.batch_stats.iter();
        Self {
            inferences: model.inference_count,
            executions: model.execution_count,
            success: stats.success,
            queue: stats.queue,
            input: stats.compute_input,
            infer: stats.compute_infer,
            output: stats.compute_output,
            batches: batches
                .map(|batch| (batch.batch_size, batch.compute_infer.count))
                .collect(),
        }
    }
}

impl Counter {
    const fn plus(self, more: Self) -> Self {
        Self {
            count: self.count + more.count,
            ns: self.ns + more.ns,
        }
    }
}

impl Counters {
    /// Those of two models or two servers together.
    pub(crate) fn plus(mut self, more: Self) -> Self {
        for (size, count) in more.batches {
            *self.batches.entry(size).or_default() += count;
        }
        Self {
            inferences: self.inferences + more.inferences,
            executions: self.executions + more.executions,
            success: self.success.plus(more.success),
            queue: self.queue.plus(more.queue),
            input: self.input.plus(more.input),
            infer: self.infer.plus(more.infer),
            output: self.output.plus(more.output),
            batches: self.batches,
        }
    }

    /// What happened since `before`. `None`: nothing, or the server was restarted.
    pub(crate) fn since(&self, before: &Self) -> Option<ServerTimes> {
        let requests = self.success.count.checked_sub(before.success.count)?;
        if requests == 0 {
            return None;
        }
        let each = |now: Counter, then: Counter| {
            let ns = now.ns.checked_sub(then.ns)?;
            let count = now.count.checked_sub(then.count)?;
            Some(micros(ns) / per(count))
        };
        let earlier = |size| before.batches.get(size).copied().unwrap_or_default();
        Some(ServerTimes {
            inferences: self.inferences.checked_sub(before.inferences)?,
            executions: self.executions.checked_sub(before.executions)?,
            queue: each(self.queue, before.queue)?,
            compute_input: each(self.input, before.input)?,
            compute_infer: each(self.infer, before.infer)?,
            compute_output: each(self.output, before.output)?,
            request: each(self.success, before.success)?,
            batches: self
                .batches
                .iter()
                .map(|(size, count)| BatchCount {
                    size: *size,
                    count: count.saturating_sub(earlier(size)),
                })
                .filter(|batch| batch.count > 0)
                .collect(),
        })
    }
}

/// A count to divide by.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2^52")]
fn per(count: u64) -> f64 {
    count.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer of Triton 2.51 to `GET /v2/models/digits/stats`, counters shortened.
    fn answer(requests: u64) -> Counters {
        let counter = |each: u64| format!(r#"{{"count":{requests},"ns":{}}}"#, requests * each);
        let text = format!(
            r#"{{"model_stats":[{{"name":"digits","version":"1","last_inference":1,
            "inference_count":{requests},"execution_count":{},
            "inference_stats":{{"success":{},"fail":{{"count":0,"ns":0}},"queue":{},
            "compute_input":{},"compute_infer":{},"compute_output":{},
            "cache_hit":{{"count":0,"ns":0}}}},
            "batch_stats":[{{"batch_size":2,"compute_input":{{"count":1,"ns":1}},
            "compute_infer":{{"count":{},"ns":9}},"compute_output":{{"count":1,"ns":1}}}}]}}]}}"#,
            requests / 2,
            counter(300_000),
            counter(100_000),
            counter(20_000),
            counter(150_000),
            counter(30_000),
            requests / 2
        );
        sum(serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn a_window_is_the_difference_of_two_answers() {
        let times = answer(110).since(&answer(10)).unwrap();
        assert_eq!((times.inferences, times.executions), (100, 50));
        let parts = [
            times.queue,
            times.compute_input,
            times.compute_infer,
            times.compute_output,
            times.request,
        ];
        assert_eq!(
            parts.map(|part| part.to_string()),
            ["100", "20", "150", "30", "300"]
        );
        assert_eq!(times.batches, [BatchCount { size: 2, count: 50 }]);
    }

    #[test]
    fn servers_that_answer_in_turn_are_one() {
        let before = answer(10).plus(answer(4));
        let times = answer(70).plus(answer(44)).since(&before).unwrap();
        assert_eq!((times.inferences, times.executions), (100, 50));
        assert_eq!(times.request.to_string(), "300");
        assert_eq!(times.batches, [BatchCount { size: 2, count: 50 }]);
    }

    #[test]
    fn a_server_that_was_restarted_says_nothing() {
        assert_eq!(answer(10).since(&answer(110)), None);
        assert_eq!(answer(10).since(&answer(10)), None);
    }

    /// The bytes of an answer over gRPC as the published proto has them, written by hand:
    /// name, version and last inference are passed over.
    #[test]
    fn counters_over_grpc_are_those_of_the_published_proto() {
        let bytes = b"\x0a\x36\x0a\x01d\x12\x011\x18\x01\x20\x0a\x28\x05\
            \x32\x1e\x0a\x04\x08\x0a\x10\x64\x1a\x04\x08\x0a\x10\x01\
            \x22\x04\x08\x0a\x10\x02\x2a\x04\x08\x0a\x10\x03\x32\x04\x08\x0a\x10\x04\
            \x3a\x08\x08\x02\x1a\x04\x08\x05\x10\x07";
        let answer = ModelStatisticsResponse::decode(&bytes[..]).unwrap();
        let counters = sum(Statistics::from(answer));
        let counter = |ns| Counter { count: 10, ns };
        assert_eq!(
            counters,
            Counters {
                inferences: 10,
                executions: 5,
                success: counter(100),
                queue: counter(1),
                input: counter(2),
                infer: counter(3),
                output: counter(4),
                batches: BTreeMap::from([(2, 5)]),
            }
        );
    }
}
