//! Keeps one program running: starts it, keeps its log, starts it again when it ends.

use std::{
    io,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    fs::{File, OpenOptions, rename},
    io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader},
    process::{Child, Command},
    sync::mpsc,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{components::Component, layout};

/// First pause before a restart; doubles up to [`LONGEST_PAUSE`].
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A program that ran this long was healthy: its next pause is short again.
const HEALTHY_AFTER: Duration = Duration::from_secs(20);
/// What a program gets to end by itself.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a program's output is read after its end.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// A log grows to this size, then becomes `NAME.log.1`.
const LOG_LIMIT_BYTES: u64 = 8 << 20;

/// Runs a component until `stop`, then ends it and waits for it.
pub(crate) async fn supervise(component: Component, stop: CancellationToken) {
    let mut pause = SHORTEST_PAUSE;
    loop {
        let started = Instant::now();
        let end = run(&component, &stop).await;
        if stop.is_cancelled() {
            return;
        }
        if started.elapsed() > HEALTHY_AFTER {
            pause = SHORTEST_PAUSE;
        }
        let reason = match end {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        say(
            "lab",
            &format!(
                "{} ended after {:.1} s ({reason}); starting it again in {} ms",
                component.name,
                started.elapsed().as_secs_f32(),
                pause.as_millis()
            ),
        )
        .await;
        tokio::select! {
            () = sleep(pause) => {}
            () = stop.cancelled() => return,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Writes one line to the container's log.
pub(crate) async fn say(component: &str, line: &str) {
    let text = format!("{component}: {line}\n");
    // Nobody is left to tell when standard error is closed.
    let _ = tokio::io::stderr().write_all(text.as_bytes()).await;
}

async fn run(component: &Component, stop: &CancellationToken) -> io::Result<ExitStatus> {
    let mut child = Command::new(component.name)
        .args(&component.arguments)
        .envs(component.environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()?;
    let mut log = Log::open(component.name).await?;
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    let mut drained = false;
    let pumping = pump(component.name, output, errors, &mut log);
    tokio::pin!(pumping);
    let status = {
        let ending = async {
            tokio::select! {
                status = child.wait() => status,
                () = stop.cancelled() => end(&mut child).await,
            }
        };
        tokio::pin!(ending);
        loop {
            tokio::select! {
                status = &mut ending => break status,
                () = &mut pumping, if !drained => drained = true,
            }
        }
    };
    if !drained {
        // The last words; a grandchild may hold the pipes open for ever.
        let _ = timeout(LAST_WORDS, pumping).await;
    }
    status
}

/// Copies what a program says to its log, and its errors to the container's.
async fn pump(
    name: &str,
    output: Option<impl AsyncRead + Unpin>,
    errors: Option<impl AsyncRead + Unpin>,
    log: &mut Log,
) {
    let (sender, mut lines) = mpsc::channel::<String>(256);
    let other = sender.clone();
    let writing = async {
        while let Some(line) = lines.recv().await {
            log.write(&line).await;
            if is_notable(&line) {
                say(name, &line).await;
            }
        }
    };
    tokio::join!(forward(output, sender), forward(errors, other), writing);
}

/// Asks, waits, then forces.
async fn end(child: &mut Child) -> io::Result<ExitStatus> {
    let id = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(Pid::from_raw);
    if let Some(id) = id {
        // It may have ended by itself.
        let _ = kill_process(id, Signal::TERM);
    }
    if let Ok(status) = timeout(PATIENCE, child.wait()).await {
        return status;
    }
    child.kill().await?;
    child.wait().await
}

async fn forward(stream: Option<impl AsyncRead + Unpin>, lines: mpsc::Sender<String>) {
    let Some(stream) = stream else { return };
    let mut reader = BufReader::new(stream);
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match reader.read_until(b'\n', &mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let line = String::from_utf8_lossy(&buffer).trim_end().to_owned();
                if lines.send(line).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Warnings and errors of klog, zap and logrus, and the first line of a Go panic.
fn is_notable(line: &str) -> bool {
    let mut bytes = line.bytes();
    let klog = matches!(bytes.next(), Some(b'E' | b'F'))
        && bytes.next().is_some_and(|byte| byte.is_ascii_digit());
    klog || [
        "level=error",
        "level=fatal",
        "\"level\":\"error\"",
        "\"level\":\"fatal\"",
    ]
    .iter()
    .any(|mark| line.contains(mark))
        || line.starts_with("panic:")
        || line.starts_with("fatal error:")
}

/// A component's log file, cut when it grows too long.
struct Log {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl Log {
    async fn open(name: &str) -> io::Result<Self> {
        let path = PathBuf::from(layout::LOGS).join(format!("{name}.log"));
        tokio::fs::create_dir_all(layout::LOGS).await?;
        let file = append(&path).await?;
        let bytes = file.metadata().await?.len();
        Ok(Self { path, file, bytes })
    }

    /// A log that cannot be written must not stop the program it belongs to.
    async fn write(&mut self, line: &str) {
        let text = format!("{line}\n");
        let _ = self.file.write_all(text.as_bytes()).await;
        self.bytes += text.len() as u64;
        if self.bytes > LOG_LIMIT_BYTES {
            let _ = self.file.flush().await;
            let _ = rename(&self.path, self.path.with_extension("log.1")).await;
            if let Ok(file) = append(&self.path).await {
                self.file = file;
                self.bytes = 0;
            }
        }
    }
}

async fn append(path: &PathBuf) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .await
}

#[cfg(test)]
mod tests {
    use super::is_notable;

    #[test]
    fn errors_are_notable_and_information_is_not() {
        assert!(is_notable("E1122 07:00:00.1 1 main.go:1] no"));
        assert!(is_notable("F1122 07:00:00.1 1 main.go:1] no"));
        assert!(is_notable("fatal error: fault"));
        assert!(is_notable(r#"time="x" level=error msg="no""#));
        assert!(!is_notable("I1122 07:00:00.1 1 main.go:1] yes"));
        assert!(!is_notable("Every line that begins with E"));
    }
}
