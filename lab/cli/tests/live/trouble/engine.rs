//! A Docker engine of the test's own, in its namespaces.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Child, Command},
    time::Duration,
};

use bollard::{
    API_DEFAULT_VERSION, Docker,
    query_parameters::{
        ImportImageOptions, ListContainersOptions, ListNetworksOptions, ListVolumesOptions,
    },
};
use futures::{StreamExt, TryStreamExt};
use libtest_mimic::Failed;
use rustix::{
    fs::statvfs,
    process::{Pid, Signal, kill_process},
};
use tokio::runtime::Runtime;

use super::keeper;
use crate::{
    place::{ended, until},
    ready,
};

/// The disk at first: large enough for everything. It is in memory, and takes only what
/// is on it.
const DISK: &str = "size=8g";
/// Lines of its log that are shown when it does not start.
const LOG_LINES: usize = 20;
const ANSWER_WITHIN: Duration = Duration::from_mins(5);

/// An engine, its disk and its process.
pub(crate) struct PrivateEngine {
    folder: PathBuf,
    runtime: Runtime,
    docker: Docker,
    process: Child,
}

impl PrivateEngine {
    /// Starts one in this folder with the images that the tests need.
    pub(crate) fn start(folder: &Path) -> Result<Self, Failed> {
        // The machine's engine is still the one that is asked here.
        let images = ready(&["node", "python"])?;
        run("ip", &["link", "set", "lo", "up"])?;
        let disk = folder.join("disk");
        fs::create_dir(&disk)?;
        let path = disk.to_string_lossy().into_owned();
        run("mount", &["-t", "tmpfs", "-o", DISK, "tmpfs", &path])?;
        fs::write(folder.join("daemon.json"), "{}")?;
        let runtime = Runtime::new()?;
        let mut process = dockerd(folder)?;
        let engine = Self {
            docker: connect(folder, &mut process, &runtime)?,
            process,
            runtime,
            folder: folder.to_owned(),
        };
        engine.bring(&images)?;
        Ok(engine)
    }

    /// Its address, as `DOCKER_HOST` has it.
    pub(crate) fn address(&self) -> String {
        format!("unix://{}/docker.sock", self.folder.display())
    }

    /// Ends it and starts it again.
    pub(crate) fn restart(&mut self, signal: Signal) -> Result<(), Failed> {
        kill_process(Pid::from_child(&self.process), signal)?;
        ended(&mut self.process)?;
        self.process = dockerd(&self.folder)?;
        self.docker = connect(&self.folder, &mut self.process, &self.runtime)?;
        Ok(())
    }

    /// Makes its disk so small that this much is free.
    pub(crate) fn leave_free(&self, mib: u64) -> Result<(), Failed> {
        let disk = self.folder.join("disk");
        let now = statvfs(&disk)?;
        let used = (now.f_blocks - now.f_bfree) * now.f_frsize;
        let size = format!("remount,size={}", used + (mib << 20));
        run("mount", &["-o", &size, &disk.to_string_lossy()])?;
        Ok(())
    }

    /// Makes its disk as large as at first.
    pub(crate) fn enlarge(&self) -> Result<(), Failed> {
        let disk = self.folder.join("disk");
        let size = format!("remount,{DISK}");
        run("mount", &["-o", &size, &disk.to_string_lossy()])?;
        Ok(())
    }

    /// Whether that container runs.
    pub(crate) fn runs(&self, container: &str) -> bool {
        let found = self.docker.inspect_container(container, None);
        let state = self.runtime.block_on(found).ok().and_then(|it| it.state);
        state.and_then(|it| it.running).unwrap_or_default()
    }

    /// It holds no container, no volume and no network but its own.
    pub(crate) fn holds_nothing(&self) -> Result<(), Failed> {
        let left = self.runtime.block_on(self.things())?;
        if left.is_empty() {
            Ok(())
        } else {
            Err(format!("the engine still holds {left:?}").into())
        }
    }

    async fn things(&self) -> Result<Vec<String>, bollard::errors::Error> {
        let all = ListContainersOptions {
            all: true,
            ..Default::default()
        };
        let containers = self.docker.list_containers(Some(all)).await?;
        let volumes = self.docker.list_volumes(None::<ListVolumesOptions>).await?;
        let networks = self.docker.list_networks(None::<ListNetworksOptions>);
        let networks = networks.await?.into_iter().filter_map(|it| it.name);
        let networks = networks.filter(|it| !matches!(it.as_str(), "bridge" | "host" | "none"));
        let containers = containers.into_iter().filter_map(|it| it.names);
        let volumes = volumes.volumes.unwrap_or_default();
        Ok(containers
            .flatten()
            .chain(volumes.into_iter().map(|it| it.name))
            .chain(networks)
            .collect())
    }

    /// Streams images from the machine's engine into this one.
    fn bring(&self, references: &[String]) -> Result<(), Failed> {
        self.runtime.block_on(async {
            let machines = Docker::connect_with_defaults()?;
            let names: Vec<&str> = references.iter().map(String::as_str).collect();
            let saved = machines.export_images(&names).map_err(io::Error::other);
            let options = ImportImageOptions::default();
            let mut loading = Box::pin(self.docker.import_image_stream(options, saved, None));
            while let Some(told) = loading.next().await {
                told?;
            }
            Ok(())
        })
    }
}

/// Waits until the engine answers, or ends.
fn connect(folder: &Path, process: &mut Child, runtime: &Runtime) -> Result<Docker, Failed> {
    let socket = folder.join("docker.sock").to_string_lossy().into_owned();
    let seconds = ANSWER_WITHIN.as_secs();
    let mut connected = None;
    until(|| {
        let docker = Docker::connect_with_unix(&socket, seconds, API_DEFAULT_VERSION);
        let answer = docker.map(|docker| runtime.block_on(docker.negotiate_version()));
        connected = answer.ok().and_then(Result::ok);
        Ok(connected.is_some() || process.try_wait()?.is_some())
    })?;
    connected.ok_or_else(|| {
        let log = fs::read_to_string(folder.join("dockerd.log")).unwrap_or_default();
        let from = log.lines().count().saturating_sub(LOG_LINES);
        let tail: Vec<_> = log.lines().skip(from).collect();
        format!("dockerd does not answer\n{}", tail.join("\n")).into()
    })
}

fn dockerd(folder: &Path) -> io::Result<Child> {
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("dockerd.log"))?;
    Command::new("dockerd")
        .args(["--config-file", &path("daemon.json")])
        .args(["--data-root", &path("disk"), "--exec-root", &path("exec")])
        .args(["--pidfile", &path("dockerd.pid")])
        .args(["--host", &format!("unix://{}", path("docker.sock"))])
        .args([
            "--cgroup-parent",
            &format!("/{}", keeper::cgroup_of(folder)),
        ])
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
}

fn run(program: &str, words: &[&str]) -> Result<(), Failed> {
    let output = Command::new(program).args(words).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("`{program} {}`: {said}", words.join(" ")).into())
}
