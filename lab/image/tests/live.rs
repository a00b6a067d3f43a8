//! Recipes carried out on a real engine. Cheap once the base is there.

use std::{fs, path::Path, process::ExitCode};

use futures::TryStreamExt;
use lab_engine::{ContainerSpec, Engine, ExecSpec};
use lab_image::{ImageError, Images, Settings};
use lab_model::event::{Emitter, Fact, ImageSource, Silent};
use libtest_mimic::{Arguments, Failed, Trial};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

type Outcome = Result<(), Failed>;

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
        trial("a_recipe_becomes_an_image", |engine, runtime| {
            runtime.block_on(a_recipe_becomes_an_image(engine))
        }),
        trial(
            "a_wrong_hash_names_recipe_file_and_package",
            |engine, runtime| runtime.block_on(a_wrong_hash_names_recipe_file_and_package(engine)),
        ),
        trial(
            "a_mirror_that_is_gone_is_told_and_the_next_call_goes_on",
            |engine, runtime| {
                runtime.block_on(a_mirror_that_is_gone_is_told_and_the_next_call_goes_on(
                    engine,
                ))
            },
        ),
        trial("two_callers_build_it_once", |engine, runtime| {
            runtime.block_on(two_callers_build_it_once(engine))
        }),
        trial("cancelling_removes_the_builder", |engine, runtime| {
            runtime.block_on(cancelling_removes_the_builder(engine))
        }),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

async fn a_recipe_becomes_an_image(engine: Engine) -> Outcome {
    let recipes = recipes(&[
        (
            "live-tool/recipe.toml",
            "kind = \"artifact\"\nfrom = \"debian\"\n",
        ),
        (
            "live-tool/build.sh",
            "echo tool > \"$OUT/tool\"; chmod 4755 \"$OUT/tool\"\n",
        ),
        (
            "live-image/recipe.toml",
            "from = \"debian\"\n[debian]\npackages = [\"tini\"]\n[artifacts]\nlive-tool = \"/opt/live\"\n\
             [config]\nuser = \"1000:1000\"\nenv = { LIVE = \"yes\" }\n",
        ),
        ("live-image/files/etc/live", "file\n"),
        ("live-image/build.sh", "cat /etc/live > /etc/built\n"),
    ])?;
    let images = Images::open(engine.clone(), recipes.path(), Settings::default())?;
    let cancel = CancellationToken::new();
    let reference = images.reference("live-image")?;
    engine.remove_image(&reference).await?;

    let built = images.ensure(&["live-image"], &Silent, &cancel).await?;
    let again = images.ensure(&["live-image"], &Silent, &cancel).await?;
    let inside = look_inside(&engine, &reference).await;
    let saved: u64 = images
        .save(&["live-image"])?
        .try_fold(0, |sum, chunk| async move { Ok(sum + chunk.len() as u64) })
        .await?;
    engine.remove_image(&reference).await?;
    engine.remove_image(&images.reference("live-tool")?).await?;

    assert_eq!(built[0].source, ImageSource::Built);
    assert_eq!(again[0].source, ImageSource::Cached);
    assert_eq!(inside?, EXPECTED_INSIDE);
    assert!(saved > 10_000_000, "a saved image of {saved} bytes");
    Ok(())
}

/// What the image must hold, and that nothing of the build is left in it.
const LOOK: &str =
    "cat /etc/built /opt/live/tool; stat -c '%a %u' /opt/live/tool; id -u; echo $LIVE
test -x /usr/bin/tini && echo tini
ls -A /tmp /var/lib/apt/lists /var/cache/apt/archives /var/log/apt
env | grep -ci -e proxy -e ssl_cert -e apt_config -e uv_
find / -xdev -name ca.crt 2>/dev/null | wc -l
cat /etc/apt/sources.list.d/* | grep URIs | sort -u";
const EXPECTED_INSIDE: &str = "file
tool
4755 0
1000
yes
tini
/tmp:

/var/cache/apt/archives:
partial

/var/lib/apt/lists:
partial

/var/log/apt:
0
0
URIs: http://deb.debian.org/debian
URIs: http://deb.debian.org/debian-security
";

async fn look_inside(engine: &Engine, reference: &str) -> Result<String, Failed> {
    let name = format!("lab-test-image-{}", std::process::id());
    let spec = ContainerSpec {
        name: name.clone(),
        image: reference.to_owned(),
        cmd: vec!["sleep".to_owned(), "infinity".to_owned()],
        ..Default::default()
    };
    engine.create_container(spec).await?;
    let looked = async {
        engine.start_container(&name).await?;
        engine.run(&name, ExecSpec::new(["sh", "-c", LOOK])).await
    }
    .await;
    engine.remove_container(&name).await?;
    Ok(looked?.stdout)
}

async fn a_wrong_hash_names_recipe_file_and_package(engine: Engine) -> Outcome {
    let zeros = "0".repeat(64);
    let recipes = recipes(&[
        (
            "live-hash/recipe.toml",
            "from = \"debian\"\n[debian]\npackages = [\"python3\"]\n\
             [python]\nvenv = \"/opt/live\"\nrequirements = \"requirements.txt\"\n",
        ),
        (
            "live-hash/requirements.txt",
            &format!("idna==3.10 --hash=sha256:{zeros}\n"),
        ),
    ])?;
    let images = Images::open(engine, recipes.path(), Settings::default())?;

    let result = images
        .ensure(&["live-hash"], &Silent, &CancellationToken::new())
        .await;

    match result {
        Err(ImageError::HashMismatch {
            recipe,
            file,
            package,
        }) => {
            assert_eq!(
                (recipe.as_str(), file.as_str(), package.as_str()),
                ("live-hash", "requirements.txt", "idna==3.10")
            );
            Ok(())
        }
        other => Err(format!("{other:?}").into()),
    }
}

/// Nothing listens on the discard port of a builder's own loopback.
const NO_MIRROR: &str = "http://127.0.0.1:9/debian";

async fn a_mirror_that_is_gone_is_told_and_the_next_call_goes_on(engine: Engine) -> Outcome {
    let recipes = recipes(&[
        ("live-first/recipe.toml", "from = \"debian\"\n"),
        ("live-first/build.sh", "echo first > /etc/first\n"),
        (
            "live-then/recipe.toml",
            "from = \"live-first\"\n[debian]\npackages = [\"tini\"]\n",
        ),
    ])?;
    let gone = Settings {
        debian_mirror: Some(NO_MIRROR.to_owned()),
        security_mirror: Some(NO_MIRROR.to_owned()),
        ..Settings::default()
    };
    let open = |settings| Images::open(engine.clone(), recipes.path(), settings);
    let (half, whole) = (open(gone)?, open(Settings::default())?);
    let names = ["live-first", "live-then"];
    let cancel = CancellationToken::new();

    let broken = half.ensure(&names, &Silent, &cancel).await;
    let label = format!("lab.builder={}", half.reference("live-then")?);
    let left = engine.list_containers_by_label(&label).await?;
    let readied = whole.ensure(&names, &Silent, &cancel).await;
    for name in names.iter().rev() {
        engine.remove_image(&whole.reference(name)?).await?;
    }

    match &broken {
        Err(ImageError::MirrorGone { recipe, step, tail }) => {
            assert_eq!(
                (recipe.as_str(), step.as_str()),
                ("live-then", "install packages")
            );
            assert!(tail.contains(NO_MIRROR), "{tail}");
        }
        other => return Err(format!("{other:?}").into()),
    }
    assert_eq!(left, []);
    let sources: Vec<_> = readied?.iter().map(|it| it.source).collect();
    assert_eq!(sources, [ImageSource::Cached, ImageSource::Built]);
    Ok(())
}

async fn two_callers_build_it_once(engine: Engine) -> Outcome {
    let recipes = recipes(&[
        ("live-twice/recipe.toml", "from = \"debian\"\n"),
        ("live-twice/build.sh", "sleep 2\n"),
    ])?;
    let open = || Images::open(engine.clone(), recipes.path(), Settings::default());
    let (one, other) = (open()?, open()?);
    let cancel = CancellationToken::new();

    let built = futures::try_join!(
        one.ensure(&["live-twice"], &Silent, &cancel),
        other.ensure(&["live-twice"], &Silent, &cancel),
    );
    engine.remove_image(&one.reference("live-twice")?).await?;

    let (one, other) = built?;
    assert_eq!(one[0].id, other[0].id);
    let sources = [one[0].source, other[0].source];
    let built = sources
        .iter()
        .filter(|source| **source == ImageSource::Built);
    assert_eq!(built.count(), 1);
    Ok(())
}

async fn cancelling_removes_the_builder(engine: Engine) -> Outcome {
    let recipes = recipes(&[
        ("live-long/recipe.toml", "from = \"debian\"\n"),
        // Progress may be dropped, so that one line is not enough.
        (
            "live-long/build.sh",
            "for second in $(seq 600); do echo begun; sleep 1; done\n",
        ),
    ])?;
    let images = Images::open(engine.clone(), recipes.path(), Settings::default())?;
    let cancel = CancellationToken::new();
    let emitter = CancelAt {
        text: "run build.sh: begun",
        cancel: cancel.clone(),
    };

    let result = images.ensure(&["live-long"], &emitter, &cancel).await;

    let label = format!("lab.builder={}", images.reference("live-long")?);
    let left = engine.list_containers_by_label(&label).await?;
    assert!(matches!(result, Err(ImageError::Interrupted)), "{result:?}");
    assert_eq!(left, []);
    Ok(())
}

/// Cancels as soon as it hears a text.
struct CancelAt {
    text: &'static str,
    cancel: CancellationToken,
}

impl Emitter for CancelAt {
    fn emit(&self, fact: Fact) {
        if let Fact::Progressed(progress) = fact
            && progress.now.to_string().starts_with(self.text)
        {
            self.cancel.cancel();
        }
    }
}

fn recipes(files: &[(&str, &str)]) -> Result<TempDir, Failed> {
    let folder = tempfile::tempdir()?;
    for (path, content) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        fs::write(path, content)?;
    }
    Ok(folder)
}
