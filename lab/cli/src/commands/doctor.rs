//! `lab doctor`: can this machine run the lab, and what to mend.

use lab_engine::Engine;
use lab_model::{exit::Exit, said::Said};
use lab_report::lang::Lang;
use lab_runner::{RunError, preflight};

use super::{CommandError, Context};
use crate::output;

pub(super) async fn doctor(context: &Context) -> Result<Exit, CommandError> {
    let engine = Engine::connect().await.map_err(RunError::from)?;
    let settings = context.image_settings();
    let places = preflight::Places {
        debian_mirror: lab_image::debian_mirror(&settings),
        python_index: lab_image::python_index(&settings),
    };
    let findings = preflight::examine(&engine, &places).await?;
    let said = |it: &Said| match context.global.lang.lang() {
        Lang::English => it.to_string(),
        Lang::Korean => it.korean().to_owned(),
    };
    let mut text = String::new();
    for finding in &findings {
        let mark = match (finding.ok, &finding.fix) {
            (false, _) => "BAD",
            (true, Some(_)) => " ! ",
            (true, None) => "ok ",
        };
        let found = said(&finding.found);
        text.push_str(&format!("{mark}  {:<15} {found}\n", finding.check));
        if let Some(fix) = &finding.fix {
            text.push_str(&format!("     {:<15} {}\n", "->", said(fix)));
        }
    }
    output::result(&context.global, &findings, &text);
    let fine = findings.iter().all(|it| it.ok);
    Ok(if fine { Exit::Ok } else { Exit::SetupFailed })
}
