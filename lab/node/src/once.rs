//! Programs that run once while the node comes up.

use std::{io, path::Path};

use tokio::process::Command;

use crate::{NodeError, layout};

/// The sandbox image cannot be pulled; the node image brings it.
pub(crate) async fn load_pause_image() -> Result<(), NodeError> {
    run(
        "ctr",
        &["-n", "k8s.io", "images", "import", layout::PAUSE_ARCHIVE],
    )
    .await
}

/// Starts containerd's state from an image store, where the node was given one and
/// has no state yet.
pub(crate) async fn seed_images() -> Result<(), NodeError> {
    let given = Path::new(layout::IMAGE_STORE).is_dir();
    let fresh = !Path::new(layout::CONTAINERD_STATE)
        .join("io.containerd.metadata.v1.bolt")
        .exists();
    if !(given && fresh) {
        return Ok(());
    }
    let from = format!("{}/.", layout::IMAGE_STORE);
    run("cp", &["--archive", &from, layout::CONTAINERD_STATE]).await
}

/// Pods reach what lies outside the cluster under the node's address.
pub(crate) async fn masquerade() -> Result<(), NodeError> {
    let rule = [
        "POSTROUTING",
        "-s",
        layout::POD_NETWORK,
        "!",
        "-d",
        layout::POD_NETWORK,
        "-j",
        "MASQUERADE",
    ];
    let arguments = |action| [&["-w", "-t", "nat", action][..], &rule[..]].concat();
    if run("iptables", &arguments("-C")).await.is_ok() {
        return Ok(());
    }
    run("iptables", &arguments("-A")).await
}

async fn run(program: &str, arguments: &[&str]) -> Result<(), NodeError> {
    let failed = |source| NodeError::Program {
        program: format!("{program} {}", arguments.join(" ")),
        source,
    };
    let output = Command::new(program)
        .args(arguments)
        .output()
        .await
        .map_err(failed)?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(failed(io::Error::other(words)))
}
