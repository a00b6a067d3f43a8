//! Pushes images where the nodes of somebody else's cluster can pull them.

use std::{fmt, str::FromStr, time::Duration};

use futures::StreamExt;
use lab_engine::{PushError, PushProgress};
use lab_model::{event::Emitter, progress};
use tokio::time::{Instant, timeout_at};

use crate::{error::ImageError, images::Images, progress::Task, reference::Mirror};

/// A registry checks what it has before it says so; large layers take it a while.
const SILENCE: Duration = Duration::from_mins(2);

/// A place in a container registry: `HOST[:PORT][/PREFIX]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry(String);

impl FromStr for Registry {
    type Err = ImageError;

    fn from_str(text: &str) -> Result<Self, ImageError> {
        let place = Mirror::parse(text).ok_or_else(|| ImageError::Registry {
            text: text.to_owned(),
        })?;
        Ok(Self(place.to_string()))
    }
}

impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Images {
    /// The reference of a recipe's image in a registry, `HOST/PREFIX/NAME:CONTENT`.
    ///
    /// # Errors
    /// When no recipe has that name.
    pub fn registry_reference(
        &self,
        registry: &Registry,
        name: &str,
    ) -> Result<String, ImageError> {
        let reference = self.reference(name)?;
        let own = reference.strip_prefix("lab/").unwrap_or(&reference);
        Ok(format!("{registry}/{own}"))
    }

    /// Pushes the images of `names`, which are on the engine, one after the other.
    ///
    /// # Errors
    /// When the registry does not answer, refuses, or takes nothing any more.
    pub async fn push(
        &self,
        names: &[&str],
        registry: &Registry,
        emitter: &dyn Emitter,
    ) -> Result<(), ImageError> {
        for name in names {
            let local = self.reference(name)?;
            let there = self.registry_reference(registry, name)?;
            let failed = |source| ImageError::engine(name, source);
            self.engine()
                .tag_image(&local, &there)
                .await
                .map_err(failed)?;
            let name = (*name).to_owned();
            let task = Task::new(emitter, progress::Task::Push { name }, Duration::ZERO);
            let pushed = self.push_one(&there, &task).await;
            // The image stays under our own name.
            self.engine().remove_image(&there).await.map_err(failed)?;
            pushed?;
        }
        Ok(())
    }

    async fn push_one(&self, reference: &str, task: &Task<'_>) -> Result<(), PushError> {
        let mut told = std::pin::pin!(self.engine().push_image(reference).await?);
        let mut last = PushProgress::default();
        let mut going_on_until = Instant::now() + SILENCE;
        loop {
            let Ok(next) = timeout_at(going_on_until, told.next()).await else {
                return Err(PushError::Stalled {
                    reference: reference.to_owned(),
                    seconds: SILENCE.as_secs(),
                    last: last.status,
                });
            };
            let Some(progress) = next.transpose()? else {
                return Ok(());
            };
            if progress != last {
                going_on_until = Instant::now() + SILENCE;
            }
            task.bytes(
                &progress.status,
                progress.layers_done,
                Some(progress.layers),
            );
            last = progress;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_a_host_with_or_without_a_prefix() {
        for good in ["registry.example/team/lab", "10.0.0.1:5000", "localhost/x/"] {
            let registry: Registry = good.parse().unwrap();
            assert_eq!(registry.to_string(), good.trim_end_matches('/'));
        }
        for bad in [
            "https://registry.example",
            "me:secret@registry.example",
            "registry",
            "",
        ] {
            assert!(bad.parse::<Registry>().is_err(), "{bad}");
        }
    }
}
