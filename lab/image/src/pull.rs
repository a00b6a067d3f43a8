//! Pulls one image by its digest: bounded, tried again where that may help, and named
//! on the engine only when it is whole.

use std::{pin::pin, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use futures::StreamExt;
use lab_engine::{Engine, PullError};
use tokio::time::{Instant, timeout_at};

use crate::{error::ImageError, layers::Layers, progress::Task, settings::Patience};

const TRIES: usize = 3;

/// One image to pull.
pub(crate) struct Pulling<'a> {
    pub(crate) engine: &'a Engine,
    /// What it is pulled by: name and digest, or the tag that a person gave.
    pub(crate) pinned: &'a str,
    pub(crate) patience: Patience,
    pub(crate) task: &'a Task<'a>,
}

impl Pulling<'_> {
    /// Gets the image onto the engine and names it.
    pub(crate) async fn run(&self, reference: &str) -> Result<(), ImageError> {
        self.pull().await?;
        // Last, so that the name never stands for a part of an image.
        self.engine
            .tag_image(self.pinned, reference)
            .await
            .map_err(|source| ImageError::engine(self.pinned, source))
    }

    /// Gets the image onto the engine under the name it is pulled by.
    pub(crate) async fn pull(&self) -> Result<(), ImageError> {
        // One limit for all tries: a registry that is in trouble is soon given up.
        let answer_until = Instant::now() + self.patience.answer;
        (|| self.once(answer_until))
            .retry(ExponentialBuilder::default().with_max_times(TRIES - 1))
            .when(|error| matches!(error, ImageError::Pull(error) if error.is_passing()))
            .await
    }

    async fn once(&self, answer_until: Instant) -> Result<(), ImageError> {
        let mut layers = Layers::default();
        let mut told = pin!(self.engine.pull_image(self.pinned));
        let first = timeout_at(answer_until, told.next());
        let mut next = first.await.map_err(|_| self.no_answer())?;
        let mut going_on_until = Instant::now() + self.patience.silence;
        while let Some(progress) = next {
            let progress = progress?;
            if layers.take(&progress) {
                going_on_until = Instant::now() + self.patience.silence;
            }
            self.task
                .bytes(&progress.status, layers.done(), layers.total());
            let waited = timeout_at(going_on_until, told.next()).await;
            next = waited.map_err(|_| self.stalled(&layers, progress.status))?;
        }
        Ok(())
    }

    fn no_answer(&self) -> ImageError {
        ImageError::Pull(PullError::NoAnswer {
            reference: self.pinned.to_owned(),
            words: format!("nothing came within {}", seconds(self.patience.answer)),
        })
    }

    fn stalled(&self, layers: &Layers, last: String) -> ImageError {
        ImageError::Pull(PullError::Stalled {
            reference: self.pinned.to_owned(),
            silent: seconds(self.patience.silence),
            done_mb: layers.done() / 1_000_000,
            last,
        })
    }
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs())
}
