//! Ctrl-C and SIGTERM: the first asks the command to end and clean up, the second
//! ends the process at once and names what would be left.

use lab_model::exit::Exit;
use lab_report::lang::Lang;
use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::output;

/// A token that is cancelled by the first Ctrl-C or SIGTERM, and the task that
/// watches for them: keep it for as long as the command runs.
pub(crate) fn watch(lang: Lang) -> (CancellationToken, JoinSet<()>) {
    let cancel = CancellationToken::new();
    let mut watcher = JoinSet::new();
    let asked = cancel.clone();
    watcher.spawn(async move {
        if one_signal().await {
            output::say(
                lang,
                "interrupted: cleaning up (again to stop at once)",
                "중단: 정리하는 중입니다(한 번 더 누르면 바로 멈춥니다)",
            );
            asked.cancel();
            if one_signal().await {
                output::say(
                    lang,
                    "stopped at once: `lab clean` removes what is left",
                    "바로 멈췄습니다. 남은 것은 `lab clean`이 지웁니다",
                );
                stop_at_once();
            }
        }
    });
    (cancel, watcher)
}

#[expect(
    clippy::exit,
    reason = "the person asked twice; nothing may hold the process up"
)]
fn stop_at_once() {
    std::process::exit(i32::from(Exit::Interrupted.code()));
}

/// Waits for Ctrl-C or SIGTERM; false where signals cannot be watched.
async fn one_signal() -> bool {
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return false;
    };
    tokio::select! {
        _ = interrupt.recv() => true,
        _ = terminate.recv() => true,
    }
}
