//! What a node needs beyond its image: rights, volumes, folders in memory, a loopback port.

use std::{collections::HashMap, path::Path, time::Duration};

use lab_cluster::node;
use lab_engine::{Security, owner};
use lab_model::name::label;
use testcontainers::{
    ContainerRequest, ImageExt,
    bollard::models::{HostConfig, HostConfigCgroupnsModeEnum, Mount, MountType, PortBinding},
};

use crate::node::{API_PORT, Node};

/// Folders that an overlay of overlays cannot hold, or that must be fast: volumes without
/// names, which go with the container.
const VOLUMES: [&str; 2] = ["/var/lib/rancher/k3s", "/var/lib/kubelet"];
const IN_MEMORY: [&str; 2] = ["/run", "/tmp"];
/// Modules that the host's kernel can load, for kube-proxy's `modprobe`.
const MODULES: &str = "/lib/modules";
/// A node is ready after some 8 s on two idle cores.
const READY_WITHIN: Duration = Duration::from_mins(2);

impl Node {
    /// This node as a request, with all that it needs. What is set after this is on top,
    /// but for `with_host_config_modifier`, which takes the place of what is set here.
    pub fn request(self) -> ContainerRequest<Self> {
        self.with_startup_timeout(READY_WITHIN)
            // Should this process be killed, the next `lab` of any kind removes the node.
            .with_label(label::OWNER, owner::this_process())
            .with_host_config_modifier(|host| give(host, node::security()))
    }
}

/// `testcontainers` has words for capabilities, but none for device rules, for paths that
/// are not masked, for volumes without names, for folders in memory from which programs
/// run, or for ports on the loopback only.
fn give(host: &mut HostConfig, security: Security) {
    let security_options = security
        .options
        .into_iter()
        .filter(|option| option != "systempaths=unconfined");
    host.privileged = Some(security.privileged);
    host.cap_add = Some(security.cap_add);
    host.cap_drop = Some(security.cap_drop);
    host.security_opt = Some(security_options.collect());
    host.device_cgroup_rules = Some(security.device_cgroup_rules);
    host.masked_paths = Some(Vec::new());
    host.readonly_paths = Some(Vec::new());
    host.cgroupns_mode = Some(HostConfigCgroupnsModeEnum::PRIVATE);
    host.mounts.get_or_insert_default().extend(mounts());
    let in_memory = IN_MEMORY.map(|path| (path.to_owned(), "exec,mode=1777".to_owned()));
    host.tmpfs = Some(HashMap::from(in_memory));
    let loopback = PortBinding {
        host_ip: Some("127.0.0.1".to_owned()),
        host_port: None,
    };
    host.publish_all_ports = Some(false);
    host.port_bindings
        .get_or_insert_default()
        .insert(API_PORT.to_string(), Some(vec![loopback]));
}

fn mounts() -> impl Iterator<Item = Mount> {
    let volumes = VOLUMES.map(|path| Mount {
        target: Some(path.to_owned()),
        typ: Some(MountType::VOLUME),
        ..Mount::default()
    });
    // Some hosts, virtual machines above all, have none.
    let modules = Path::new(MODULES).is_dir().then(|| Mount {
        source: Some(MODULES.to_owned()),
        target: Some(MODULES.to_owned()),
        typ: Some(MountType::BIND),
        read_only: Some(true),
        ..Mount::default()
    });
    volumes.into_iter().chain(modules)
}
