//! An image whose build takes seconds, so that a kill meets every step of it.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use lab_engine::Engine;
use libtest_mimic::Failed;
use tokio::runtime::Runtime;

use super::place::{Place, checkout};

pub(crate) const RECIPE: &str = "killed";
/// Its parent, which is there, so that no package index is asked.
pub(crate) const PARENT: &str = "python";
/// Long enough to be met, and large enough for the image to take a moment to write.
const SCRIPT: &str = "for part in 1 2 3 4; do
  head -c 48M /dev/urandom > /opt/$part
  sleep 1
done
";

/// A checkout with one more recipe.
pub(crate) struct Recipe {
    images: PathBuf,
}

impl Recipe {
    /// Gives the place images of its own: copies, as a link is another content.
    pub(crate) fn add_to(place: &Place) -> io::Result<Self> {
        let fixtures = place.root().join("fixtures");
        fs::remove_file(&fixtures)?;
        copy(&checkout().join("fixtures"), &fixtures)?;
        let images = fixtures.join("images");
        fs::create_dir(images.join(RECIPE))?;
        Ok(Self { images })
    }

    /// Makes it another image than before, so that it is built once more.
    pub(crate) fn renew(&self, number: usize) -> io::Result<()> {
        let folder = self.images.join(RECIPE);
        let recipe = format!("# {number}\nfrom = \"{PARENT}\"\n");
        fs::write(folder.join("recipe.toml"), recipe)?;
        fs::write(folder.join("build.sh"), SCRIPT)
    }
}

/// Removes the images of builds that were quicker than the kill.
pub(crate) fn remove_finished() -> Result<(), Failed> {
    Runtime::new()?.block_on(async {
        let engine = Engine::connect().await?;
        for image in engine.list_images(&format!("lab/{RECIPE}")).await? {
            engine.remove_image(&image.id).await?;
        }
        Ok(())
    })
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy(&entry.path(), &target)?;
        } else if kind.is_symlink() {
            symlink(fs::read_link(entry.path())?, target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
