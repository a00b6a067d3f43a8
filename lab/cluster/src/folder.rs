//! Where leases lie: one folder a cluster below the state folder, changed under a lock.

use std::{
    env, fs, io,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use lab_engine::owner;
use lab_model::{name::ClusterName, provider::Provider};

use crate::{ClusterError, Lease};

/// The folder of one cluster below the state folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder of that cluster; it need not be there.
    pub(crate) fn of(name: &ClusterName) -> Result<Self, ClusterError> {
        Ok(Self {
            path: clusters()?.join(name.as_str()),
        })
    }

    /// Every cluster that has a folder.
    pub(crate) fn all() -> Result<Vec<ClusterName>, ClusterError> {
        let folder = clusters()?;
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(state_error(&folder)(error)),
        };
        let mut names: Vec<ClusterName> = entries
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Where the administrator's kubeconfig lies.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.path.join("kubeconfig")
    }

    /// The lease, if there is a readable one.
    pub(crate) fn lease(&self) -> Option<Lease> {
        let text = fs::read_to_string(self.lease_path()).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// What made the cluster. Where there is no lease, only labels of containers tell
    /// of it, and those are the default provider's.
    pub(crate) fn provider(&self) -> Provider {
        self.lease().map(|lease| lease.provider).unwrap_or_default()
    }

    /// Writes the lease of a cluster that is to be made, unless another stands: then
    /// that one is the answer.
    pub(crate) fn claim(&self, lease: &Lease) -> Result<Option<Lease>, ClusterError> {
        let _lock = lock()?;
        let standing = self.lease();
        if standing.is_none() {
            self.write_lease(lease)?;
        }
        Ok(standing)
    }

    /// Adds a user to a finished cluster's lease. False where there is none to join.
    pub(crate) fn join(&self, user: Option<&str>) -> Result<bool, ClusterError> {
        self.change(|lease| {
            let can_join = lease.version.is_some() && !lease.is_over();
            if can_join {
                lease.users.retain(|user| owner::lives(user));
                lease.users.extend(user.map(str::to_owned));
                lease.renew();
            }
            can_join
        })
    }

    /// Counts the time to live anew, from the end of the last use.
    pub(crate) fn renew(&self) -> Result<(), ClusterError> {
        self.change(|lease| {
            lease.users.clear();
            lease.renew();
            true
        })?;
        Ok(())
    }

    /// Waits until no other process works on the cluster's releases; holds until dropped.
    pub(crate) fn releases(&self) -> Result<fs::File, ClusterError> {
        let path = self.path.join("releases.lock");
        fs::File::create(&path)
            .and_then(|file| file.lock().map(|()| file))
            .map_err(state_error(&path))
    }

    /// Changes the lease, if there is one and `change` says so.
    pub(crate) fn change(
        &self,
        change: impl FnOnce(&mut Lease) -> bool,
    ) -> Result<bool, ClusterError> {
        let _lock = lock()?;
        let Some(mut lease) = self.lease() else {
            return Ok(false);
        };
        let changed = change(&mut lease);
        if changed {
            self.write_lease(&lease)?;
        }
        Ok(changed)
    }

    /// Keeps the lease.
    pub(crate) fn write_lease(&self, lease: &Lease) -> Result<(), ClusterError> {
        let path = self.lease_path();
        let text = serde_json::to_string_pretty(lease)
            .map_err(|error| state_error(&path)(error.into()))?;
        self.write(&path, &text)
    }

    /// Keeps the kubeconfig, readable by its owner alone.
    pub(crate) fn write_kubeconfig(&self, text: &str) -> Result<(), ClusterError> {
        self.write(&self.kubeconfig(), text)
    }

    /// Keeps what kind is told to make, and tells where.
    pub(crate) fn write_kind_config(&self, text: &str) -> Result<PathBuf, ClusterError> {
        let path = self.path.join("kind.yaml");
        self.write(&path, text)?;
        Ok(path)
    }

    /// Keeps what admits nodes, readable by its owner alone.
    pub(crate) fn write_token(&self, token: &str) -> Result<(), ClusterError> {
        self.write(&self.path.join("token"), token)
    }

    /// Forgets the cluster whose lease was `of`, but not one that was claimed since.
    /// A folder that is not there is success.
    pub(crate) fn remove(&self, of: Option<&Lease>) -> Result<(), ClusterError> {
        let _lock = lock()?;
        let owner = |lease: &Lease| lease.owner.clone();
        if self
            .lease()
            .is_some_and(|now| of.map(owner) != Some(now.owner))
        {
            return Ok(());
        }
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(state_error(&self.path)(error))
            }
            _ => Ok(()),
        }
    }

    fn lease_path(&self) -> PathBuf {
        self.path.join("lease.json")
    }

    /// Readers never see half a file.
    fn write(&self, path: &Path, text: &str) -> Result<(), ClusterError> {
        let unfinished = path.with_extension("new");
        let write = || {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&self.path)?;
            fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&unfinished)?
                .write_all(text.as_bytes())?;
            fs::rename(&unfinished, path)
        };
        write().map_err(state_error(path))
    }
}

/// Keeps processes from deciding about the same cluster at the same time. Held for
/// moments; the kernel takes it back from a process that dies.
fn lock() -> Result<fs::File, ClusterError> {
    let folder = clusters()?;
    let path = folder.join(".lock");
    let lock = || {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        let file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)?;
        file.lock()?;
        Ok(file)
    };
    lock().map_err(state_error(&path))
}

fn clusters() -> Result<PathBuf, ClusterError> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    let state = set("XDG_STATE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(set("HOME")?).join(".local/state")));
    let state = state.ok_or_else(|| ClusterError::State {
        path: "~/.local/state/lab".to_owned(),
        source: io::Error::other("neither XDG_STATE_HOME nor HOME is set"),
    })?;
    Ok(state.join("lab/clusters"))
}

fn state_error(path: &Path) -> impl FnOnce(io::Error) -> ClusterError {
    let path = path.display().to_string();
    move |source| ClusterError::State { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lease::tests::{kept, lease};

    #[test]
    fn a_lease_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Folder {
            path: folder.path().join("demo"),
        };

        folder.write_lease(&lease()).unwrap();

        assert_eq!(folder.lease(), Some(lease()));
        folder.remove(Some(&lease())).unwrap();
        folder.remove(None).unwrap();
        assert_eq!(folder.lease(), None);
    }

    #[test]
    fn the_second_claim_on_a_name_meets_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Folder {
            path: folder.path().join("demo"),
        };
        let another = Lease {
            owner: "2:2:boot".to_owned(),
            ..lease()
        };

        assert_eq!(folder.claim(&lease()).unwrap(), None);
        assert_eq!(folder.claim(&another).unwrap(), Some(lease()));
        // Who was late does not take the first one's lease away.
        folder.remove(Some(&another)).unwrap();
        assert_eq!(folder.lease(), Some(lease()));
    }

    #[test]
    fn a_kubeconfig_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let folder = Folder {
            path: folder.path().join("demo"),
        };

        folder.write_kubeconfig("{}").unwrap();

        let mode = fs::metadata(folder.kubeconfig())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn only_a_finished_cluster_can_be_joined() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Folder {
            path: folder.path().join("demo"),
        };
        let user = owner::this_process();
        assert!(!folder.join(Some(&user)).unwrap(), "there is none");
        folder.write_lease(&lease()).unwrap();
        assert!(!folder.join(Some(&user)).unwrap(), "it is half made");
        folder.write_lease(&kept()).unwrap();
        assert!(folder.join(Some(&user)).unwrap());
        assert_eq!(folder.lease().unwrap().users, [user]);
    }
}
