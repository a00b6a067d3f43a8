//! From a mirror to a base image on the engine.

use std::io;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use lab_engine::{ByteStream, ContainerSpec, Engine, ExecSpec, Labels, owner};
use lab_model::{
    name::label,
    progress::{Doing, Step},
};
use lzma_rust2::XzReader;
use tokio::{sync::mpsc, task};

use super::{
    BaseError, SUITE,
    index::{Index, Package},
    release::Release,
    resolve,
    root::{self, DEBS, Deb},
};
use crate::{
    builder::{Builder, Builders},
    error::ImageError,
    fetch::Fetcher,
    progress::Task,
    site::Site,
};

/// Configures the packages, then leaves only what a running system needs.
const SECOND_STAGE: &str = include_str!("second-stage.sh");
const DOWNLOADS_AT_ONCE: usize = 6;
/// Chunks of the root file system on their way to the engine.
const CHUNKS_WAITING: usize = 8;
const CHUNK_BYTES: usize = 256 * 1024;

/// What a bootstrap works with.
pub(crate) struct Bootstrap<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) builders: &'a Builders,
    pub(crate) site: &'a Site,
    pub(crate) fetcher: &'a Fetcher,
    pub(crate) task: &'a Task<'a>,
}

/// Makes the base image and gives it the reference `tag`; returns its id.
pub(crate) async fn bootstrap(work: &Bootstrap<'_>, tag: &str) -> Result<String, ImageError> {
    let index = package_index(work).await?;
    let packages = resolve::minimal(&index)?;
    let debs = download(work, &packages).await?;
    work.task.now(Step::UnpackPackages);
    let stage = format!("{tag}-unpacked");
    // Its owner tells a base in the making from what a dead process left of one.
    let labels = Labels::from([(label::OWNER.to_owned(), owner::this_process())]);
    let import = work.engine.import_image(root_stream(debs), &stage, &labels);
    import
        .await
        .map_err(|source| ImageError::engine("debian", source))?;
    let id = configure(work, &stage, tag).await;
    let removed = work.engine.remove_image(&stage).await;
    let id = id?;
    removed.map_err(|source| ImageError::engine("debian", source))?;
    Ok(id)
}

async fn package_index(work: &Bootstrap<'_>) -> Result<Index, ImageError> {
    work.task.now(Step::ReadIndex);
    let architecture = work.site.debian_architecture()?;
    let suite = format!("{}/dists/{SUITE}", work.site.debian_mirror);
    let release_url = format!("{suite}/InRelease");
    let signed = work.fetcher.fetch(&release_url).await?;
    let release = Release::verified(&String::from_utf8_lossy(&signed), &release_url)?;
    let path = format!("main/binary-{architecture}/Packages.xz");
    let known = release.file(&path).ok_or_else(|| BaseError::Format {
        file: release_url,
        message: format!("it does not list `{path}`"),
    })?;
    let url = format!("{suite}/{path}");
    let packed = work.fetcher.checked(&url, &known.sha256).await?;
    let parsed = task::spawn_blocking(move || {
        let text = io::read_to_string(XzReader::new(packed.as_ref(), true)).map_err(|error| {
            BaseError::Format {
                file: url.clone(),
                message: error.to_string(),
            }
        })?;
        Index::parse(&text, &url)
    });
    Ok(joined(parsed.await)??)
}

async fn download(work: &Bootstrap<'_>, packages: &[&Package]) -> Result<Vec<Deb>, ImageError> {
    let whole: u64 = packages.iter().map(|package| package.checked.bytes).sum();
    let count = packages.len();
    let mut done = 0;
    let mut debs = Vec::with_capacity(count);
    let mut downloads = stream::iter(packages.iter().map(|package| fetch_deb(work, package)))
        .buffered(DOWNLOADS_AT_ONCE);
    while let Some(deb) = downloads.try_next().await? {
        done += deb.bytes.len() as u64;
        debs.push(deb);
        work.task.now(Doing::Download {
            packages: debs.len(),
            of_packages: count,
            megabytes: done / 1_000_000,
            of_megabytes: whole / 1_000_000,
        });
    }
    Ok(debs)
}

async fn fetch_deb(work: &Bootstrap<'_>, package: &Package) -> Result<Deb, ImageError> {
    let url = format!("{}/{}", work.site.debian_mirror, package.filename);
    let bytes = work.fetcher.checked(&url, &package.checked.sha256).await?;
    let name = package.filename.rsplit('/').next();
    Ok(Deb {
        file: name.unwrap_or(&package.name).to_owned(),
        bytes,
    })
}

/// The tar of the unpacked packages, made while it is sent.
fn root_stream(debs: Vec<Deb>) -> ByteStream {
    let (sender, mut receiver) = mpsc::channel(CHUNKS_WAITING);
    // Ends by itself when nobody receives any more.
    let writer = task::spawn_blocking(move || {
        let out = io::BufWriter::with_capacity(CHUNK_BYTES, ChannelWriter { sender });
        root::write(&debs, out)
    });
    let chunks = stream::poll_fn(move |ctx| receiver.poll_recv(ctx)).map(Ok);
    let end = stream::once(async move {
        match writer.await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(Err(io::Error::other(error))),
            Err(error) => Some(Err(io::Error::other(error))),
        }
    });
    Box::pin(chunks.chain(end.filter_map(std::future::ready)))
}

struct ChannelWriter {
    sender: mpsc::Sender<Bytes>,
}

impl io::Write for ChannelWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sender
            .blocking_send(Bytes::copy_from_slice(bytes))
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn configure(work: &Bootstrap<'_>, stage: &str, tag: &str) -> Result<String, ImageError> {
    let spec = ContainerSpec {
        image: stage.to_owned(),
        cmd: vec!["sleep".to_owned(), "infinity".to_owned()],
        ..Default::default()
    };
    let engine = |source| ImageError::engine("debian", source);
    let builder: Builder = work.builders.start("debian", tag, spec).await?;
    let command =
        ExecSpec::new(["/bin/sh", "-eu", "-c", SECOND_STAGE]).with_env("DEBS", format!("/{DEBS}"));
    builder
        .step(Step::ConfigurePackages, command, work.task)
        .await?;
    work.task.now(Step::WriteImage);
    let whole = work.engine.export_container(builder.name());
    let id = work
        .engine
        .import_image(whole, tag, &Labels::new())
        .await
        .map_err(engine)?;
    builder.remove().await?;
    Ok(id)
}

fn joined<T>(result: Result<T, task::JoinError>) -> Result<T, ImageError> {
    result.map_err(|source| ImageError::Task { source })
}
