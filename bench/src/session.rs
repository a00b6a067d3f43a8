//! A target that was asked once without load, ready to be measured.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{
    error::BenchError,
    load::{Course, Driven, Watch},
    measure::{Window, run, window},
    prepare::{Prepared, prepare},
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

    /// Measures one window.
    ///
    /// # Errors
    /// When the engine fails or the session's token is cancelled. Errors under load
    /// are counted, not returned.
    pub async fn measure(&self, course: &Course, watch: &Arc<Watch>) -> Result<Window, BenchError> {
        Ok(window(course, self.drive(course, watch).await?))
    }

    /// What is counted and timed of one window.
    pub(crate) async fn drive(
        &self,
        course: &Course,
        watch: &Arc<Watch>,
    ) -> Result<Driven, BenchError> {
        run(&self.prepared, course, watch, &self.cancel).await
    }
}

/// Who makes the load of a window: this process, or several generators elsewhere.
pub trait Loader {
    /// Measures one window, as [`Session::measure`] does.
    ///
    /// # Errors
    /// As [`Session::measure`].
    fn measure(
        &self,
        course: &Course,
        watch: &Arc<Watch>,
    ) -> impl Future<Output = Result<Window, BenchError>> + Send;
}

impl Loader for Session {
    async fn measure(&self, course: &Course, watch: &Arc<Watch>) -> Result<Window, BenchError> {
        Self::measure(self, course, watch).await
    }
}
