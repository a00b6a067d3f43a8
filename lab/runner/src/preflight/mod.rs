//! Looks at the machine before anything is started.

mod engine;
mod gpu;
mod host;
mod outside;

use lab_cluster::gpu::Gpu;
use lab_engine::Engine;
use lab_model::said::Said;
use serde::Serialize;

pub use self::outside::Places;
use crate::error::RunError;

/// One thing looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// Whether the lab can run with it.
    pub ok: bool,
    /// What was found.
    pub found: Said,
    /// What to do where it is not enough, or where more would be possible.
    pub fix: Option<Said>,
    /// The GPU that was found, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu: Option<Gpu>,
}

impl Finding {
    fn good(check: &'static str, found: impl Into<Said>) -> Self {
        Self {
            check,
            ok: true,
            found: found.into(),
            fix: None,
            gpu: None,
        }
    }

    fn bad(check: &'static str, found: impl Into<Said>, fix: impl Into<Said>) -> Self {
        Self {
            ok: false,
            ..Self::limited(check, found, fix)
        }
    }

    /// The lab runs, but something it could do is missing.
    fn limited(check: &'static str, found: impl Into<Said>, fix: impl Into<Said>) -> Self {
        Self {
            fix: Some(fix.into()),
            ..Self::good(check, found)
        }
    }
}

/// What a run needs of the machine itself; looks at nothing outside it.
///
/// # Errors
/// When the engine does not answer.
pub async fn look(engine: &Engine) -> Result<Vec<Finding>, RunError> {
    let info = engine.info().await?;
    let mut findings = engine::findings(&info);
    findings.extend(host::findings(&info));
    Ok(findings)
}

/// Everything `lab doctor` tells: the machine, its GPUs, and the places outside it.
///
/// # Errors
/// When the engine does not answer.
pub async fn examine(engine: &Engine, places: &Places) -> Result<Vec<Finding>, RunError> {
    let mut findings = look(engine).await?;
    let info = engine.info().await?;
    let (gpus, outside) = tokio::join!(gpu::findings(&info), outside::findings(places));
    findings.extend(gpus);
    findings.extend(outside);
    Ok(findings)
}

/// Refuses a machine that cannot run the lab, naming what to do.
///
/// # Errors
/// [`RunError::Unfit`].
pub fn require(findings: &[Finding]) -> Result<(), RunError> {
    let bad: Vec<_> = findings.iter().filter(|it| !it.ok).collect();
    if bad.is_empty() {
        return Ok(());
    }
    let found = bad
        .iter()
        .map(|it| format!("{}: {}", it.check, it.found))
        .collect::<Vec<_>>();
    let mend = bad
        .iter()
        .filter_map(|it| Some(it.fix.as_ref()?.to_string()))
        .collect::<Vec<_>>();
    Err(RunError::Unfit {
        found: found.join("; "),
        mend: mend.join("; "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfit_machine_is_refused_with_every_reason() {
        let findings = [
            Finding::good("cpus", "2"),
            Finding::bad("memory", "3.0 GiB available", "free memory"),
            Finding::limited("gpu", "none", "install a driver"),
            Finding::bad("disk", "1.0 GiB free", "free disk"),
        ];
        let error = require(&findings).unwrap_err();
        assert_eq!(
            error.to_string(),
            "this machine cannot run it: memory: 3.0 GiB available; disk: 1.0 GiB free"
        );
    }

    #[test]
    fn what_is_only_limited_is_no_reason_to_refuse() {
        require(&[Finding::limited("gpu", "none", "install a driver")]).unwrap();
    }
}
