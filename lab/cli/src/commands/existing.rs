//! What the commands that begin a cluster do first when it is there already.

use lab_cluster::{
    existing::{self, Wish},
    gpu,
};
use lab_model::{name::ClusterName, provider::Provider};
use lab_runner::RunError;

use super::CommandError;
use crate::args::ClusterArgs;

/// Which cluster that is there is meant, if one is; and whether what is asked for is this
/// provider's to give.
pub(super) fn wish(args: &ClusterArgs) -> Result<Option<Wish>, CommandError> {
    gpu::allow(args.provider, args.gpus).map_err(RunError::from)?;
    if args.provider != Provider::Existing {
        return match args.existing.typed() {
            Some(option) => Err(CommandError::OnlyExisting { option }),
            None => Ok(None),
        };
    }
    if args.nodes != 1 {
        return Err(CommandError::NoNodes);
    }
    Ok(Some(args.existing.wish()))
}

/// Looks at it before anything else is done: a refusal must come before minutes of work.
pub(super) async fn examine(name: &ClusterName, wish: Option<&Wish>) -> Result<(), CommandError> {
    if let Some(wish) = wish {
        existing::examine(name, wish)
            .await
            .map_err(RunError::from)?;
    }
    Ok(())
}
