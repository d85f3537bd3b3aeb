//! Owns the emulator of the payment providers beside a test: how it is started, and how the test is its phone, its console,
//! its clock and its misfortune. It must not know what the box does with it.
//!
//! What can be told and asked stands in tests/emulator/README.md.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::Http;
use crate::process::Running;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/emulator");
/// It has eight keys to make.
const START: Duration = Duration::from_secs(60);

/// The folder of the build, in which `tests/run` puts Python's packages (`venv`) and Node's (`judges`).
///
/// # Panics
/// When they are not there.
pub fn packages_of_the_tests() -> PathBuf {
    let here = std::env::current_exe().expect("a program knows its own place");
    let folder = here.ancestors().find(|folder| folder.join("venv/bin/python").is_file());
    folder.expect("no venv beside the build: run `tests/run setup` first").to_owned()
}

/// A running emulator of both providers; it ends with this value.
#[derive(Debug)]
pub struct PaymentProviders {
    _process: Running,
    keys: TempDir,
    address: String,
    http: Http,
}

impl PaymentProviders {
    /// Starts one whose chance comes from `seed`.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(seed: u64) -> Self {
        let keys = TempDir::new().expect("a temporary folder");
        let process = Running::start(
            "the emulator of the payment providers",
            Command::new(packages_of_the_tests().join("venv/bin/python"))
                .args(["-B", "-m", "emulator", "--with-parent", "--seed", &seed.to_string(), "--keys"])
                .arg(keys.path())
                .current_dir(FOLDER),
        );
        let line = process.line("{", START).expect("the emulator of the payment providers says its address");
        let said: Value = serde_json::from_str(&format!("{{{line}")).expect("it says it in JSON");
        let address = said["address"].as_str().expect("there is an address").to_owned();
        let http = Http::new(&address);
        Self { _process: process, keys, address, http }
    }

    /// Where both providers are reached, such as `http://127.0.0.1:8080`: the base of `/v3/...` and `/gateway.do`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The folder with the merchant's keys and `client.json`.
    pub fn keys(&self) -> &Path {
        self.keys.path()
    }

    /// What a merchant is given: identifiers, and names of files in [`Self::keys`].
    pub fn client(&self) -> Value {
        let text = std::fs::read_to_string(self.keys().join("client.json")).expect("it has written client.json");
        serde_json::from_str(&text).expect("client.json is JSON")
    }

    /// An admin call that must go well, such as `pay`; gives what it answers.
    ///
    /// # Panics
    /// When the emulator refuses it.
    pub fn tell(&self, call: &str, arguments: &Value) -> Value {
        self.try_tell(call, arguments).unwrap_or_else(|refusal| panic!("{call} {arguments}: {refusal}"))
    }

    /// An admin call that may be refused, such as a payment of a closed order; the error is what the emulator says.
    pub fn try_tell(&self, call: &str, arguments: &Value) -> Result<Value, String> {
        let answer = self.http.post(&format!("/admin/{call}"), "", arguments);
        if answer.status == 200 { Ok(answer.json()) } else { Err(answer.body) }
    }

    /// An admin question, such as `orders` or `totals?day=2026-03-01`.
    ///
    /// # Panics
    /// When there is no such question.
    pub fn ask(&self, question: &str) -> Value {
        let answer = self.http.get(&format!("/admin/{question}"));
        assert_eq!(answer.status, 200, "{question}: {}", answer.body);
        answer.json()
    }

    /// Switches on these faults of the menu, and all others off.
    pub fn faults(&self, only: &Value) {
        self.tell("faults", &json!({ "only": only }));
    }

    /// Moves its clock forward.
    pub fn later(&self, by: Duration) {
        self.tell("clock", &json!({ "advance_s": by.as_secs_f64() }));
    }
}
