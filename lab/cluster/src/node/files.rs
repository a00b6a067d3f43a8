//! Small files, to and from a node.

use std::io::{self, Read};

use bytes::Bytes;
use futures::{TryStreamExt, stream};
use lab_engine::{ByteStream, Engine};

/// Reads one file of a container.
pub(super) async fn read(engine: &Engine, container: &str, path: &str) -> io::Result<String> {
    let tar: Vec<Bytes> = engine.download(container, path).try_collect().await?;
    let tar = tar.concat();
    let mut archive = tar::Archive::new(tar.as_slice());
    let mut entry = archive
        .entries()?
        .next()
        .ok_or_else(|| io::Error::other("the node gave an empty archive"))??;
    let mut text = String::new();
    entry.read_to_string(&mut text)?;
    Ok(text)
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
