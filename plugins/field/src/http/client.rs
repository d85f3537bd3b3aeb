//! Asking a device: one connection, one question at a time, and an answer that may never end.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::message::{Body, Head, MessageKind, Wire};
use crate::{Endpoint, Line};

/// The longest answer that is read as a whole.
const MOST_ANSWER_BYTES: usize = 256 * 1024;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// `GET`, `PUT`.
    pub method: &'a str,
    /// The path with what follows it.
    pub target: &'a str,
    /// The value of the `Authorization` header, if any.
    pub authorization: Option<&'a str>,
    /// The body's type.
    pub content_type: &'a str,
    /// The body; empty for none.
    pub body: &'a [u8],
}

/// Why there is no answer.
pub type ClientError = io::Error;

/// An answer whose body is read in pieces.
#[derive(Debug)]
pub struct Answer {
    /// Status and headers.
    pub head: Head,
    body: Body,
    wire: Wire<Line>,
    within: Duration,
}

/// A device that is asked. Each question is a new connection: devices close them when they like, and a question that was
/// lost with its connection may have been heard.
#[derive(Debug, Clone)]
pub struct Client {
    address: SocketAddr,
    within: Duration,
}

impl Client {
    /// For the device at an address, which has so long for the head of an answer.
    pub fn new(address: SocketAddr, within: Duration) -> Self {
        Self { address, within }
    }

    /// Asks; the body of the answer is still to be read.
    pub fn ask(&self, question: &Question<'_>) -> Result<Answer, ClientError> {
        let until = Instant::now() + self.within;
        let mut line = Line::open(&Endpoint::Tcp { address: self.address }, self.within)?;
        line.write_all(&self.encode(question), until)?;
        let mut wire = Wire::new(line);
        loop {
            let head = wire.head(MessageKind::Answer, until)?;
            // 100 Continue and its like precede the answer.
            if !(100..200).contains(&head.status) {
                let body = head.body()?;
                return Ok(Answer { head, body, wire, within: self.within });
            }
        }
    }

    fn encode(&self, question: &Question<'_>) -> Vec<u8> {
        let Question { method, target, content_type, .. } = question;
        let authorization =
            question.authorization.map(|value| format!("Authorization: {value}\r\n")).unwrap_or_default();
        let kind = if question.body.is_empty() { String::new() } else { format!("Content-Type: {content_type}\r\n") };
        let (host, length) = (self.address, question.body.len());
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {host}\r\n{authorization}{kind}Content-Length: {length}\r\n\
             Connection: close\r\n\r\n"
        );
        [head.as_bytes(), question.body].concat()
    }
}

impl Answer {
    /// All of the body.
    pub fn whole(mut self) -> Result<Vec<u8>, ClientError> {
        self.wire.whole(self.body, MOST_ANSWER_BYTES, Instant::now() + self.within)
    }

    /// The next piece of the body by then; `None` at its end.
    pub fn piece(&mut self, until: Instant) -> Result<Option<Vec<u8>>, ClientError> {
        self.body.next(&mut self.wire, until)
    }
}
