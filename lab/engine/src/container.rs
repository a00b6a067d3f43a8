//! Containers: created, started, read, removed.

use std::{collections::BTreeMap, net::IpAddr};

use backon::{ExponentialBuilder, Retryable};
use bollard::{
    body_try_stream,
    models::ContainerInspectResponse,
    query_parameters::{
        CreateContainerOptions, DownloadFromContainerOptions, ListContainersOptions, LogsOptions,
        RemoveContainerOptions, UploadToContainerOptions, WaitContainerOptions,
    },
};
use futures::{Stream, StreamExt, TryStreamExt, future, stream};

use crate::{
    ByteStream, ContainerSpec, Engine, EngineError, Labels,
    error::gone_is_fine,
    lines::{Line, LineCutter},
    volume::label_filter,
};

/// Whether some of a container's processes got away from its freezer: runc's words.
fn got_away(error: &bollard::errors::Error) -> bool {
    matches!(
        error,
        bollard::errors::Error::DockerResponseServerError { message, .. }
            if message.contains("unable to freeze")
    )
}

/// A container in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerSummary {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The image it was created from, as it was named then.
    pub image: String,
    /// Its labels.
    pub labels: Labels,
    /// Its state, for example `running` or `exited`.
    pub state: String,
    /// The network it was created in.
    pub network: String,
}

/// What became of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerDetails {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Id of its image.
    pub image: String,
    /// Whether its first process runs.
    pub running: bool,
    /// Exit code of its first process, once it ended.
    pub exit_code: Option<i64>,
    /// When it was started, RFC 3339, empty if never.
    pub started_at: String,
    /// Its labels.
    pub labels: Labels,
    /// Ports inside and where they are published on 127.0.0.1.
    pub ports: BTreeMap<u16, u16>,
    /// Its addresses, by network.
    pub addresses: BTreeMap<String, IpAddr>,
    /// Names of the volumes in it, also of those that the engine named.
    pub volumes: Vec<String>,
}

/// Which part of a log to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogRange {
    /// The last lines, then the end.
    Tail(u32),
    /// Everything, then the end.
    Whole,
    /// Everything, and on as it comes.
    Follow,
}

impl Engine {
    /// Creates a container and returns its id; it is not started.
    pub async fn create_container(&self, spec: ContainerSpec) -> Result<String, EngineError> {
        let doing = format!("create container `{}`", spec.name);
        let options = CreateContainerOptions {
            name: Some(spec.name.clone()),
            ..Default::default()
        };
        let docker = self.docker.clone();
        let created = self
            .seen_through(async move {
                docker
                    .create_container(Some(options), spec.into_body())
                    .await
            })
            .await
            .map_err(|error| EngineError::from_request(doing, error))?;
        Ok(created.id)
    }

    /// Starts a container; one that runs already is success.
    pub async fn start_container(&self, container: &str) -> Result<(), EngineError> {
        let (docker, name) = (self.docker.clone(), container.to_owned());
        self.seen_through(async move { docker.start_container(&name, None).await })
            .await
            .map_err(|error| {
                EngineError::from_request(format!("start container `{container}`"), error)
            })
    }

    /// Stops a container, killing it after `grace_seconds`; not there is success.
    pub async fn stop_container(
        &self,
        container: &str,
        grace_seconds: i32,
    ) -> Result<(), EngineError> {
        let options = bollard::query_parameters::StopContainerOptions {
            t: Some(grace_seconds),
            ..Default::default()
        };
        let result = self.docker.stop_container(container, Some(options)).await;
        gone_is_fine(result.map_err(|error| {
            EngineError::from_request(format!("stop container `{container}`"), error)
        }))
    }

    /// Freezes every process of a container.
    ///
    /// Tried again where the kernel did not get hold of all of them at once, as happens on
    /// a busy machine while they start others.
    pub async fn pause_container(&self, container: &str) -> Result<(), EngineError> {
        let pause = || self.docker.pause_container(container);
        let paused = pause.retry(ExponentialBuilder::default()).when(got_away);
        paused.await.map_err(|error| {
            EngineError::from_request(format!("pause container `{container}`"), error)
        })
    }

    /// Lets a frozen container go on; one that is not frozen, or not there, is success.
    pub async fn unpause_container(&self, container: &str) -> Result<(), EngineError> {
        let details = self.docker.inspect_container(container, None).await;
        let state = details.ok().and_then(|it| it.state);
        if !state.and_then(|it| it.paused).unwrap_or_default() {
            return Ok(());
        }
        let result = self.docker.unpause_container(container).await;
        gone_is_fine(result.map_err(|error| {
            EngineError::from_request(format!("unpause container `{container}`"), error)
        }))
    }

    /// Kills every process of a container at once; the container stays.
    pub async fn kill_container(&self, container: &str) -> Result<(), EngineError> {
        let result = self.docker.kill_container(container, None).await;
        gone_is_fine(result.map_err(|error| {
            EngineError::from_request(format!("kill container `{container}`"), error)
        }))
    }

    /// Kills and removes a container with its anonymous volumes; not there is success.
    pub async fn remove_container(&self, container: &str) -> Result<(), EngineError> {
        let options = RemoveContainerOptions {
            force: true,
            v: true,
            ..Default::default()
        };
        let result = self.docker.remove_container(container, Some(options)).await;
        let result = gone_is_fine(result.map_err(|error| {
            EngineError::from_request(format!("remove container `{container}`"), error)
        }));
        match result {
            Err(EngineError::Conflict { message, .. })
                if message.contains("already in progress") =>
            {
                self.until_removed(container).await;
                Ok(())
            }
            other => other,
        }
    }

    /// Waits for the end of a removal that another process asked for: until then the
    /// container's volumes and networks are in use.
    async fn until_removed(&self, container: &str) {
        let options = WaitContainerOptions {
            condition: "removed".to_owned(),
        };
        // Whatever it answers, and also when it is gone already, there is no more to wait for.
        let _ = self
            .docker
            .wait_container(container, Some(options))
            .next()
            .await;
    }

    /// Containers, running or not, that carry a label, `key` or `key=value`.
    pub async fn list_containers_by_label(
        &self,
        label: &str,
    ) -> Result<Vec<ContainerSummary>, EngineError> {
        let options = ListContainersOptions {
            all: true,
            filters: Some(label_filter(label)),
            ..Default::default()
        };
        let list = self
            .docker
            .list_containers(Some(options))
            .await
            .map_err(|error| EngineError::from_request("list containers", error))?;
        Ok(list
            .into_iter()
            .map(|summary| ContainerSummary {
                id: summary.id.unwrap_or_default(),
                name: plain_name(summary.names.unwrap_or_default().pop()),
                image: summary.image.unwrap_or_default(),
                labels: summary.labels.unwrap_or_default().into_iter().collect(),
                state: summary
                    .state
                    .map(|state| state.to_string())
                    .unwrap_or_default(),
                network: summary
                    .host_config
                    .and_then(|config| config.network_mode)
                    .unwrap_or_default(),
            })
            .collect())
    }

    /// What became of a container, if it is there.
    pub async fn container(&self, name: &str) -> Result<Option<ContainerDetails>, EngineError> {
        match self.docker.inspect_container(name, None).await {
            Ok(found) => Ok(Some(details(found))),
            Err(error) => {
                let error = EngineError::from_request(format!("inspect container `{name}`"), error);
                if error.is_not_found() {
                    Ok(None)
                } else {
                    Err(error)
                }
            }
        }
    }

    /// Lines that a container's first process wrote.
    pub fn logs(
        &self,
        container: &str,
        range: LogRange,
    ) -> impl Stream<Item = Result<Line, EngineError>> + Send + 'static {
        let options = LogsOptions {
            follow: range == LogRange::Follow,
            stdout: true,
            stderr: true,
            tail: match range {
                LogRange::Tail(lines) => lines.to_string(),
                LogRange::Whole | LogRange::Follow => "all".to_owned(),
            },
            ..Default::default()
        };
        let doing = format!("read the log of container `{container}`");
        let chunks = self.docker.logs(container, Some(options)).map(Some);
        let end = stream::once(future::ready(None));
        chunks
            .chain(end)
            .scan(LineCutter::default(), move |cutter, chunk| {
                let lines = match chunk {
                    Some(Ok(chunk)) => {
                        cutter.push(&chunk);
                        drain(cutter)
                    }
                    Some(Err(error)) => vec![Err(EngineError::from_request(&doing, error))],
                    None => {
                        cutter.finish();
                        drain(cutter)
                    }
                };
                future::ready(Some(stream::iter(lines)))
            })
            .flatten()
    }

    /// Unpacks a tar into a folder of a container. What lies on a tmpfs cannot be reached.
    pub async fn upload(
        &self,
        container: &str,
        folder: &str,
        tar: ByteStream,
    ) -> Result<(), EngineError> {
        let options = UploadToContainerOptions {
            path: folder.to_owned(),
            ..Default::default()
        };
        self.docker
            .upload_to_container(container, Some(options), body_try_stream(tar))
            .await
            .map_err(|error| {
                EngineError::from_request(
                    format!("upload to `{folder}` of container `{container}`"),
                    error,
                )
            })
    }

    /// A file or folder of a container as a tar. What lies on a tmpfs cannot be reached.
    pub fn download(&self, container: &str, path: &str) -> ByteStream {
        let options = DownloadFromContainerOptions {
            path: path.to_owned(),
        };
        let downloaded = self
            .docker
            .download_from_container(container, Some(options))
            .map_err(std::io::Error::other);
        Box::pin(downloaded)
    }
}

fn drain(cutter: &mut LineCutter) -> Vec<Result<Line, EngineError>> {
    std::iter::from_fn(|| cutter.pop()).map(Ok).collect()
}

fn plain_name(name: Option<String>) -> String {
    name.unwrap_or_default().trim_start_matches('/').to_owned()
}

fn details(found: ContainerInspectResponse) -> ContainerDetails {
    let state = found.state.unwrap_or_default();
    let running = state.running.unwrap_or_default();
    let network = found.network_settings.unwrap_or_default();
    let ports = network.ports.unwrap_or_default();
    let networks = network.networks.unwrap_or_default();
    let mounts = found.mounts.unwrap_or_default();
    ContainerDetails {
        id: found.id.unwrap_or_default(),
        name: plain_name(found.name),
        image: found.image.unwrap_or_default(),
        running,
        exit_code: state.exit_code.filter(|_| !running),
        started_at: state.started_at.unwrap_or_default(),
        labels: found
            .config
            .and_then(|config| config.labels)
            .unwrap_or_default()
            .into_iter()
            .collect(),
        ports: ports
            .into_iter()
            .filter_map(|(inside, outside)| {
                let host = outside?.into_iter().find_map(|binding| binding.host_port)?;
                Some((
                    inside.strip_suffix("/tcp")?.parse().ok()?,
                    host.parse().ok()?,
                ))
            })
            .collect(),
        addresses: networks
            .into_iter()
            .filter_map(|(name, endpoint)| Some((name, endpoint.ip_address?.parse().ok()?)))
            .collect(),
        volumes: mounts.into_iter().filter_map(|mount| mount.name).collect(),
    }
}
