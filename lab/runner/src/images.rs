//! Which images of a stack can be had, and which of its components do without theirs.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use lab_cluster::Cluster;
use lab_image::ImageError;
use lab_k8s::{Kube, readiness::Workload};
use lab_model::{event::Fact, hindrance::Hindrance, remark::Remark};
use lab_stack::catalogue::LockedStack;

use crate::{
    error::{RunError, reason},
    session::Session,
};

/// How long a registry that says nothing may hold up everything else, for an image that
/// everything else can do without. One that answers does so within a second or two.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Components that do not run here, by name, with the reason.
pub type NotRun = BTreeMap<String, Hindrance>;

/// The images of a stack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StackImages {
    /// Recipes of those that are on the engine.
    recipes: BTreeSet<String>,
    /// Components whose image is not.
    pub not_run: NotRun,
}

impl StackImages {
    /// The stack's images without those that are missing, by recipe, with the reason.
    pub(crate) fn without(locked: &LockedStack, missing: &NotRun) -> Self {
        let stack = &locked.stack;
        let without_image = stack.components.iter().filter_map(|it| {
            let reason = missing.get(&it.image)?;
            Some((it.name.clone(), reason.clone()))
        });
        let recipes = stack.recipes().into_iter().map(str::to_owned);
        Self {
            not_run: without_image.collect(),
            recipes: recipes.filter(|it| !missing.contains_key(it)).collect(),
        }
    }

    /// Recipes of the images that are on the engine.
    pub fn recipes(&self) -> Vec<&str> {
        self.recipes.iter().map(String::as_str).collect()
    }
}

impl Session<'_> {
    /// Makes ready the images of a stack and of other recipes. What the stack can do
    /// without is tried beside the rest, and said to be missing where it cannot be had.
    ///
    /// # Errors
    /// When an image that is needed can neither be found, pulled nor built.
    pub async fn ready_stack(
        &self,
        locked: &LockedStack,
        others: &[&str],
    ) -> Result<StackImages, RunError> {
        let mut needed = others.to_vec();
        needed.extend(locked.stack.required_recipes());
        let ((), missing) =
            tokio::try_join!(self.ready_images(&needed), self.try_optional(locked))?;
        Ok(StackImages::without(locked, &missing))
    }

    /// The images of a stack that are on the engine, without trying to get one.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn stack_on_engine(&self, locked: &LockedStack) -> Result<StackImages, RunError> {
        let mut missing = BTreeMap::new();
        for recipe in locked.stack.optional_recipes() {
            if !self.workbench.images.is_there(recipe).await? {
                let recipe = recipe.to_owned();
                missing.insert(recipe.clone(), Hindrance::NoImage { recipe });
            }
        }
        Ok(StackImages::without(locked, &missing))
    }

    /// The components that a cluster's stack was installed without.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub async fn not_installed(
        &self,
        cluster: &Cluster,
        locked: &LockedStack,
    ) -> Result<NotRun, RunError> {
        let kube = Kube::from_kubeconfig_file(&cluster.kubeconfig).await?;
        let mut not_run = NotRun::new();
        for component in locked.stack.components.iter().filter(|it| it.optional) {
            let Some(workload) = Workload::parse(&component.workload) else {
                continue;
            };
            if !kube.has(&locked.stack.namespace, &workload).await? {
                not_run.insert(component.name.clone(), Hindrance::NotInstalled);
            }
        }
        Ok(not_run)
    }

    /// Tries to get the images the stack can do without; gives those that cannot be had,
    /// by recipe, with the reason.
    async fn try_optional(&self, locked: &LockedStack) -> Result<NotRun, RunError> {
        let images = &self.workbench.images;
        let images = images.clone().answered_within(ANSWER_WITHIN);
        let mut missing = BTreeMap::new();
        for recipe in locked.stack.optional_recipes() {
            match images.ensure(&[recipe], &*self.emitter, &self.cancel).await {
                Ok(_) => {}
                Err(ImageError::Interrupted) => return Err(RunError::Interrupted),
                Err(error) => {
                    let reason = reason(&error);
                    self.emitter.emit(Fact::Noted {
                        remark: Remark::WithoutImage {
                            recipe: recipe.to_owned(),
                            reason: reason.clone(),
                        },
                    });
                    missing.insert(recipe.to_owned(), reason.into());
                }
            }
        }
        Ok(missing)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use lab_stack::Catalogue;

    use super::*;

    fn lifecycle() -> LockedStack {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
        Catalogue::new(fixtures)
            .load("lifecycle", "documented")
            .unwrap()
    }

    #[test]
    fn a_component_without_its_image_is_left_out_with_the_reason() {
        let missing = NotRun::from([("grafana".to_owned(), "no registry".to_owned().into())]);

        let images = StackImages::without(&lifecycle(), &missing);

        assert_eq!(
            images.recipes(),
            [
                "airflow",
                "mlflow",
                "postgresql",
                "prometheus",
                "seaweedfs",
                "triton"
            ]
        );
        let grafana = ("grafana".to_owned(), "no registry".to_owned().into());
        assert_eq!(images.not_run, NotRun::from([grafana]));
    }

    #[test]
    fn nothing_is_left_out_where_every_image_is_there() {
        let images = StackImages::without(&lifecycle(), &BTreeMap::new());

        assert!(images.recipes().contains(&"grafana"));
        assert_eq!(images.not_run, NotRun::new());
    }
}
