//! What there is on the machine, read without the code under test.

use std::{collections::BTreeSet, fs, io};

use bollard::{
    Docker,
    query_parameters::{ListContainersOptions, ListImagesOptions, ListNetworksOptions},
};
use libtest_mimic::Failed;
use tokio::runtime::Runtime;

/// Containers, volumes, networks, images in the making, mounts and cgroups.
pub(crate) struct Machine {
    things: BTreeSet<String>,
}

impl Machine {
    pub(crate) fn look() -> Result<Self, Failed> {
        let mut things = Runtime::new()?.block_on(of_engine())?;
        things.extend(mounts()?);
        things.extend(cgroups());
        Ok(Self { things })
    }

    /// What is here now and was not then.
    pub(crate) fn since(&self, then: &Self) -> Vec<String> {
        self.things.difference(&then.things).cloned().collect()
    }
}

async fn of_engine() -> Result<BTreeSet<String>, Failed> {
    let docker = Docker::connect_with_defaults()?;
    let mut things = BTreeSet::new();
    let all = ListContainersOptions {
        all: true,
        ..Default::default()
    };
    for container in docker.list_containers(Some(all)).await? {
        things.insert(format!("container {:?}", container.names));
    }
    let volumes = docker
        .list_volumes(None::<bollard::query_parameters::ListVolumesOptions>)
        .await?;
    for volume in volumes.volumes.unwrap_or_default() {
        things.insert(format!("volume {}", volume.name));
    }
    for network in docker.list_networks(None::<ListNetworksOptions>).await? {
        things.insert(format!("network {:?}", network.name));
    }
    // One without a name, or with an owner: finished images have names and none.
    for image in docker.list_images(None::<ListImagesOptions>).await? {
        let owner = image.labels.get("lab.owner");
        let is_named = image.repo_tags.iter().any(|tag| tag != "<none>:<none>");
        if !is_named || owner.is_some_and(|owner| !owner.is_empty()) {
            things.insert(format!("image {} {:?}", image.id, image.repo_tags));
        }
    }
    Ok(things)
}

/// Mounts below the engine's folder, by their place.
fn mounts() -> io::Result<BTreeSet<String>> {
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    let places = mounts
        .lines()
        .filter_map(|line| line.split_ascii_whitespace().nth(1));
    Ok(places
        .filter(|place| place.contains("/docker/"))
        .map(|place| format!("mount {place}"))
        .collect())
}

/// The engine's cgroups, of either version, where this process may see them.
fn cgroups() -> BTreeSet<String> {
    let hierarchies = fs::read_dir("/sys/fs/cgroup")
        .into_iter()
        .flatten()
        .flatten();
    let below_docker = hierarchies.flat_map(|hierarchy| {
        let path = hierarchy.path();
        let folder = if path.ends_with("docker") || path.ends_with("system.slice") {
            path
        } else {
            path.join("docker")
        };
        fs::read_dir(folder).into_iter().flatten().flatten()
    });
    below_docker
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let id = name
                .trim_start_matches("docker-")
                .trim_end_matches(".scope");
            path.is_dir() && id.len() == 64
        })
        .map(|path| format!("cgroup {}", path.display()))
        .collect()
}
