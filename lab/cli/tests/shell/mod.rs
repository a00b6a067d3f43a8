//! Commands typed into one shell, one after the other, as a person does: variables and
//! background jobs stay.

use std::{
    env,
    fmt::{self, Write as _},
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What `timeout` ends with where it had to end something.
const TOOK_TOO_LONG: i32 = 124;

/// A command, and what it must say.
pub(crate) struct Typed<'a> {
    pub(crate) command: &'a str,
    /// A part of what it says; where that is empty it must say nothing at all.
    pub(crate) says: Option<&'a str>,
}

/// A command that went wrong.
#[derive(Debug)]
pub(crate) struct Wrong {
    /// Its place among those typed, from 0.
    pub(crate) place: usize,
    command: String,
    how: String,
    said: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            command, how, said, ..
        } = self;
        write!(f, "`{command}` {how}; it said: {said}")
    }
}

/// Types the commands in a folder, until one fails or all of it takes too long, and gives
/// the first that went wrong. `surroundings` may change what the shell knows.
///
/// # Errors
/// Fails where there is no shell.
pub(crate) fn first_wrong(
    folder: &Path,
    at_most: &str,
    commands: &[Typed<'_>],
    surroundings: impl FnOnce(&mut Command),
) -> io::Result<Option<Wrong>> {
    fs::create_dir(folder.join("said"))?;
    fs::write(folder.join("typed.sh"), script(commands))?;
    let timeout = find("timeout").ok_or_else(|| io::Error::other("there is no `timeout`"))?;
    let mut shell = Command::new(timeout);
    shell
        .args(["--kill-after=10s", at_most, "bash", "typed.sh"])
        .current_dir(folder)
        .stdin(Stdio::null());
    surroundings(&mut shell);
    let ended = shell.output()?;
    let stopped = if ended.status.success() {
        None
    } else {
        let place = fs::read_to_string(folder.join("typing"))
            .map_err(|_| io::Error::other(String::from_utf8_lossy(&ended.stderr)))?;
        let how = match ended.status.code() {
            Some(TOOK_TOO_LONG) => format!("had not ended when {at_most} were over"),
            _ => format!("failed: {}", ended.status),
        };
        Some((
            place.trim().parse::<usize>().map_err(io::Error::other)?,
            how,
        ))
    };
    for (place, typed) in commands.iter().enumerate() {
        let said = fs::read(folder.join(format!("said/{place}"))).unwrap_or_default();
        let said = String::from_utf8_lossy(&said).into_owned();
        let how = match &stopped {
            Some((at, how)) if *at == place => Some(how.clone()),
            _ => typed.unsaid(&said),
        };
        if let Some(how) = how {
            return Ok(Some(Wrong {
                place,
                command: typed.command.to_owned(),
                how,
                said,
            }));
        }
    }
    Ok(None)
}

impl Typed<'_> {
    /// What is wrong with what it said.
    fn unsaid(&self, said: &str) -> Option<String> {
        match self.says? {
            "" if said.trim().is_empty() => None,
            "" => Some("must say nothing".to_owned()),
            wanted if said.contains(wanted) => None,
            wanted => Some(format!("must say `{wanted}`")),
        }
    }
}

/// Each command's output goes to a file of its own, and the file `typing` tells which is at
/// work. The first that fails ends the script. Of a command of several lines each must go
/// well; what a `!` turns round does not end a shell, so how it ended is looked at once more.
fn script(commands: &[Typed<'_>]) -> String {
    let mut script =
        "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n".to_owned();
    for (place, Typed { command, .. }) in commands.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = writeln!(
            script,
            "echo {place} >typing\n{{\n{command}\n}} >said/{place} 2>&1\ntest $? = 0"
        );
    }
    script
}

/// Where a program is.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|it| it.is_file())
}
