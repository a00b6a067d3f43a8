//! Finds stacks under `fixtures/stacks`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use lab_model::{
    definition::DefinitionError,
    stack::{Lock, Stack},
};
use miette::Diagnostic;
use thiserror::Error;

/// A stack that cannot be had.
#[derive(Debug, Error, Diagnostic)]
pub enum CatalogueError {
    /// There is no such stack.
    #[error("there is no stack `{name}`")]
    #[diagnostic(code(lab::stack::unknown), help("stacks here: {}", known.join(", ")))]
    UnknownStack {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// The stack has no such lock.
    #[error("stack `{stack}` has no lock `{lock}`")]
    #[diagnostic(code(lab::stack::unknown_lock), help("locks of it: {}", known.join(", ")))]
    UnknownLock {
        /// The stack.
        stack: String,
        /// The lock asked for.
        lock: String,
        /// The locks there are.
        known: Vec<String>,
    },
    /// A file cannot be read.
    #[error("failed to read `{}`", path.display())]
    #[diagnostic(
        code(lab::stack::read),
        help("run `lab` inside a checkout, or name one with `--root`")
    )]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// A file can be read but not used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Definition(#[from] DefinitionError),
}

/// The stacks of a checkout.
#[derive(Debug, Clone)]
pub struct Catalogue {
    fixtures: PathBuf,
}

/// A stack with one of its locks.
#[derive(Debug, Clone)]
pub struct LockedStack {
    /// The stack's name: its folder.
    pub name: String,
    /// The lock's name: its file without `.toml`.
    pub lock_name: String,
    /// What it is made of.
    pub stack: Stack,
    /// In which versions.
    pub lock: Lock,
    /// Its chart's folder.
    pub chart: PathBuf,
}

impl Catalogue {
    /// The stacks under a checkout's `fixtures` folder.
    pub fn new(fixtures: PathBuf) -> Self {
        Self { fixtures }
    }

    /// Names of the stacks, sorted.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn names(&self) -> Result<Vec<String>, CatalogueError> {
        let folder = self.fixtures.join("stacks");
        let entries = fs::read_dir(&folder).map_err(reading(&folder))?;
        let mut names: Vec<_> = entries
            .filter_map(Result::ok)
            .filter(|entry| entry.path().join("stack.toml").is_file())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        Ok(names)
    }

    /// Reads a stack and one of its locks.
    ///
    /// # Errors
    /// When there is no such stack or lock, or a file is malformed: then with
    /// every problem's file and line.
    pub fn load(&self, name: &str, lock: &str) -> Result<LockedStack, CatalogueError> {
        let known = self.names()?;
        if !known.iter().any(|it| it == name) {
            return Err(CatalogueError::UnknownStack {
                name: name.to_owned(),
                known,
            });
        }
        let folder = self.fixtures.join("stacks").join(name);
        let stack_file = folder.join("stack.toml");
        let stack = Stack::parse(&stack_file.to_string_lossy(), &read(&stack_file)?)?;
        let known = locks(&folder)?;
        if !known.iter().any(|it| it == lock) {
            return Err(CatalogueError::UnknownLock {
                stack: name.to_owned(),
                lock: lock.to_owned(),
                known,
            });
        }
        let lock_file = folder.join(format!("{lock}.toml"));
        let locked = Lock::parse(&lock_file.to_string_lossy(), &read(&lock_file)?, &stack)?;
        Ok(LockedStack {
            name: name.to_owned(),
            lock_name: lock.to_owned(),
            chart: self.fixtures.join("charts").join(&stack.release.chart),
            stack,
            lock: locked,
        })
    }
}

fn locks(folder: &Path) -> Result<Vec<String>, CatalogueError> {
    let mut locks: Vec<_> = fs::read_dir(folder)
        .map_err(reading(folder))?
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name.strip_suffix(".toml")
                .filter(|it| *it != "stack")
                .map(str::to_owned)
        })
        .collect();
    locks.sort();
    Ok(locks)
}

fn read(path: &Path) -> Result<String, CatalogueError> {
    fs::read_to_string(path).map_err(reading(path))
}

fn reading(path: &Path) -> impl FnOnce(io::Error) -> CatalogueError {
    let path = path.to_owned();
    move |source| CatalogueError::Read { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue() -> Catalogue {
        Catalogue::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures"))
    }

    #[test]
    fn loads_the_documented_lifecycle() {
        let locked = catalogue().load("lifecycle", "documented").unwrap();
        assert_eq!(locked.stack.namespace, "mlops-platform");
        assert!(locked.chart.ends_with("charts/mlops-platform"));
    }

    #[test]
    fn an_unknown_stack_names_those_there_are() {
        let error = catalogue().load("livecycle", "documented").unwrap_err();
        assert_eq!(error.to_string(), "there is no stack `livecycle`");
        assert_eq!(error.help().unwrap().to_string(), "stacks here: lifecycle");
    }

    #[test]
    fn an_unknown_lock_names_those_there_are() {
        let error = catalogue().load("lifecycle", "newest").unwrap_err();
        assert_eq!(error.help().unwrap().to_string(), "locks of it: documented");
    }
}
