//! Runs a node from its first moment to its last.

use tokio::signal::unix::{SignalKind, signal};

use crate::{
    NodeArgs, NodeError, agent::Agent, gpu, layout, server::Server, supervisor::say, waits,
};

/// Runs a node, or a part of one, as the words after `lab node` say.
///
/// # Errors
/// As [`serve`], and when the words say nothing of the kind.
pub async fn run(words: Vec<String>) -> Result<(), NodeError> {
    Box::pin(serve(NodeArgs::parse(&words)?)).await
}

/// Runs a node until SIGTERM or SIGINT, then ends its pods and components.
///
/// # Errors
/// When the container is not fit for a node, or an agent is not admitted. A
/// component that ends is started again and is no error.
pub async fn serve(args: NodeArgs) -> Result<(), NodeError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(NodeError::Signal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(NodeError::Signal)?;
    let until_told = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    match args {
        NodeArgs::Server(args) => {
            let server = Server::start(args)?;
            let ended = tokio::select! {
                end = server.come_up() => end,
                () = until_told => Ok(()),
            };
            say_why(&ended).await;
            server.go_down().await;
            ended
        }
        NodeArgs::Agent(args) => {
            let agent = Agent::start(args)?;
            let ended = tokio::select! {
                end = agent.come_up() => end,
                () = until_told => Ok(()),
            };
            say_why(&ended).await;
            agent.go_down().await;
            ended
        }
        NodeArgs::Gpus => {
            let offering = async {
                let client = waits::for_api(layout::KUBECONFIG).await?;
                gpu::offer(&client).await;
                Ok(())
            };
            tokio::select! {
                end = offering => end,
                () = until_told => Ok(()),
            }
        }
    }
}

async fn say_why(ended: &Result<(), NodeError>) {
    if let Err(error) = ended {
        say("lab", &format!("failed: {}", with_causes(error))).await;
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
