//! Components that end together.

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{components::Component, supervisor::supervise};

/// Supervisors that stop together.
#[derive(Default)]
pub(crate) struct Group {
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Group {
    /// Keeps a component running from now on.
    pub(crate) fn start(&self, component: Component) {
        self.tasks.spawn(supervise(component, self.stop.clone()));
    }

    /// Ends all of them and waits for them.
    pub(crate) async fn end(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}
