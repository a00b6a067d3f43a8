//! This very program as a tar, for the node to run.

use std::{fs::File, io};

use bytes::{Bytes, BytesMut};
use futures::stream;
use lab_engine::{ByteStream, Engine};
use tokio::io::AsyncReadExt;

use crate::ClusterError;

/// Where the node image expects the program.
pub(super) const FOLDER: &str = "/usr/local/bin";
const NAME: &str = "lab";
const PIECE: usize = 1 << 20;
/// A tar is padded to whole blocks and ends with two empty ones.
pub(super) const BLOCK: u64 = 512;

/// Puts the running program into a folder that a container has, as `lab`.
pub(super) async fn put(
    engine: &Engine,
    container: &str,
    folder: &str,
) -> Result<(), ClusterError> {
    let program = own_program().map_err(ClusterError::OwnProgram)?;
    engine.upload(container, folder, program).await?;
    Ok(())
}

/// The running program, packed. It is a static program, so any image can run it.
pub(super) fn own_program() -> io::Result<ByteStream> {
    // The link of this process, not its path: the file may have been replaced.
    let file = File::open("/proc/self/exe")?;
    let length = file.metadata()?.len();
    let mut header = tar::Header::new_gnu();
    header.set_path(NAME)?;
    header.set_size(length);
    header.set_mode(0o755);
    header.set_mtime(0);
    header.set_cksum();
    let head = Bytes::copy_from_slice(header.as_bytes());
    let padding =
        usize::try_from((BLOCK - length % BLOCK) % BLOCK + 2 * BLOCK).map_err(io::Error::other)?;
    let body = stream::try_unfold(
        Some(tokio::fs::File::from_std(file)),
        move |open| async move {
            let Some(mut file) = open else {
                return Ok(None);
            };
            let mut piece = BytesMut::with_capacity(PIECE);
            if file.read_buf(&mut piece).await? == 0 {
                return Ok(Some((Bytes::from(vec![0; padding]), None)));
            }
            Ok(Some((piece.freeze(), Some(file))))
        },
    );
    Ok(Box::pin(futures::StreamExt::chain(
        stream::once(async move { Ok(head) }),
        body,
    )))
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;

    #[tokio::test]
    async fn the_tar_holds_this_program() {
        let pieces: Vec<Bytes> = own_program().unwrap().try_collect().await.unwrap();
        let whole = pieces.concat();

        let mut archive = tar::Archive::new(whole.as_slice());
        let mut entries = archive.entries().unwrap();
        let entry = entries.next().unwrap().unwrap();

        assert_eq!(entry.path().unwrap().to_str(), Some("lab"));
        assert_eq!(
            entry.size(),
            std::fs::metadata("/proc/self/exe").unwrap().len()
        );
        assert!(entries.next().is_none());
        assert_eq!(whole.len() % 512, 0);
    }
}
