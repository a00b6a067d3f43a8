//! A pull as it goes on.

use bollard::query_parameters::CreateImageOptions;
use futures::{Stream, StreamExt};

use super::PullError;
use crate::Engine;

/// How far a pull is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PullProgress {
    /// The layer, where it is about one.
    pub layer: Option<String>,
    /// What happens to it.
    pub status: String,
    /// Bytes so far.
    pub done: u64,
    /// Bytes in all, where known.
    pub total: Option<u64>,
}

impl Engine {
    /// Pulls an image from its registry and tells what happens. Dropping the stream ends
    /// the pull; the engine then keeps nothing that can be named.
    pub fn pull_image(
        &self,
        reference: &str,
    ) -> impl Stream<Item = Result<PullProgress, PullError>> + Send + use<> {
        let options = CreateImageOptions {
            from_image: Some(reference.to_owned()),
            ..Default::default()
        };
        let reference = reference.to_owned();
        let mut begun = false;
        self.docker
            .create_image(Some(options), None, None)
            .map(move |answer| {
                let answer =
                    answer.map_err(|error| PullError::from_request(&reference, error, begun))?;
                begun = true;
                let detail = answer.progress_detail.unwrap_or_default();
                let bytes = |bytes: Option<i64>| bytes.and_then(|bytes| bytes.try_into().ok());
                Ok(PullProgress {
                    layer: answer.id,
                    status: answer.status.unwrap_or_default(),
                    done: bytes(detail.current).unwrap_or_default(),
                    total: bytes(detail.total),
                })
            })
    }
}
