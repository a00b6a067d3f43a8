//! Makes the container fit for a node: propagation, device files, cgroups.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, UdpSocket},
    path::Path,
};

use miette::Diagnostic;
use rustix::{
    fs::{CWD, FileType, Mode, makedev, mknodat},
    mount::{MountFlags, MountPropagationFlags, mount_change, mount_remount},
    system::uname,
};
use thiserror::Error;

/// The container cannot hold a node.
#[derive(Debug, Error, Diagnostic)]
#[error("failed to {doing}")]
#[diagnostic(
    code(lab::node::host),
    help(
        "the container needs every capability of the host, no seccomp filter and writable cgroups"
    )
)]
pub struct HostError {
    doing: String,
    source: io::Error,
}

impl HostError {
    pub(crate) fn doing<E: Into<io::Error>>(doing: impl Into<String>) -> impl FnOnce(E) -> Self {
        let doing = doing.into();
        move |source| Self {
            doing,
            source: source.into(),
        }
    }
}

/// The node as its network sees it.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) address: Ipv4Addr,
}

/// Prepares the container and says who it is.
pub(crate) fn prepare() -> Result<Host, HostError> {
    mount_change(
        "/",
        MountPropagationFlags::SHARED | MountPropagationFlags::REC,
    )
    .map_err(HostError::doing("share mounts with pods"))?;
    make_kmsg()?;
    make_machine_id()?;
    if Path::new("/sys/fs/cgroup/cgroup.controllers").exists() {
        prepare_unified_cgroups()?;
    } else {
        prepare_split_cgroups()?;
    }
    fs::write("/proc/sys/net/ipv4/ip_forward", "1")
        .map_err(HostError::doing("forward packets between pods"))?;
    Ok(Host {
        name: uname().nodename().to_string_lossy().into_owned(),
        address: address()?,
    })
}

/// The kubelet watches the kernel's log for out-of-memory kills.
fn make_kmsg() -> Result<(), HostError> {
    if Path::new("/dev/kmsg").exists() {
        return Ok(());
    }
    let mode = Mode::RUSR | Mode::WUSR;
    mknodat(
        CWD,
        "/dev/kmsg",
        FileType::CharacterDevice,
        mode,
        makedev(1, 11),
    )
    .map_err(HostError::doing("make `/dev/kmsg`"))
}

fn make_machine_id() -> Result<(), HostError> {
    let id = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    if id.trim().len() == 32 {
        return Ok(());
    }
    fs::read_to_string("/proc/sys/kernel/random/uuid")
        .and_then(|uuid| fs::write("/etc/machine-id", uuid.replace('-', "")))
        .map_err(HostError::doing("write `/etc/machine-id`"))
}

/// cgroup v1: the engine mounts the container's own sub-trees read-only; the
/// kubelet has to make cgroups in them. They vanish with the container.
fn prepare_split_cgroups() -> Result<(), HostError> {
    let hierarchies =
        fs::read_dir("/sys/fs/cgroup").map_err(HostError::doing("list `/sys/fs/cgroup`"))?;
    for hierarchy in hierarchies {
        let path = hierarchy
            .map_err(HostError::doing("list `/sys/fs/cgroup`"))?
            .path();
        if path.is_symlink() || !path.join("cgroup.procs").exists() {
            continue;
        }
        make_writable(&path)?;
    }
    Ok(())
}

/// cgroup v2: a cgroup with processes cannot hand controllers to its children, so
/// the container's processes move to a leaf first.
fn prepare_unified_cgroups() -> Result<(), HostError> {
    let root = Path::new("/sys/fs/cgroup");
    make_writable(root)?;
    let doing = "move the node's processes to a cgroup of their own";
    let leaf = root.join("lab-node");
    fs::create_dir_all(&leaf).map_err(HostError::doing(doing))?;
    let processes =
        fs::read_to_string(root.join("cgroup.procs")).map_err(HostError::doing(doing))?;
    for process in processes.lines() {
        // A process that ended meanwhile needs no move.
        let _ = fs::write(leaf.join("cgroup.procs"), process);
    }
    let controllers =
        fs::read_to_string(root.join("cgroup.controllers")).map_err(HostError::doing(doing))?;
    for controller in controllers.split_whitespace() {
        fs::write(
            root.join("cgroup.subtree_control"),
            format!("+{controller}"),
        )
        .map_err(HostError::doing(format!(
            "hand the `{controller}` cgroup controller to pods"
        )))?;
    }
    Ok(())
}

fn make_writable(path: &Path) -> Result<(), HostError> {
    let flags = MountFlags::BIND | MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount_remount(path, flags, "").map_err(HostError::doing(format!(
        "make `{}` writable",
        path.display()
    )))
}

/// The address that the default route would use, else the one `/etc/hosts` gives
/// the container's name. Nothing is sent.
fn address() -> Result<Ipv4Addr, HostError> {
    let routed = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
        .and_then(|socket| {
            socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
            socket.local_addr()
        })
        .map(|local| local.ip());
    if let Ok(IpAddr::V4(address)) = routed {
        return Ok(address);
    }
    let hosts = fs::read_to_string("/etc/hosts").unwrap_or_default();
    let name = uname().nodename().to_string_lossy().into_owned();
    address_in_hosts(&hosts, &name)
        .ok_or_else(|| io::Error::other("neither a default route nor a line in `/etc/hosts`"))
        .map_err(HostError::doing("find the node's own address"))
}

fn address_in_hosts(hosts: &str, name: &str) -> Option<Ipv4Addr> {
    hosts.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|word| word == name).then_some(address)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_container_in_hosts() {
        let hosts = "127.0.0.1\tlocalhost\n::1 localhost\n172.18.0.2\tdemo demo.lab\n";
        assert_eq!(
            address_in_hosts(hosts, "demo"),
            Some(Ipv4Addr::new(172, 18, 0, 2))
        );
        assert_eq!(address_in_hosts(hosts, "other"), None);
    }
}
