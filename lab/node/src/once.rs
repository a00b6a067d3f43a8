//! Programs that run once while the node comes up.

use std::io;

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

/// Runs a program to its end; what it said is the error.
pub(crate) async fn run(program: &str, arguments: &[&str]) -> Result<(), NodeError> {
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
