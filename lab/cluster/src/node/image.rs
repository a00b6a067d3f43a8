//! The image that nodes run.

use lab_image::{ImageError, Images};
use lab_model::{event::Emitter, provider::Provider};
use tokio_util::sync::CancellationToken;

use super::contract::Distribution;
use crate::{ClusterError, ClusterSpec};

/// The recipe of the image that a provider's nodes run.
pub const fn recipe(provider: Provider) -> &'static str {
    Distribution::of(provider).recipe
}

/// Gets the image that a cluster's nodes will run: the one that was asked for, or the
/// provider's own.
///
/// # Errors
/// When it can neither be found, pulled nor built.
pub async fn ready_image(
    images: &Images,
    spec: &ClusterSpec,
    emitter: &dyn Emitter,
    cancel: &CancellationToken,
) -> Result<(), ClusterError> {
    let recipe = recipe(spec.provider);
    let readied = match &spec.node_image {
        Some(reference) => {
            images
                .ensure_named(recipe, reference, emitter, cancel)
                .await
        }
        None => images.ensure(&[recipe], emitter, cancel).await.map(drop),
    };
    readied.map_err(|error| match error {
        ImageError::Interrupted => ClusterError::Interrupted,
        error if spec.provider == Provider::K3s => ClusterError::NoK3s(error),
        error => error.into(),
    })
}

/// What the engine knows that image by.
pub(super) fn reference(images: &Images, spec: &ClusterSpec) -> Result<String, ClusterError> {
    Ok(match &spec.node_image {
        Some(reference) => reference.clone(),
        None => images.reference(recipe(spec.provider))?,
    })
}
