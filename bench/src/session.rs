//! A target that was asked once without load, ready to be measured.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{
    error::BenchError,
    load::{Course, Watch},
    measure::{Window, measure},
    prepare::{Prepared, Protocol, prepare},
    target::Target,
};

/// Measures one target, window after window.
#[derive(Debug, Clone)]
pub struct Session {
    prepared: Arc<Prepared>,
    cancel: CancellationToken,
}

impl Session {
    /// Sends every request once, alone; its answer is what is right from then on.
    ///
    /// # Errors
    /// When the target cannot be asked or answers wrongly without load.
    pub async fn open(
        target: &Target,
        timeout: Duration,
        cancel: &CancellationToken,
    ) -> Result<Self, BenchError> {
        Ok(Self {
            prepared: Arc::new(prepare(target, timeout, cancel).await?),
            cancel: cancel.clone(),
        })
    }

    pub(crate) fn is_grpc(&self) -> bool {
        matches!(self.prepared.protocol, Protocol::Grpc(_))
    }

    /// Measures one window.
    ///
    /// # Errors
    /// When the engine fails or the session's token is cancelled. Errors under load
    /// are counted, not returned.
    pub async fn measure(&self, course: &Course, watch: &Arc<Watch>) -> Result<Window, BenchError> {
        measure(&self.prepared, course, watch, &self.cancel).await
    }
}
