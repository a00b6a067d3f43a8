//! A real registry in a container, and images put into it over its own API.

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    path::Path,
    process,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures::FutureExt;
use lab_engine::{ContainerSpec, Engine, ExecSpec, Port};
use lab_image::{Images, Settings};
use lab_model::event::Silent;
use libtest_mimic::Failed;
use reqwest::{Client, Response, header};
use serde_json::json;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::Outcome;

const PORT: u16 = 5000;
const UP_WITHIN: Duration = Duration::from_secs(30);
const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";

/// Tells the registries of this process apart.
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A registry that is up.
pub(crate) struct Registry {
    pub(crate) engine: Engine,
    pub(crate) port: u16,
    container: String,
    client: Client,
    /// What its tests may leave on the engine.
    references: Mutex<Vec<String>>,
}

/// An image in the registry.
pub(crate) struct Uploaded {
    pub(crate) digest: String,
    layer: String,
}

/// Runs `work` with a registry, which is gone afterwards, with all that was pulled from
/// it: also when the work fails or panics.
pub(crate) async fn with_registry(
    engine: Engine,
    work: impl AsyncFnOnce(&Registry) -> Outcome,
) -> Outcome {
    let recipes = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/images");
    let images = Images::open(engine.clone(), &recipes, Settings::from_env())?;
    let names = ["live-registry"];
    images
        .ensure(&names, &Silent, &CancellationToken::new())
        .await?;
    // Fails only when a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let mut registry = Registry {
        container: format!("lab-test-registry-{}-{number}", process::id()),
        client: Client::builder().no_proxy().build()?,
        references: Mutex::default(),
        port: 0,
        engine,
    };
    let ended = AssertUnwindSafe(async {
        registry.start(images.reference("live-registry")?).await?;
        work(&registry).await
    });
    let ended = ended.catch_unwind().await;
    registry.remove().await?;
    ended.unwrap_or_else(|panic| resume_unwind(panic))
}

impl Registry {
    async fn start(&mut self, image: String) -> Outcome {
        let spec = ContainerSpec {
            name: self.container.clone(),
            image,
            ports: vec![Port {
                container: PORT,
                host: None,
            }],
            ..Default::default()
        };
        self.engine.create_container(spec).await?;
        self.engine.start_container(&self.container).await?;
        let details = self.engine.container(&self.container).await?;
        let details = details.ok_or("the registry's container is gone")?;
        self.port = *details.ports.get(&PORT).ok_or("no port is published")?;
        let up = async {
            while self.client.get(self.url("")).send().await.is_err() {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(UP_WITHIN, up).await?;
        Ok(())
    }

    async fn remove(&self) -> Outcome {
        self.engine.remove_container(&self.container).await?;
        let references = std::mem::take(&mut *self.references());
        for reference in references {
            self.engine.remove_image(&reference).await?;
        }
        Ok(())
    }

    /// Ends the registry's process; its port is closed then.
    pub(crate) async fn stop(&self) -> Outcome {
        Ok(self.engine.stop_container(&self.container, 1).await?)
    }

    /// Opens a folder with one recipe, `live-pulled`, that pulls `reference` by `digest`.
    pub(crate) fn recipe(
        &self,
        reference: &str,
        digest: &str,
        settings: Settings,
    ) -> Result<(Images, TempDir), Failed> {
        let folder = tempfile::tempdir()?;
        let recipe = folder.path().join("live-pulled");
        std::fs::create_dir(&recipe)?;
        let text = format!(
            "documented = \"{reference}\"\n[pull]\nreference = \"{reference}\"\n\
             digest = \"{digest}\"\n[estimate]\nmegabytes = 1\n"
        );
        std::fs::write(recipe.join("recipe.toml"), text)?;
        let images = Images::open(self.engine.clone(), folder.path(), settings)?;
        self.forget(images.reference("live-pulled")?);
        self.forget(format!("{}@{digest}", reference.trim_end_matches(":live")));
        Ok((images, folder))
    }

    /// Has `reference` removed from the engine at the end.
    pub(crate) fn forget(&self, reference: String) {
        self.references().push(reference);
    }

    fn references(&self) -> MutexGuard<'_, Vec<String>> {
        self.references
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an image with one layer of so many bytes into the repository.
    pub(crate) async fn upload(&self, repository: &str, bytes: usize) -> Result<Uploaded, Failed> {
        // No two registries may have the same bytes: the engine fetches those only once.
        let layer = layer(&self.container, bytes)?;
        let info = self.engine.info().await?;
        let architecture = if info.architecture == "aarch64" {
            "arm64"
        } else {
            "amd64"
        };
        let config = json!({
            "architecture": architecture,
            "os": "linux",
            "config": { "Labels": { "live": "pulled" } },
            "rootfs": { "type": "layers", "diff_ids": [digest(&layer)] },
        })
        .to_string()
        .into_bytes();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": { "mediaType": CONFIG, "size": config.len(), "digest": digest(&config) },
            "layers": [{ "mediaType": LAYER, "size": layer.len(), "digest": digest(&layer) }],
        })
        .to_string()
        .into_bytes();
        let uploaded = Uploaded {
            digest: digest(&manifest),
            layer: digest(&layer),
        };
        self.put_blob(repository, layer).await?;
        self.put_blob(repository, config).await?;
        let request = self
            .client
            .put(self.url(&format!("{repository}/manifests/live")))
            .header(header::CONTENT_TYPE, MANIFEST)
            .body(manifest);
        assert_created(&request.send().await?);
        Ok(uploaded)
    }

    /// Whether it has an image of that repository and tag.
    pub(crate) async fn has(&self, repository: &str, tag: &str) -> Result<bool, Failed> {
        let manifest = self.url(&format!("{repository}/manifests/{tag}"));
        let request = self.client.get(manifest).header(header::ACCEPT, MANIFEST);
        Ok(request.send().await?.status().is_success())
    }

    /// Changes a byte of an image's layer where the registry keeps it.
    pub(crate) async fn spoil(&self, image: &Uploaded) -> Outcome {
        let hash = image.layer.trim_start_matches("sha256:");
        let spoil = format!(
            "printf x | dd of=/var/lib/registry/docker/registry/v2/blobs/sha256/{}/{hash}/data \
             conv=notrunc status=none",
            &hash[..2]
        );
        let done = self
            .engine
            .run(&self.container, ExecSpec::new(["sh", "-c", &spoil]))
            .await?;
        assert_eq!((done.exit_code, done.stderr.as_str()), (0, ""));
        Ok(())
    }

    async fn put_blob(&self, repository: &str, blob: Vec<u8>) -> Outcome {
        let uploads = self.url(&format!("{repository}/blobs/uploads/"));
        let begun = self.client.post(uploads).send().await?;
        let place = begun.error_for_status_ref()?.headers();
        let place = place.get(header::LOCATION);
        let mut place: reqwest::Url = place.ok_or("no place to upload to")?.to_str()?.parse()?;
        place
            .query_pairs_mut()
            .append_pair("digest", &digest(&blob));
        assert_created(&self.client.put(place).body(blob).send().await?);
        Ok(())
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/v2/{path}", self.port)
    }
}

fn assert_created(answer: &Response) {
    assert_eq!(answer.status(), 201, "{answer:?}");
}

fn layer(text: &str, bytes: usize) -> Result<Vec<u8>, Failed> {
    let content: Vec<u8> = text.bytes().cycle().take(bytes).collect();
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(content.len() as u64);
    tar.append_data(&mut header, "file", content.as_slice())?;
    Ok(tar.into_inner()?)
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}
