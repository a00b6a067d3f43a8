//! Tags by content: what a recipe says and stands on decides the image's name.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::{base, error::ImageError, recipe::Recipe, recipes::BASE};

/// Raise it when the same recipe is carried out differently.
const REVISION: &str = "recipe-1";
const TAG_CHARS: usize = 12;

/// The reference of the base image.
pub(crate) fn base_reference() -> String {
    let mut hash = Sha256::new();
    hash.update(base::REVISION);
    reference_of(BASE, hash)
}

/// The reference of a recipe's image, given those of what it needs.
pub(crate) fn reference(recipe: &Recipe, needs: &[&str]) -> Result<String, ImageError> {
    let mut hash = Sha256::new();
    field(&mut hash, REVISION.as_bytes());
    for need in needs {
        field(&mut hash, need.as_bytes());
    }
    for path in files(&recipe.folder)? {
        let doing = || format!("read `{}`", path.display());
        let failed = |source| ImageError::Io {
            doing: doing(),
            source,
        };
        let relative = path.strip_prefix(&recipe.folder).unwrap_or(&path);
        field(&mut hash, relative.as_os_str().as_encoded_bytes());
        let metadata = fs::symlink_metadata(&path).map_err(failed)?;
        let content = if metadata.is_symlink() {
            let target = fs::read_link(&path).map_err(failed)?;
            target.into_os_string().into_encoded_bytes()
        } else {
            fs::read(&path).map_err(failed)?
        };
        let executable = metadata.permissions().mode() & 0o100 != 0;
        field(&mut hash, &[u8::from(executable)]);
        field(&mut hash, &content);
    }
    Ok(reference_of(&recipe.name, hash))
}

/// Every file below a folder, in a fixed order.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>, ImageError> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let failed = |source| ImageError::Io {
            doing: format!("read the folder `{}`", folder.display()),
            source,
        };
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_type().map_err(failed)?.is_dir() {
                open.push(entry.path());
            } else {
                files.push(entry.path());
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}

fn field(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
}

fn reference_of(name: &str, hash: Sha256) -> String {
    let digest = hex::encode(hash.finalize());
    format!("lab/{name}:{}", &digest[..TAG_CHARS])
}
