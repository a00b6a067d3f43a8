//! The connection to the engine and what the engine says of itself.

use std::{env, error::Error, io, time::Duration};

use bollard::{API_DEFAULT_VERSION, Docker};
use tokio_util::task::TaskTracker;

use crate::error::EngineError;

/// Commits and uploads answer only when they are done, which can take minutes on a
/// loaded machine; a dropped future ends the wait earlier.
const ANSWER_WITHIN: Duration = Duration::from_mins(30);
/// How long the engine may take for what it makes after nobody wants it any more.
const SETTLED_WITHIN: Duration = Duration::from_secs(10);
const DEFAULT_SOCKET: &str = "unix:///var/run/docker.sock";

/// A connection to a container engine; cloning shares it.
#[derive(Debug, Clone)]
pub struct Engine {
    pub(crate) docker: Docker,
    /// Requests under way that make something.
    making: TaskTracker,
}

/// What the engine says of itself and its host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineInfo {
    /// Version of the engine.
    pub version: String,
    /// Operating system of its host, as it names itself.
    pub os: String,
    /// Kernel release of its host.
    pub kernel: String,
    /// Architecture of its host, for example `x86_64`.
    pub architecture: String,
    /// CPUs of its host.
    pub cpus: u32,
    /// Memory of its host, bytes.
    pub memory_bytes: u64,
    /// Storage driver, for example `overlay2`.
    pub storage_driver: String,
    /// Version of the host's control groups, `1` or `2`.
    pub cgroup_version: String,
    /// Folder of its state on its host.
    pub root_dir: String,
    /// Names of the runtimes it can start containers with.
    pub runtimes: Vec<String>,
    /// Folders on its host where it looks for devices of the Container Device Interface;
    /// none where it does not know that interface.
    pub cdi_folders: Vec<String>,
}

impl Engine {
    /// Connects to the engine at `DOCKER_HOST`, or at Docker's own socket.
    ///
    /// # Errors
    /// When nothing answers there, or this user may not use it.
    pub async fn connect() -> Result<Self, EngineError> {
        let address = env::var("DOCKER_HOST")
            .ok()
            .filter(|address| !address.is_empty())
            .unwrap_or_else(|| DEFAULT_SOCKET.to_owned());
        Self::connect_to(&address).await
    }

    /// Connects to the engine at `address`, for example `unix:///var/run/docker.sock`.
    ///
    /// # Errors
    /// When nothing answers there, or this user may not use it.
    pub async fn connect_to(address: &str) -> Result<Self, EngineError> {
        let docker = match address.strip_prefix("unix://") {
            Some(path) => {
                let whole = ANSWER_WITHIN.as_secs();
                Docker::connect_with_unix(path, whole, API_DEFAULT_VERSION)
            }
            None => Docker::connect_with_host(address),
        }
        .map_err(|error| unreachable(address, error))?
        .with_timeout(ANSWER_WITHIN)
        .negotiate_version()
        .await
        .map_err(|error| unreachable(address, error))?;
        Ok(Self {
            docker,
            making: TaskTracker::new(),
        })
    }

    /// Sees a request that makes something to its end, also where who asked goes away
    /// half-way: the engine goes on with it, and would make it after all was removed.
    pub(crate) async fn seen_through<T: Send + 'static>(
        &self,
        request: impl Future<Output = T> + Send + 'static,
    ) -> T {
        match self.making.spawn(request).await {
            Ok(made) => made,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The program ends, and with it whoever waits here.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// Waits until the engine has answered every request to make something, so that what
    /// was asked for and given up can be found and removed; at most [`SETTLED_WITHIN`].
    pub async fn settled(&self) {
        self.making.close();
        let _ = tokio::time::timeout(SETTLED_WITHIN, self.making.wait()).await;
        self.making.reopen();
    }

    /// What the engine says of itself and its host.
    pub async fn info(&self) -> Result<EngineInfo, EngineError> {
        let info = self
            .docker
            .info()
            .await
            .map_err(|error| EngineError::from_request("ask the engine about itself", error))?;
        Ok(EngineInfo {
            version: info.server_version.unwrap_or_default(),
            os: info.operating_system.unwrap_or_default(),
            kernel: info.kernel_version.unwrap_or_default(),
            architecture: info.architecture.unwrap_or_default(),
            cpus: info.ncpu.and_then(|n| n.try_into().ok()).unwrap_or(1),
            memory_bytes: info
                .mem_total
                .and_then(|bytes| bytes.try_into().ok())
                .unwrap_or_default(),
            storage_driver: info.driver.unwrap_or_default(),
            cgroup_version: info
                .cgroup_version
                .map(|version| version.to_string())
                .unwrap_or_default(),
            root_dir: info.docker_root_dir.unwrap_or_default(),
            runtimes: info.runtimes.unwrap_or_default().into_keys().collect(),
            cdi_folders: info.cdi_spec_dirs.unwrap_or_default(),
        })
    }
}

fn unreachable(address: &str, error: bollard::errors::Error) -> EngineError {
    let address = address.to_owned();
    if is_denied(&error) {
        EngineError::Permission {
            address,
            source: Box::new(error),
        }
    } else {
        EngineError::Unreachable {
            address,
            source: Box::new(error),
        }
    }
}

fn is_denied(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<io::Error>()
            && io.kind() == io::ErrorKind::PermissionDenied
        {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn names_the_socket_where_nothing_answers() {
        let error = Engine::connect_to("unix:///nowhere/docker.sock")
            .await
            .unwrap_err();

        assert_eq!(
            error.to_string(),
            "no Docker engine answers at `unix:///nowhere/docker.sock`"
        );
    }
}
