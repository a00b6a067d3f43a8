//! Arguments about images.

use clap::{Args, Subcommand, ValueEnum};
use lab_model::name::ClusterName;

/// Where images come from.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct ImageArgs {
    /// Pull images, build them from packages, or each as its recipe says.
    #[arg(long = "images", env = "LAB_IMAGES", value_enum, default_value_t = ImagePolicy::Auto)]
    pub(crate) policy: ImagePolicy,
}

/// Where images come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImagePolicy {
    /// Pull what only registries have, build the rest.
    Auto,
    /// Ask registries only: what must be built fails.
    Pull,
    /// Build from pinned packages, and ask no registry.
    Build,
}

/// `lab images`.
#[derive(Debug, Subcommand)]
pub(crate) enum ImagesCommand {
    /// List the images: recipe, reference, whether it is there.
    List,
    /// Build, or pull, images that are not there.
    #[command(
        after_help = "Example:\n  lab images build airflow\n  lab images build grafana   \
                            pulled: only registries have it"
    )]
    Build {
        /// Recipes; without any, all that the stacks need.
        recipes: Vec<String>,
        /// Where images come from.
        #[command(flatten)]
        images: ImageArgs,
    },
    /// Load images into a cluster.
    #[command(after_help = "Example:\n  lab images load demo mlflow")]
    Load {
        /// The cluster's name.
        name: ClusterName,
        /// Recipes.
        #[arg(required = true)]
        recipes: Vec<String>,
    },
}
