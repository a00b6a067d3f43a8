//! Where things lie in the node, and the addresses of its networks.

use std::net::Ipv4Addr;

/// The administrator's kubeconfig, where the k3s contract has it.
pub const KUBECONFIG: &str = "/etc/rancher/k3s/k3s.yaml";
/// What another node needs to join, where the k3s contract has it.
pub const NODE_TOKEN: &str = "/var/lib/rancher/k3s/server/node-token";
/// One log a component.
pub const LOGS: &str = "/var/log/lab";
/// The line on standard error that says the node is Ready and DNS answers.
pub const READY_LINE: &str = "lab: ready";

/// Configuration and certificates of the node's programs.
pub(crate) const CONFIG: &str = "/etc/kubernetes";
pub(crate) const PKI: &str = "/etc/kubernetes/pki";
/// The secret half of the token; lives as long as the cluster's state.
pub(crate) const JOIN_SECRET: &str = "/etc/kubernetes/join-secret";
pub(crate) const KUBELET_CONFIG: &str = "/etc/kubernetes/kubelet.json";
pub(crate) const POD_RESOLV_CONF: &str = "/etc/kubernetes/resolv.conf";
pub(crate) const CONTROLLER_MANAGER_KUBECONFIG: &str =
    "/etc/kubernetes/controller-manager.kubeconfig";
pub(crate) const SCHEDULER_KUBECONFIG: &str = "/etc/kubernetes/scheduler.kubeconfig";
pub(crate) const PROXY_KUBECONFIG: &str = "/etc/kubernetes/proxy.kubeconfig";
pub(crate) const KUBELET_KUBECONFIG: &str = "/etc/kubernetes/kubelet.kubeconfig";
/// Of the node's own program: it may do what [`NODES_GROUP`] may.
pub(crate) const NODE_KUBECONFIG: &str = "/etc/kubernetes/node.kubeconfig";
pub(crate) const NODES_GROUP: &str = "lab:nodes";
pub(crate) const CONTAINERD_CONFIG: &str = "/etc/containerd/config.toml";
pub(crate) const CONTAINERD_SOCKET: &str = "/run/containerd/containerd.sock";
/// containerd's state, and a copy of it with images that a node may start from.
pub(crate) const CONTAINERD_STATE: &str = "/var/lib/containerd";
pub(crate) const IMAGE_STORE: &str = "/var/lib/lab/image-store";
pub(crate) const CNI_CONFIG: &str = "/etc/cni/net.d/10-lab.conflist";
pub(crate) const PAUSE_ARCHIVE: &str = "/usr/share/lab/images/pause.tar";
pub(crate) const PAUSE_IMAGE: &str = "registry.k8s.io/pause:3.2";
/// Data of volumes, on the volume that holds the kubelet's state.
pub(crate) const STORAGE: &str = "/var/lib/kubelet/lab-storage";

/// Makes the volumes of the default `StorageClass`.
pub(crate) const PROVISIONER: &str = "lab.local/path";
pub(crate) const STORAGE_CLASS: &str = "local-path";

/// The API server as the server itself reaches it.
pub(crate) const OWN_API: &str = "https://127.0.0.1:6443";
/// Where a server admits agents, beside the API server: RKE2's number for it.
pub(crate) const JOIN_PORT: u16 = 9345;

pub(crate) const POD_NETWORK: &str = "10.42.0.0/16";
pub(crate) const SERVICE_NETWORK: &str = "10.43.0.0/16";
pub(crate) const KUBERNETES_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 43, 0, 1);
pub(crate) const CLUSTER_DOMAIN: &str = "cluster.local";
