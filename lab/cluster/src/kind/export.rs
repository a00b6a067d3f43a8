//! All that kind knows to collect of a cluster, as files.

use std::path::Path;

use lab_model::{name::ClusterName, provider::Provider, secrets::without_secrets};
use tokio::process::Command;

use super::{KindError, names, program};
use crate::{ClusterError, folder::Folder};

/// Has kind write the logs of every node and pod of a cluster below `folder`.
///
/// # Errors
/// When kind did not make the cluster, is not there, or refuses.
pub async fn export(name: &ClusterName, folder: &Path) -> Result<(), ClusterError> {
    if Folder::of(name)?.provider() != Provider::Kind {
        return Err(KindError::OtherProvider {
            name: name.to_string(),
        }
        .into());
    }
    let program = program::find().await?;
    let output = Command::new(&program)
        .args(["export", "logs", "--name", &names::in_kind(name)])
        .arg(folder)
        .env("KIND_EXPERIMENTAL_PROVIDER", "docker")
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|source| KindError::Run {
            path: program.display().to_string(),
            source,
        })?;
    if output.status.success() {
        return Ok(());
    }
    Err(KindError::Failed {
        doing: format!("export the logs of `{name}`"),
        words: without_secrets(String::from_utf8_lossy(&output.stderr).trim()),
    }
    .into())
}
