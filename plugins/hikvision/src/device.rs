//! Asking the camera, with digest authentication, and stopping before it locks the account.
//!
//! It owns the credentials: after two 401 in a row nothing is asked any more until the driver is started anew. It must not
//! know what is asked.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tollhouse_field::http::{Answer, Client, Question};

use crate::config::Config;
use crate::digest::{Challenge, Credentials, Stale};

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum AskError {
    /// The line.
    Line(io::Error),
    /// Two 401: the password is wrong, or the scheme is not ours.
    LockedOut,
}

impl std::fmt::Display for AskError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Line(fault) => write!(f, "{fault}"),
            Self::LockedOut => {
                f.write_str("it refuses user or password: nothing more is tried, lest it lock the account")
            }
        }
    }
}

impl From<io::Error> for AskError {
    fn from(fault: io::Error) -> Self {
        Self::Line(fault)
    }
}

/// See the module.
pub(crate) struct Device {
    client: Client,
    who: Credentials,
    login: Mutex<Login>,
}

#[derive(Default)]
struct Login {
    challenge: Option<Challenge>,
    count: u32,
    locked_out: bool,
}

impl Device {
    pub(crate) fn new(config: &Config) -> Self {
        let who = Credentials { user: config.user.clone(), password: config.password.clone() };
        let client = Client::new(config.address, Duration::from_millis(config.answer_ms.into()));
        Self { client, who, login: Mutex::default() }
    }

    /// Asks; one at a time, so that two threads do not both spend the one attempt that a wrong password has.
    pub(crate) fn ask(&self, method: &str, target: &str, body: &str) -> Result<Answer, AskError> {
        let mut login = self.login.lock().unwrap_or_else(PoisonError::into_inner);
        let mut refused = 0;
        loop {
            if login.locked_out {
                return Err(AskError::LockedOut);
            }
            let authorization = login.authorization(&self.who, method, target);
            let question = Question {
                method,
                target,
                authorization: authorization.as_deref(),
                content_type: content_type(body),
                body: body.as_bytes(),
            };
            let answer = self.client.ask(&question)?;
            if answer.head.status != 401 {
                return Ok(answer);
            }
            refused += 1;
            login.challenge = answer.head.headers_named("www-authenticate").find_map(Challenge::read);
            login.count = 0;
            let only_too_old = login.challenge.as_ref().is_some_and(|challenge| challenge.stale == Stale::Yes);
            login.locked_out = login.challenge.is_none() || (refused > 1 && !only_too_old) || refused > 2;
        }
    }

    /// Asks, and reads all of the answer.
    pub(crate) fn ask_whole(&self, method: &str, target: &str, body: &str) -> Result<(u16, Vec<u8>), AskError> {
        let answer = self.ask(method, target, body)?;
        let status = answer.head.status;
        Ok((status, answer.whole()?))
    }
}

/// ISAPI takes JSON where the address says so, and XML elsewhere.
fn content_type(body: &str) -> &'static str {
    if body.starts_with('{') { "application/json; charset=UTF-8" } else { "application/xml; charset=\"UTF-8\"" }
}

impl Login {
    fn authorization(&mut self, who: &Credentials, method: &str, target: &str) -> Option<String> {
        let challenge = self.challenge.as_ref()?;
        self.count += 1;
        // Only to be another each time: the nonce is the device's protection, not ours.
        let cnonce = format!("{:016x}", fastrand::u64(..));
        Some(challenge.answer(who, method, target, self.count, &cnonce))
    }
}
