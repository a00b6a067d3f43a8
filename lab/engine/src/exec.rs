//! Commands run inside a container, with a stream for their input.

use std::{collections::BTreeMap, fmt, io, pin::Pin, time::Duration};

use bollard::{container::LogOutput, exec::StartExecResults, models::ExecConfig};
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    task::JoinSet,
    time,
};

use crate::{
    ByteStream, Engine, EngineError,
    lines::{Line, LineCutter, LineSource, source_of},
};

/// The engine closes the output a moment before it knows the exit code.
const EXIT_CODE_WITHIN: Duration = Duration::from_secs(10);
const EXIT_CODE_EVERY: Duration = Duration::from_millis(20);

/// A command to run inside a container.
#[derive(Default)]
pub struct ExecSpec {
    /// The program and its arguments.
    pub cmd: Vec<String>,
    /// Environment, on top of the container's own.
    pub env: BTreeMap<String, String>,
    /// User, as `name`, `uid` or `uid:gid`; the container's own when absent.
    pub user: Option<String>,
    /// Working directory; the container's own when absent.
    pub workdir: Option<String>,
    /// What it reads; its input is closed when the stream ends.
    pub stdin: Option<ByteStream>,
}

impl ExecSpec {
    /// A command without input, environment or user of its own.
    pub fn new<S: Into<String>>(cmd: impl IntoIterator<Item = S>) -> Self {
        Self {
            cmd: cmd.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// Gives it `bytes` to read.
    pub fn with_input(mut self, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        self.stdin = Some(Box::pin(stream::once(async move { Ok(bytes) })));
        self
    }

    /// Gives it a stream to read.
    pub fn with_stream(mut self, stream: ByteStream) -> Self {
        self.stdin = Some(stream);
        self
    }

    /// Adds a variable to its environment.
    pub fn with_env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }
}

impl fmt::Debug for ExecSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExecSpec")
            .field("cmd", &self.cmd)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// A command's whole output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecOutput {
    /// Its exit code.
    pub exit_code: i64,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl ExecOutput {
    /// Whether the exit code is 0.
    pub const fn success(&self) -> bool {
        self.exit_code == 0
    }
}

/// A running command. Dropping it ends the reading, not the command.
pub struct Exec {
    engine: Engine,
    id: String,
    doing: String,
    output: Pin<Box<dyn Stream<Item = Result<LogOutput, bollard::errors::Error>> + Send>>,
    lines: LineCutter,
    ended: bool,
    writer: JoinSet<Fed>,
}

impl fmt::Debug for Exec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exec")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// Starts a command inside a running container.
    pub async fn exec(&self, container: &str, spec: ExecSpec) -> Result<Exec, EngineError> {
        let program = spec.cmd.first().cloned().unwrap_or_default();
        let doing = format!("run `{program}` in container `{container}`");
        let config = ExecConfig {
            attach_stdin: Some(spec.stdin.is_some()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(spec.cmd),
            env: Some(spec.env.iter().map(|(k, v)| format!("{k}={v}")).collect()),
            user: spec.user,
            working_dir: spec.workdir,
            ..Default::default()
        };
        let id = self
            .docker
            .create_exec(container, config)
            .await
            .map_err(|error| EngineError::from_request(&doing, error))?
            .id;
        let started = self
            .docker
            .start_exec(&id, None)
            .await
            .map_err(|error| EngineError::from_request(&doing, error))?;
        let mut exec = Exec {
            engine: self.clone(),
            id,
            doing,
            output: Box::pin(stream::empty()),
            lines: LineCutter::default(),
            ended: false,
            writer: JoinSet::new(),
        };
        if let StartExecResults::Attached { output, input } = started {
            exec.output = output;
            if let Some(stdin) = spec.stdin {
                exec.writer.spawn(feed(stdin, input));
            }
        }
        Ok(exec)
    }

    /// Runs a command to its end and returns its whole output, whatever its exit code.
    pub async fn run(&self, container: &str, spec: ExecSpec) -> Result<ExecOutput, EngineError> {
        let mut exec = self.exec(container, spec).await?;
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        while let Some((source, bytes)) = exec.next_chunk().await? {
            match source {
                LineSource::Stdout => stdout.extend_from_slice(&bytes),
                LineSource::Stderr => stderr.extend_from_slice(&bytes),
            }
        }
        Ok(ExecOutput {
            exit_code: exec.wait().await?,
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
        })
    }
}

impl Exec {
    /// The next piece of output as it came, `None` at the end.
    pub async fn next_chunk(&mut self) -> Result<Option<(LineSource, Bytes)>, EngineError> {
        match self.output.next().await {
            None => Ok(None),
            Some(Ok(chunk)) => Ok(Some((source_of(&chunk), chunk.into_bytes()))),
            Some(Err(error)) => Err(EngineError::from_request(&self.doing, error)),
        }
    }

    /// The next line of output, `None` at the end.
    pub async fn next_line(&mut self) -> Result<Option<Line>, EngineError> {
        loop {
            if let Some(line) = self.lines.pop() {
                return Ok(Some(line));
            }
            if self.ended {
                return Ok(None);
            }
            match self.output.next().await {
                Some(Ok(chunk)) => self.lines.push(&chunk),
                Some(Err(error)) => return Err(EngineError::from_request(&self.doing, error)),
                None => {
                    self.lines.finish();
                    self.ended = true;
                }
            }
        }
    }

    /// Reads the rest of the output and returns the exit code.
    ///
    /// # Errors
    /// When the stream given as input failed, or the engine did.
    pub async fn wait(mut self) -> Result<i64, EngineError> {
        while self.next_chunk().await?.is_some() {}
        let code = self.exit_code().await?;
        while let Some(fed) = self.writer.join_next().await {
            match fed {
                // Whatever the command makes of half its input, this is the cause.
                Ok(Fed::SourceBroke(source)) => {
                    return Err(EngineError::from_stream(self.doing, source));
                }
                // A command may end without reading all it was given.
                Ok(Fed::NotTaken(source))
                    if code == 0 && source.kind() != io::ErrorKind::BrokenPipe =>
                {
                    return Err(EngineError::from_stream(self.doing, source));
                }
                _ => {}
            }
        }
        Ok(code)
    }

    // `&mut` although nothing changes: a shared reference would make the future not `Send`.
    async fn exit_code(&mut self) -> Result<i64, EngineError> {
        let ask = async {
            loop {
                let state = self
                    .engine
                    .docker
                    .inspect_exec(&self.id)
                    .await
                    .map_err(|error| EngineError::from_request(&self.doing, error))?;
                if let (Some(false), Some(code)) = (state.running, state.exit_code) {
                    return Ok(code);
                }
                time::sleep(EXIT_CODE_EVERY).await;
            }
        };
        time::timeout(EXIT_CODE_WITHIN, ask)
            .await
            .map_err(|_| EngineError::Request {
                doing: self.doing.clone(),
                source: "the engine reports no exit code".into(),
            })?
    }
}

/// How a command's input ended.
enum Fed {
    Whole,
    SourceBroke(io::Error),
    NotTaken(io::Error),
}

async fn feed(mut stdin: ByteStream, mut input: Pin<Box<dyn AsyncWrite + Send>>) -> Fed {
    let fed = pour(&mut stdin, &mut input).await;
    // Also after a failure: a command whose input stays open would wait for more for ever.
    match (fed, input.shutdown().await) {
        (Fed::Whole, Err(error)) => Fed::NotTaken(error),
        (fed, _) => fed,
    }
}

async fn pour(stdin: &mut ByteStream, input: &mut (impl AsyncWrite + Unpin)) -> Fed {
    while let Some(bytes) = stdin.next().await {
        let taken = match bytes {
            Ok(bytes) => input.write_all(&bytes).await,
            Err(error) => return Fed::SourceBroke(error),
        };
        if let Err(error) = taken {
            return Fed::NotTaken(error);
        }
    }
    match input.flush().await {
        Ok(()) => Fed::Whole,
        Err(error) => Fed::NotTaken(error),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn a_source_that_breaks_ends_the_input() {
        let (input, mut command) = tokio::io::duplex(64);
        let source = stream::iter([Ok(Bytes::from("half")), Err(io::Error::other("gone"))]);

        let fed = feed(Box::pin(source), Box::pin(input)).await;

        let mut read = String::new();
        command.read_to_string(&mut read).await.unwrap();
        assert_eq!(read, "half");
        assert!(matches!(fed, Fed::SourceBroke(error) if error.to_string() == "gone"));
    }
}
