//! Small files, to and from a node.

use std::{
    io::{self, Read},
    path::Path,
};

use bytes::Bytes;
use futures::{TryStreamExt, stream};
use lab_engine::{ByteStream, Engine};

/// How often a link may point to another one.
const LINKS_AT_MOST: usize = 4;

/// What lies at a path.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Text(String),
    Link(String),
}

/// Reads one file of a container; the engine itself does not follow links.
pub(super) async fn read(engine: &Engine, container: &str, path: &str) -> io::Result<String> {
    let mut path = path.to_owned();
    for _ in 0..=LINKS_AT_MOST {
        let tar: Vec<Bytes> = engine.download(container, &path).try_collect().await?;
        match first(&tar.concat(), &path)? {
            Found::Text(text) => return Ok(text),
            Found::Link(target) => path = target,
        }
    }
    Err(io::Error::other("the node has links in a circle"))
}

/// What the archive begins with, which was asked for by that path.
fn first(tar: &[u8], path: &str) -> io::Result<Found> {
    let mut archive = tar::Archive::new(tar);
    let mut entry = archive
        .entries()?
        .next()
        .ok_or_else(|| io::Error::other("the node gave an empty archive"))??;
    if let Some(target) = entry.link_name()? {
        let folder = Path::new(path).parent().unwrap_or(Path::new("/"));
        return Ok(Found::Link(folder.join(target).display().to_string()));
    }
    let mut text = String::new();
    entry.read_to_string(&mut text)?;
    Ok(Found::Text(text))
}

/// A file that root alone may read, packed for a node.
pub(super) fn private(name: &str, text: &str) -> io::Result<ByteStream> {
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o600);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_data(&mut header, name, text.as_bytes())?;
    let tar = archive.into_inner()?;
    Ok(Box::pin(stream::once(async move { Ok(Bytes::from(tar)) })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(target: &str) -> Vec<u8> {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        let mut archive = tar::Builder::new(Vec::new());
        archive.append_link(&mut header, "token", target).unwrap();
        archive.into_inner().unwrap()
    }

    #[test]
    fn a_link_leads_on_from_its_own_folder() {
        let there = Found::Link("/a/b/other".to_owned());
        assert_eq!(first(&link("other"), "/a/b/token").unwrap(), there);
        assert_eq!(first(&link("/a/b/other"), "/c/token").unwrap(), there);
    }

    #[tokio::test]
    async fn a_private_file_is_roots_alone() {
        let tar: Vec<Bytes> = private("token", "secret")
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        let tar = tar.concat();

        let mut archive = tar::Archive::new(tar.as_slice());
        let entry = archive.entries().unwrap().next().unwrap().unwrap();

        assert_eq!(entry.path().unwrap().to_str(), Some("token"));
        assert_eq!(entry.header().mode().unwrap(), 0o600);
        assert_eq!(entry.header().uid().unwrap(), 0);
    }
}
