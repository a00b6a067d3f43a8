//! What can go wrong with the program `kind`.

use std::io;

use miette::Diagnostic;
use thiserror::Error;

/// The program could not be found, used, or did not make a cluster.
#[derive(Debug, Error, Diagnostic)]
pub enum KindError {
    /// No such program.
    #[error("the program `kind` is not there: {looked}")]
    #[diagnostic(
        code(lab::kind::missing),
        help(
            "install it (https://kind.sigs.k8s.io/docs/user/quick-start/#installation) or name it in LAB_KIND; `--provider node` makes a cluster without it"
        )
    )]
    Missing {
        /// Where it was looked for.
        looked: String,
    },
    /// It does not say its version as kind does.
    #[error("`{path} version` does not answer as kind does: {words}")]
    #[diagnostic(
        code(lab::kind::not_kind),
        help("name the right program in LAB_KIND; `--provider node` makes a cluster without it")
    )]
    NotKind {
        /// The program.
        path: String,
        /// What it said.
        words: String,
    },
    /// It is older than the lab can work with.
    #[error("`{path}` is kind {found}, and {needed} is the oldest that works")]
    #[diagnostic(
        code(lab::kind::too_old),
        help(
            "install a newer one (https://kind.sigs.k8s.io/docs/user/quick-start/#installation) or name one in LAB_KIND; `--provider node` makes a cluster without it"
        )
    )]
    TooOld {
        /// The program.
        path: String,
        /// Its version.
        found: String,
        /// The oldest that works.
        needed: String,
    },
    /// It cannot be started.
    #[error("failed to run `{path}`")]
    #[diagnostic(
        code(lab::kind::run),
        help("`{path} version` shows whether it runs at all; LAB_KIND names another")
    )]
    Run {
        /// The program.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It ended without what was asked of it.
    #[error("kind could not {doing}\n{words}")]
    #[diagnostic(
        code(lab::kind::failed),
        help(
            "the lines above are kind's own; `lab doctor` checks the host; `--provider node` makes a cluster without kind"
        )
    )]
    Failed {
        /// What was asked.
        doing: String,
        /// The end of what it said.
        words: String,
    },
    /// It stands still.
    #[error("kind said nothing for {seconds} s\n{words}")]
    #[diagnostic(
        code(lab::kind::stalled),
        help(
            "the last line above is what it was doing; `docker pull` of the node image beforehand makes the longest step short"
        )
    )]
    Stalled {
        /// How long it was waited for the next step.
        seconds: u64,
        /// The end of what it said.
        words: String,
    },
    /// Only kind's clusters have what was asked for.
    #[error("`{name}` was not made by kind")]
    #[diagnostic(
        code(lab::kind::other_provider),
        help("`lab logs {name}` prints the log of its nodes")
    )]
    OtherProvider {
        /// The cluster.
        name: String,
    },
}
