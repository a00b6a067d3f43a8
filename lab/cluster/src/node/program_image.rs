//! An image of this very program, made as it is sent: pods of it need no registry, no
//! recipe and nothing built.

use std::{collections::BTreeSet, env, io};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use lab_engine::{ByteStream, Engine};
use lab_model::event::Emitter;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{
    binary::{self, BLOCK},
    load::{load_images, loaded_images},
};
use crate::{Cluster, ClusterError};

/// The program within the image.
const PROGRAM: &str = "/lab";

/// Sees that every node has an image of the running program, which is its entry point;
/// returns how pods name it. A node that has it is not sent it again.
///
/// # Errors
/// When the program cannot be read, the engine breaks off or a node does not take it.
pub async fn load_own_program(
    engine: &Engine,
    cluster: &Cluster,
    emitter: &dyn Emitter,
) -> Result<String, ClusterError> {
    let layer = Layer::read().await.map_err(ClusterError::OwnProgram)?;
    let reference = layer.reference();
    let there: BTreeSet<String> = loaded_images(engine, cluster).await?;
    if !there.contains(&reference) {
        let image = layer.image().map_err(ClusterError::OwnProgram)?;
        load_images(engine, cluster, image, emitter).await?;
    }
    Ok(reference)
}

/// The image's only layer, known but not held.
struct Layer {
    sha256: String,
    length: u64,
}

impl Layer {
    async fn read() -> io::Result<Self> {
        let start = (Sha256::new(), 0);
        let (hash, length) = binary::own_program()?
            .try_fold(start, |(mut hash, length), piece| async move {
                hash.update(&piece);
                Ok((hash, length + piece.len() as u64))
            })
            .await?;
        Ok(Self {
            sha256: hex::encode(hash.finalize()),
            length,
        })
    }

    /// Named by its content: another `lab` is another image.
    fn reference(&self) -> String {
        format!("docker.io/lab/program:{}", &self.sha256[..12])
    }

    /// What `docker save` would write of it.
    fn image(&self) -> io::Result<ByteStream> {
        let config = json!({
            "architecture": architecture(),
            "os": "linux",
            "config": {"Entrypoint": [PROGRAM]},
            "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", self.sha256)]},
        });
        let manifest = json!([{
            "Config": "config.json",
            "RepoTags": [self.reference()],
            "Layers": ["layer.tar"],
        }]);
        let mut before = tar::Builder::new(Vec::new());
        for (name, text) in [("config.json", config), ("manifest.json", manifest)] {
            let text = text.to_string();
            before.append(&header(name, text.len() as u64)?, text.as_bytes())?;
        }
        // Not finished: what follows is in the same archive.
        let mut before = before.get_ref().clone();
        before.extend_from_slice(header("layer.tar", self.length)?.as_bytes());
        let padding = usize::try_from((BLOCK - self.length % BLOCK) % BLOCK + 2 * BLOCK)
            .map_err(io::Error::other)?;
        let piece = |bytes: Vec<u8>| stream::once(async move { Ok(Bytes::from(bytes)) });
        Ok(Box::pin(
            piece(before)
                .chain(binary::own_program()?)
                .chain(piece(vec![0; padding])),
        ))
    }
}

fn header(name: &str, length: u64) -> io::Result<tar::Header> {
    let mut header = tar::Header::new_gnu();
    header.set_path(name)?;
    header.set_size(length);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_cksum();
    Ok(header)
}

/// This program's machine, as images call it.
const fn architecture() -> &'static str {
    match env::consts::ARCH.as_bytes() {
        b"x86_64" => "amd64",
        b"aarch64" => "arm64",
        _ => env::consts::ARCH,
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, io::Read};

    use super::*;

    #[tokio::test]
    async fn the_image_is_one_layer_with_this_program() {
        let layer = Layer::read().await.unwrap();
        let pieces: Vec<Bytes> = layer.image().unwrap().try_collect().await.unwrap();
        let whole = pieces.concat();

        let mut files = BTreeMap::new();
        for entry in tar::Archive::new(whole.as_slice()).entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().display().to_string();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            files.insert(name, content);
        }
        let config: serde_json::Value = serde_json::from_slice(&files["config.json"]).unwrap();
        let manifest: serde_json::Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
        let digest = format!(
            "sha256:{}",
            hex::encode(Sha256::digest(&files["layer.tar"]))
        );
        assert_eq!(config["rootfs"]["diff_ids"][0], digest.as_str());
        assert_eq!(manifest[0]["RepoTags"][0], layer.reference().as_str());
        let mut inner = tar::Archive::new(files["layer.tar"].as_slice());
        let mut entries = inner.entries().unwrap();
        let program = entries.next().unwrap().unwrap();
        assert_eq!(program.path().unwrap().to_str(), Some("lab"));
        assert_eq!(program.header().mode().unwrap(), 0o755);
        assert_eq!(whole.len() % 512, 0);
    }
}
