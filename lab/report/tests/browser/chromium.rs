//! Chromium, told what to do through its `DevTools` protocol.

use std::{
    env, fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use libtest_mimic::Failed;
use serde_json::{Value, json};
use tempfile::TempDir;
use tungstenite::{Message, WebSocket, stream::MaybeTlsStream};

const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];
/// Only ends a test that would hang: a cold start on a busy machine takes seconds.
const ANSWERS_WITHIN: Duration = Duration::from_mins(2);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The program, where there is one.
pub(crate) fn find() -> Option<PathBuf> {
    if let Some(program) = env::var_os("LAB_CHROMIUM") {
        return Some(program.into());
    }
    let path = env::var_os("PATH")?;
    let folders: Vec<_> = env::split_paths(&path).collect();
    let all = NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |it| it.join(name)));
    all.into_iter().find(|it| it.is_file())
}

/// A browser with one page. It ends when this is dropped.
pub(crate) struct Chromium {
    process: Child,
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
    session: Option<String>,
    next: u64,
    /// What happened since the page was opened.
    seen: Vec<Value>,
    _profile: TempDir,
}

impl Chromium {
    pub(crate) fn start(program: &Path) -> Result<Self, Failed> {
        let profile = tempfile::tempdir()?;
        let mut process = Command::new(program)
            .args([
                "--headless=new",
                // In containers and for root the browser's own fence cannot be built; what
                // it opens here is ours.
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
                "--remote-debugging-port=0",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let socket = match address(profile.path(), &mut process) {
            Ok(address) => tungstenite::connect(address)?.0,
            Err(error) => {
                process.kill()?;
                process.wait()?;
                return Err(error);
            }
        };
        let mut browser = Self {
            process,
            socket,
            session: None,
            next: 0,
            seen: Vec::new(),
            _profile: profile,
        };
        browser.attach()?;
        Ok(browser)
    }

    fn attach(&mut self) -> Result<(), Failed> {
        let page = self.call("Target.createTarget", &json!({"url": "about:blank"}))?;
        let target = json!({"targetId": page["targetId"], "flatten": true});
        let session = self.call("Target.attachToTarget", &target)?;
        self.session = session["sessionId"].as_str().map(str::to_owned);
        for part in ["Page", "Network", "Log", "Runtime"] {
            self.call(&format!("{part}.enable"), &json!({}))?;
        }
        // What the page does it does without scripts; the test still asks with some.
        let off = json!({"value": true});
        self.call("Emulation.setScriptExecutionDisabled", &off)?;
        Ok(())
    }

    /// Makes the window so wide, in CSS pixels.
    pub(crate) fn size(&mut self, width: u32) -> Result<(), Failed> {
        let size = json!({
            "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600,
        });
        self.call("Emulation.setDeviceMetricsOverride", &size)
            .map(drop)
    }

    /// Opens a file and waits until it has loaded; answers with everything that happened.
    pub(crate) fn open(&mut self, file: &Path) -> Result<Vec<Value>, Failed> {
        self.seen.clear();
        let url = format!("file://{}", file.display());
        let opened = self.call("Page.navigate", &json!({"url": url}))?;
        if let Some(error) = opened.get("errorText") {
            return Err(format!("{url}: {error}").into());
        }
        while !self
            .seen
            .iter()
            .any(|it| it["method"] == "Page.loadEventFired")
        {
            let event = self.read()?;
            self.seen.push(event);
        }
        // An answer comes after all that happened before it was asked for.
        self.ask("0")?;
        Ok(std::mem::take(&mut self.seen))
    }

    /// The value of an expression in the page.
    pub(crate) fn ask(&mut self, expression: &str) -> Result<Value, Failed> {
        let asked = json!({"expression": expression, "returnByValue": true});
        let mut answer = self.call("Runtime.evaluate", &asked)?;
        if let Some(error) = answer.get("exceptionDetails") {
            return Err(format!("{expression}: {error}").into());
        }
        Ok(answer["result"]["value"].take())
    }

    /// Clicks into the middle of an element, as a person does.
    pub(crate) fn click(&mut self, element: &str) -> Result<(), Failed> {
        let middle = self.ask(&format!(
            "(() => {{ scrollTo(0, 0); const it = document.querySelector('{element}').getBoundingClientRect(); \
             return [it.x + it.width / 2, it.y + it.height / 2] }})()"
        ))?;
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({
                "type": kind, "x": middle[0], "y": middle[1], "button": "left", "clickCount": 1,
            });
            self.call("Input.dispatchMouseEvent", &event)?;
        }
        Ok(())
    }

    /// Shows the page as paper does, or as a screen does.
    pub(crate) fn emulate_print(&mut self, is_on: bool) -> Result<(), Failed> {
        let media = json!({"media": if is_on { "print" } else { "" }});
        self.call("Emulation.setEmulatedMedia", &media).map(drop)
    }

    /// Prints the page to PDF.
    pub(crate) fn print(&mut self) -> Result<Vec<u8>, Failed> {
        let printed = self.call("Page.printToPDF", &json!({}))?;
        let data = printed["data"].as_str().ok_or("nothing was printed")?;
        Ok(BASE64_STANDARD.decode(data)?)
    }

    fn call(&mut self, method: &str, params: &Value) -> Result<Value, Failed> {
        self.next += 1;
        let id = self.next;
        let mut message = json!({"id": id, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.socket.send(Message::text(message.to_string()))?;
        loop {
            let mut answer = self.read()?;
            if answer["id"] != json!(id) {
                self.seen.push(answer);
                continue;
            }
            return match answer.get("error") {
                Some(error) => Err(format!("{method}: {error}").into()),
                None => Ok(answer["result"].take()),
            };
        }
    }

    fn read(&mut self) -> Result<Value, Failed> {
        if let MaybeTlsStream::Plain(stream) = self.socket.get_ref() {
            stream.set_read_timeout(Some(ANSWERS_WITHIN))?;
        }
        Ok(serde_json::from_str(self.socket.read()?.to_text()?)?)
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // Its first process ends the others.
        self.session = None;
        if self.call("Browser.close", &json!({})).is_err() {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

/// Where the browser listens: it writes that into its profile.
fn address(profile: &Path, process: &mut Child) -> Result<String, Failed> {
    let end = Instant::now() + ANSWERS_WITHIN;
    while Instant::now() < end {
        if let Some(status) = process.try_wait()? {
            return Err(format!("Chromium ended with {status}").into());
        }
        let told = fs::read_to_string(profile.join("DevToolsActivePort")).unwrap_or_default();
        if let Some((port, path)) = told.split_once('\n')
            && path.starts_with('/')
        {
            return Ok(format!("ws://127.0.0.1:{port}{}", path.trim()));
        }
        thread::sleep(LOOK_EVERY);
    }
    Err("Chromium does not tell where it listens".into())
}
