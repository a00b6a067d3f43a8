//! Images: looking up, importing, committing, saving.

use std::collections::{BTreeMap, HashMap};

use bollard::{
    body_try_stream,
    models::ContainerConfig,
    query_parameters::{
        CommitContainerOptions, CreateImageOptions, ListImagesOptions, RemoveImageOptions,
        TagImageOptions,
    },
};
use futures::{StreamExt, TryStreamExt};

use crate::{ByteStream, Engine, EngineError, Labels, error::gone_is_fine, volume::label_filter};

/// An image on the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageDetails {
    /// The engine's id of it, `sha256:…`.
    pub id: String,
    /// Its references, `name:tag`.
    pub references: Vec<String>,
    /// Size of all its layers, bytes.
    pub bytes: u64,
    /// Its labels.
    pub labels: Labels,
}

/// What an image runs, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageConfig {
    /// The program that gets the command as arguments.
    pub entrypoint: Vec<String>,
    /// The command.
    pub cmd: Vec<String>,
    /// User, as `name`, `uid` or `uid:gid`.
    pub user: Option<String>,
    /// Working directory.
    pub workdir: Option<String>,
    /// Environment.
    pub env: BTreeMap<String, String>,
    /// Labels. They win over those of the container committed.
    pub labels: Labels,
}

impl Engine {
    /// The image of that reference or id, if it is there.
    pub async fn image(&self, reference: &str) -> Result<Option<ImageDetails>, EngineError> {
        let image = match self.docker.inspect_image(reference).await {
            Ok(image) => image,
            Err(error) => {
                let error =
                    EngineError::from_request(format!("inspect image `{reference}`"), error);
                return if error.is_not_found() {
                    Ok(None)
                } else {
                    Err(error)
                };
            }
        };
        let labels = image.config.and_then(|config| config.labels);
        Ok(Some(ImageDetails {
            id: image.id.unwrap_or_default(),
            references: image.repo_tags.unwrap_or_default(),
            bytes: size(image.size),
            labels: labels.unwrap_or_default().into_iter().collect(),
        }))
    }

    /// Images whose reference matches, for example `lab/*`.
    pub async fn list_images(&self, matching: &str) -> Result<Vec<ImageDetails>, EngineError> {
        let filter = ("reference".to_owned(), vec![matching.to_owned()]);
        self.images_where(HashMap::from([filter])).await
    }

    /// Images that carry a label, `key` or `key=value`.
    pub async fn list_images_by_label(
        &self,
        label: &str,
    ) -> Result<Vec<ImageDetails>, EngineError> {
        self.images_where(label_filter(label)).await
    }

    async fn images_where(
        &self,
        filters: HashMap<String, Vec<String>>,
    ) -> Result<Vec<ImageDetails>, EngineError> {
        let options = ListImagesOptions {
            filters: Some(filters),
            ..Default::default()
        };
        let list = self
            .docker
            .list_images(Some(options))
            .await
            .map_err(|error| EngineError::from_request("list images", error))?;
        Ok(list
            .into_iter()
            .map(|image| ImageDetails {
                id: image.id,
                references: image.repo_tags,
                bytes: size(Some(image.size)),
                labels: image.labels.into_iter().collect(),
            })
            .collect())
    }

    /// Gives an image another reference.
    pub async fn tag_image(&self, image: &str, reference: &str) -> Result<(), EngineError> {
        let (repo, tag) = split_reference(reference);
        let options = TagImageOptions {
            repo: Some(repo),
            tag: Some(tag),
        };
        self.docker
            .tag_image(image, Some(options))
            .await
            .map_err(|error| EngineError::from_request(format!("tag image `{image}`"), error))
    }

    /// Removes a reference, and the image with its last one; not there is success.
    pub async fn remove_image(&self, reference: &str) -> Result<(), EngineError> {
        let options = RemoveImageOptions {
            force: false,
            ..Default::default()
        };
        let removed = self
            .docker
            .remove_image(reference, Some(options), None)
            .await
            .map(|_| ());
        gone_is_fine(removed.map_err(|error| {
            EngineError::from_request(format!("remove image `{reference}`"), error)
        }))
    }

    /// Makes an image of one layer from the tar of a root file system; returns its id.
    pub async fn import_image(
        &self,
        root: ByteStream,
        reference: &str,
        labels: &Labels,
    ) -> Result<String, EngineError> {
        let doing = format!("import image `{reference}`");
        let (repo, tag) = split_reference(reference);
        let options = CreateImageOptions {
            from_src: Some("-".to_owned()),
            repo: Some(repo),
            tag: Some(tag),
            changes: labels
                .iter()
                .map(|(key, value)| format!("LABEL {key}={value:?}"))
                .collect(),
            ..Default::default()
        };
        let mut answers = Box::pin(self.docker.create_image(
            Some(options),
            Some(body_try_stream(root)),
            None,
        ));
        let mut id = String::new();
        while let Some(answer) = answers.next().await {
            let answer = answer.map_err(|error| EngineError::from_request(&doing, error))?;
            if let Some(status) = answer.status.filter(|status| status.starts_with("sha256:")) {
                id = status;
            }
        }
        Ok(id)
    }

    /// Makes an image from a container's file system; returns its id.
    ///
    /// The engine merges the configuration with the container's own.
    pub async fn commit(
        &self,
        container: &str,
        reference: &str,
        config: ImageConfig,
    ) -> Result<String, EngineError> {
        let (repo, tag) = split_reference(reference);
        let options = CommitContainerOptions {
            container: Some(container.to_owned()),
            repo: Some(repo),
            tag: Some(tag),
            pause: true,
            ..Default::default()
        };
        let some = |list: Vec<String>| (!list.is_empty()).then_some(list);
        let body = ContainerConfig {
            entrypoint: some(config.entrypoint),
            cmd: some(config.cmd),
            user: config.user,
            working_dir: config.workdir,
            env: some(config.env.iter().map(|(k, v)| format!("{k}={v}")).collect()),
            labels: Some(config.labels.into_iter().collect()),
            ..Default::default()
        };
        let committed = self.docker.commit_container(options, body).await;
        Ok(committed
            .map_err(|error| {
                EngineError::from_request(format!("commit container `{container}`"), error)
            })?
            .id)
    }

    /// Images as `docker save` writes them: one tar, layers shared.
    pub fn save_images(&self, references: &[String]) -> ByteStream {
        let docker = self.docker.clone();
        let names: Vec<&str> = references.iter().map(String::as_str).collect();
        let saved = docker.export_images(&names).map_err(std::io::Error::other);
        Box::pin(saved)
    }

    /// A container's whole file system as a tar.
    pub fn export_container(&self, container: &str) -> ByteStream {
        let exported = self
            .docker
            .export_container(container)
            .map_err(std::io::Error::other);
        Box::pin(exported)
    }
}

fn size(bytes: Option<i64>) -> u64 {
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .unwrap_or_default()
}

fn split_reference(reference: &str) -> (String, String) {
    match reference.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name.to_owned(), tag.to_owned()),
        _ => (reference.to_owned(), "latest".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_no_tag() {
        assert_eq!(
            split_reference("registry:5000/lab/node"),
            ("registry:5000/lab/node".to_owned(), "latest".to_owned())
        );
        assert_eq!(
            split_reference("lab/node:0123abcd"),
            ("lab/node".to_owned(), "0123abcd".to_owned())
        );
    }
}
