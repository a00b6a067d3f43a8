//! Runs scenarios by hand against a living stack and tells what happens on stderr.
//!
//! ```text
//! cargo run -p lab-scenarios --example run -- --kubeconfig FILE \
//!   --endpoint mlflow=http://127.0.0.1:30402 … --airflow admin:PASSWORD --feature train
//! ```

use std::{collections::BTreeMap, error::Error, io::Write as _, path::PathBuf, sync::Arc};

use lab_model::event::{Emitter, Fact};
use lab_scenarios::{Filter, ScenarioEnv, run};

struct Stderr;

impl Emitter for Stderr {
    fn emit(&self, fact: Fact) {
        let mut err = std::io::stderr().lock();
        let _ = match fact {
            Fact::ScenarioStarted { scenario } => {
                writeln!(
                    err,
                    "\n{}:{} {}",
                    scenario.file, scenario.line, scenario.name
                )
            }
            Fact::StepFinished {
                keyword,
                text,
                outcome,
                millis,
                evidence,
                ..
            } => {
                let _ = writeln!(
                    err,
                    "  {:>7} {millis:>6} ms  {keyword} {text}{}",
                    outcome.word(),
                    outcome
                        .reason()
                        .map(|r| format!("\n      {r}"))
                        .unwrap_or_default()
                );
                for seen in evidence {
                    let _ = writeln!(err, "      · {}: {}", seen.source, seen.text);
                }
                Ok(())
            }
            Fact::ScenarioFinished {
                outcome, millis, ..
            } => writeln!(err, "  = {} in {millis} ms", outcome.word()),
            _ => Ok(()),
        };
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut env = ScenarioEnv {
        kubeconfig: PathBuf::new(),
        namespace: "mlops-platform".to_owned(),
        endpoints: BTreeMap::new(),
        airflow: (String::new(), String::new()),
        cluster: "by-hand".to_owned(),
        nodes: Vec::new(),
        not_run_components: BTreeMap::new(),
        faults: None,
        dashboards: PathBuf::from("fixtures/charts/mlops-platform"),
    };
    let mut folder = PathBuf::from("features");
    let mut filter = Filter::default();
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args.next().ok_or_else(|| format!("{name} needs a value"))?;
        let pair = || value.split_once('=').ok_or("write NAME=VALUE");
        match name.as_str() {
            "--kubeconfig" => env.kubeconfig = value.into(),
            "--endpoint" => {
                let (name, url) = pair()?;
                env.endpoints.insert(name.to_owned(), url.parse()?);
            }
            "--not-run" => {
                let (name, reason) = pair()?;
                env.not_run_components
                    .insert(name.to_owned(), reason.to_owned().into());
            }
            "--airflow" => {
                let (user, password) = value.split_once(':').ok_or("write USER:PASSWORD")?;
                env.airflow = (user.to_owned(), password.to_owned());
            }
            "--features" => folder = value.into(),
            "--feature" => filter.features.push(value),
            "--tags" => filter.tags = Some(value),
            other => return Err(format!("unknown argument {other}").into()),
        }
    }
    let runtime = tokio::runtime::Runtime::new()?;
    let summary = runtime.block_on(run(env, &folder, &filter, Arc::new(Stderr)))?;
    writeln!(std::io::stderr(), "{summary:?}")?;
    Ok(())
}
