//! How long a large record takes, and how much memory: folds made-up events and renders
//! every output. `cargo run --release -p lab-report --example large [EVENTS]`

use std::{
    env,
    error::Error,
    fs,
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use lab_model::event::{Event, Fact, ScenarioRef};
use lab_report::{fold::fold, html, junit, lang::Lang, messages, read::read_file};

fn main() -> Result<(), Box<dyn Error>> {
    let number = env::args().nth(1).map_or(Ok(100_000), |it| it.parse())?;
    let events = events(number)?;
    let mut out = std::io::stdout();
    writeln!(out, "{} events, {} MiB before", events.len(), peak_mib()?)?;
    let started = Instant::now();
    let report = fold(&events);
    let folded = started.elapsed();
    let page = html::render(&report, Lang::Korean);
    told(&mut out, "folded", folded, None)?;
    told(&mut out, "page", started.elapsed(), Some(page.len()))?;
    writeln!(out, "{} MiB at most until here", peak_mib()?)?;
    let rest = Instant::now();
    let xml = junit::render(&report)?;
    told(&mut out, "junit", rest.elapsed(), Some(xml.len()))?;
    let rest = Instant::now();
    let messages = messages::render(&report);
    told(&mut out, "messages", rest.elapsed(), Some(messages.len()))?;
    writeln!(out, "{} MiB at most", peak_mib()?)?;
    Ok(())
}

fn told(
    out: &mut impl Write,
    what: &str,
    took: Duration,
    bytes: Option<usize>,
) -> std::io::Result<()> {
    let bytes = bytes.map_or_else(String::new, |it| format!(", {it} bytes"));
    writeln!(out, "{what}: {} ms{bytes}", took.as_millis())
}

/// Events of a recorded run, its scenarios repeated under other names until there are
/// enough.
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

/// The most memory that this process has held, MiB.
fn peak_mib() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"));
    let kib: u64 = line.unwrap_or("0").trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1024)
}
