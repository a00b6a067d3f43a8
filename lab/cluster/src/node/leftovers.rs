//! What nobody answers for: clusters of dead processes, and what they had in hand.
//!
//! Clusters stand for all of their containers, volumes and networks. Mounts, cgroups and
//! published ports are their containers' and go with them; a killed `lab`'s own processes
//! (Helm, a reaper) end by themselves as soon as there is nothing left to work on.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use lab_engine::{Engine, Labels, owner};
use lab_model::name::{ClusterName, label};
use tokio::time::sleep;

use super::store;
use crate::{ClusterError, Leftover, down, folder::Folder, kind};

/// Looks that must find nothing, one after the other: what a process asked for just
/// before it died may still be in the making.
const CLEAN_LOOKS: u32 = 2;
const LOOKS_AT_MOST: u32 = 20;
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What the engine holds of one cluster.
#[derive(Debug, Default)]
struct Traces {
    has_container: bool,
    is_of_a_run: bool,
    owner_lives: bool,
}

/// What is left of runs that are over, of processes that died, and of clusters whose
/// time is up. With `all`, every cluster, running or not.
///
/// # Errors
/// When the engine does not answer.
pub async fn leftovers(engine: &Engine, all: bool) -> Result<Vec<Leftover>, ClusterError> {
    // Things first, leases after: a lease is written before what it claims, so that
    // whatever is listed here has its lease read below.
    let kind_clusters = kind::all(engine).await?;
    let (containers, volumes, networks) = tokio::try_join!(
        engine.list_containers_by_label(label::CLUSTER),
        engine.list_volumes_by_label(label::CLUSTER),
        engine.list_networks_by_label(label::CLUSTER),
    )?;
    let things = containers.iter().map(|it| (&it.labels, true));
    let things = things.chain(volumes.iter().map(|it| (&it.labels, false)));
    let things = things.chain(networks.iter().map(|it| (&it.labels, false)));
    let mut clusters = traces(things)?;
    // kind labels its containers itself; what else is known of them, their network says.
    for name in kind_clusters {
        clusters.entry(name).or_default().has_container = true;
    }
    let mut left = BTreeSet::new();
    for (name, traces) in clusters {
        if all || is_left(&name, &traces)? {
            left.insert(Leftover::Cluster(name));
        }
    }
    left.extend(ownerless(engine).await?);
    Ok(left.into_iter().collect())
}

/// What dead processes had in hand besides clusters: builders, images and image stores
/// in the making.
async fn ownerless(engine: &Engine) -> Result<Vec<Leftover>, ClusterError> {
    let (containers, images, volumes) = tokio::try_join!(
        engine.list_containers_by_label(label::OWNER),
        engine.list_images_by_label(label::OWNER),
        engine.list_volumes_by_label(label::OWNER),
    )?;
    let containers = containers.into_iter().filter(|it| is_ownerless(&it.labels));
    let mut left: Vec<_> = containers.map(|it| Leftover::Container(it.name)).collect();
    for image in images.into_iter().filter(|it| is_ownerless(&it.labels)) {
        // One that lost its name to a second import has its id only.
        let name = image.references.into_iter().next().unwrap_or(image.id);
        left.push(Leftover::Image(name));
    }
    for volume in volumes.into_iter().filter(|it| is_ownerless(&it.labels)) {
        let mark = store::whole_mark(&volume.name);
        if engine.volume_labels(&mark).await?.is_none() {
            left.push(Leftover::Volume(volume.name));
        }
    }
    Ok(left)
}

/// Removes what is left until nothing is, and tells what it was.
///
/// # Errors
/// When the engine cannot remove something, or something comes back again and again.
pub async fn clean(engine: &Engine, all: bool) -> Result<Vec<Leftover>, ClusterError> {
    let mut removed = BTreeSet::new();
    let mut clean_looks = 0;
    let mut trouble = None;
    for _ in 0..LOOKS_AT_MOST {
        let left = leftovers(engine, all).await?;
        if left.is_empty() {
            clean_looks += 1;
        } else {
            clean_looks = 0;
            // Another `lab` may remove the same: what is still there the next time counts.
            trouble = remove(engine, &left).await.err();
            if matches!(trouble, Some(ClusterError::Existing(_))) {
                // It was waited for already.
                break;
            }
            removed.extend(left);
        }
        if clean_looks == CLEAN_LOOKS {
            return Ok(removed.into_iter().collect());
        }
        sleep(LOOK_EVERY).await;
    }
    if let Some(trouble) = trouble {
        return Err(trouble);
    }
    let left = leftovers(engine, all).await?;
    Err(ClusterError::StillLeft {
        what: left
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", "),
    })
}

/// Containers come before the images and volumes they use. What is not there any more is
/// success. What cannot be removed does not keep the rest.
async fn remove(engine: &Engine, left: &[Leftover]) -> Result<(), ClusterError> {
    let mut trouble = Ok(());
    for leftover in left {
        let removed = match leftover {
            Leftover::Cluster(name) => down(engine, name).await,
            Leftover::Container(name) => engine.remove_container(name).await.map_err(Into::into),
            Leftover::Image(name) => engine.remove_image(name).await.map_err(Into::into),
            Leftover::Volume(name) => engine.remove_volume(name).await.map_err(Into::into),
        };
        trouble = trouble.and(removed);
    }
    trouble
}

/// Every cluster that has a lease or a thing on the engine.
fn traces<'a>(
    things: impl Iterator<Item = (&'a Labels, bool)>,
) -> Result<BTreeMap<ClusterName, Traces>, ClusterError> {
    let mut clusters: BTreeMap<ClusterName, Traces> = BTreeMap::new();
    for (labels, is_container) in things {
        let name = labels.get(label::CLUSTER).and_then(|it| it.parse().ok());
        let Some(name) = name else { continue };
        let traces = clusters.entry(name).or_default();
        traces.has_container |= is_container;
        traces.is_of_a_run |= labels.contains_key(label::RUN);
        traces.owner_lives |= labels
            .get(label::OWNER)
            .is_some_and(|owner| owner::lives(owner));
    }
    for name in Folder::all()? {
        clusters.entry(name).or_default();
    }
    Ok(clusters)
}

/// A cluster of a run goes with the run's process; one without stays until its time
/// is up or its container is gone.
fn is_left(name: &ClusterName, traces: &Traces) -> Result<bool, ClusterError> {
    let is_kept = traces.has_container && !traces.is_of_a_run;
    Ok(match Folder::of(name)?.lease() {
        Some(lease) if lease.existing.is_some() => lease.is_over(),
        Some(lease) => lease.is_over() || !(traces.has_container || lease.is_being_made()),
        // Another user's, perhaps: their leases cannot be read.
        None => !(traces.owner_lives || is_kept),
    })
}

/// Finished images carry an empty owner, which their containers inherit.
fn is_ownerless(labels: &Labels) -> bool {
    let owner = labels.get(label::OWNER);
    !labels.contains_key(label::CLUSTER)
        && owner.is_some_and(|owner| !owner.is_empty() && !owner::lives(owner))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn the_things_of_a_cluster_are_taken_together() {
        let container = labels(&[(label::CLUSTER, "things-demo"), (label::RUN, "run-1")]);
        let owner = owner::this_process();
        let volume = labels(&[(label::CLUSTER, "things-demo"), (label::OWNER, &owner)]);

        let clusters = traces([(&container, true), (&volume, false)].into_iter()).unwrap();

        let traces = &clusters[&"things-demo".parse().unwrap()];
        assert!(traces.has_container && traces.is_of_a_run && traces.owner_lives);
    }

    #[test]
    fn without_a_lease_a_kept_cluster_stays_and_a_dead_runs_goes() {
        let name = "no-lease-of-this-name".parse().unwrap();
        let kept = Traces {
            has_container: true,
            ..Traces::default()
        };
        let dead = Traces {
            is_of_a_run: true,
            ..kept
        };
        assert!(!is_left(&name, &kept).unwrap());
        assert!(is_left(&name, &dead).unwrap());
        assert!(is_left(&name, &Traces::default()).unwrap(), "only volumes");
    }

    #[test]
    fn a_thing_of_a_living_process_is_not_left() {
        let living = labels(&[(label::OWNER, &owner::this_process())]);
        let dead = labels(&[(label::OWNER, "1:1:another-boot")]);
        let of_an_image = labels(&[(label::OWNER, "")]);
        assert!(!is_ownerless(&living));
        assert!(is_ownerless(&dead));
        assert!(!is_ownerless(&of_an_image));
    }
}
