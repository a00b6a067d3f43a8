//! Image stores: what a node's containerd holds after its images were loaded, made
//! once and kept in a volume, so that every later cluster starts with a copy.
//!
//! Loading is the slowest part of a run: every byte is hashed twice and every layer
//! unpacked. A copy of the result is several times faster
//! (docs/decisions/0004-image-stores.md).

use std::{collections::BTreeMap, time::Duration};

use lab_engine::{ContainerSpec, Engine, EngineError, ExecSpec, Labels, Mount, owner};
use lab_image::Images;
use lab_model::{event::Emitter, name::label};
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{load, security};
use crate::ClusterError;

/// Where a node finds the store it starts from.
pub(super) const FOLDER: &str = "/var/lib/lab/image-store";
/// Volumes that are kept between runs carry this label; `lab clean` leaves them.
const CACHE_LABEL: &str = "lab.cache";
/// containerd alone is up within a second or not at all.
const CONTAINERD_WITHIN: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// containerd closes its data base well within this.
const STOP_SECONDS: i32 = 10;

/// A volume with loaded images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageStore {
    pub(super) volume: String,
}

/// The store with the images of these recipes: found, or made now.
///
/// # Errors
/// When the node image is missing, the engine refuses or containerd does not take
/// the images. Then, and when `cancel` fires, no half-made store is left to be found.
pub async fn store(
    engine: &Engine,
    images: &Images,
    recipes: &[&str],
    emitter: &dyn Emitter,
    cancel: &CancellationToken,
) -> Result<ImageStore, ClusterError> {
    let making = Making::new(engine, images, recipes)?;
    // The second volume is made last: it says that the first is whole.
    if engine.volume_labels(&making.whole_mark()).await?.is_some() {
        return Ok(ImageStore {
            volume: making.volume,
        });
    }
    making.remove().await?;
    let made = tokio::select! {
        made = making.make(images, recipes, emitter) => made,
        () = cancel.cancelled() => Err(ClusterError::Interrupted),
    };
    engine.remove_container(&making.container()).await?;
    if let Err(error) = made {
        // The first cause is what counts; what stays is made anew by the next call.
        let _ = making.remove().await;
        return Err(error);
    }
    engine
        .create_volume(&making.whole_mark(), &labels())
        .await?;
    Ok(ImageStore {
        volume: making.volume,
    })
}

struct Making<'a> {
    engine: &'a Engine,
    node_image: String,
    volume: String,
}

impl<'a> Making<'a> {
    fn new(engine: &'a Engine, images: &Images, recipes: &[&str]) -> Result<Self, ClusterError> {
        let node_image = images.reference("node")?;
        let mut content = Sha256::new();
        content.update(&node_image);
        for recipe in recipes {
            content.update(images.reference(recipe)?);
        }
        let content = hex::encode(content.finalize());
        Ok(Self {
            engine,
            node_image,
            volume: format!("lab-image-store-{}", &content[..12]),
        })
    }

    fn whole_mark(&self) -> String {
        whole_mark(&self.volume)
    }

    fn container(&self) -> String {
        format!("{}-making", self.volume)
    }

    async fn remove(&self) -> Result<(), EngineError> {
        self.engine.remove_container(&self.container()).await?;
        self.engine.remove_volume(&self.volume).await
    }

    async fn make(
        &self,
        images: &Images,
        recipes: &[&str],
        emitter: &dyn Emitter,
    ) -> Result<(), ClusterError> {
        let container = self.container();
        // Its owner tells a store in the making from what a dead process left of one.
        let mut labels = labels();
        labels.insert(label::OWNER.to_owned(), owner::this_process());
        self.engine.create_volume(&self.volume, &labels).await?;
        let mut lacking = security::lacking();
        if lacking.is_empty() {
            // Capabilities that some engines refuse; unpacking layers needs none of them.
            lacking = security::assumed_lacking();
        }
        let spec = ContainerSpec {
            name: container.clone(),
            image: self.node_image.clone(),
            entrypoint: Some(vec!["containerd".to_owned()]),
            labels: BTreeMap::from([(label::OWNER.to_owned(), owner::this_process())]),
            mounts: vec![
                Mount::Volume {
                    name: self.volume.clone(),
                    path: "/var/lib/containerd".to_owned(),
                },
                Mount::Tmpfs {
                    path: "/run".to_owned(),
                    options: "exec".to_owned(),
                },
            ],
            security: security::all_but(lacking),
            ..ContainerSpec::default()
        };
        self.engine.create_container(spec).await?;
        self.engine.start_container(&container).await?;
        self.until_containerd_answers().await?;
        load::import(self.engine, &container, images.save(recipes)?, emitter).await?;
        // Ends containerd in order, so that its data base is closed properly.
        self.engine.stop_container(&container, STOP_SECONDS).await?;
        Ok(())
    }

    async fn until_containerd_answers(&self) -> Result<(), ClusterError> {
        let deadline = Instant::now() + CONTAINERD_WITHIN;
        loop {
            let asked = ExecSpec::new(["ctr", "--connect-timeout", "1s", "version"]);
            let answer = self.engine.run(&self.container(), asked).await?;
            if answer.exit_code == 0 {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(ClusterError::Load {
                    name: self.volume.clone(),
                    words: answer.stderr.trim().to_owned(),
                });
            }
            sleep(LOOK_EVERY).await;
        }
    }
}

/// The volume that says that a store is whole.
pub(super) fn whole_mark(volume: &str) -> String {
    format!("{volume}-whole")
}

fn labels() -> Labels {
    BTreeMap::from([(CACHE_LABEL.to_owned(), "image-store".to_owned())])
}
