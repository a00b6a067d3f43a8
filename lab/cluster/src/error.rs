//! What can go wrong with a cluster.

use std::io;

use lab_engine::EngineError;
use lab_image::ImageError;
use lab_k8s::{KubeError, readiness::ReadinessError};
use lab_model::provider::Provider;
use miette::Diagnostic;
use thiserror::Error;

use crate::{existing::ExistingError, kind::KindError};

/// A cluster could not be made, found, used or removed.
#[derive(Debug, Error, Diagnostic)]
pub enum ClusterError {
    /// The engine refused something.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Engine(#[from] EngineError),
    /// The node image has no recipe.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Image(#[from] ImageError),
    /// The cluster's API does not answer.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Kube(#[from] KubeError),
    /// The program `kind` could not be found, used, or did not make a cluster.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Kind(#[from] KindError),
    /// The cluster's nodes or its DNS did not become ready.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Readiness(#[from] ReadinessError),
    /// A cluster that lab did not make could not be used, or not be left.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Existing(#[from] ExistingError),
    /// A cluster of that name is there.
    #[error("a cluster `{name}` is there already")]
    #[diagnostic(
        code(lab::cluster::name_taken),
        help("`lab down {name}` removes it; or choose another name")
    )]
    NameTaken {
        /// The name.
        name: String,
    },
    /// No cluster has that name.
    #[error("there is no cluster `{name}`")]
    #[diagnostic(
        code(lab::cluster::unknown),
        help("`lab list` shows the clusters there are; `lab up {name}` makes one")
    )]
    Unknown {
        /// The name.
        name: String,
    },
    /// The cluster's container does not run.
    #[error("the cluster `{name}` does not run")]
    #[diagnostic(
        code(lab::cluster::not_running),
        help("`lab logs {name}` tells why; `lab down {name}` removes it")
    )]
    NotRunning {
        /// The name.
        name: String,
    },
    /// The node image is not there.
    #[error("the node image `{reference}` is not there")]
    #[diagnostic(
        code(lab::cluster::no_image),
        help("`lab images build {recipe}` gets it")
    )]
    NoImage {
        /// Its reference.
        reference: String,
        /// Its recipe.
        recipe: &'static str,
    },
    /// GPUs were asked for, and the engine gives none.
    #[error("the engine gives containers no GPU")]
    #[diagnostic(
        code(lab::cluster::no_gpus),
        help("`lab doctor` tells what is missing; `--gpus none` goes without")
    )]
    NoGpus,
    /// GPUs were asked for where the nodes are made by others.
    #[error("provider `{provider}` cannot be given GPUs")]
    #[diagnostic(
        code(lab::cluster::gpus_of_others),
        help("leave `--gpus` out, or take `--provider node` or `--provider k3s`")
    )]
    GpusOfOthers {
        /// Which.
        provider: Provider,
    },
    /// A node's GPUs could not be offered to its pods.
    #[error("the GPUs of the node `{node}` could not be offered to pods: {words}")]
    #[diagnostic(
        code(lab::cluster::offer_gpus),
        help("`--gpus none` goes without; `lab logs` tells more")
    )]
    OfferGpus {
        /// Which.
        node: String,
        /// What was said.
        words: String,
    },
    /// The image of k3s cannot be had.
    #[error("the image of k3s cannot be had")]
    #[diagnostic(
        code(lab::cluster::no_k3s),
        help(
            "`--provider node` builds its nodes and asks no registry; `--k3s-image IMAGE` takes another image, also one that is on the engine already"
        )
    )]
    NoK3s(#[source] ImageError),
    /// No node of the cluster has that name.
    #[error("`{name}` has no node `{node}`")]
    #[diagnostic(code(lab::cluster::unknown_node), help("its nodes are {nodes}"))]
    UnknownNode {
        /// The cluster.
        name: String,
        /// What was asked for.
        node: String,
        /// What there is.
        nodes: String,
    },
    /// A node ended while it came up.
    #[error("the node `{node}` ended while it came up\n{log}")]
    #[diagnostic(
        code(lab::cluster::node_ended),
        help("the lines above are the end of its log; `lab doctor` checks the host")
    )]
    NodeEnded {
        /// Which.
        node: String,
        /// The end of the node's log.
        log: String,
    },
    /// A node stands still.
    #[error("the node `{node}` made no progress for {seconds} s\n{log}")]
    #[diagnostic(
        code(lab::cluster::node_stalled),
        help("the lines above are the end of its log; is the machine out of memory or CPU?")
    )]
    NodeStalled {
        /// Which.
        node: String,
        /// How long it was waited for the next step.
        seconds: u64,
        /// The end of the node's log.
        log: String,
    },
    /// A node, or the cluster's DNS on it, can never become ready.
    #[error("the node `{node}` cannot become ready: {reason}")]
    #[diagnostic(
        code(lab::cluster::node_hopeless),
        help(
            "k3s pulls its own images, DNS among them, from Docker Hub: see that the engine's host reaches it; `--provider node` asks no registry"
        )
    )]
    NodeHopeless {
        /// Which.
        node: String,
        /// Why.
        reason: String,
    },
    /// The node gave no usable kubeconfig.
    #[error("the node of `{name}` has no usable kubeconfig")]
    #[diagnostic(
        code(lab::cluster::no_kubeconfig),
        help("`lab logs {name}` tells more; `lab down {name}` removes the cluster")
    )]
    NoKubeconfig {
        /// The cluster.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A node did not take images.
    #[error("`{name}` did not take the images: {words}")]
    #[diagnostic(
        code(lab::cluster::load),
        help("`docker system df` shows whether the disk is full; `docker logs {name}` tells more")
    )]
    Load {
        /// The container.
        name: String,
        /// What it said.
        words: String,
    },
    /// A file of this machine could not be kept.
    #[error("failed to keep `{path}`")]
    #[diagnostic(
        code(lab::cluster::state),
        help("clusters are remembered below $XDG_STATE_HOME/lab or ~/.local/state/lab")
    )]
    State {
        /// Which file or folder.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A fault could not be made or undone.
    #[error("failed to {doing}: {words}")]
    #[diagnostic(
        code(lab::cluster::fault),
        help("`lab status` tells how the cluster is; `lab down` removes it with the fault")
    )]
    Fault {
        /// What was being done.
        doing: String,
        /// What the node said.
        words: String,
    },
    /// Another fault changes the same thing already.
    #[error("another fault is in the way: {standing}")]
    #[diagnostic(
        code(lab::cluster::fault_stands),
        help("`lab fault heal {name}` undoes it")
    )]
    FaultStands {
        /// The cluster.
        name: String,
        /// The fault that is there.
        standing: String,
    },
    /// This machine cannot make the fault.
    #[error("it cannot be made here that {fault}: {reason}")]
    #[diagnostic(
        code(lab::cluster::fault_impossible),
        help("`modprobe` may load it; `lab fault make --help` lists what else there is")
    )]
    FaultImpossible {
        /// What was to be made.
        fault: String,
        /// Why not.
        reason: String,
    },
    /// What was removed came back, again and again.
    #[error("not everything could be removed: {what}")]
    #[diagnostic(
        code(lab::cluster::still_left),
        help("another `lab` may be at work; `lab clean --check` lists what is left")
    )]
    StillLeft {
        /// What is left.
        what: String,
    },
    /// The token could not be handed to an agent.
    #[error("failed to hand the token to an agent")]
    #[diagnostic(code(lab::cluster::token))]
    Token(#[source] io::Error),
    /// This program cannot be read, so no node can run it.
    #[error("failed to read this program itself")]
    #[diagnostic(code(lab::cluster::own_program))]
    OwnProgram(#[source] io::Error),
    /// Ctrl-C or SIGTERM.
    #[error("interrupted; what there was of the cluster is removed")]
    #[diagnostic(code(lab::cluster::interrupted))]
    Interrupted,
}
