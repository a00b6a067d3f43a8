//! How agents get to know their server: by the token that it writes.

use std::time::Duration;

use lab_engine::Engine;
use tokio::time::sleep;

use super::files;

/// Where the k3s contract has it.
const TOKEN_IN_SERVER: &str = "/var/lib/rancher/k3s/server/node-token";
/// Where an agent is given it. In a file, because everybody who may list containers
/// sees their environment.
pub(super) const TOKEN_FOLDER: &str = "/etc";
pub(super) const TOKEN_NAME: &str = "k3s-token";
/// The server writes it as soon as it has certificates.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Waits for the token; for ever, where the server does not come up.
pub(super) async fn token(engine: &Engine, server: &str) -> String {
    loop {
        match files::read(engine, server, TOKEN_IN_SERVER).await {
            Ok(token) => return token,
            Err(error) => tracing::debug!(%error, "no token yet"),
        }
        sleep(LOOK_EVERY).await;
    }
}
