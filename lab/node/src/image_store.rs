//! Starts containerd's state from an image store: a state with loaded images that
//! other clusters use at the same time and that stays as it is.
//!
//! Blobs and unpacked layers are never written again, so links to them do; what
//! containerd writes, its data bases, is copied.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use crate::layout;

/// Folders of the store whose entries are linked.
const LINKED: [&str; 2] = [
    "io.containerd.content.v1.content/blobs/sha256",
    "io.containerd.snapshotter.v1.overlayfs/snapshots",
];

/// Seeds the node's containerd, where it was given a store and has no state yet.
pub(crate) fn seed() -> io::Result<()> {
    seed_from(
        Path::new(layout::IMAGE_STORE),
        Path::new(layout::CONTAINERD_STATE),
    )
}

fn seed_from(store: &Path, state: &Path) -> io::Result<()> {
    let fresh = !state.join("io.containerd.metadata.v1.bolt").exists();
    if !(store.is_dir() && fresh) {
        return Ok(());
    }
    let linked = LINKED.map(|folder| store.join(folder));
    take(store, state, &linked)
}

fn take(from: &Path, to: &Path, linked: &[PathBuf]) -> io::Result<()> {
    fs::create_dir_all(to)?;
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if linked.iter().any(|folder| folder == from) {
            symlink(&source, &target)?;
        } else if entry.file_type()?.is_dir() {
            take(&source, &target, linked)?;
        } else if entry.file_type()?.is_file() {
            fs::copy(&source, &target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_linked_and_data_bases_are_copied() {
        let folder = tempfile::tempdir().unwrap();
        let (store, state) = (folder.path().join("store"), folder.path().join("state"));
        let layer = "io.containerd.snapshotter.v1.overlayfs/snapshots/1";
        let base = "io.containerd.metadata.v1.bolt/meta.db";
        fs::create_dir_all(store.join(layer).join("fs")).unwrap();
        fs::create_dir_all(store.join("io.containerd.metadata.v1.bolt")).unwrap();
        fs::write(store.join(base), "images").unwrap();

        seed_from(&store, &state).unwrap();

        assert_eq!(fs::read_link(state.join(layer)).unwrap(), store.join(layer));
        assert!(!state.join(base).is_symlink());
        assert_eq!(fs::read_to_string(state.join(base)).unwrap(), "images");
    }

    #[test]
    fn a_state_that_is_there_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (store, state) = (folder.path().join("store"), folder.path().join("state"));
        fs::create_dir_all(store.join("new")).unwrap();
        fs::create_dir_all(state.join("io.containerd.metadata.v1.bolt")).unwrap();

        seed_from(&store, &state).unwrap();

        assert!(!state.join("new").exists());
    }
}
