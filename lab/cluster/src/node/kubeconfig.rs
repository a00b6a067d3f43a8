//! The administrator's kubeconfig: from the node to this machine.

use std::fs;

use lab_engine::Engine;
use lab_model::name::ClusterName;

use super::{files, names};
use crate::{ClusterError, folder::Folder};

/// Where the k3s contract has it.
const IN_NODE: &str = "/etc/rancher/k3s/k3s.yaml";

/// Keeps a kubeconfig that reaches the API server on `port` of this machine.
pub(super) async fn keep(
    engine: &Engine,
    name: &ClusterName,
    folder: &Folder,
    port: u16,
) -> Result<(), ClusterError> {
    let kept = fs::read_to_string(folder.kubeconfig()).unwrap_or_default();
    if kept.contains(&server(port)) {
        return Ok(());
    }
    let text = files::read(engine, &names::container(name), IN_NODE)
        .await
        .map_err(|source| ClusterError::NoKubeconfig {
            name: name.to_string(),
            source,
        })?;
    folder.write_kubeconfig(&rewrite(&text, name, port))
}

/// The published port, and a context named after the cluster so that files merge.
fn rewrite(text: &str, name: &ClusterName, port: u16) -> String {
    text.replace(&server(names::API_PORT), &server(port))
        .replace("\"default\"", &format!("\"lab-{name}\""))
}

fn server(port: u16) -> String {
    format!("https://127.0.0.1:{port}\"")
}

#[cfg(test)]
mod tests {
    use super::rewrite;

    #[test]
    fn the_published_port_takes_the_nodes_place() {
        let text = r#"{"server": "https://127.0.0.1:6443", "current-context": "default"}"#;
        assert_eq!(
            rewrite(text, &"demo".parse().unwrap(), 41234),
            r#"{"server": "https://127.0.0.1:41234", "current-context": "lab-demo"}"#
        );
    }
}
