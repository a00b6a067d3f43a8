//! Builds a stream fact by fact, with a clock of its own.

use jiff::{SignedDuration, Timestamp};
use lab_model::{
    event::{
        Event, Evidence, Fact, Host, ImageReady, ImageSource, PodSample, Progress, RunStarted,
        ScenarioRef,
    },
    outcome::Outcome,
    progress::{Doing, Task},
    stage::Stage,
};
use lab_report::record::Recorder;

pub(crate) type Failure = Box<dyn std::error::Error>;

/// A stream with its clock, milliseconds.
#[derive(Clone)]
pub(crate) struct Stream {
    events: Vec<Event>,
    start: Timestamp,
    now: u64,
}

/// A step: keyword, text, what was seen.
pub(crate) type Step<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

impl Stream {
    pub(crate) fn begin(run: &str, stack: &str) -> Result<Self, Failure> {
        let mut stream = Self {
            events: Vec::new(),
            start: "2026-01-15T09:30:00Z".parse()?,
            now: 0,
        };
        stream.fact(Fact::RunStarted(RunStarted {
            run: run.parse()?,
            cluster: format!("lab-{run}").parse()?,
            lab_version: "0.1.0".to_owned(),
            stack: stack.to_owned(),
            lock: "documented".to_owned(),
            provider: "node".to_owned(),
            plan: "nodes 1, GPUs auto, features all, tags any, lang en, workload digits".to_owned(),
            host: Host {
                os: "Debian GNU/Linux 12 (bookworm)".to_owned(),
                kernel: "6.1.0-28-amd64".to_owned(),
                cpus: 2,
                memory_bytes: 25_200_000_000,
                engine: "20.10.24".to_owned(),
            },
        }));
        Ok(stream)
    }

    /// Records a fact now.
    pub(crate) fn fact(&mut self, fact: Fact) {
        self.events.push(Event {
            seq: self.events.len() as u64 + 1,
            time: self.start + SignedDuration::from_millis(self.now.cast_signed()),
            elapsed_ms: self.now,
            fact,
        });
    }

    pub(crate) fn wait(&mut self, millis: u64) {
        self.now += millis;
    }

    pub(crate) fn start(&mut self, stage: Stage) -> u64 {
        self.fact(Fact::StageStarted { stage });
        self.now
    }

    pub(crate) fn end(&mut self, stage: Stage, since: u64, outcome: Outcome) {
        let millis = self.now - since;
        self.fact(Fact::StageFinished {
            stage,
            outcome,
            millis,
        });
    }

    /// A stage that passes after a time in which nothing else is told.
    pub(crate) fn stage(&mut self, stage: Stage, millis: u64) {
        let since = self.start(stage);
        self.wait(millis);
        self.end(stage, since, Outcome::Passed);
    }

    pub(crate) fn image(&mut self, name: &str, documented: Option<&str>, millis: u64, mib: u64) {
        self.wait(millis);
        self.fact(Fact::ImageReady(ImageReady {
            name: name.to_owned(),
            documented: documented.map(str::to_owned),
            reference: format!("lab/{name}:0123456789ab"),
            pulled_as: None,
            id: format!("sha256:{}", "0123456789abcdef".repeat(4)),
            source: if millis > 500 {
                ImageSource::Built
            } else {
                ImageSource::Cached
            },
            bytes: mib << 20,
            millis,
        }));
    }

    pub(crate) fn component(
        &mut self,
        name: &str,
        versions: (&str, Option<&str>),
        outcome: Outcome,
        since: u64,
    ) {
        let (documented, actual) = versions;
        self.fact(Fact::ComponentFinished {
            component: name.to_owned(),
            image: Some(if name == "s3" { "seaweedfs" } else { name }.to_owned()),
            documented: documented.to_owned(),
            actual: actual.map(str::to_owned),
            outcome,
            millis: self.now - since,
        });
    }

    pub(crate) fn progress(
        &mut self,
        task: Task,
        now: impl Into<Doing>,
        [done, total, left]: [u64; 3],
    ) {
        self.fact(Fact::Progressed(Progress {
            task,
            now: now.into(),
            done,
            total: Some(total),
            remaining_seconds: Some(left),
        }));
    }

    /// A scenario: steps of the same length; the last ends with the outcome.
    pub(crate) fn scenario(
        &mut self,
        scenario: &ScenarioRef,
        millis: u64,
        steps: &[Step<'_>],
        outcome: Outcome,
    ) {
        self.fact(Fact::ScenarioStarted {
            scenario: scenario.clone(),
        });
        let since = self.now;
        for (index, (keyword, text, evidence)) in steps.iter().enumerate() {
            self.wait(millis / steps.len() as u64);
            let last = index + 1 == steps.len();
            self.fact(Fact::StepFinished {
                scenario: scenario.clone(),
                keyword: (*keyword).to_owned(),
                text: (*text).to_owned(),
                line: scenario.line + 1 + u32::try_from(index).unwrap_or_default(),
                outcome: if last {
                    outcome.clone()
                } else {
                    Outcome::Passed
                },
                millis: millis / steps.len() as u64,
                evidence: evidence
                    .iter()
                    .map(|(source, text)| Evidence {
                        source: (*source).to_owned(),
                        text: (*text).to_owned(),
                    })
                    .collect(),
            });
        }
        let millis = self.now - since;
        self.fact(Fact::ScenarioFinished {
            scenario: scenario.clone(),
            outcome,
            millis,
        });
    }

    pub(crate) fn sample(&mut self, mib: u64, cpu_seconds: f64) {
        self.fact(Fact::ResourcesSampled {
            memory_bytes: mib << 20,
            cpu_seconds,
        });
    }

    /// What pods used: name, MiB, CPU seconds.
    pub(crate) fn pods(&mut self, pods: &[(&str, u64, f64)]) {
        let pods = pods.iter().map(|(pod, mib, cpu_seconds)| PodSample {
            namespace: "mlops-platform".to_owned(),
            pod: (*pod).to_owned(),
            memory_bytes: mib << 20,
            cpu_seconds: *cpu_seconds,
        });
        self.fact(Fact::PodsSampled {
            pods: pods.collect(),
        });
    }

    pub(crate) fn finish(&mut self, exit_code: u8) {
        self.fact(Fact::RunFinished {
            exit_code,
            millis: self.now,
        });
    }

    pub(crate) fn into_lines(self) -> Result<Vec<u8>, Failure> {
        let mut recorder = Recorder::new(Vec::new());
        for event in &self.events {
            recorder.record(event)?;
        }
        Ok(recorder.into_inner())
    }
}

pub(crate) fn failed(reason: &str) -> Outcome {
    Outcome::Failed {
        reason: reason.to_owned().into(),
    }
}

pub(crate) fn not_run(reason: &str) -> Outcome {
    Outcome::NotRun {
        reason: reason.to_owned().into(),
    }
}

pub(crate) fn scenario(file: &str, feature: &str, name: &str, line: u32) -> ScenarioRef {
    ScenarioRef {
        feature: feature.to_owned(),
        file: file.to_owned(),
        name: name.to_owned(),
        line,
        tags: vec![file.trim_end_matches(".feature").to_owned()],
    }
}
