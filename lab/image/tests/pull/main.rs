//! Images pulled from a real registry, and every way in which one does not come.

mod door;
mod registry;

use std::{process::ExitCode, time::Duration};

use lab_engine::{Engine, PullError, PushError};
use lab_image::{ImageError, Images, Patience, Policy, Settings};
use lab_model::event::{ImageReady, ImageSource, Silent};
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::{
    door::{Door, Manner},
    registry::{Registry, with_registry},
};

pub(crate) type Outcome = Result<(), Failed>;

const IMAGE: &str = "live-pulled";
const REPOSITORY: &str = "live/tiny";
/// Enough to be cut off in the middle, and where.
const MANY_BYTES: usize = 8 << 20;
const SOME_BYTES: i64 = 1 << 20;

fn main() -> ExitCode {
    let runtime = Runtime::new().expect("a runtime needs nothing but threads");
    let engine = runtime.block_on(Engine::connect());
    let required = std::env::var("LAB_REQUIRE_DOCKER").is_ok_and(|value| value == "1");
    // Where there is no engine, the name says why nothing ran.
    let (reason, ignored) = match &engine {
        Ok(_) => (String::new(), false),
        Err(error) if required => (format!(" ({error})"), false),
        Err(error) => (format!(" (ignored: {error})"), true),
    };
    let trial = |name: &str, test: fn(Engine, Runtime) -> Outcome| {
        Trial::test(format!("{name}{reason}"), move || {
            let runtime = Runtime::new()?;
            let engine = runtime.block_on(Engine::connect())?;
            test(engine, runtime)
        })
        .with_ignored_flag(ignored)
    };
    let trials = vec![
        trial("an_image_is_pulled_once", |engine, runtime| {
            runtime.block_on(with_registry(engine, an_image_is_pulled_once))
        }),
        trial("an_image_is_pulled_by_the_name_given", |engine, runtime| {
            runtime.block_on(with_registry(engine, an_image_is_pulled_by_the_name_given))
        }),
        trial("an_image_is_pushed_by_its_content", |engine, runtime| {
            runtime.block_on(with_registry(engine, an_image_is_pushed_by_its_content))
        }),
        trial("a_mirror_stands_for_docker_hub", |engine, runtime| {
            runtime.block_on(with_registry(engine, a_mirror_stands_for_docker_hub))
        }),
        trial("another_digest_is_refused", |engine, runtime| {
            runtime.block_on(with_registry(engine, another_digest_is_refused))
        }),
        trial("other_bytes_are_refused", |engine, runtime| {
            runtime.block_on(with_registry(engine, other_bytes_are_refused))
        }),
        trial("a_registry_that_is_gone_is_told", |engine, runtime| {
            runtime.block_on(with_registry(engine, a_registry_that_is_gone_is_told))
        }),
        trial("a_mute_registry_is_given_up", |engine, runtime| {
            runtime.block_on(with_registry(engine, a_mute_registry_is_given_up))
        }),
        trial("a_registry_in_trouble_is_asked_again", |engine, runtime| {
            runtime.block_on(with_registry(engine, a_registry_in_trouble_is_asked_again))
        }),
        trial("a_pull_cut_off_leaves_nothing", |engine, runtime| {
            runtime.block_on(with_registry(engine, a_pull_cut_off_leaves_nothing))
        }),
        trial(
            "a_pull_that_stands_still_leaves_nothing",
            |engine, runtime| {
                runtime.block_on(with_registry(
                    engine,
                    a_pull_that_stands_still_leaves_nothing,
                ))
            },
        ),
        trial("a_policy_that_leaves_no_way_is_told", |engine, runtime| {
            runtime.block_on(with_registry(engine, a_policy_that_leaves_no_way_is_told))
        }),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

async fn an_image_is_pulled_once(registry: &Registry) -> Outcome {
    let image = registry.upload(REPOSITORY, 1000).await?;
    let reference = format!("127.0.0.1:{}/{REPOSITORY}:live", registry.port);
    let (images, _folder) = registry.recipe(&reference, &image.digest, Settings::default())?;

    let first = ensure(&images).await?;
    let second = ensure(&images).await?;

    assert_eq!(first.source, ImageSource::Pulled);
    assert_eq!(second.source, ImageSource::Cached);
    assert_eq!(first.documented, Some(reference));
    let there = registry.engine.image(&first.reference).await?;
    let there = there.ok_or("the image is not on the engine")?;
    assert_eq!(there.labels.get("live").map(String::as_str), Some("pulled"));
    assert!(first.bytes >= 1000, "{first:?}");
    Ok(())
}

async fn an_image_is_pulled_by_the_name_given(registry: &Registry) -> Outcome {
    let image = registry.upload(REPOSITORY, 1000).await?;
    let reference = pinned(registry.port, &image.digest);
    let (images, _folder) = through(registry, registry.port, &image.digest, Settings::default())?;
    let cancel = CancellationToken::new();

    images
        .ensure_named(IMAGE, &reference, &Silent, &cancel)
        .await?;
    assert!(registry.engine.image(&reference).await?.is_some());
    registry.stop().await?;
    // It is there, so nobody is asked.
    images
        .ensure_named(IMAGE, &reference, &Silent, &cancel)
        .await?;

    assert!(
        !images.is_there(IMAGE).await?,
        "the recipe's own is another"
    );
    Ok(())
}

async fn an_image_is_pushed_by_its_content(registry: &Registry) -> Outcome {
    let image = registry.upload(REPOSITORY, 1000).await?;
    let reference = format!("127.0.0.1:{}/{REPOSITORY}:live", registry.port);
    let (images, _folder) = registry.recipe(&reference, &image.digest, Settings::default())?;
    ensure(&images).await?;
    let to: lab_image::Registry = format!("127.0.0.1:{}/team", registry.port).parse()?;
    let there = images.registry_reference(&to, IMAGE)?;
    let (_, tag) = there.rsplit_once(':').ok_or("no tag")?;
    assert!(!registry.has("team/live-pulled", tag).await?);

    images.push(&[IMAGE], &to, &Silent).await?;

    assert!(registry.has("team/live-pulled", tag).await?);
    assert_eq!(registry.engine.image(&there).await?, None, "only a name");
    registry.stop().await?;
    let gone = images.push(&[IMAGE], &to, &Silent).await;
    assert!(
        matches!(gone, Err(ImageError::Push(PushError::NoAnswer { .. }))),
        "{gone:?}"
    );
    assert_eq!(registry.engine.image(&there).await?, None);
    Ok(())
}

async fn a_mirror_stands_for_docker_hub(registry: &Registry) -> Outcome {
    let image = registry.upload(&format!("hub/{REPOSITORY}"), 1000).await?;
    let mirror = format!("127.0.0.1:{}/hub", registry.port);
    let settings = Settings {
        registry_mirror: Some(mirror.clone()),
        ..Settings::default()
    };
    let reference = format!("docker.io/{REPOSITORY}:live");
    let (images, _folder) = registry.recipe(&reference, &image.digest, settings)?;
    registry.forget(format!("{mirror}/{REPOSITORY}@{}", image.digest));

    let ready = ensure(&images).await?;

    assert_eq!(ready.source, ImageSource::Pulled);
    Ok(())
}

async fn another_digest_is_refused(registry: &Registry) -> Outcome {
    registry.upload(REPOSITORY, 1000).await?;
    let other = format!("sha256:{}", "0".repeat(64));

    let error = refused(registry, registry.port, &other, Settings::default()).await?;

    assert!(
        matches!(error, ImageError::Pull(PullError::Unknown { .. })),
        "{error:?}"
    );
    Ok(())
}

async fn other_bytes_are_refused(registry: &Registry) -> Outcome {
    let image = registry.upload(REPOSITORY, 1000).await?;
    registry.spoil(&image).await?;

    let error = refused(registry, registry.port, &image.digest, Settings::default()).await?;

    assert!(
        matches!(error, ImageError::Pull(PullError::Digest { .. })),
        "{error:?}"
    );
    Ok(())
}

async fn a_registry_that_is_gone_is_told(registry: &Registry) -> Outcome {
    let image = registry.upload(REPOSITORY, 1000).await?;
    registry.stop().await?;

    let error = refused(registry, registry.port, &image.digest, Settings::default()).await?;

    assert!(
        matches!(error, ImageError::Pull(PullError::NoAnswer { .. })),
        "{error:?}"
    );
    let reference = shown(registry.port, &image.digest);
    let told = format!("no registry answers for `{reference}`: ");
    assert!(error.to_string().starts_with(&told), "{error}");
    Ok(())
}

async fn a_mute_registry_is_given_up(registry: &Registry) -> Outcome {
    let image = registry.upload(REPOSITORY, 1000).await?;
    let door = Door::open(registry.port, Manner::Mute).await?;

    // The engine itself would wait for 25 s.
    let limit = Duration::from_secs(1);
    let (images, _folder) = through(registry, door.port, &image.digest, Settings::default())?;
    let error = failure(&images.answered_within(limit)).await?;

    let reference = shown(door.port, &image.digest);
    assert_eq!(
        error.to_string(),
        format!("no registry answers for `{reference}`: nothing came within 1 s")
    );
    Ok(())
}

async fn a_registry_in_trouble_is_asked_again(registry: &Registry) -> Outcome {
    let image = registry.upload(REPOSITORY, 1000).await?;
    // Both the greeting and the manifest of the first try.
    let door = Door::open(registry.port, Manner::Rude(2)).await?;
    let (images, _folder) = through(registry, door.port, &image.digest, Settings::default())?;

    let ready = ensure(&images).await?;

    assert_eq!(ready.source, ImageSource::Pulled);
    Ok(())
}

async fn a_pull_cut_off_leaves_nothing(registry: &Registry) -> Outcome {
    ends_at(registry, Manner::Shuts(SOME_BYTES)).await
}

async fn a_pull_that_stands_still_leaves_nothing(registry: &Registry) -> Outcome {
    ends_at(registry, Manner::Jams(SOME_BYTES)).await
}

/// Pulls through a door that lets only the beginning of a layer out.
async fn ends_at(registry: &Registry, manner: Manner) -> Outcome {
    let image = registry.upload(REPOSITORY, MANY_BYTES).await?;
    let door = Door::open(registry.port, manner).await?;
    let settings = Settings {
        patience: Patience {
            // Where nothing listens any more, the engine tries again for seconds at least.
            silence: Duration::from_secs(2),
            ..Patience::default()
        },
        ..Settings::default()
    };

    let error = refused(registry, door.port, &image.digest, settings).await?;

    let reference = shown(door.port, &image.digest);
    let told = format!("the registry of `{reference}` stopped sending for 2 s, after ");
    assert!(error.to_string().starts_with(&told), "{error}");
    Ok(())
}

async fn a_policy_that_leaves_no_way_is_told(registry: &Registry) -> Outcome {
    let settings = |policy| Settings {
        policy,
        ..Settings::default()
    };
    let digest = format!("sha256:{}", "0".repeat(64));

    let built = refused(registry, registry.port, &digest, settings(Policy::Build)).await?;

    assert_eq!(
        built.to_string(),
        format!(
            "image `live-pulled` cannot be built: only a container registry has \
             `127.0.0.1:{}/{REPOSITORY}:live`",
            registry.port
        )
    );
    let folder = tempfile::tempdir()?;
    std::fs::create_dir(folder.path().join(IMAGE))?;
    std::fs::write(
        folder.path().join(IMAGE).join("recipe.toml"),
        "from = \"debian\"\n",
    )?;
    let images = Images::open(
        registry.engine.clone(),
        folder.path(),
        settings(Policy::Pull),
    )?;
    assert_eq!(
        failure(&images).await?.to_string(),
        "image `live-pulled` cannot be pulled: its recipe says how to build it"
    );
    Ok(())
}

/// Tries to pull through a port where it cannot succeed; nothing must be named after.
async fn refused(
    registry: &Registry,
    port: u16,
    digest: &str,
    settings: Settings,
) -> Result<ImageError, Failed> {
    let (images, _folder) = through(registry, port, digest, settings)?;
    let error = failure(&images).await?;
    for reference in [images.reference(IMAGE)?, pinned(port, digest)] {
        assert_eq!(registry.engine.image(&reference).await?, None);
    }
    Ok(error)
}

fn through(
    registry: &Registry,
    port: u16,
    digest: &str,
    settings: Settings,
) -> Result<(Images, tempfile::TempDir), Failed> {
    let reference = format!("127.0.0.1:{port}/{REPOSITORY}:live");
    registry.recipe(&reference, digest, settings)
}

fn pinned(port: u16, digest: &str) -> String {
    format!("127.0.0.1:{port}/{REPOSITORY}@{digest}")
}

/// A reference as errors show it.
fn shown(port: u16, digest: &str) -> String {
    pinned(port, &digest[.."sha256:".len() + 12])
}

async fn ensure(images: &Images) -> Result<ImageReady, ImageError> {
    let mut readied = images
        .ensure(&[IMAGE], &Silent, &CancellationToken::new())
        .await?;
    Ok(readied.remove(0))
}

async fn failure(images: &Images) -> Result<ImageError, Failed> {
    match ensure(images).await {
        Err(error) => Ok(error),
        Ok(ready) => Err(format!("it was readied: {ready:?}").into()),
    }
}
