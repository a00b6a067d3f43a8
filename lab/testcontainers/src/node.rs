//! The node's image, as far as `testcontainers` has words for it.

use mlops_lab::{LabError, NodeImage};
use testcontainers::{
    CopyTargetOptions, Image,
    core::{ContainerPort, CopyDataSource, CopyToContainer, WaitFor},
};

/// The API server's port in the node.
pub(crate) const API_PORT: ContainerPort = ContainerPort::Tcp(6443);
/// What the node says when it is Ready and its DNS answers.
const READY: &str = "lab: ready";
/// Where the image expects the program `lab`, its first process.
const PROGRAM: &str = "/usr/local/bin/lab";

/// A Kubernetes node with its control plane. Start it by [`request`](Node::request): the
/// image alone lacks the rights that a node needs.
#[derive(Debug, Clone)]
pub struct Node {
    name: String,
    tag: String,
    program: CopyToContainer,
}

impl Node {
    /// The node image of the `lab` beside the test, on the `PATH` or where `LAB_PROGRAM`
    /// says. The first time on a machine it is built, which takes minutes.
    ///
    /// # Errors
    /// When the program is not there or the image cannot be made.
    pub async fn find() -> Result<Self, LabError> {
        NodeImage::ready().await.map(Self::from)
    }
}

impl From<NodeImage> for Node {
    fn from(image: NodeImage) -> Self {
        let (name, tag) = image
            .reference
            .rsplit_once(':')
            .unwrap_or((&image.reference, "latest"));
        let target = CopyTargetOptions::new(PROGRAM).with_mode(0o755);
        Self {
            name: name.to_owned(),
            tag: tag.to_owned(),
            program: CopyToContainer::new(CopyDataSource::File(image.program), target),
        }
    }
}

impl Image for Node {
    fn name(&self) -> &str {
        &self.name
    }

    fn tag(&self) -> &str {
        &self.tag
    }

    fn ready_conditions(&self) -> Vec<WaitFor> {
        vec![WaitFor::message_on_stderr(READY)]
    }

    fn copy_to_sources(&self) -> impl IntoIterator<Item = &CopyToContainer> {
        [&self.program]
    }

    fn cmd(&self) -> impl IntoIterator<Item = impl Into<std::borrow::Cow<'_, str>>> {
        ["server"]
    }

    fn expose_ports(&self) -> &[ContainerPort] {
        &[API_PORT]
    }
}
