//! The administrator's kubeconfig, as kind wrote it into the cluster's folder.

use std::{fs, os::unix::fs::PermissionsExt};

use lab_model::name::ClusterName;

use crate::{ClusterError, folder::Folder};

/// What stands before the API server's port on this machine.
const SERVER: &str = "server: https://127.0.0.1:";

/// Sees that its owner alone reads it, whatever kind thinks of that.
pub(super) fn protect(folder: &Folder) -> Result<(), ClusterError> {
    let path = folder.kubeconfig();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(|source| {
        ClusterError::State {
            path: path.display().to_string(),
            source,
        }
    })
}

/// Makes it lead to that port: the engine chooses another when a node starts again.
pub(super) fn follow_port(
    name: &ClusterName,
    folder: &Folder,
    port: u16,
) -> Result<(), ClusterError> {
    let read = fs::read_to_string(folder.kubeconfig());
    let text = read.map_err(|source| ClusterError::NoKubeconfig {
        name: name.to_string(),
        source,
    })?;
    let led = with_port(&text, port);
    if led == text {
        return Ok(());
    }
    folder.write_kubeconfig(&led)
}

fn with_port(text: &str, port: u16) -> String {
    let Some((before, rest)) = text.split_once(SERVER) else {
        return text.to_owned();
    };
    let rest = rest.trim_start_matches(|it: char| it.is_ascii_digit());
    format!("{before}{SERVER}{port}{rest}")
}

#[cfg(test)]
mod tests {
    use super::with_port;

    #[test]
    fn a_node_that_started_again_is_found_at_its_new_port() {
        let text =
            "clusters:\n- cluster:\n    server: https://127.0.0.1:36079\n  name: kind-lab-demo\n";
        let led = with_port(text, 41234);
        assert_eq!(
            led,
            "clusters:\n- cluster:\n    server: https://127.0.0.1:41234\n  name: kind-lab-demo\n"
        );
        assert_eq!(with_port(&led, 41234), led);
        assert_eq!(with_port("clusters: []\n", 41234), "clusters: []\n");
    }
}
