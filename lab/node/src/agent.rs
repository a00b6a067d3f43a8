//! The order in which an agent comes up and goes down.

use lab_model::progress::Step;

use crate::{
    NodeError,
    args::AgentArgs,
    join::{self, Admission},
    pki::NodeKey,
    worker::{self, Worker},
};

/// A node that runs pods for a server.
pub(crate) struct Agent {
    worker: Worker,
    args: AgentArgs,
}

impl Agent {
    pub(crate) fn start(args: AgentArgs) -> Result<Self, NodeError> {
        let worker = Worker::prepare()?;
        worker.start_containerd()?;
        Ok(Self { worker, args })
    }

    /// Joins the cluster, starts what is left and then serves for ever.
    pub(crate) async fn come_up(&self) -> Result<(), NodeError> {
        let joining = async {
            self.join().await?;
            self.worker.mark(Step::Admitted).await;
            self.worker.start_proxy();
            self.worker.start_kubelet().await;
            self.worker.serve().await
        };
        tokio::try_join!(joining, self.worker.make_ready_for_pods())?;
        Ok(())
    }

    async fn join(&self) -> Result<(), NodeError> {
        let AgentArgs { server, token } = &self.args;
        let key = NodeKey::generate()?;
        let name = &self.worker.host.name;
        let Admission {
            pod_network,
            certificates,
        } = join::ask(server, token, name, &key.public()).await?;
        certificates.keep(&key, &server.api)?;
        worker::set_pod_network(&pod_network)
    }

    pub(crate) async fn go_down(&self) {
        self.worker.end_pods().await;
        self.worker.end().await;
    }
}
