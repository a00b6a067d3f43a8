//! The written claim on everything a cluster owns outside the process. It is
//! written before the first thing is made and removed after the last.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lab_engine::owner;
use lab_model::{
    fault::Fault,
    name::{ClusterName, RunId},
    provider::Provider,
};
use serde::{Deserialize, Serialize};

use crate::ClusterSpec;

/// Everything a cluster owns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The cluster.
    pub cluster: ClusterName,
    /// The provider that made it.
    pub provider: Provider,
    /// The run it belongs to.
    pub run: Option<RunId>,
    /// The process that made it: `pid:start-time:boot-id`.
    pub owner: String,
    /// The process that makes its things, where that is a program of its own, named like
    /// the owner. It may outlive the owner, and is ended before its things are removed.
    #[serde(default)]
    pub maker: Option<String>,
    /// Processes that use it, named like the owner: while one lives, it stays.
    #[serde(default)]
    pub users: Vec<String>,
    /// How long it may stay, seconds, or how long after its last use where it has users.
    #[serde(default)]
    pub ttl_seconds: Option<u64>,
    /// When its time is up, seconds since 1970.
    pub expires_unix_seconds: Option<u64>,
    /// Its server's container. A node's cgroups lie below the container's and go with it.
    pub container: String,
    /// Its agents' containers.
    #[serde(default)]
    pub agents: Vec<String>,
    /// Its volumes.
    pub volumes: Vec<String>,
    /// Its network.
    pub network: String,
    /// Kubernetes version, once it answered.
    pub version: Option<String>,
    /// What it has on a cluster that lab did not make; then it has no containers.
    #[serde(default)]
    pub existing: Option<OnExisting>,
    /// Faults that are in it on purpose, and not yet undone.
    #[serde(default)]
    pub faults: Vec<Injected>,
}

/// What a cluster has on one that lab did not make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnExisting {
    /// The context that leads there.
    pub context: String,
    /// Its API server.
    pub server: String,
    /// Namespaces of our own; what stands beside them carries the same labels.
    pub namespaces: Vec<String>,
    /// Where its nodes pull our images from.
    pub registry: Option<String>,
}

/// A fault in a cluster, and the process that is to undo it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Injected {
    /// What was done.
    pub fault: Fault,
    /// Who did it, named like a cluster's owner.
    pub owner: String,
}

impl Lease {
    /// This process's claim on the name of a cluster, which owns nothing yet.
    pub(crate) fn of(spec: &ClusterSpec) -> Self {
        Self {
            cluster: spec.name.clone(),
            provider: spec.provider,
            run: spec.run.clone(),
            owner: owner::this_process(),
            maker: None,
            users: spec.user.iter().cloned().collect(),
            ttl_seconds: spec.ttl.map(|ttl| ttl.as_secs()),
            expires_unix_seconds: None,
            container: String::new(),
            agents: Vec::new(),
            volumes: Vec::new(),
            network: String::new(),
            version: None,
            existing: None,
            faults: Vec::new(),
        }
    }

    /// Whether nobody answers for it any more: its time is up, its run is over, or
    /// whoever made it died half-way.
    pub(crate) fn is_over(&self) -> bool {
        let needs_owner = self.run.is_some() || self.version.is_none();
        if needs_owner && !owner::lives(&self.owner) {
            return true;
        }
        let was_used = !self.users.is_empty() && self.expires_unix_seconds.is_none();
        !self.is_used() && (was_used || self.is_expired())
    }

    /// Whether a process uses it.
    pub(crate) fn is_used(&self) -> bool {
        self.users.iter().any(|user| owner::lives(user))
    }

    /// Whether the cluster is made right now.
    pub(crate) fn is_being_made(&self) -> bool {
        self.version.is_none() && owner::lives(&self.owner)
    }

    /// Whether its time is up.
    pub(crate) fn is_expired(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |since| since.as_secs());
        self.expires_unix_seconds.is_some_and(|end| end <= now)
    }

    /// Counts the time to live from now.
    pub(crate) fn renew(&mut self) {
        let end = |seconds| SystemTime::now().checked_add(Duration::from_secs(seconds));
        let end = self.ttl_seconds.and_then(end);
        let since = end.and_then(|end| end.duration_since(UNIX_EPOCH).ok());
        self.expires_unix_seconds = since.map(|since| since.as_secs());
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn lease() -> Lease {
        Lease {
            cluster: "demo".parse().unwrap(),
            provider: Provider::Node,
            run: None,
            owner: "1:2:boot".to_owned(),
            maker: None,
            users: Vec::new(),
            ttl_seconds: None,
            expires_unix_seconds: None,
            container: "lab-demo".to_owned(),
            agents: vec!["lab-demo.agent-1".to_owned()],
            volumes: vec!["lab-demo-etcd".to_owned()],
            network: "lab-demo".to_owned(),
            version: None,
            existing: None,
            faults: Vec::new(),
        }
    }

    pub(crate) fn kept() -> Lease {
        Lease {
            version: Some("v1.20.2".to_owned()),
            ..lease()
        }
    }

    #[test]
    fn a_dead_owner_ends_what_needs_one() {
        let dead = "1:1:another-boot".to_owned();
        let half_made = Lease {
            owner: dead.clone(),
            ..lease()
        };
        assert!(half_made.is_over());
        let kept = Lease {
            version: Some("v1.20.2".to_owned()),
            ..half_made
        };
        assert!(!kept.is_over(), "`lab up` ends, its cluster stays");
        let of_a_run = Lease {
            run: Some("run-1".parse().unwrap()),
            ..kept
        };
        assert!(of_a_run.is_over());
        let living = Lease {
            owner: owner::this_process(),
            ..of_a_run
        };
        assert!(!living.is_over());
    }

    #[test]
    fn a_lease_ends_when_its_time_is_up() {
        let mut lease = kept();
        assert!(!lease.is_over());
        lease.expires_unix_seconds = Some(1);
        assert!(lease.is_over());
        lease.ttl_seconds = Some(60);
        lease.renew();
        assert!(!lease.is_over());
    }

    #[test]
    fn a_used_cluster_stays_and_goes_after_its_last_user() {
        let mut lease = kept();
        lease.users = vec!["1:1:another-boot".to_owned(), owner::this_process()];
        lease.expires_unix_seconds = Some(1);
        assert!(!lease.is_over(), "this process uses it");
        lease.users.pop();
        assert!(lease.is_over());
        lease.ttl_seconds = Some(60);
        lease.renew();
        assert!(!lease.is_over(), "it stays a while for the next user");
    }
}
