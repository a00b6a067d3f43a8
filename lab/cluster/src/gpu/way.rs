//! How the engine gives GPUs to a node, and whether it is to.

use std::{fs, path::Path};

use lab_engine::{Engine, EngineInfo, GpuRequest};
use lab_model::{
    event::{Emitter, Fact},
    gpu::Gpus,
    provider::Provider,
    remark::Remark,
};

use super::Host;
use crate::{ClusterError, ClusterSpec};

/// What NVIDIA's Container Toolkit calls its runtime, where it told the engine of it.
const RUNTIME: &str = "nvidia";
/// What it calls GPUs in the Container Device Interface.
const KIND: &str = "nvidia.com/gpu";

/// How the engine gives containers GPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// NVIDIA's hook: engines of every age.
    Hook,
    /// The Container Device Interface: Docker 25 and later.
    Cdi,
}

impl Way {
    /// The way that this engine has; none where it has not been told of one.
    pub fn of(engine: &EngineInfo) -> Option<Self> {
        if engine.runtimes.iter().any(|it| it == RUNTIME) {
            return Some(Self::Hook);
        }
        let knows = |folder: &String| describes_gpus(Path::new(folder));
        engine.cdi_folders.iter().any(knows).then_some(Self::Cdi)
    }

    /// So many GPUs; all without a number.
    fn request(self, count: Option<u8>) -> GpuRequest {
        match (self, count) {
            (Self::Hook, count) => GpuRequest::Hook { count },
            (Self::Cdi, None) => GpuRequest::Cdi {
                names: vec![format!("{KIND}=all")],
            },
            (Self::Cdi, Some(count)) => GpuRequest::Cdi {
                names: (0..count).map(|it| format!("{KIND}={it}")).collect(),
            },
        }
    }
}

/// Whether a description of GPUs lies in that folder, in YAML or in JSON.
fn describes_gpus(folder: &Path) -> bool {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files
        .filter_map(|it| fs::read_to_string(it.path()).ok())
        .any(|it| {
            it.lines()
                .any(|line| line.contains("kind") && line.contains(KIND))
        })
}

/// What a cluster gets of the machine's GPUs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// These.
    Some(GpuRequest),
    /// None, and there are none.
    Nothing,
    /// None, and those that show nevertheless are not for its pods.
    Withheld,
}

/// Sees that clusters of a provider can be given the GPUs that are asked for.
///
/// # Errors
/// When some are asked for and it gives none.
pub const fn allow(provider: Provider, wish: Gpus) -> Result<(), ClusterError> {
    match (wish, provider) {
        (Gpus::Auto | Gpus::None, _) | (_, Provider::Node | Provider::K3s) => Ok(()),
        (Gpus::All | Gpus::Count(_), Provider::Kind | Provider::Existing) => {
            Err(ClusterError::GpusOfOthers { provider })
        }
    }
}

/// Sees that a cluster can have the GPUs that are asked for, before anything is done for
/// it.
///
/// # Errors
/// When its provider or the engine gives none.
pub async fn check(engine: &Engine, spec: &ClusterSpec) -> Result<(), ClusterError> {
    allow(spec.provider, spec.gpus)?;
    if matches!(spec.gpus, Gpus::Auto | Gpus::None) {
        return Ok(());
    }
    match Way::of(&engine.info().await?) {
        Some(_) => Ok(()),
        None => Err(ClusterError::NoGpus),
    }
}

/// Decides what a cluster gets, and says so where it is not what one would expect.
///
/// # Errors
/// When GPUs are asked for that it cannot have.
pub(crate) async fn decide(
    engine: &Engine,
    wish: Gpus,
    emitter: &dyn Emitter,
) -> Result<Given, ClusterError> {
    let usable = Host::look().usable();
    if wish == Gpus::None || (wish == Gpus::Auto && usable == 0) {
        return weigh(wish, usable, None);
    }
    let way = Way::of(&engine.info().await?);
    let given = weigh(wish, usable, way)?;
    if given == Given::Withheld {
        emitter.emit(Fact::Noted {
            remark: Remark::NoGpus,
        });
    }
    Ok(given)
}

/// What is asked for by number is the engine's to count: it may run elsewhere.
fn weigh(wish: Gpus, usable: usize, way: Option<Way>) -> Result<Given, ClusterError> {
    let count = match (wish, usable) {
        (Gpus::None, _) => return Ok(Given::Withheld),
        (Gpus::Auto, 0) => return Ok(Given::Nothing),
        (Gpus::Auto | Gpus::All, _) => None,
        (Gpus::Count(count), _) => Some(count.get()),
    };
    match way {
        Some(way) => Ok(Given::Some(way.request(count))),
        None if wish == Gpus::Auto => Ok(Given::Withheld),
        None => Err(ClusterError::NoGpus),
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU8;

    use super::*;

    const TWO: Gpus = Gpus::Count(NonZeroU8::new(2).unwrap());

    #[test]
    fn what_is_there_is_given_unless_it_is_not_wanted() {
        let all = || Given::Some(GpuRequest::Hook { count: None });
        let two = Given::Some(GpuRequest::Hook { count: Some(2) });
        let given = |wish, usable| weigh(wish, usable, Some(Way::Hook)).unwrap();
        assert_eq!(given(Gpus::Auto, 1), all());
        assert_eq!(given(Gpus::Auto, 0), Given::Nothing);
        assert_eq!(given(Gpus::None, 1), Given::Withheld);
        assert_eq!(given(Gpus::All, 1), all());
        assert_eq!(given(TWO, 4), two);
    }

    #[test]
    fn what_the_engine_cannot_give_is_an_error_only_where_it_was_asked_for() {
        assert_eq!(weigh(Gpus::Auto, 1, None).unwrap(), Given::Withheld);
        for wish in [Gpus::All, TWO] {
            let error = weigh(wish, 1, None).unwrap_err();
            assert!(matches!(error, ClusterError::NoGpus));
        }
    }

    #[test]
    fn devices_of_the_interface_are_named_one_by_one() {
        let names = |count| match Way::Cdi.request(count) {
            GpuRequest::Cdi { names } => names,
            GpuRequest::Hook { .. } => Vec::new(),
        };
        assert_eq!(names(None), ["nvidia.com/gpu=all"]);
        assert_eq!(names(Some(2)), ["nvidia.com/gpu=0", "nvidia.com/gpu=1"]);
    }

    #[test]
    fn only_a_description_of_gpus_counts() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!describes_gpus(folder.path()));
        fs::write(folder.path().join("net.yaml"), "kind: vendor.com/net\n").unwrap();
        assert!(!describes_gpus(folder.path()));
        let text = "cdiVersion: 0.5.0\nkind: nvidia.com/gpu\ndevices:\n";
        fs::write(folder.path().join("nvidia.yaml"), text).unwrap();
        assert!(describes_gpus(folder.path()));
    }
}
