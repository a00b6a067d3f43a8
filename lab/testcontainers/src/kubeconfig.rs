//! The administrator's kubeconfig of a started node.

use testcontainers::{ContainerAsync, TestcontainersError};

use crate::node::{API_PORT, Node};

/// Where the k3s contract has it.
const IN_NODE: &str = "/etc/rancher/k3s/k3s.yaml";

/// The administrator's kubeconfig, with the API server where this machine reaches it.
///
/// # Errors
/// When the node does not run.
pub async fn kubeconfig(node: &ContainerAsync<Node>) -> Result<String, TestcontainersError> {
    let port = node.get_host_port_ipv4(API_PORT).await?;
    let mut file = Vec::new();
    node.copy_file_from(IN_NODE, &mut file).await?;
    let text = String::from_utf8(file).map_err(TestcontainersError::other)?;
    Ok(at(&text, port))
}

fn at(kubeconfig: &str, port: u16) -> String {
    let own = format!("https://127.0.0.1:{}\"", API_PORT.as_u16());
    kubeconfig.replace(&own, &format!("https://127.0.0.1:{port}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_port_takes_the_nodes_place() {
        let text = r#"{"server": "https://127.0.0.1:6443", "name": "default"}"#;
        assert_eq!(
            at(text, 41234),
            r#"{"server": "https://127.0.0.1:41234", "name": "default"}"#
        );
    }
}
