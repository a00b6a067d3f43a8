//! Volumes: state that outlives a container.

use std::collections::HashMap;

use bollard::{
    models::VolumeCreateRequest,
    query_parameters::{ListVolumesOptions, RemoveVolumeOptions},
};

use crate::{Engine, EngineError, Labels, error::gone_is_fine};

/// A volume or a network in a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Labelled {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
}

impl Engine {
    /// Creates a volume; one of that name that is there already is kept.
    pub async fn create_volume(&self, name: &str, labels: &Labels) -> Result<(), EngineError> {
        let request = VolumeCreateRequest {
            name: Some(name.to_owned()),
            labels: Some(labels.clone().into_iter().collect()),
            ..Default::default()
        };
        let docker = self.docker.clone();
        self.seen_through(async move { docker.create_volume(request).await })
            .await
            .map_err(|error| EngineError::from_request(format!("create volume `{name}`"), error))?;
        Ok(())
    }

    /// Removes a volume; one that is not there is success.
    pub async fn remove_volume(&self, name: &str) -> Result<(), EngineError> {
        let options = RemoveVolumeOptions { force: true };
        let result = self.docker.remove_volume(name, Some(options)).await;
        gone_is_fine(
            result.map_err(|error| {
                EngineError::from_request(format!("remove volume `{name}`"), error)
            }),
        )
    }

    /// The labels of a volume, if it is there.
    pub async fn volume_labels(&self, name: &str) -> Result<Option<Labels>, EngineError> {
        match self.docker.inspect_volume(name).await {
            Ok(volume) => Ok(Some(volume.labels.into_iter().collect())),
            Err(error) => {
                let error = EngineError::from_request(format!("inspect volume `{name}`"), error);
                if error.is_not_found() {
                    Ok(None)
                } else {
                    Err(error)
                }
            }
        }
    }

    /// The volumes that carry a label, `key` or `key=value`, by name.
    pub async fn list_volumes_by_label(&self, label: &str) -> Result<Vec<Labelled>, EngineError> {
        let options = ListVolumesOptions {
            filters: Some(label_filter(label)),
        };
        let list = self
            .docker
            .list_volumes(Some(options))
            .await
            .map_err(|error| EngineError::from_request("list volumes", error))?;
        let mut volumes: Vec<_> = list
            .volumes
            .unwrap_or_default()
            .into_iter()
            .map(|volume| Labelled {
                name: volume.name,
                labels: volume.labels.into_iter().collect(),
            })
            .collect();
        volumes.sort_unstable();
        Ok(volumes)
    }
}

pub(crate) fn label_filter(label: &str) -> HashMap<String, Vec<String>> {
    HashMap::from([("label".to_owned(), vec![label.to_owned()])])
}
