//! Answers the kubelet: which GPUs there are, and what a container gets that has one.

use std::{collections::BTreeMap, path::Path, path::PathBuf, pin::Pin};

use futures::{Stream, StreamExt, stream};
use tokio::sync::watch;
use tonic::{Request, Response, Status};

use super::{
    api::{
        AllocateRequest, AllocateResponse, Device, DeviceFile, DeviceList, DevicePlugin, Empty,
        Given, HEALTHY, Mount, Options, UNHEALTHY, Wanted,
    },
    devices, driver,
};

/// Every GPU that was ever seen here, by name.
pub(super) type Gpus = BTreeMap<String, Gpu>;

/// A GPU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gpu {
    pub(super) file: PathBuf,
    /// Whether its device file is there.
    pub(super) is_there: bool,
}

/// The kubelet's counterpart.
#[derive(Debug)]
pub(super) struct Plugin {
    pub(super) gpus: watch::Receiver<Gpus>,
}

#[tonic::async_trait]
impl DevicePlugin for Plugin {
    async fn get_options(&self, _: Request<Empty>) -> Result<Response<Options>, Status> {
        Ok(Response::new(Options {}))
    }

    type ListAndWatchStream = Pin<Box<dyn Stream<Item = Result<DeviceList, Status>> + Send>>;

    /// The GPUs at once, and again after every change.
    async fn list_and_watch(
        &self,
        _: Request<Empty>,
    ) -> Result<Response<Self::ListAndWatchStream>, Status> {
        let mut gpus = self.gpus.clone();
        gpus.mark_changed();
        let lists = stream::unfold(gpus, |mut gpus| async {
            gpus.changed().await.ok()?;
            let list = list(&gpus.borrow_and_update());
            Some((Ok(list), gpus))
        });
        Ok(Response::new(lists.boxed()))
    }

    async fn allocate(
        &self,
        request: Request<AllocateRequest>,
    ) -> Result<Response<AllocateResponse>, Status> {
        let wanted = request.into_inner().containers;
        let files = driver::files()
            .map_err(|error| Status::internal(format!("the driver's files: {error}")))?;
        let shared = devices::shared();
        let gpus = self.gpus.borrow();
        let containers = wanted
            .iter()
            .map(|wanted| give(wanted, &gpus, &shared, &files));
        Ok(Response::new(AllocateResponse {
            containers: containers.collect::<Result<_, _>>()?,
        }))
    }
}

fn list(gpus: &Gpus) -> DeviceList {
    let health = |gpu: &Gpu| if gpu.is_there { HEALTHY } else { UNHEALTHY };
    let devices = gpus.iter().map(|(name, gpu)| Device {
        id: name.clone(),
        health: health(gpu).to_owned(),
    });
    DeviceList {
        devices: devices.collect(),
    }
}

/// What a container gets: its GPUs, what they share, and the driver.
fn give(
    wanted: &Wanted,
    gpus: &Gpus,
    shared: &[PathBuf],
    driver: &[(PathBuf, PathBuf)],
) -> Result<Given, Status> {
    let own = wanted.ids.iter().map(|id| match gpus.get(id) {
        Some(gpu) if gpu.is_there => Ok(gpu.file.as_path()),
        _ => Err(Status::unavailable(format!("the GPU `{id}` is gone"))),
    });
    let files = own.chain(shared.iter().map(|it| Ok(it.as_path())));
    let mounts = driver.iter().map(|(path, file)| Mount {
        container_path: text(path),
        host_path: text(file),
        read_only: true,
    });
    Ok(Given {
        mounts: mounts.collect(),
        devices: files
            .map(|file| Ok(device_file(file?)))
            .collect::<Result<_, Status>>()?,
    })
}

fn device_file(path: &Path) -> DeviceFile {
    DeviceFile {
        container_path: text(path),
        host_path: text(path),
        permissions: "rw".to_owned(),
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Gpus {
        let gpu = |number: u32, is_there| {
            let file = PathBuf::from(format!("/dev/nvidia{number}"));
            (format!("GPU-{number}"), Gpu { file, is_there })
        };
        [gpu(0, true), gpu(1, false)].into()
    }

    fn wanted(id: &str) -> Wanted {
        Wanted {
            ids: vec![id.to_owned()],
        }
    }

    #[test]
    fn a_gpu_without_its_file_is_not_healthy() {
        let told = list(&two()).devices;
        let told: Vec<_> = told.iter().map(|it| (&*it.id, &*it.health)).collect();
        assert_eq!(told, [("GPU-0", "Healthy"), ("GPU-1", "Unhealthy")]);
    }

    #[test]
    fn a_container_gets_its_gpu_what_all_share_and_the_driver() {
        let shared = [PathBuf::from("/dev/nvidiactl")];
        let driver = [("/usr/lib/libcuda.so.1", "/usr/lib/libcuda.so.550.54.15")]
            .map(|(path, file)| (PathBuf::from(path), PathBuf::from(file)));

        let given = give(&wanted("GPU-0"), &two(), &shared, &driver).unwrap();

        let devices: Vec<_> = given.devices.iter().map(|it| &*it.host_path).collect();
        assert_eq!(devices, ["/dev/nvidia0", "/dev/nvidiactl"]);
        assert_eq!(given.mounts[0].container_path, "/usr/lib/libcuda.so.1");
        assert_eq!(given.mounts[0].host_path, "/usr/lib/libcuda.so.550.54.15");
        assert!(given.mounts[0].read_only);
    }

    #[test]
    fn a_gpu_that_is_gone_or_unknown_is_not_given() {
        for id in ["GPU-1", "GPU-7"] {
            let refused = give(&wanted(id), &two(), &[], &[]).unwrap_err();
            assert_eq!(refused.message(), format!("the GPU `{id}` is gone"));
        }
    }
}
