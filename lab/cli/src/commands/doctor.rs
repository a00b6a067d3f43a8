//! `lab doctor`: can this machine run the lab, and what to mend.

use lab_engine::Engine;
use lab_model::exit::Exit;
use lab_runner::{RunError, preflight};

use super::{CommandError, Context};
use crate::output;

pub(super) async fn doctor(context: &Context) -> Result<Exit, CommandError> {
    let engine = Engine::connect().await.map_err(RunError::from)?;
    let findings = preflight::look(&engine).await?;
    let mut text = String::new();
    for finding in &findings {
        let mark = if finding.ok { "ok " } else { "BAD" };
        text.push_str(&format!("{mark}  {:<8} {}\n", finding.check, finding.found));
        if let Some(fix) = &finding.fix {
            text.push_str(&format!("     mend: {fix}\n"));
        }
    }
    output::result(&context.global, &findings, &text);
    let fine = findings.iter().all(|it| it.ok);
    Ok(if fine { Exit::Ok } else { Exit::SetupFailed })
}
