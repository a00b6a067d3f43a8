//! How agents get to know their server: by the token that it writes.

use std::time::Duration;

use lab_engine::Engine;
use tokio::time::sleep;

use super::{contract, files};

/// The server writes it as soon as it has certificates.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Waits for the token; for ever, where the server does not come up.
pub(super) async fn token(engine: &Engine, server: &str) -> String {
    loop {
        match files::read(engine, server, contract::TOKEN).await {
            Ok(token) => return token,
            Err(error) => tracing::debug!(%error, "no token yet"),
        }
        sleep(LOOK_EVERY).await;
    }
}
