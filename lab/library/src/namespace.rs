//! A namespace for one test.

use std::{
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use lab_k8s::{
    Kube,
    k8s_openapi::api::core::v1::Namespace as KubeNamespace,
    kube::{
        Api, Error,
        api::{DeleteParams, ObjectMeta, PostParams},
    },
};
use tokio::runtime;

use crate::LabError;

/// Numbers the namespaces of this process.
static NAMESPACES: AtomicU32 = AtomicU32::new(1);

/// A namespace for one test. Dropping it removes it with all that is in it, also after
/// a panic; a process that is killed leaves it to the end of its cluster.
#[derive(Debug)]
pub struct Namespace {
    name: String,
    kubeconfig: PathBuf,
}

impl Namespace {
    pub(crate) async fn make(kubeconfig: &Path) -> Result<Self, LabError> {
        let number = NAMESPACES.fetch_add(1, Ordering::Relaxed);
        let name = format!("test-{}-{number}", process::id());
        let kube = Kube::from_kubeconfig_file(kubeconfig).await?;
        let namespace = KubeNamespace {
            metadata: ObjectMeta {
                name: Some(name.clone()),
                ..ObjectMeta::default()
            },
            ..KubeNamespace::default()
        };
        let api: Api<KubeNamespace> = Api::all(kube.client());
        api.create(&PostParams::default(), &namespace)
            .await
            .map_err(failed("make", &name))?;
        Ok(Self {
            name,
            kubeconfig: kubeconfig.to_owned(),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    async fn remove(kubeconfig: &Path, name: &str) -> Result<(), LabError> {
        let kube = Kube::from_kubeconfig_file(kubeconfig).await?;
        let api: Api<KubeNamespace> = Api::all(kube.client());
        api.delete(name, &DeleteParams::background())
            .await
            .map_err(failed("remove", name))?;
        Ok(())
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let (kubeconfig, name) = (self.kubeconfig.clone(), std::mem::take(&mut self.name));
        // The test's own runtime may be at its end, so that it cannot be waited on.
        let removal = thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build();
            runtime.map(|runtime| runtime.block_on(Self::remove(&kubeconfig, &name)))
        });
        // What cannot be removed goes with the cluster.
        let _ = removal.join();
    }
}

fn failed(doing: &'static str, name: &str) -> impl FnOnce(Error) -> LabError {
    let name = name.to_owned();
    move |source| LabError::Namespace {
        doing,
        name,
        source: Box::new(source),
    }
}
