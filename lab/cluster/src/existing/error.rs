//! What can go wrong with a cluster that lab did not make.

use lab_k8s::{KubeError, context::ContextError, removal::RemovalError};
use miette::Diagnostic;
use thiserror::Error;

/// A cluster that is there already could not be used, or not be left.
#[derive(Debug, Error, Diagnostic)]
pub enum ExistingError {
    /// The context cannot be found or used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Context(#[from] ContextError),
    /// Nobody agreed to work on a cluster that lab did not make.
    #[error("lab did not make the cluster of context `{context}` ({server})")]
    #[diagnostic(
        code(lab::existing::not_ours),
        help(
            "with `--yes` it makes namespaces of its own there, and roles that these need, all labelled `lab.cluster={name}`; `lab down {name}` removes these and nothing else"
        )
    )]
    NotAgreed {
        /// The cluster's name here.
        name: String,
        /// The context.
        context: String,
        /// Its API server.
        server: String,
    },
    /// The API server does not answer.
    #[error("the API server of context `{context}` ({server}) does not answer")]
    #[diagnostic(
        code(lab::existing::no_answer),
        help(
            "`kubectl --context {context} version` asks it the same; is a VPN or a login missing?"
        )
    )]
    NoAnswer {
        /// The context.
        context: String,
        /// Its API server.
        server: String,
        /// Why.
        #[source]
        source: Box<KubeError>,
    },
    /// The API server says nothing.
    #[error("the API server of context `{context}` ({server}) says nothing for {seconds} s")]
    #[diagnostic(
        code(lab::existing::mute),
        help(
            "`kubectl --context {context} version` asks it the same; is a VPN or a login missing?"
        )
    )]
    Mute {
        /// The context.
        context: String,
        /// Its API server.
        server: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The cluster's Kubernetes is too old.
    #[error("context `{context}` has Kubernetes {version}, the stacks need v1.20 or newer")]
    #[diagnostic(
        code(lab::existing::too_old),
        help("choose another cluster with `--context`, or let lab make one: `lab up NAME`")
    )]
    TooOld {
        /// The context.
        context: String,
        /// The version it has.
        version: String,
    },
    /// This user may not do what has to be done.
    #[error("context `{context}` does not let this user {lacking}")]
    #[diagnostic(
        code(lab::existing::forbidden),
        help(
            "who runs the cluster can grant it; `kubectl --context {context} auth can-i --list` shows what is granted"
        )
    )]
    Forbidden {
        /// The context.
        context: String,
        /// What is not allowed.
        lacking: String,
    },
    /// A namespace of that name is somebody else's.
    #[error("the namespace `{namespace}` of context `{context}` is not this cluster's: {whose}")]
    #[diagnostic(
        code(lab::existing::foreign_namespace),
        help(
            "lab works in namespaces that it made, and leaves others alone: use another cluster, or have the namespace removed by whom it belongs to"
        )
    )]
    ForeignNamespace {
        /// The namespace.
        namespace: String,
        /// The context.
        context: String,
        /// What its labels say.
        whose: String,
    },
    /// Nodes lack images.
    #[error("nodes of context `{context}` lack images:\n{lacking}")]
    #[diagnostic(
        code(lab::existing::no_images),
        help(
            "`--registry HOST/PREFIX` pushes them where the nodes can pull them; or bring them to each node by hand: `docker save {local} | ctr --namespace k8s.io images import -`; nodes tell of new images after up to a minute"
        )
    )]
    NoImages {
        /// The context.
        context: String,
        /// Each image with the nodes that lack it.
        lacking: String,
        /// The images as the engine here names them.
        local: String,
    },
    /// What is ours there could not be removed.
    #[error("what `{name}` has in context `{context}` ({server}) is not removed")]
    #[diagnostic(
        code(lab::existing::not_removed),
        help(
            "the lease stays, and `lab down {name}` tries again; where the cluster is gone for good, remove `{folder}`"
        )
    )]
    NotRemoved {
        /// The cluster's name here.
        name: String,
        /// The context.
        context: String,
        /// Its API server.
        server: String,
        /// Where the lease lies.
        folder: String,
        /// Why.
        #[source]
        source: Box<RemovalError>,
    },
    /// Nodes there are nobody's here.
    #[error("the nodes of `{name}` are not lab's, so are their logs")]
    #[diagnostic(
        code(lab::existing::no_node_logs),
        help("`KUBECONFIG=$(lab kubeconfig {name}) kubectl logs` shows those of pods")
    )]
    NoNodeLogs {
        /// The cluster's name here.
        name: String,
    },
    /// Nodes there take no images from here.
    #[error("images cannot be loaded into the nodes of `{name}`: lab did not make them")]
    #[diagnostic(
        code(lab::existing::no_load),
        help(
            "`lab install {name} --registry HOST/PREFIX` pushes them where the nodes can pull them"
        )
    )]
    NoLoad {
        /// The cluster's name here.
        name: String,
    },
}

impl ExistingError {
    /// Whether the command line, not the cluster, has to change.
    pub const fn is_usage(&self) -> bool {
        matches!(self, Self::Context(_) | Self::NotAgreed { .. })
    }
}
