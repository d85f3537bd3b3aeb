//! Owns a program that works for a clerk: it has a bearer token of an account of its own, and takes no answer but the one
//! that it wants. It must not know what the calls mean.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use ureq::Agent;

use crate::http::Http;
use crate::process::program_of_the_box;

/// The program.
#[derive(Clone, Debug)]
pub struct Clerk {
    agent: Agent,
    http: Http,
    token: String,
}

impl Clerk {
    /// With an account of this role on a box that runs on `data`.
    ///
    /// # Panics
    /// When the box gives it none.
    pub fn new(http: &Http, data: &Path, role: &str, name: &str) -> Self {
        let run = |arguments: &[&str]| {
            let mut command = Command::new(program_of_the_box());
            let output = command.args(arguments).arg("--data").arg(data).output().expect("the program runs");
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
        };
        run(&["user", "add", name, "--role", role]);
        let token = run(&["user", "token", name]);
        let config = Agent::config_builder().http_status_as_error(false).proxy(None).build();
        Self { agent: config.into(), http: http.clone(), token }
    }

    /// Reads.
    ///
    /// # Panics
    /// When it is not told.
    pub fn get(&self, path: &str) -> Value {
        let answer = self.http.get_as(&self.token, path);
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.body);
        answer.json()
    }

    /// Makes something: what was made.
    ///
    /// # Panics
    /// When it is not made.
    pub fn post(&self, path: &str, key: &str, body: &Value) -> Value {
        let (status, told) = self.try_post(path, key, body);
        assert_eq!(status, 201, "POST {path} {body}: {told}");
        told
    }

    /// Hands in a file: status and answer.
    ///
    /// # Panics
    /// When there is no answer at all.
    pub fn hand_in(&self, path: &str, media: &str, file: &str) -> (u16, Value) {
        let request = self.agent.post(self.http.url(path)).header("Content-Type", media);
        let request = request.header("Authorization", format!("Bearer {}", self.token));
        let mut answer = request.send(file).unwrap_or_else(|fault| panic!("POST {path}: {fault}"));
        let text = answer.body_mut().read_to_string().expect("an answer has a body");
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or_default())
    }

    /// Asks for something: status and answer.
    ///
    /// # Panics
    /// When there is no answer at all.
    pub fn try_post(&self, path: &str, key: &str, body: &Value) -> (u16, Value) {
        let request = self.agent.post(self.http.url(path)).header("Idempotency-Key", key);
        let request = request.header("Authorization", format!("Bearer {}", self.token));
        let mut answer = request.send_json(body).unwrap_or_else(|fault| panic!("POST {path}: {fault}"));
        let text = answer.body_mut().read_to_string().expect("an answer has a body");
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or_default())
    }
}
