//! Finds the program and sees whether it is new enough.

use std::{
    env, fmt,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use tokio::{process::Command, time::timeout};

use super::KindError;

/// Names the program where `PATH` does not have it.
const SETTING: &str = "LAB_KIND";
const NAME: &str = "kind";
/// The oldest that works: from this one on a node sees its own cgroups on every host
/// (kind#3241), and its memory and CPU time are read there.
const OLDEST: Version = Version([0, 20, 0]);
/// It only prints a line.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// A version of kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version([u32; 3]);

impl FromStr for Version {
    type Err = ();

    /// Reads what `kind version` prints: `kind v0.32.0 go1.26.1 linux/amd64`.
    fn from_str(line: &str) -> Result<Self, ()> {
        let version = line.strip_prefix("kind v").ok_or(())?;
        let version = version.split([' ', '-', '+']).next().unwrap_or(version);
        let mut numbers = version.trim().split('.').map(str::parse);
        let mut next = || numbers.next().and_then(Result::ok).ok_or(());
        Ok(Self([next()?, next()?, next()?]))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        write!(f, "v{major}.{minor}.{patch}")
    }
}

/// The program, new enough.
pub(super) async fn find() -> Result<PathBuf, KindError> {
    let path = located(env::var_os(SETTING).map(PathBuf::from), &path_folders())?;
    new_enough(&path).await?;
    Ok(path)
}

fn path_folders() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).collect()
}

fn located(set: Option<PathBuf>, folders: &[PathBuf]) -> Result<PathBuf, KindError> {
    if let Some(path) = set.filter(|it| !it.as_os_str().is_empty()) {
        return if is_program(&path) {
            Ok(path)
        } else {
            Err(KindError::Missing {
                looked: format!("{SETTING} is `{}`", path.display()),
            })
        };
    }
    let mut places = folders.iter().map(|folder| folder.join(NAME));
    places
        .find(|it| is_program(it))
        .ok_or_else(|| KindError::Missing {
            looked: format!("no folder of PATH has it, and {SETTING} is not set"),
        })
}

fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

async fn new_enough(path: &Path) -> Result<(), KindError> {
    let shown = path.display().to_string();
    let run = |source| KindError::Run {
        path: shown.clone(),
        source,
    };
    let asked = Command::new(path)
        .arg("version")
        .kill_on_drop(true)
        .output();
    let answer = timeout(ANSWERS_WITHIN, asked)
        .await
        .map_err(|late| run(late.into()))?
        .map_err(run)?;
    let line = String::from_utf8_lossy(&answer.stdout);
    let line = line.lines().next().unwrap_or_default();
    match line.parse::<Version>() {
        Err(()) => Err(KindError::NotKind {
            path: shown.clone(),
            words: said(line, &answer.stderr),
        }),
        Ok(found) if found < OLDEST => Err(KindError::TooOld {
            path: shown.clone(),
            found: found.to_string(),
            needed: OLDEST.to_string(),
        }),
        Ok(_) => Ok(()),
    }
}

/// What there is to show of an answer that is none.
fn said(line: &str, stderr: &[u8]) -> String {
    let stderr = String::from_utf8_lossy(stderr);
    let words = [line, stderr.trim()].map(str::trim);
    match words.into_iter().find(|it| !it.is_empty()) {
        Some(words) => words.to_owned(),
        None => "nothing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_and_builds_between_them_are_told_apart_by_their_numbers() {
        for (line, version) in [
            ("kind v0.32.0 go1.26.1 linux/amd64", [0, 32, 0]),
            (
                "kind v0.33.0-alpha.12+fed26882abcdef go1.26.1 linux/amd64",
                [0, 33, 0],
            ),
            ("kind v0.9.0 go1.15.2 darwin/amd64", [0, 9, 0]),
            ("kind v1.0.10", [1, 0, 10]),
        ] {
            assert_eq!(line.parse(), Ok(Version(version)), "{line}");
        }
        assert!(Version([0, 9, 0]) < OLDEST && OLDEST < Version([0, 32, 0]));
    }

    #[test]
    fn what_another_program_says_is_no_version() {
        for line in ["", "kind", "kind v", "kind v0.x.1", "kubectl v1.33.0"] {
            assert_eq!(line.parse::<Version>(), Err(()), "{line}");
        }
    }

    #[test]
    fn the_setting_comes_before_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join(NAME);
        std::fs::write(&program, "").unwrap();
        let folders = [folder.path().to_owned()];
        let error = located(None, &folders).unwrap_err();
        assert!(
            matches!(error, KindError::Missing { .. }),
            "nobody may run it"
        );

        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();

        assert_eq!(located(None, &folders).unwrap(), program);
        assert_eq!(
            located(Some(PathBuf::new()), &folders).unwrap(),
            program,
            "an empty setting is none"
        );
        let error = located(Some("/no/such/kind".into()), &folders).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the program `kind` is not there: LAB_KIND is `/no/such/kind`"
        );
    }
}
