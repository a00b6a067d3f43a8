//! How a stack's images come to where its pods run: loaded into nodes that lab made, or,
//! on somebody else's cluster, pushed into a registry, or there already.

use std::collections::{BTreeMap, BTreeSet};

use lab_cluster::{Cluster, existing};
use lab_image::Registry;
use lab_model::{hindrance::Hindrance, provider::Provider};
use lab_stack::catalogue::LockedStack;

use crate::{StackImages, error::RunError, plan, session::Session};

impl Session<'_> {
    /// Makes ready the images of a stack here, as far as a cluster of that provider gets
    /// them from here.
    ///
    /// # Errors
    /// When an image that is needed can neither be found, pulled nor built.
    pub async fn ready_for(
        &self,
        provider: Provider,
        registry: Option<&Registry>,
        locked: &LockedStack,
    ) -> Result<StackImages, RunError> {
        if provider == Provider::Existing && registry.is_none() {
            self.ready_images(&plan::always(provider)).await?;
            return Ok(StackImages::without(locked, &BTreeMap::new()));
        }
        self.ready_stack(locked, &plan::always(provider)).await
    }

    /// Sees that the cluster's pods find the images, and brings them there where that is
    /// possible. Gives those that the stack is to be installed with.
    ///
    /// # Errors
    /// When images that are needed cannot be brought there.
    pub async fn place(
        &self,
        cluster: &Cluster,
        locked: &LockedStack,
        images: StackImages,
    ) -> Result<StackImages, RunError> {
        if cluster.provider != Provider::Existing {
            self.load(cluster, &images.recipes()).await?;
            return Ok(images);
        }
        if let Some(registry) = existing::registry(&cluster.name)? {
            let store = &self.workbench.images;
            store
                .push(&images.recipes(), &registry, &*self.emitter)
                .await?;
            return Ok(images);
        }
        let references = |recipes: BTreeSet<&str>| {
            let reference = |recipe| self.workbench.images.cluster_reference(recipe);
            recipes
                .into_iter()
                .map(reference)
                .collect::<Result<Vec<_>, _>>()
        };
        let needed = references(locked.stack.required_recipes())?;
        let optional = references(locked.stack.optional_recipes())?;
        let lacking = existing::require_images(cluster, &needed, &optional).await?;
        let mut missing = BTreeMap::new();
        for recipe in locked.stack.optional_recipes() {
            let reference = self.workbench.images.cluster_reference(recipe)?;
            if lacking.contains(&reference) {
                let why = Hindrance::NotOnNodes { image: reference };
                missing.insert(recipe.to_owned(), why);
            }
        }
        Ok(StackImages::without(locked, &missing))
    }

    /// What the cluster's pods call the images of a stack, by recipe.
    ///
    /// # Errors
    /// When a recipe is not there.
    pub(crate) fn references(
        &self,
        cluster: &Cluster,
        locked: &LockedStack,
    ) -> Result<BTreeMap<String, String>, RunError> {
        let images = &self.workbench.images;
        let registry = if cluster.provider == Provider::Existing {
            existing::registry(&cluster.name)?
        } else {
            None
        };
        let named = locked.stack.recipes().into_iter().map(|recipe| {
            let reference = match &registry {
                Some(registry) => images.registry_reference(registry, recipe)?,
                None => images.cluster_reference(recipe)?,
            };
            Ok((recipe.to_owned(), reference))
        });
        named.collect()
    }
}
