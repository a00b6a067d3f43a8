//! Outputs stand whatever events they are given.

use lab_model::event::{Event, Evidence, Fact};
use lab_report::{
    fold::fold,
    html, junit,
    lang::Lang,
    reporter::Reporter,
    summary::{self, Look},
    terminal::{Settings, Terminal, Verbosity},
};
use proptest::{prelude::*, sample::Index};

use crate::{STREAMS, recording};

fn all_events() -> Vec<Event> {
    STREAMS
        .iter()
        .flat_map(|name| recording(name).events)
        .collect()
}

fn every_output(events: &[Event]) -> String {
    let report = fold(events.to_vec());
    let _ = summary::render(
        &report,
        None,
        Look {
            color: true,
            lang: Lang::Korean,
        },
    );
    junit::render(&report).unwrap();
    let settings = Settings {
        verbosity: Verbosity::Verbose,
        ..Settings::default()
    };
    let mut terminal = Terminal::new(Vec::new(), settings);
    for event in events {
        terminal.event(event).unwrap();
    }
    html::render(&report, Lang::English)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_events_in_any_order_fold(
        picks in prop::collection::vec((any::<Index>(), any::<u64>()), 0..60)
    ) {
        let all = all_events();
        let events: Vec<Event> = picks
            .iter()
            .map(|(index, elapsed_ms)| Event { elapsed_ms: *elapsed_ms, ..index.get(&all).clone() })
            .collect();
        let page = every_output(&events);
        prop_assert!(!page.to_lowercase().contains("<script"));
    }

    #[test]
    fn any_text_stays_text(text in "(\\PC|[<>&\"'/=]|<script|\u{1b}|\u{202e}){0,60}") {
        let mut events = recording("not-run-component").events;
        for event in &mut events {
            match &mut event.fact {
                Fact::StepFinished { scenario, text: step, evidence, .. } => {
                    scenario.name.clone_from(&text);
                    step.clone_from(&text);
                    *evidence = vec![Evidence { source: text.clone(), text: text.clone() }];
                }
                Fact::ScenarioFinished { scenario, .. } | Fact::ScenarioStarted { scenario } => {
                    scenario.name.clone_from(&text);
                }
                Fact::ComponentFinished { component, documented, .. } => {
                    component.clone_from(&text);
                    documented.clone_from(&text);
                }
                Fact::RunStarted(about) => about.stack.clone_from(&text),
                _ => {}
            }
        }
        let page = every_output(&events);
        let tags = |page: &str| page.matches('<').count();
        let mut tame = events.clone();
        for event in &mut tame {
            if let Fact::RunStarted(about) = &mut event.fact {
                "lifecycle".clone_into(&mut about.stack);
            }
        }
        prop_assert!(!page.to_lowercase().contains("<script"));
        prop_assert_eq!(tags(&page), tags(&html::render(&fold(tame), Lang::English)));
    }
}
