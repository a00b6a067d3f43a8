//! A record as large as anybody may have.

use std::{error::Error, path::Path};

use lab_model::event::{Event, Fact, ScenarioRef};
use lab_report::{read::read_file, record::Recorder};

/// Events of a recorded run as they are recorded, its scenarios repeated under other names
/// until there are as many.
pub(crate) fn record(number: usize) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut recorder = Recorder::new(Vec::new());
    for event in &events(number)? {
        recorder.record(event)?;
    }
    Ok(recorder.into_inner())
}

fn events(number: usize) -> Result<Vec<Event>, Box<dyn Error>> {
    let record =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/runs/synthetic-passed.ndjson");
    let mut events = read_file(&record)?.events;
    let end = events.pop();
    let is_of_scenario = |event: &&Event| {
        matches!(
            event.fact,
            Fact::ScenarioStarted { .. }
                | Fact::StepFinished { .. }
                | Fact::ScenarioFinished { .. }
        )
    };
    let recorded: Vec<Event> = events.iter().filter(is_of_scenario).cloned().collect();
    let (mut at, mut one) = (0_u64, 0_u64);
    for event in recorded.iter().cycle() {
        if events.len() + 1 >= number {
            break;
        }
        let mut event = event.clone();
        at += 1;
        event.elapsed_ms = at;
        one += u64::from(matches!(event.fact, Fact::ScenarioStarted { .. }));
        if let Fact::ScenarioStarted { scenario }
        | Fact::StepFinished { scenario, .. }
        | Fact::ScenarioFinished { scenario, .. } = &mut event.fact
        {
            *scenario = ScenarioRef {
                name: format!("{} {one}", scenario.name),
                ..scenario.clone()
            };
        }
        events.push(event);
    }
    events.extend(end);
    Ok(events)
}
