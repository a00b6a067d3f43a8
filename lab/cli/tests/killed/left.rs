//! `lab clean --check`: exits 13 and lists what is left, of every kind there is.

use std::collections::BTreeMap;

use bytes::Bytes;
use lab_engine::{ContainerSpec, Engine, EngineError, Labels, NetworkSpec};
use libtest_mimic::Failed;
use tokio::runtime::Runtime;

use crate::place::Place;

/// Of a boot long ago, so that no process of now can be it.
const DEAD: &str = "1:1:another-boot";

pub(crate) fn is_told() -> Result<(), Failed> {
    let place = Place::new(None)?;
    let runtime = Runtime::new()?;
    let names = Names::new();
    let made = runtime.block_on(names.make());
    let told = made
        .map_err(Failed::from)
        .and_then(|()| names.are_told(&place));
    let removed = runtime.block_on(names.remove());
    told?;
    Ok(removed?)
}

/// One thing of each kind, as a dead process leaves it.
struct Names {
    cluster: String,
    container: String,
    image: String,
    volume: String,
}

impl Names {
    fn new() -> Self {
        let id = std::process::id();
        Self {
            cluster: format!("left-{id}"),
            container: format!("lab-left-container-{id}"),
            image: format!("lab/left-{id}:unpacked"),
            volume: format!("lab-left-volume-{id}"),
        }
    }

    async fn make(&self) -> Result<(), EngineError> {
        let engine = Engine::connect().await?;
        let owned = labels([("lab.owner", DEAD)]);
        engine
            .import_image(empty_tar(), &self.image, &owned)
            .await?;
        engine
            .create_container(ContainerSpec {
                name: self.container.clone(),
                image: self.image.clone(),
                cmd: vec!["never".to_owned()],
                labels: owned.clone(),
                ..ContainerSpec::default()
            })
            .await?;
        engine.create_volume(&self.volume, &owned).await?;
        let labels = labels([("lab.owner", DEAD), ("lab.cluster", &self.cluster)]);
        engine
            .create_network(NetworkSpec {
                name: format!("lab-{}", self.cluster),
                labels,
                internal: false,
            })
            .await?;
        Ok(())
    }

    fn are_told(&self, place: &Place) -> Result<(), Failed> {
        let check = place.ask(&["clean", "--check"])?;
        let text = String::from_utf8_lossy(&check.stdout).into_owned();
        if check.status.code() != Some(13) {
            return Err(format!("`lab clean --check` ended with {}", check.status).into());
        }
        let wanted = [
            format!("cluster {}", self.cluster),
            format!("container {}", self.container),
            format!("image {}", self.image),
            format!("volume {}", self.volume),
        ];
        for line in &wanted {
            if !text.lines().any(|it| it == line) {
                return Err(format!("`{line}` is not told:\n{text}").into());
            }
        }
        let removed = place.succeed(&["clean"])?;
        for line in &wanted {
            if !removed.lines().any(|it| it == line) {
                return Err(format!("`{line}` is not removed:\n{removed}").into());
            }
        }
        place.check()
    }

    async fn remove(&self) -> Result<(), EngineError> {
        let engine = Engine::connect().await?;
        engine.remove_container(&self.container).await?;
        engine.remove_image(&self.image).await?;
        engine.remove_volume(&self.volume).await?;
        engine
            .remove_network(&format!("lab-{}", self.cluster))
            .await
    }
}

fn labels<const N: usize>(pairs: [(&str, &str); N]) -> Labels {
    let owned = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
    BTreeMap::from(owned)
}

/// A tar without a file is two empty blocks.
fn empty_tar() -> lab_engine::ByteStream {
    let tar = Bytes::from(vec![0; 1024]);
    Box::pin(futures::stream::once(async move { Ok(tar) }))
}
