//! Takes a program out of an artifact, for use on this machine.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use futures::TryStreamExt;
use lab_engine::ContainerSpec;

use crate::{error::ImageError, images::Images, steps};

impl Images {
    /// The path of an artifact's file on this machine; the file is taken out of the
    /// engine once and kept in the user's cache, in a folder named by its content.
    ///
    /// # Errors
    /// When the artifact is not built or the file cannot be written.
    pub async fn artifact_file(&self, name: &str, file: &str) -> Result<PathBuf, ImageError> {
        let reference = self.reference(name)?;
        let folder = cache_folder().join(reference.replace(['/', ':'], "-"));
        let path = folder.join(file);
        if path.is_file() {
            return Ok(path);
        }
        let spec = ContainerSpec {
            name: format!("lab-export-{name}-{}", std::process::id()),
            image: reference,
            ..ContainerSpec::default()
        };
        let container = self.builders().shelf(name, spec).await?;
        let from = format!("{}/{file}", steps::OUT);
        let tar: Vec<u8> = self
            .engine()
            .download(container.name(), &from)
            .try_fold(Vec::new(), |mut whole, chunk| async move {
                whole.extend_from_slice(&chunk);
                Ok(whole)
            })
            .await
            .map_err(|source| writing(&path, source))?;
        container.remove().await?;
        unpack(&tar, &folder, file).map_err(|source| writing(&path, source))?;
        Ok(path)
    }
}

/// Unpacks beside its place and moves it there, so that a half-written program is
/// never found. What a killed process left unfinished is written anew by the next, which
/// has the lock.
fn unpack(tar: &[u8], folder: &Path, file: &str) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let lock = fs::File::create(folder.join(".lock"))?;
    lock.lock()?;
    let unfinished = folder.join(format!("{file}.new"));
    for entry in tar::Archive::new(tar).entries()? {
        let mut entry = entry?;
        if entry.path()?.file_name() == Some(OsStr::new(file)) {
            entry.unpack(&unfinished)?;
        }
    }
    fs::rename(unfinished, folder.join(file))
}

fn writing(path: &Path, source: io::Error) -> ImageError {
    ImageError::Export {
        path: path.to_owned(),
        source,
    }
}

/// `$XDG_CACHE_HOME/lab`, as the XDG base directory specification says.
fn cache_folder() -> PathBuf {
    let var = |name| {
        std::env::var_os(name)
            .filter(|it| !it.is_empty())
            .map(PathBuf::from)
    };
    var("XDG_CACHE_HOME")
        .or_else(|| var("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(std::env::temp_dir)
        .join("lab")
}
