//! Networks between the containers of a cluster.

use bollard::{models::NetworkCreateRequest, query_parameters::ListNetworksOptions};

use crate::{
    Engine, EngineError, Labels,
    error::gone_is_fine,
    volume::{Labelled, label_filter},
};

/// A bridge network to create.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkSpec {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
    /// Whether it is cut off from everything outside.
    pub internal: bool,
}

impl Engine {
    /// Creates a bridge network; one of that name that is there already is kept.
    pub async fn create_network(&self, spec: NetworkSpec) -> Result<(), EngineError> {
        let doing = format!("create network `{}`", spec.name);
        if self.has_network(&spec.name).await? {
            return Ok(());
        }
        let request = NetworkCreateRequest {
            name: spec.name,
            driver: Some("bridge".to_owned()),
            internal: Some(spec.internal),
            labels: Some(spec.labels.into_iter().collect()),
            ..Default::default()
        };
        let docker = self.docker.clone();
        self.seen_through(async move { docker.create_network(request).await })
            .await
            .map_err(|error| EngineError::from_request(doing, error))?;
        Ok(())
    }

    /// Removes a network; one that is not there is success.
    pub async fn remove_network(&self, name: &str) -> Result<(), EngineError> {
        let result = self.docker.remove_network(name).await;
        gone_is_fine(
            result.map_err(|error| {
                EngineError::from_request(format!("remove network `{name}`"), error)
            }),
        )
    }

    /// The networks that carry a label, `key` or `key=value`, by name.
    pub async fn list_networks_by_label(&self, label: &str) -> Result<Vec<Labelled>, EngineError> {
        self.networks(ListNetworksOptions {
            filters: Some(label_filter(label)),
        })
        .await
    }

    async fn has_network(&self, name: &str) -> Result<bool, EngineError> {
        let filter = [("name".to_owned(), vec![name.to_owned()])];
        // The engine's filter takes any name that contains this one.
        let like_it = self
            .networks(ListNetworksOptions {
                filters: Some(filter.into_iter().collect()),
            })
            .await?;
        Ok(like_it.iter().any(|network| network.name == name))
    }

    async fn networks(&self, options: ListNetworksOptions) -> Result<Vec<Labelled>, EngineError> {
        let list = self
            .docker
            .list_networks(Some(options))
            .await
            .map_err(|error| EngineError::from_request("list networks", error))?;
        let mut networks: Vec<_> = list
            .into_iter()
            .filter_map(|network| {
                Some(Labelled {
                    name: network.name?,
                    labels: network.labels.unwrap_or_default().into_iter().collect(),
                })
            })
            .collect();
        networks.sort_unstable();
        Ok(networks)
    }
}
