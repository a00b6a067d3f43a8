//! `DiskPressure`, by what the kubelet is told to call a full disk.
//!
//! Nothing is written: a node's disk is the host's. The threshold is a soft one with a
//! grace that no cluster outlives, because at a hard one the kubelet throws away images,
//! and where there is no registry nothing brings them back.

use lab_engine::Engine;
use serde_json::{Value, json};

use super::scripts;
use crate::{ClusterError, node::files};

const FOLDER: &str = "/var/lib/rancher/k3s/lab";
const NAME: &str = "kubelet.json";
/// Where Kubernetes keeps the thresholds, and what is ours in them.
const SOFT: &str = "evictionSoft";
const GRACE: &str = "evictionSoftGracePeriod";
const SIGNAL: &str = "nodefs.available";
/// More than any disk has free.
const MORE_THAN_ANY: &str = "1Ei";
const LONGER_THAN_ANY: &str = "8760h";

/// Makes the kubelet of a node call its disk full, or no more.
pub(super) async fn set_pressure(
    engine: &Engine,
    container: &str,
    node: &str,
    is_full: bool,
) -> Result<(), ClusterError> {
    let doing = format!("change what the kubelet of {node} calls a full disk");
    let failed = |words: String| ClusterError::Fault {
        doing: doing.clone(),
        words,
    };
    let path = format!("{FOLDER}/{NAME}");
    let text = files::read(engine, container, &path)
        .await
        .map_err(|error| failed(error.to_string()))?;
    let config = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
    let changed = format!("{:#}\n", with_pressure(config, is_full));
    if changed.trim() == text.trim() {
        return Ok(());
    }
    let file = files::private(NAME, &changed).map_err(|error| failed(error.to_string()))?;
    engine.upload(container, FOLDER, file).await?;
    scripts::run_if_there(engine, container, &doing, scripts::RESTART_KUBELET, &[]).await
}

fn with_pressure(mut config: Value, is_full: bool) -> Value {
    if let Some(config) = config.as_object_mut() {
        if is_full {
            config.insert(SOFT.to_owned(), json!({SIGNAL: MORE_THAN_ANY}));
            config.insert(GRACE.to_owned(), json!({SIGNAL: LONGER_THAN_ANY}));
        } else {
            config.shift_remove(SOFT);
            config.shift_remove(GRACE);
        }
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pressure_comes_and_goes_without_a_trace() {
        let config = json!({"kind": "KubeletConfiguration", "maxPods": 250});

        let full = with_pressure(config.clone(), true);

        assert_eq!(full["evictionSoft"]["nodefs.available"], "1Ei");
        assert_eq!(with_pressure(full, false), config);
        assert_eq!(with_pressure(config.clone(), false), config);
    }
}
