//! Builder containers: where recipes are carried out.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use lab_engine::{ContainerSpec, Engine, EngineError, ExecSpec, Mount, owner};
use lab_model::{name::label, progress::Doing};
use tokio::{runtime::Handle, time::timeout};
use tokio_util::task::TaskTracker;

use crate::{error::ImageError, progress::Task};

/// Label that says what a container is to the lab. Images carry `image`, so that
/// containers made from them are not taken for builders.
pub(crate) const ROLE: &str = "lab.role";
const ROLE_BUILDER: &str = "builder";
const ROLE_IMAGE: &str = "image";
/// Label that names the reference being built.
const BUILDER: &str = "lab.builder";
/// Scratch space of a build: a volume, so that nothing in it gets into the image.
pub(crate) const SCRATCH: &str = "/tmp";
/// How long a step may be silent before it is told again that it goes on.
const STILL_AT_IT: Duration = Duration::from_secs(15);
/// Lines of a failed step that are shown.
const TAIL_LINES: usize = 25;

/// Builders of this process that are at work, whatever made them: two callers may want the
/// same image at the same time.
static CLAIMS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Makes builders, and removes those that were dropped.
#[derive(Debug, Clone)]
pub(crate) struct Builders {
    engine: Engine,
    removals: TaskTracker,
}

/// A running builder container; dropping it removes it.
#[derive(Debug)]
pub(crate) struct Builder {
    engine: Engine,
    removals: TaskTracker,
    recipe: String,
    name: String,
    claim: Option<Claim>,
    removed: bool,
}

/// The right to a container's name within this process; dropping it gives it back.
#[derive(Debug)]
struct Claim(String);

impl Claim {
    fn is_held(name: &str) -> bool {
        claims().contains(name)
    }

    fn take(name: &str) -> Option<Self> {
        claims()
            .insert(name.to_owned())
            .then(|| Self(name.to_owned()))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        claims().remove(&self.0);
    }
}

fn claim(recipe: &str, name: &str) -> Result<Claim, ImageError> {
    Claim::take(name).ok_or_else(|| {
        let conflict = EngineError::Conflict {
            doing: format!("create container `{name}`"),
            message: "this process is at it already".to_owned(),
        };
        ImageError::engine(recipe, conflict)
    })
}

fn claims() -> MutexGuard<'static, BTreeSet<String>> {
    CLAIMS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who holds the name of a builder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    /// Nobody, or a process that ended: the name is free now.
    Nobody,
    /// Another process, or another caller in this one, is building the same.
    Another,
}

impl Builders {
    pub(crate) fn new(engine: Engine) -> Self {
        Self {
            engine,
            removals: TaskTracker::new(),
        }
    }

    /// Who is building `reference`; what an ended process left is removed.
    pub(crate) async fn holder(&self, recipe: &str, reference: &str) -> Result<Holder, ImageError> {
        let failed = |source| ImageError::engine(recipe, source);
        let name = container_name(reference);
        if Claim::is_held(&name) {
            return Ok(Holder::Another);
        }
        let Some(found) = self.engine.container(&name).await.map_err(failed)? else {
            return Ok(Holder::Nobody);
        };
        let owner = found.labels.get(label::OWNER);
        if owner.is_some_and(|owner| is_another_and_alive(owner)) {
            return Ok(Holder::Another);
        }
        self.engine.remove_container(&name).await.map_err(failed)?;
        Ok(Holder::Nobody)
    }

    /// Starts a builder of `reference` with root's rights and a scratch folder.
    pub(crate) async fn start(
        &self,
        recipe: &str,
        reference: &str,
        mut spec: ContainerSpec,
    ) -> Result<Builder, ImageError> {
        spec.name = container_name(reference);
        spec.user = Some("0:0".to_owned());
        spec.entrypoint = Some(Vec::new());
        spec.cmd = vec!["sleep".to_owned(), "infinity".to_owned()];
        spec.mounts.push(Mount::Anonymous {
            path: SCRATCH.to_owned(),
        });
        spec.labels.extend(builder_labels(reference));
        let failed = |source| ImageError::engine(recipe, source);
        let (name, claim) = (spec.name.clone(), claim(recipe, &spec.name)?);
        self.engine.create_container(spec).await.map_err(failed)?;
        // Guarded from here on: a name that was taken is not ours to remove.
        let builder = self.guard(recipe, name, claim);
        self.engine
            .start_container(&builder.name)
            .await
            .map_err(failed)?;
        Ok(builder)
    }

    /// Creates, without starting it, a container whose files are to be read.
    pub(crate) async fn shelf(
        &self,
        recipe: &str,
        mut spec: ContainerSpec,
    ) -> Result<Builder, ImageError> {
        let failed = |source| ImageError::engine(recipe, source);
        let (name, claim) = (spec.name.clone(), claim(recipe, &spec.name)?);
        self.engine.remove_container(&name).await.map_err(failed)?;
        let builder = self.guard(recipe, name, claim);
        // An image of files has no command; the engine wants one though it never runs.
        spec.cmd = vec!["none".to_owned()];
        spec.labels.extend(builder_labels(&spec.image));
        self.engine.create_container(spec).await.map_err(failed)?;
        Ok(builder)
    }

    fn guard(&self, recipe: &str, name: String, claim: Claim) -> Builder {
        Builder {
            engine: self.engine.clone(),
            removals: self.removals.clone(),
            recipe: recipe.to_owned(),
            name,
            claim: Some(claim),
            removed: false,
        }
    }

    /// Removes the builders that processes left when they ended.
    pub(crate) async fn remove_left_over(&self) -> Result<(), EngineError> {
        let label = format!("{ROLE}={ROLE_BUILDER}");
        for found in self.engine.list_containers_by_label(&label).await? {
            let owner = found.labels.get(label::OWNER);
            let alive = Claim::is_held(&found.name)
                || owner.is_some_and(|owner| is_another_and_alive(owner));
            if !alive {
                self.engine.remove_container(&found.name).await?;
            }
        }
        Ok(())
    }

    /// Waits until every dropped builder is removed.
    pub(crate) async fn settle(&self) {
        self.removals.close();
        self.removals.wait().await;
        self.removals.reopen();
    }
}

impl Builder {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Runs a command; its output is progress, and its end the error's text.
    pub(crate) async fn step(
        &self,
        step: impl Into<Doing>,
        command: ExecSpec,
        task: &Task<'_>,
    ) -> Result<(), ImageError> {
        let failed = |source| ImageError::engine(&self.recipe, source);
        let step = step.into();
        let says = |line: &str| Doing::Says {
            doing: Box::new(step.clone()),
            line: line.to_owned(),
        };
        task.now(step.clone());
        let mut exec = self
            .engine
            .exec(&self.name, command)
            .await
            .map_err(failed)?;
        let mut tail = VecDeque::with_capacity(TAIL_LINES);
        loop {
            // A compiler may say nothing for minutes: a person must see that it goes on.
            let Ok(line) = timeout(STILL_AT_IT, exec.next_line()).await else {
                let last = tail.back().map_or("", String::as_str);
                task.now(says(last));
                continue;
            };
            let Some(line) = line.map_err(failed)? else {
                break;
            };
            let text = line.text.trim_end();
            if text.is_empty() {
                continue;
            }
            tracing::debug!(recipe = self.recipe, %step, "{text}");
            task.now(says(text));
            if tail.len() == TAIL_LINES {
                tail.pop_front();
            }
            tail.push_back(text.to_owned());
        }
        let exit_code = exec.wait().await.map_err(failed)?;
        if exit_code == 0 {
            return Ok(());
        }
        let (recipe, step) = (self.recipe.clone(), step.to_string());
        let tail = Vec::from(tail).join("\n");
        if tells_of_a_mirror(&tail) {
            return Err(ImageError::MirrorGone { recipe, step, tail });
        }
        Err(ImageError::Step {
            recipe,
            step,
            exit_code,
            tail,
            folder: String::new(),
        })
    }

    pub(crate) async fn remove(mut self) -> Result<(), ImageError> {
        let removed = self.engine.remove_container(&self.name).await;
        self.removed = removed.is_ok();
        removed.map_err(|source| ImageError::engine(&self.recipe, source))
    }
}

impl Drop for Builder {
    fn drop(&mut self) {
        // Outside a runtime nothing can be asked of the engine; the next build removes it.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        if self.removed {
            return;
        }
        let (engine, name) = (self.engine.clone(), std::mem::take(&mut self.name));
        let claim = self.claim.take();
        let removal = async move {
            if let Err(error) = engine.remove_container(&name).await {
                tracing::warn!(name, %error, "builder not removed");
            }
            drop(claim);
        };
        self.removals.spawn_on(removal, &runtime);
    }
}

/// Whether apt or uv say that they could not fetch something. Both say so in these words,
/// whatever the cause: no answer, a connection cut, a file that is not there.
fn tells_of_a_mirror(tail: &str) -> bool {
    tail.contains("Failed to fetch")
}

/// Labels of a finished image: they take the place of the builder's.
pub(crate) fn image_labels(recipe: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        (ROLE.to_owned(), ROLE_IMAGE.to_owned()),
        (BUILDER.to_owned(), String::new()),
        (label::OWNER.to_owned(), String::new()),
        ("lab.image".to_owned(), recipe.to_owned()),
    ])
}

fn builder_labels(reference: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        (ROLE.to_owned(), ROLE_BUILDER.to_owned()),
        (BUILDER.to_owned(), reference.to_owned()),
        (label::OWNER.to_owned(), owner::this_process()),
    ])
}

/// What this process itself builds is known by its claims.
fn is_another_and_alive(owner: &str) -> bool {
    owner != owner::this_process() && owner::lives(owner)
}

fn container_name(reference: &str) -> String {
    let plain: String = reference
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    format!("lab-build-{}", plain.trim_start_matches("lab-"))
}
