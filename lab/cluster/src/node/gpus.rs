//! A node's GPUs: how it gets them, and who offers them to its pods.

use std::time::Duration;

use lab_engine::{ContainerSpec, Engine, EngineError, ExecSpec};
use tokio::time::timeout;

use super::{binary, names};
use crate::{ClusterError, gpu::Given};

/// Tells the node image whether the GPUs that it sees are its own to offer: it sees the
/// machine's, too, where it is privileged.
const VARIABLE: (&str, &str) = ("LAB_GPUS", "none");
/// A folder that every image with a shell has, k3s's too.
const FOLDER: &str = "/bin";
const PROGRAM: [&str; 3] = ["/bin/lab", "node", "gpus"];
/// What it says when the kubelet has the GPUs.
const OFFERED: &str = "is offered to the kubelet";
/// How long that may take: the kubelet is there already.
const PATIENCE: Duration = Duration::from_secs(30);

/// Makes a node's container one with the GPUs that were decided on.
pub(super) fn give(given: &Given, spec: &mut ContainerSpec) {
    match given {
        Given::Some(request) => spec.gpus = Some(request.clone()),
        Given::Nothing => {}
        Given::Withheld => {
            let (name, value) = VARIABLE;
            spec.env.insert(name.to_owned(), value.to_owned());
        }
    }
}

/// Puts this program into a server that something else runs, and has it offer that
/// server's GPUs to pods for as long as the container runs.
///
/// # Errors
/// When the engine breaks off, or the kubelet does not get the GPUs.
pub async fn offer(engine: &Engine, container: &str) -> Result<(), ClusterError> {
    binary::put(engine, container, FOLDER).await?;
    // It goes on when nobody reads any more what it says.
    let mut running = engine.exec(container, ExecSpec::new(PROGRAM)).await?;
    let mut said = Vec::new();
    let offered = async {
        while let Some(line) = running.next_line().await? {
            if line.text.contains(OFFERED) {
                return Ok(true);
            }
            said.push(line.text);
        }
        Ok::<_, EngineError>(false)
    };
    match timeout(PATIENCE, offered).await {
        Ok(Ok(true)) => Ok(()),
        Ok(Err(error)) => Err(error.into()),
        Ok(Ok(false)) | Err(_) => Err(ClusterError::OfferGpus {
            node: names::node_of(container),
            words: said.join("; "),
        }),
    }
}

#[cfg(test)]
mod tests {
    use lab_engine::GpuRequest;

    use super::*;

    #[test]
    fn what_a_node_is_not_to_have_it_is_told_not_to_offer() {
        let made = |given| {
            let mut spec = ContainerSpec::default();
            give(&given, &mut spec);
            (spec.gpus, spec.env.get("LAB_GPUS").cloned())
        };
        let request = GpuRequest::Hook { count: None };
        assert_eq!(made(Given::Some(request.clone())), (Some(request), None));
        assert_eq!(made(Given::Nothing), (None, None));
        assert_eq!(made(Given::Withheld), (None, Some("none".to_owned())));
    }
}
