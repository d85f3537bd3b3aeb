//! Owns a real browser without a window: it opens a page as a driver's phone would, tells what stands there, and presses
//! buttons. It speaks Chromium's own protocol over a pair of pipes, so no port and no driver program is needed.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Command;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::Running;
use crate::wait::{Gathered, PATIENCE, eventually};

/// A page in a browser of its own.
pub struct Page {
    _process: Running,
    _folder: TempDir,
    orders: File,
    answers: Arc<Gathered<Value>>,
    session: Option<String>,
    last_id: u64,
}

impl Page {
    /// Opens an address.
    ///
    /// # Panics
    /// When there is no chromium; `tests/run setup` installs it.
    pub fn open(url: &str) -> Self {
        Self::open_as(url, "Mozilla/5.0 (X11; Linux x86_64) Chrome/120 Safari/537.36")
    }

    /// Opens an address in a browser that calls itself so, with a phone's screen.
    ///
    /// # Panics
    /// When there is no chromium; `tests/run setup` installs it.
    pub fn open_as(url: &str, agent: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let (orders, answers) = (folder.path().join("orders"), folder.path().join("answers"));
        let made = Command::new("mkfifo").args([&orders, &answers]).status().expect("mkfifo is there");
        assert!(made.success(), "two pipes can be made");
        // Chromium reads its orders from descriptor 3 and answers on 4; a shell can put them there.
        let mut command = Command::new("sh");
        command
            .args(["-c", r#"exec chromium "$@" 3<"$ORDERS" 4>"$ANSWERS""#, "sh", "--remote-debugging-pipe"])
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
            .args(["--window-size=390,844", &format!("--user-agent={agent}")])
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .env("ORDERS", &orders)
            .env("ANSWERS", &answers);
        let process = Running::start("chromium", &mut command);
        let orders = OpenOptions::new().write(true).open(&orders).expect("chromium's shell opens its end");
        let answers = gather(File::open(&answers).expect("chromium's shell opens its end"));
        let mut page = Self { _process: process, _folder: folder, orders, answers, session: None, last_id: 0 };
        let target = page.ask("Target.createTarget", &json!({"url": url}))["targetId"].clone();
        let attached = page.ask("Target.attachToTarget", &json!({"targetId": target, "flatten": true}));
        page.session = attached["sessionId"].as_str().map(str::to_owned);
        page
    }

    /// The text that a person sees.
    pub fn text(&mut self) -> String {
        self.evaluate("document.body ? document.body.innerText : ''").as_str().unwrap_or_default().to_owned()
    }

    /// Where the page is now, without the host.
    pub fn path(&mut self) -> String {
        self.evaluate("location.pathname").as_str().unwrap_or_default().to_owned()
    }

    /// Waits until this text stands on the page.
    ///
    /// # Panics
    /// When it does not come, with what stands there instead.
    pub fn await_text(&mut self, wanted: &str) {
        let mut seen = String::new();
        let deadline = std::time::Instant::now() + PATIENCE;
        eventually(&format!("'{wanted}' on the page"), PATIENCE * 2, || {
            seen = self.text();
            assert!(std::time::Instant::now() < deadline, "'{wanted}' is not on the page; there is:\n{seen}");
            seen.contains(wanted).then_some(())
        });
    }

    /// Presses what this selector finds, as soon as it is there and the page has all its scripts: a person sees the
    /// page drawn before a finger comes down, and a press before that finds nobody who listens.
    ///
    /// # Panics
    /// When it does not come.
    pub fn press(&mut self, selector: &str) {
        let script = format!(
            "(() => {{ if (document.readyState !== 'complete') return false; \
             const e = document.querySelector('{selector}'); if (e) e.click(); return !!e }})()"
        );
        eventually(&format!("{selector} to press"), PATIENCE, || (self.evaluate(&script) == true).then_some(()));
    }

    /// Whether what this selector finds is a picture that is seen, with something in it.
    pub fn shows_picture(&mut self, selector: &str) -> bool {
        let script = format!(
            "(() => {{ const e = document.querySelector('{selector}'); \
             return !!e && e.complete && e.naturalWidth > 0 && e.getClientRects().length > 0 }})()"
        );
        self.evaluate(&script) == true
    }

    /// Takes a picture of the page, to be looked at in the folder of the build.
    ///
    /// # Panics
    /// When chromium gives none.
    pub fn picture_to_target(&mut self, name: &str) {
        let shot = self.ask("Page.captureScreenshot", &json!({"format": "png"}));
        let picture = shot["data"].as_str().and_then(|text| STANDARD.decode(text).ok()).expect("a picture");
        let here = std::env::current_exe().expect("a program knows its own place");
        let folder = here.ancestors().nth(3).expect("a folder of the build").join("pictures");
        std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(folder.join(name), picture)).expect("written");
    }

    fn evaluate(&mut self, script: &str) -> Value {
        self.ask("Runtime.evaluate", &json!({"expression": script, "returnByValue": true}))["result"]["value"].clone()
    }

    fn ask(&mut self, method: &str, parameters: &Value) -> Value {
        self.last_id += 1;
        let id = self.last_id;
        let mut order = json!({"id": id, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            order["sessionId"] = json!(session);
        }
        let mut bytes = order.to_string().into_bytes();
        bytes.push(0);
        self.orders.write_all(&bytes).expect("chromium takes orders");
        let answer = self.answers.wait(PATIENCE, |all| all.iter().rev().find(|answer| answer["id"] == id).cloned());
        let answer = answer.unwrap_or_else(|| panic!("chromium does not answer {method}"));
        answer["result"].clone()
    }
}

/// Messages end with a zero byte; what chromium tells unasked is left aside.
fn gather(answers: File) -> Arc<Gathered<Value>> {
    let gathered = Arc::new(Gathered::default());
    let into = Arc::clone(&gathered);
    std::thread::spawn(move || {
        let messages = BufReader::new(answers).split(0).map_while(Result::ok);
        for answer in messages.filter_map(|message| serde_json::from_slice::<Value>(&message).ok()) {
            if answer.get("id").is_some() {
                into.push(answer);
            }
        }
    });
    gathered
}
