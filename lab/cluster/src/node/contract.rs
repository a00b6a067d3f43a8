//! The node contract: what `rancher/k3s` fixes and the locally built node image honours,
//! and the few things in which the two differ. All else is one code.

use lab_model::provider::Provider;

/// The administrator's kubeconfig, in the server.
pub(super) const KUBECONFIG: &str = "/etc/rancher/k3s/k3s.yaml";
/// What admits an agent, as the server writes it.
pub(super) const TOKEN: &str = "/var/lib/rancher/k3s/server/node-token";
/// Where an agent is given it. In a file, because everybody who may list containers
/// sees their environment.
pub(super) const TOKEN_FOLDER: &str = "/etc";
pub(super) const TOKEN_NAME: &str = "k3s-token";
/// Variables that tell an agent its server and the file with the token.
pub(super) const URL: &str = "K3S_URL";
pub(super) const TOKEN_FILE: &str = "K3S_TOKEN_FILE";
/// The API server's port in the server.
pub(super) const API_PORT: u16 = 6443;
/// Folders of every node that outlive its container, and the volumes that hold them:
/// the state of etcd, containerd and the volumes of pods; the kubelet's; the
/// kubeconfig and what a node is known by.
pub(super) const VOLUMES: [(&str, &str); 3] = [
    ("k3s", "/var/lib/rancher/k3s"),
    ("kubelet", "/var/lib/kubelet"),
    ("rancher", "/etc/rancher"),
];
/// Speaks to the node's containerd about the images of pods.
pub(super) const CTR: [&str; 3] = ["ctr", "--namespace", "k8s.io"];

/// What an image of the contract needs that another does not.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Distribution {
    /// The recipe of its image.
    pub(super) recipe: &'static str,
    /// The words that make a server of it.
    pub(super) server: &'static [&'static str],
    /// The words that make an agent of it.
    pub(super) agent: &'static [&'static str],
    /// Folders that are in memory.
    pub(super) memory: &'static [&'static str],
    /// What its first process runs.
    pub(super) program: Program,
    /// How it is known that a node is ready.
    pub(super) readiness: Readiness,
}

/// What a node's first process runs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Program {
    /// This very program, which is put into the container before it starts.
    Ours,
    /// What the image has.
    Theirs,
}

/// How it is known that a node is ready.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Readiness {
    /// It says so in its log, at once.
    Log,
    /// It has to be asked for.
    Api,
}

/// The locally built node image.
const NODE: Distribution = Distribution {
    recipe: "node",
    server: &["server"],
    agent: &["agent"],
    memory: &["/run", "/tmp"],
    program: Program::Ours,
    readiness: Readiness::Log,
};

/// k3s without what a stack brings itself. Its nodes share one network, so that routes
/// do where its default is a tunnel; conntrack limits belong to the host.
const K3S: Distribution = Distribution {
    recipe: "k3s",
    server: &[
        "server",
        "--disable=traefik",
        "--disable=servicelb",
        "--disable=metrics-server",
        "--flannel-backend=host-gw",
        "--kube-proxy-arg=conntrack-max-per-core=0",
    ],
    agent: &["agent", "--kube-proxy-arg=conntrack-max-per-core=0"],
    memory: &["/run", "/var/run", "/tmp"],
    program: Program::Theirs,
    readiness: Readiness::Api,
};

impl Distribution {
    /// What that provider's nodes are.
    pub(super) const fn of(provider: Provider) -> &'static Self {
        if matches!(provider, Provider::K3s) {
            &K3S
        } else {
            &NODE
        }
    }
}
