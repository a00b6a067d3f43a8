//! Options of clusters that are there already.

use std::path::PathBuf;

use clap::Args;
use lab_cluster::existing::Wish;
use lab_image::Registry;

/// Which cluster that is there is meant, with `--provider existing`.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "With --provider existing")]
pub(crate) struct ExistingArgs {
    /// The context; without it the current one, as kubectl has it.
    #[arg(long, value_name = "CONTEXT")]
    pub(crate) context: Option<String>,
    /// The kubeconfig; without it KUBECONFIG or ~/.kube/config.
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Agree to work on a cluster that lab did not make.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Where images are pushed to, for its nodes to pull.
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
}

/// Where images are pushed to.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct RegistryArgs {
    /// Push images to this registry, for the nodes to pull them: `HOST[:PORT][/PREFIX]`.
    #[arg(
        long = "registry",
        env = "LAB_REGISTRY",
        value_name = "REGISTRY",
        value_parser = parse
    )]
    pub(crate) place: Option<Registry>,
}

impl ExistingArgs {
    /// What is asked for.
    pub(crate) fn wish(&self) -> Wish {
        Wish {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            is_agreed: self.yes,
        }
    }

    /// The first option that was typed and means nothing to other providers.
    pub(crate) fn typed(&self) -> Option<&'static str> {
        let typed = [
            ("--context", self.context.is_some()),
            ("--kubeconfig", self.kubeconfig.is_some()),
            ("--yes", self.yes),
        ];
        let mut typed = typed.into_iter().filter(|(_, is_there)| *is_there);
        typed.next().map(|(option, _)| option)
    }
}

fn parse(text: &str) -> Result<Registry, String> {
    text.parse()
        .map_err(|error: lab_image::ImageError| error.to_string())
}
