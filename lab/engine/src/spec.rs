//! What a container is to be, and how the engine's API says it.

use std::collections::BTreeMap;

use bollard::models::{
    ContainerCreateBody, DeviceRequest, EndpointSettings, HostConfig, HostConfigCgroupnsModeEnum,
    Mount as EngineMount, MountType, MountVolumeOptions, NetworkingConfig, PortBinding,
};

use crate::Labels;

/// A security option that the API knows only as empty lists of paths.
const SYSTEMPATHS_UNCONFINED: &str = "systempaths=unconfined";
const LOOPBACK: &str = "127.0.0.1";

/// A container to create.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContainerSpec {
    /// Its name, two characters or more.
    pub name: String,
    /// The image it starts from.
    pub image: String,
    /// Its host name; the engine chooses when absent. In a named network others find
    /// it by this name, too.
    pub hostname: Option<String>,
    /// Replaces the image's entrypoint; `Some(vec![])` clears it.
    pub entrypoint: Option<Vec<String>>,
    /// Replaces the image's command when not empty.
    pub cmd: Vec<String>,
    /// Environment, on top of the image's own.
    pub env: BTreeMap<String, String>,
    /// User, as `name`, `uid` or `uid:gid`.
    pub user: Option<String>,
    /// Labels.
    pub labels: Labels,
    /// What is mounted into it.
    pub mounts: Vec<Mount>,
    /// Ports published on 127.0.0.1.
    pub ports: Vec<Port>,
    /// Network; the engine's default bridge when absent.
    pub network: Option<String>,
    /// What it may do beyond a plain container.
    pub security: Security,
    /// NVIDIA's GPUs that it gets, with the files of their driver.
    pub gpus: Option<GpuRequest>,
}

/// GPUs of the engine's host, by one of the ways that engines have of giving them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GpuRequest {
    /// NVIDIA's hook, as of `docker run --gpus`.
    Hook {
        /// How many; all when absent.
        count: Option<u8>,
    },
    /// Devices of the Container Device Interface, for example `nvidia.com/gpu=all`.
    Cdi {
        /// Their names.
        names: Vec<String>,
    },
}

/// What a container may do beyond a plain one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Security {
    /// Everything; some hosts refuse it, see [`EngineError::PrivilegedRefused`].
    pub privileged: bool,
    /// Capabilities added, for example `SYS_ADMIN` or `ALL`.
    pub cap_add: Vec<String>,
    /// Capabilities taken away.
    pub cap_drop: Vec<String>,
    /// Options such as `seccomp=unconfined`; `systempaths=unconfined` is understood.
    pub options: Vec<String>,
    /// Rules such as `a *:* rwm`.
    pub device_cgroup_rules: Vec<String>,
    /// Its control group namespace; the engine chooses when absent.
    pub cgroup_namespace: Option<CgroupNamespace>,
}

/// Which control groups a container sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CgroupNamespace {
    /// Its own only.
    Private,
    /// The host's.
    Host,
}

/// Something mounted into a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mount {
    /// A named volume. Nothing of the image's folder is copied into it.
    Volume {
        /// Its name.
        name: String,
        /// Where it appears.
        path: String,
    },
    /// A volume without a name, removed with the container. It starts with what the
    /// image has there.
    Anonymous {
        /// Where it appears.
        path: String,
    },
    /// A folder or file of the host.
    Bind {
        /// Its path on the engine's host.
        source: String,
        /// Where it appears.
        path: String,
        /// Whether the container may only read it.
        read_only: bool,
    },
    /// A file system in memory.
    Tmpfs {
        /// Where it appears.
        path: String,
        /// Options as of `mount`, for example `exec,mode=1777,size=64m`.
        options: String,
    },
}

/// A port published on 127.0.0.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    /// The port inside (TCP).
    pub container: u16,
    /// The port outside; the engine chooses a free one when absent.
    pub host: Option<u16>,
}

impl ContainerSpec {
    pub(crate) fn into_body(self) -> ContainerCreateBody {
        let spec = self;
        let ports: Vec<String> = spec.ports.iter().map(|port| port_key(*port)).collect();
        ContainerCreateBody {
            hostname: spec.hostname.clone(),
            user: spec.user.clone(),
            env: Some(spec.env.iter().map(|(k, v)| format!("{k}={v}")).collect()),
            cmd: (!spec.cmd.is_empty()).then(|| spec.cmd.clone()),
            entrypoint: spec.entrypoint.clone().map(|entrypoint| {
                // The API's word for "none" is one empty string.
                if entrypoint.is_empty() {
                    vec![String::new()]
                } else {
                    entrypoint
                }
            }),
            image: Some(spec.image.clone()),
            labels: Some(spec.labels.clone().into_iter().collect()),
            exposed_ports: Some(ports),
            networking_config: networking(&spec),
            host_config: Some(host_config(spec)),
            ..Default::default()
        }
    }
}

/// The engine resolves names of containers, not their host names.
fn networking(spec: &ContainerSpec) -> Option<NetworkingConfig> {
    let endpoint = EndpointSettings {
        aliases: Some(vec![spec.hostname.clone()?]),
        ..Default::default()
    };
    Some(NetworkingConfig {
        endpoints_config: Some([(spec.network.clone()?, endpoint)].into_iter().collect()),
    })
}

fn host_config(spec: ContainerSpec) -> HostConfig {
    let Security {
        privileged,
        cap_add,
        cap_drop,
        mut options,
        device_cgroup_rules,
        cgroup_namespace,
    } = spec.security;
    let open_paths = options
        .iter()
        .any(|option| option == SYSTEMPATHS_UNCONFINED);
    options.retain(|option| option != SYSTEMPATHS_UNCONFINED);
    let bindings = spec.ports.iter().map(|port| {
        let binding = PortBinding {
            host_ip: Some(LOOPBACK.to_owned()),
            host_port: Some(port.host.map(|host| host.to_string()).unwrap_or_default()),
        };
        (port_key(*port), Some(vec![binding]))
    });
    HostConfig {
        privileged: Some(privileged),
        cap_add: Some(cap_add),
        cap_drop: Some(cap_drop),
        security_opt: Some(options),
        device_cgroup_rules: Some(device_cgroup_rules),
        device_requests: spec.gpus.map(|gpus| vec![device_request(gpus)]),
        masked_paths: open_paths.then(Vec::new),
        readonly_paths: open_paths.then(Vec::new),
        cgroupns_mode: cgroup_namespace.map(|namespace| match namespace {
            CgroupNamespace::Private => HostConfigCgroupnsModeEnum::PRIVATE,
            CgroupNamespace::Host => HostConfigCgroupnsModeEnum::HOST,
        }),
        port_bindings: Some(bindings.collect()),
        network_mode: spec.network,
        mounts: Some(spec.mounts.iter().filter_map(engine_mount).collect()),
        tmpfs: Some(
            spec.mounts
                .into_iter()
                .filter_map(|mount| match mount {
                    Mount::Tmpfs { path, options } => Some((path, options)),
                    Mount::Volume { .. } | Mount::Anonymous { .. } | Mount::Bind { .. } => None,
                })
                .collect(),
        ),
        ..Default::default()
    }
}

/// The driver's parts that compute (`compute`) and that tell of it (`utility`).
fn device_request(gpus: GpuRequest) -> DeviceRequest {
    let words = |words: &[&str]| words.iter().map(|it| (*it).to_owned()).collect();
    match gpus {
        GpuRequest::Hook { count } => DeviceRequest {
            driver: Some("nvidia".to_owned()),
            count: Some(count.map_or(-1, i64::from)),
            capabilities: Some(vec![words(&["gpu", "compute", "utility"])]),
            ..Default::default()
        },
        GpuRequest::Cdi { names } => DeviceRequest {
            driver: Some("cdi".to_owned()),
            device_ids: Some(names),
            ..Default::default()
        },
    }
}

fn engine_mount(mount: &Mount) -> Option<EngineMount> {
    let (kind, source, path, read_only) = match mount {
        Mount::Volume { name, path } => (MountType::VOLUME, Some(name), path, false),
        Mount::Anonymous { path } => (MountType::VOLUME, None, path, false),
        Mount::Bind {
            source,
            path,
            read_only,
        } => (MountType::BIND, Some(source), path, *read_only),
        Mount::Tmpfs { .. } => return None,
    };
    let no_copy = MountVolumeOptions {
        no_copy: Some(true),
        ..Default::default()
    };
    Some(EngineMount {
        volume_options: matches!(mount, Mount::Volume { .. }).then_some(no_copy),
        typ: Some(kind),
        source: source.cloned(),
        target: Some(path.clone()),
        read_only: Some(read_only),
        ..Default::default()
    })
}

fn port_key(port: Port) -> String {
    format!("{}/tcp", port.container)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requested(gpus: GpuRequest) -> DeviceRequest {
        let spec = ContainerSpec {
            gpus: Some(gpus),
            ..ContainerSpec::default()
        };
        let host = spec.into_body().host_config.unwrap();
        host.device_requests.unwrap().remove(0)
    }

    #[test]
    fn gpus_are_asked_for_as_the_engine_gives_them() {
        let all = requested(GpuRequest::Hook { count: None });
        assert_eq!(all.count, Some(-1));
        assert_eq!(all.driver.as_deref(), Some("nvidia"));
        assert_eq!(
            requested(GpuRequest::Hook { count: Some(2) }).count,
            Some(2)
        );
        let names = vec!["nvidia.com/gpu=all".to_owned()];
        let of_interface = requested(GpuRequest::Cdi {
            names: names.clone(),
        });
        assert_eq!(of_interface.driver.as_deref(), Some("cdi"));
        assert_eq!(of_interface.device_ids, Some(names));
    }
}
