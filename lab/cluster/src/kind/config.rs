//! What kind is told to make.

use serde::Serialize;

use super::names;
use crate::ClusterSpec;

/// Where everything is published: nobody but this machine reaches a throwaway cluster.
const LOOPBACK: &str = "127.0.0.1";
/// kind's word for a port that the engine chooses. With 0 kind itself looks for a free
/// one and gives it up again before the engine takes it: two at once may take the same.
const CHOSEN_BY_THE_ENGINE: i32 = -1;

/// kind's own configuration. kind reads YAML; JSON is YAML.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    api_version: &'static str,
    kind: &'static str,
    name: String,
    networking: Networking,
    nodes: Vec<Node>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Networking {
    api_server_address: &'static str,
    api_server_port: i32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    role: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extra_port_mappings: Vec<PortMapping>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PortMapping {
    container_port: u16,
    host_port: i32,
    listen_address: &'static str,
    protocol: &'static str,
}

/// The configuration of that cluster, as kind reads it.
pub(super) fn text(spec: &ClusterSpec) -> serde_json::Result<String> {
    let server = Node {
        role: "control-plane",
        // Every NodePort answers on every node, so the server's are enough.
        extra_port_mappings: spec.node_ports.iter().copied().map(mapping).collect(),
    };
    let workers = (1..spec.nodes).map(|_| Node {
        role: "worker",
        extra_port_mappings: Vec::new(),
    });
    serde_json::to_string_pretty(&Config {
        api_version: "kind.x-k8s.io/v1alpha4",
        kind: "Cluster",
        name: names::in_kind(&spec.name),
        networking: Networking {
            api_server_address: LOOPBACK,
            api_server_port: CHOSEN_BY_THE_ENGINE,
        },
        nodes: std::iter::once(server).chain(workers).collect(),
    })
}

fn mapping(container_port: u16) -> PortMapping {
    PortMapping {
        container_port,
        host_port: CHOSEN_BY_THE_ENGINE,
        listen_address: LOOPBACK,
        protocol: "TCP",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_node_publishes_its_ports_where_the_engine_chooses() {
        let mut spec = ClusterSpec::new("demo".parse().unwrap());
        spec.node_ports = vec![30080, 30500];
        insta::assert_snapshot!(text(&spec).unwrap());
    }

    #[test]
    fn of_three_nodes_one_is_the_server() {
        let mut spec = ClusterSpec::new("demo".parse().unwrap());
        spec.nodes = 3;
        spec.node_ports = vec![30080];
        insta::assert_snapshot!(text(&spec).unwrap());
    }
}
