//! The administrator's kubeconfig: from the node to this machine.

use std::{fs, io};

use lab_engine::Engine;
use lab_k8s::kube::config::Kubeconfig;
use lab_model::name::ClusterName;

use super::{contract, files, names};
use crate::{ClusterError, folder::Folder};

/// Keeps a kubeconfig that reaches the API server on `port` of this machine.
pub(super) async fn keep(
    engine: &Engine,
    name: &ClusterName,
    folder: &Folder,
    port: u16,
) -> Result<(), ClusterError> {
    let kept = fs::read_to_string(folder.kubeconfig()).unwrap_or_default();
    if kept.contains(&format!("\"{}\"", server(port))) {
        return Ok(());
    }
    let text = async {
        let kubeconfig = read(engine, name, port).await?;
        // JSON is YAML.
        serde_json::to_string_pretty(&kubeconfig).map_err(io::Error::from)
    };
    let text = text.await.map_err(|source| ClusterError::NoKubeconfig {
        name: name.to_string(),
        source,
    })?;
    folder.write_kubeconfig(&text)
}

/// The server's kubeconfig, as this machine has to use it.
pub(super) async fn read(engine: &Engine, name: &ClusterName, port: u16) -> io::Result<Kubeconfig> {
    let text = files::read(engine, &names::container(name), contract::KUBECONFIG).await?;
    rewrite(&text, name, port)
}

/// The published port, and names after the cluster so that files merge.
fn rewrite(text: &str, name: &ClusterName, port: u16) -> io::Result<Kubeconfig> {
    let own = format!("lab-{name}");
    let mut config = Kubeconfig::from_yaml(text).map_err(io::Error::other)?;
    for named in &mut config.clusters {
        named.name.clone_from(&own);
        if let Some(cluster) = &mut named.cluster {
            cluster.server = Some(server(port));
        }
    }
    for named in &mut config.auth_infos {
        named.name.clone_from(&own);
    }
    for named in &mut config.contexts {
        named.name.clone_from(&own);
        if let Some(context) = &mut named.context {
            context.cluster.clone_from(&own);
            context.user = Some(own.clone());
        }
    }
    config.current_context = Some(own);
    Ok(config)
}

fn server(port: u16) -> String {
    format!("https://127.0.0.1:{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As k3s writes it.
    const OF_K3S: &str = "apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: QQ==
    server: https://127.0.0.1:6443
  name: default
contexts:
- context:
    cluster: default
    user: default
  name: default
current-context: default
kind: Config
preferences: {}
users:
- name: default
  user:
    client-certificate-data: Qg==
    client-key-data: Qw==
";

    #[test]
    fn the_published_port_and_the_clusters_name_take_the_nodes_place() {
        let kubeconfig = rewrite(OF_K3S, &"demo".parse().unwrap(), 41234).unwrap();

        assert_eq!(
            serde_json::to_value(&kubeconfig).unwrap(),
            serde_json::json!({
                "apiVersion": "v1",
                "kind": "Config",
                "preferences": {},
                "current-context": "lab-demo",
                "clusters": [{"name": "lab-demo", "cluster": {
                    "server": "https://127.0.0.1:41234",
                    "certificate-authority-data": "QQ==",
                }}],
                "contexts": [{"name": "lab-demo", "context": {
                    "cluster": "lab-demo", "user": "lab-demo",
                }}],
                "users": [{"name": "lab-demo", "user": {
                    "client-certificate-data": "Qg==", "client-key-data": "Qw==",
                }}],
            })
        );
    }

    #[test]
    fn half_a_file_is_no_kubeconfig() {
        let half = &OF_K3S[..40];
        assert!(rewrite(half, &"demo".parse().unwrap(), 41234).is_err());
    }
}
