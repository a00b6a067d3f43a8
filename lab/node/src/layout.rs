//! Where things lie in the node, and the addresses of its networks. What outlives the
//! container lies in the folders that k3s has for it.

use std::net::Ipv4Addr;

/// The administrator's kubeconfig, where the k3s contract has it.
pub const KUBECONFIG: &str = "/etc/rancher/k3s/k3s.yaml";
/// What another node needs to join, where the k3s contract has it: like there, a link.
pub const NODE_TOKEN: &str = "/var/lib/rancher/k3s/server/node-token";
pub(crate) const TOKEN: &str = "/var/lib/rancher/k3s/server/token";
/// One log a component.
pub const LOGS: &str = "/var/log/lab";
/// The line on standard error that says the node is Ready and DNS answers.
pub const READY_LINE: &str = "lab: ready";

/// Configuration and certificates of the node's programs.
pub(crate) const CONFIG: &str = "/var/lib/rancher/k3s/lab";
pub(crate) const PKI: &str = "/var/lib/rancher/k3s/lab/pki";
/// The secret half of the token; lives as long as the cluster's state.
pub(crate) const JOIN_SECRET: &str = "/var/lib/rancher/k3s/lab/join-secret";
pub(crate) const KUBELET_CONFIG: &str = "/var/lib/rancher/k3s/lab/kubelet.json";
pub(crate) const POD_RESOLV_CONF: &str = "/var/lib/rancher/k3s/lab/resolv.conf";
pub(crate) const CONTROLLER_MANAGER_KUBECONFIG: &str =
    "/var/lib/rancher/k3s/lab/controller-manager.kubeconfig";
pub(crate) const SCHEDULER_KUBECONFIG: &str = "/var/lib/rancher/k3s/lab/scheduler.kubeconfig";
pub(crate) const PROXY_KUBECONFIG: &str = "/var/lib/rancher/k3s/lab/proxy.kubeconfig";
pub(crate) const KUBELET_KUBECONFIG: &str = "/var/lib/rancher/k3s/lab/kubelet.kubeconfig";
/// Of the node's own program: it may do what [`NODES_GROUP`] may.
pub(crate) const NODE_KUBECONFIG: &str = "/var/lib/rancher/k3s/lab/node.kubeconfig";
pub(crate) const NODES_GROUP: &str = "lab:nodes";
pub(crate) const CONTAINERD_CONFIG: &str = "/etc/containerd/config.toml";
pub(crate) const CONTAINERD_SOCKET: &str = "/run/containerd/containerd.sock";
/// containerd's state, and a copy of it with images that a node may start from.
pub(crate) const CONTAINERD_STATE: &str = "/var/lib/rancher/k3s/agent/containerd";
pub(crate) const IMAGE_STORE: &str = "/var/lib/lab/image-store";
pub(crate) const CNI_CONFIG: &str = "/etc/cni/net.d/10-lab.conflist";
pub(crate) const PAUSE_ARCHIVE: &str = "/usr/share/lab/images/pause.tar";
pub(crate) const PAUSE_IMAGE: &str = "registry.k8s.io/pause:3.2";
pub(crate) const ETCD_STATE: &str = "/var/lib/rancher/k3s/server/db/etcd";
/// Data of volumes.
pub(crate) const STORAGE: &str = "/var/lib/rancher/k3s/storage";

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
