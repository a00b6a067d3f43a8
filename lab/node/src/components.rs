//! The programs of a node: their arguments and their configuration files. Pure text.

use std::path::Path;

use serde_json::json;

use crate::{dns::DNS_ADDRESS, host::Host, layout};

/// A program to keep running.
#[derive(Debug, Clone)]
pub(crate) struct Component {
    pub(crate) name: &'static str,
    pub(crate) arguments: Vec<String>,
    /// On top of the node's own.
    pub(crate) environment: Vec<(&'static str, &'static str)>,
}

impl Component {
    /// Flags whose values are files below the folder of the node's configuration.
    fn with_files(mut self, files: &[(&str, &str)]) -> Self {
        let flags = files
            .iter()
            .map(|(flag, file)| format!("--{flag}={}/{file}", layout::CONFIG));
        self.arguments.extend(flags);
        self
    }
}

fn component<const N: usize>(name: &'static str, arguments: [&str; N]) -> Component {
    Component {
        name,
        arguments: arguments.map(str::to_owned).to_vec(),
        environment: Vec::new(),
    }
}

pub(crate) fn containerd() -> Component {
    component("containerd", ["--config", layout::CONTAINERD_CONFIG])
}

/// Throwaway clusters need no fsync: the state survives a stopped container, not
/// a crashed machine. One member elects itself, so a short election saves a second.
pub(crate) fn etcd() -> Component {
    let mut etcd = component(
        "etcd",
        [
            "--unsafe-no-fsync",
            "--listen-client-urls=http://127.0.0.1:2379",
            "--advertise-client-urls=http://127.0.0.1:2379",
            "--listen-peer-urls=http://127.0.0.1:2380",
            "--heartbeat-interval=20",
            "--election-timeout=200",
            "--quota-backend-bytes=8589934592",
            "--logger=zap",
            "--log-level=warn",
        ],
    );
    let state = format!("--data-dir={}", layout::ETCD_STATE);
    etcd.arguments.push(state);
    etcd
}

/// Priority and fairness shares the server among many tenants; here it only
/// delays the start by writing its own objects.
pub(crate) fn apiserver(host: &Host) -> Component {
    let mut apiserver = component(
        "kube-apiserver",
        [
            "--etcd-servers=http://127.0.0.1:2379",
            "--secure-port=6443",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            "--api-audiences=https://kubernetes.default.svc.cluster.local",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
            "--kubelet-preferred-address-types=InternalIP,Hostname",
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            "--feature-gates=APIPriorityAndFairness=false",
            "--enable-priority-and-fairness=false",
            "--runtime-config=flowcontrol.apiserver.k8s.io/v1beta1=false",
        ],
    )
    .with_files(&[
        ("client-ca-file", "pki/ca.crt"),
        ("tls-cert-file", "pki/apiserver.crt"),
        ("tls-private-key-file", "pki/apiserver.key"),
        ("service-account-key-file", "pki/service-account.pub"),
        (
            "service-account-signing-key-file",
            "pki/service-account.key",
        ),
        ("kubelet-certificate-authority", "pki/ca.crt"),
        (
            "kubelet-client-certificate",
            "pki/apiserver-kubelet-client.crt",
        ),
        ("kubelet-client-key", "pki/apiserver-kubelet-client.key"),
        ("proxy-client-cert-file", "pki/front-proxy-client.crt"),
        ("proxy-client-key-file", "pki/front-proxy-client.key"),
        ("requestheader-client-ca-file", "pki/front-proxy-ca.crt"),
    ]);
    apiserver.arguments.extend([
        format!("--advertise-address={}", host.address),
        format!("--service-cluster-ip-range={}", layout::SERVICE_NETWORK),
    ]);
    apiserver
}

/// The node's program hands out pod networks itself: the controller that does it
/// sleeps ten seconds before it looks at the first node.
pub(crate) fn controller_manager() -> Component {
    let mut manager = component(
        "kube-controller-manager",
        [
            "--allocate-node-cidrs=false",
            "--controllers=*,-nodeipam,-route,-service,-cloud-node-lifecycle",
            "--use-service-account-credentials=true",
            "--leader-elect=false",
            "--kube-api-qps=200",
            "--kube-api-burst=400",
        ],
    )
    .with_files(&[
        ("kubeconfig", "controller-manager.kubeconfig"),
        ("authentication-kubeconfig", "controller-manager.kubeconfig"),
        ("authorization-kubeconfig", "controller-manager.kubeconfig"),
        ("cluster-signing-cert-file", "pki/ca.crt"),
        ("cluster-signing-key-file", "pki/ca.key"),
        ("tls-cert-file", "pki/controller-manager.crt"),
        ("tls-private-key-file", "pki/controller-manager.key"),
        ("root-ca-file", "pki/ca.crt"),
        (
            "service-account-private-key-file",
            "pki/service-account.key",
        ),
    ]);
    manager.arguments.extend([
        format!("--cluster-cidr={}", layout::POD_NETWORK),
        format!("--service-cluster-ip-range={}", layout::SERVICE_NETWORK),
    ]);
    manager
}

pub(crate) fn scheduler() -> Component {
    component(
        "kube-scheduler",
        [
            "--leader-elect=false",
            "--kube-api-qps=200",
            "--kube-api-burst=400",
        ],
    )
    .with_files(&[
        ("kubeconfig", "scheduler.kubeconfig"),
        ("authentication-kubeconfig", "scheduler.kubeconfig"),
        ("authorization-kubeconfig", "scheduler.kubeconfig"),
        ("tls-cert-file", "pki/scheduler.crt"),
        ("tls-private-key-file", "pki/scheduler.key"),
    ])
}

pub(crate) fn kubelet(host: &Host) -> Component {
    let mut kubelet = component("kubelet", ["--container-runtime=remote"])
        .with_files(&[("kubeconfig", "kubelet.kubeconfig")]);
    // It looks for a cloud's registry credentials first, and waits for the answer.
    kubelet.environment = vec![("AWS_EC2_METADATA_DISABLED", "true")];
    kubelet.arguments.extend([
        format!("--config={}", layout::KUBELET_CONFIG),
        format!(
            "--container-runtime-endpoint=unix://{}",
            layout::CONTAINERD_SOCKET
        ),
        format!("--pod-infra-container-image={}", layout::PAUSE_IMAGE),
        format!("--hostname-override={}", host.name),
        format!("--node-ip={}", host.address),
    ]);
    kubelet
}

/// Conntrack limits belong to the host; nothing may lower an out-of-memory score
/// without `CAP_SYS_RESOURCE`.
pub(crate) fn proxy(host: &Host) -> Component {
    let mut proxy = component(
        "kube-proxy",
        [
            "--proxy-mode=iptables",
            "--iptables-min-sync-period=200ms",
            "--oom-score-adj=0",
            "--conntrack-max-per-core=0",
            "--conntrack-min=0",
            "--conntrack-tcp-timeout-established=0",
            "--conntrack-tcp-timeout-close-wait=0",
        ],
    )
    .with_files(&[("kubeconfig", "proxy.kubeconfig")]);
    proxy.arguments.extend([
        format!("--cluster-cidr={}", layout::POD_NETWORK),
        format!("--hostname-override={}", host.name),
    ]);
    proxy
}

/// The configuration files that every node has, with their paths.
pub(crate) fn files() -> [(&'static Path, String); 3] {
    [
        (Path::new(layout::CONTAINERD_CONFIG), containerd_config()),
        (Path::new(layout::KUBELET_CONFIG), kubelet_config()),
        (Path::new(layout::POD_RESOLV_CONF), pod_resolv_conf()),
    ]
}

fn containerd_config() -> String {
    format!(
        r#"version = 2
root = "{state}"
oom_score = 0
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  max_concurrent_downloads = 6
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
"#,
        state = layout::CONTAINERD_STATE,
        pause = layout::PAUSE_IMAGE
    )
}

/// Point-to-point links: every packet between pods is routed, so Service
/// addresses work without the host's `br_netfilter` module. Masquerading is one
/// rule for the whole pod network, not three a pod.
pub(crate) fn cni_config(pod_network: &str) -> String {
    let config = json!({
        "cniVersion": "0.4.0",
        "name": "lab",
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": false,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": pod_network}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": true}},
        ],
    });
    format!("{config:#}\n")
}

fn kubelet_config() -> String {
    let pki = |file| format!("{}/{file}", layout::PKI);
    let config = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": false},
            "webhook": {"enabled": true},
            "x509": {"clientCAFile": pki("ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": pki("kubelet.crt"),
        "tlsPrivateKeyFile": pki("kubelet.key"),
        "clusterDomain": layout::CLUSTER_DOMAIN,
        "clusterDNS": [DNS_ADDRESS.to_string()],
        "resolvConf": layout::POD_RESOLV_CONF,
        "cgroupDriver": "cgroupfs",
        "failSwapOn": false,
        // Nothing may lower it without CAP_SYS_RESOURCE.
        "oomScoreAdj": 0,
        // How soon a change of the node's state is seen, and how often an
        // unchanged one is written.
        "nodeStatusUpdateFrequency": "1s",
        "nodeStatusReportFrequency": "5m",
        "serializeImagePulls": false,
        "registryPullQPS": 0,
        "kubeAPIQPS": 200,
        "kubeAPIBurst": 400,
        "eventRecordQPS": 0,
        "maxPods": 250,
        // The disk is the host's; its fill level says nothing about the cluster.
        "evictionHard": {
            "memory.available": "100Mi",
            "imagefs.available": "0%",
            "nodefs.available": "0%",
            "nodefs.inodesFree": "0%",
        },
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "volumeStatsAggPeriod": "-1s",
    });
    format!("{config:#}\n")
}

/// For pods with `dnsPolicy: Default`: the engine's own resolver listens on the
/// node's loopback, where no pod reaches it; the cluster's DNS forwards to it.
fn pod_resolv_conf() -> String {
    format!("nameserver {DNS_ADDRESS}\n")
}
