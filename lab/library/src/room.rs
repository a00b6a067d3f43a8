//! Room on this machine for labs that several processes bring up side by side.

use std::{
    env,
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tokio::time::sleep;

use crate::LabError;

/// How long a lab waits for the end of others: longer than any test should take.
const WAIT_AT_MOST: Duration = Duration::from_mins(30);
const LOOK_EVERY: Duration = Duration::from_millis(200);
const CLAIM: &str = "claim";
const BUDGET: &str = "budget";

/// A claim on memory of this machine. Dropping it gives the memory back; the kernel does
/// so for a process that dies.
///
/// [`LabBuilder::start`](crate::LabBuilder::start) claims for itself. It is for tests that
/// take memory in other ways, so that all of them fit beside each other.
#[derive(Debug)]
#[must_use = "dropping it gives the memory back"]
pub struct Room {
    _claim: File,
}

impl Room {
    /// Waits until so much memory can be claimed. All who claim by the same name share
    /// one claim.
    ///
    /// The budget is the memory that was available when nobody had a claim.
    ///
    /// # Errors
    /// When the machine is too small for it, when others keep it for half an hour, or
    /// when the claim cannot be written.
    pub async fn claim(name: &str, mib: u64) -> Result<Self, LabError> {
        let ledger = Ledger::of_user()?;
        let end = Instant::now() + WAIT_AT_MOST;
        loop {
            match ledger.claim(name, mib, available_mib)? {
                Answer::Granted(claim) => return Ok(Self { _claim: claim }),
                Answer::TooSmall { budget } => {
                    return Err(LabError::TooSmall { mib, budget });
                }
                Answer::Taken { by } if Instant::now() > end => {
                    return Err(LabError::NoRoom {
                        mib,
                        minutes: WAIT_AT_MOST.as_secs() / 60,
                        by: by.join(", "),
                    });
                }
                Answer::Taken { .. } => sleep(LOOK_EVERY).await,
            }
        }
    }
}

/// What became of a wish.
#[derive(Debug)]
enum Answer {
    Granted(File),
    /// Others have it; these.
    Taken {
        by: Vec<String>,
    },
    /// Nobody has a claim, and it is too much all the same.
    TooSmall {
        budget: u64,
    },
}

/// A folder with one file a claim. A claim stands for as long as its file is locked.
#[derive(Debug)]
struct Ledger {
    folder: PathBuf,
}

impl Ledger {
    fn of_user() -> Result<Self, LabError> {
        let set = |name| env::var_os(name).filter(|value| !value.is_empty());
        let state = set("XDG_STATE_HOME")
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(set("HOME")?).join(".local/state")))
            .unwrap_or_else(env::temp_dir);
        let folder = state.join("lab/room");
        fs::create_dir_all(&folder).map_err(keeping(&folder))?;
        Ok(Self { folder })
    }

    fn claim(
        &self,
        name: &str,
        mib: u64,
        available: impl FnOnce() -> u64,
    ) -> Result<Answer, LabError> {
        let decide = || {
            // One decides at a time.
            let lock = File::create(self.folder.join(".lock"))?;
            lock.lock()?;
            self.decide(name, mib, available)
        };
        decide().map_err(keeping(&self.folder))
    }

    fn decide(&self, name: &str, mib: u64, available: impl FnOnce() -> u64) -> io::Result<Answer> {
        let standing = self.standing()?;
        let own = self.folder.join(name).with_added_extension(CLAIM);
        if standing.iter().any(|(it, _)| it == name) {
            return Ok(Answer::Granted(locked(&own)?));
        }
        let budget = self.folder.join(BUDGET);
        if standing.is_empty() {
            fs::write(&budget, available().to_string())?;
        }
        let budget = number_in(&budget);
        let taken: u64 = standing.iter().map(|(_, mib)| mib).sum();
        if taken.saturating_add(mib) <= budget {
            fs::write(&own, mib.to_string())?;
            return Ok(Answer::Granted(locked(&own)?));
        }
        if standing.is_empty() {
            return Ok(Answer::TooSmall { budget });
        }
        let by = standing.into_iter().map(|(name, _)| name).collect();
        Ok(Answer::Taken { by })
    }

    /// Names and sizes of the claims that stand. Those of processes that ended are removed.
    fn standing(&self) -> io::Result<Vec<(String, u64)>> {
        let mut standing = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.extension().is_none_or(|it| it != CLAIM) {
                continue;
            }
            match File::open(&path)?.try_lock() {
                Ok(()) => fs::remove_file(&path)?,
                Err(TryLockError::WouldBlock) => {
                    let name = path.file_stem().unwrap_or_default();
                    standing.push((name.to_string_lossy().into_owned(), number_in(&path)));
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        standing.sort_unstable();
        Ok(standing)
    }
}

/// Several may hold the lock of a claim; the claim stands until the last has gone.
fn locked(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).open(path)?;
    file.lock_shared()?;
    Ok(file)
}

fn number_in(path: &Path) -> u64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.trim().parse().unwrap_or_default()
}

/// Memory that programs can have without others being swapped out; where the kernel does
/// not tell, there is no limit.
fn available_mib() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let mut lines = text.lines();
    let kib = lines
        .find_map(|line| line.strip_prefix("MemAvailable:"))
        .and_then(|rest| rest.trim().strip_suffix("kB"))
        .and_then(|kib| kib.trim().parse::<u64>().ok());
    kib.map_or(u64::MAX, |kib| kib / 1024)
}

fn keeping(folder: &Path) -> impl FnOnce(io::Error) -> LabError {
    let path = folder.display().to_string();
    move |source| LabError::Ledger { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ledger in a folder of its own, and what is on a machine of 4 GiB.
    fn ledger() -> (tempfile::TempDir, Ledger) {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger {
            folder: folder.path().to_owned(),
        };
        (folder, ledger)
    }

    fn wish(ledger: &Ledger, name: &str, mib: u64) -> Answer {
        ledger.claim(name, mib, || 4096).unwrap()
    }

    #[test]
    fn what_does_not_fit_waits_for_the_first_to_end() {
        let (_folder, ledger) = ledger();
        let first = wish(&ledger, "first", 3000);
        assert!(matches!(first, Answer::Granted(_)));

        let second = wish(&ledger, "second", 3000);
        assert!(matches!(second, Answer::Taken { by } if by == ["first"]));
        assert!(matches!(wish(&ledger, "small", 1000), Answer::Granted(_)));

        drop(first);
        assert!(matches!(wish(&ledger, "second", 3000), Answer::Granted(_)));
    }

    #[test]
    fn the_budget_is_what_was_free_before_the_first() {
        let (_folder, ledger) = ledger();
        let _first = wish(&ledger, "first", 2000);

        // The first has taken its memory by now, so that less is available.
        let second = ledger.claim("second", 2000, || 100).unwrap();

        assert!(matches!(second, Answer::Granted(_)));
    }

    #[test]
    fn one_name_is_one_claim() {
        let (_folder, ledger) = ledger();
        let first = wish(&ledger, "shared", 3000);
        let second = wish(&ledger, "shared", 3000);
        assert!(matches!(second, Answer::Granted(_)));

        drop(first);
        let other = wish(&ledger, "other", 3000);
        assert!(matches!(other, Answer::Taken { by } if by == ["shared"]));
    }

    #[test]
    fn a_machine_that_is_too_small_is_not_waited_for() {
        let (_folder, ledger) = ledger();
        let wish = wish(&ledger, "large", 5000);
        assert!(matches!(wish, Answer::TooSmall { budget: 4096 }));
    }
}
