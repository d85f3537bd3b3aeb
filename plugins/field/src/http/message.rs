//! Reading messages: a head, and a body in pieces, from any bytes that come.

use std::io::{self, ErrorKind};
use std::time::Instant;

use crate::Line;

/// The longest head of a message.
pub const MAX_HEAD_BYTES: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;
/// The longest line of a chunk's length, extensions included.
const MAX_CHUNK_LINE_BYTES: usize = 1024;
const PIECE_BYTES: usize = 16 * 1024;

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// To who answers.
    Request,
    /// Back.
    Answer,
}

/// The head of a request or an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Head {
    /// `POST`, or empty in an answer.
    pub method: String,
    /// The path with what follows it, or empty in an answer.
    pub target: String,
    /// The status of an answer, 0 in a request.
    pub status: u16,
    headers: Vec<(String, String)>,
}

impl Head {
    /// The first header of that name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All headers of that name, in lower case.
    pub fn headers_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn has_token(&self, name: &str, token: &str) -> bool {
        self.headers_named(name).flat_map(|value| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case(token))
    }

    /// Whether the connection ends with this message.
    pub(super) fn closes(&self) -> bool {
        self.has_token("connection", "close")
    }

    /// Whether the sender waits for a word before it sends the body.
    pub(super) fn expects_continue(&self) -> bool {
        self.has_token("expect", "100-continue")
    }

    pub(super) fn body(&self) -> io::Result<Body> {
        let is_answer = self.method.is_empty();
        if is_answer && matches!(self.status, 100..200 | 204 | 304) {
            return Ok(Body::Length(0));
        }
        if self.has_token("transfer-encoding", "chunked") {
            return Ok(Body::Chunk { left: 0, first: true });
        }
        let mut lengths = self.headers_named("content-length").map(|value| value.trim().parse::<u64>());
        match (lengths.next(), lengths.next()) {
            (None, _) if is_answer => Ok(Body::UntilClosed),
            (None, _) => Ok(Body::Length(0)),
            (Some(Ok(length)), None) => Ok(Body::Length(length)),
            _ => Err(bad("content-length")),
        }
    }
}

fn bad(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("not HTTP: {what}"))
}

/// Reads a head off the front of bytes: how long it is, and what it says; `None` when it is not whole yet.
fn parse_head(bytes: &[u8], kind: MessageKind) -> io::Result<Option<(usize, Head)>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let (status, mut head) = if kind == MessageKind::Answer {
        let mut answer = httparse::Response::new(&mut headers);
        let status = answer.parse(bytes);
        (status, Head { status: answer.code.unwrap_or_default(), ..Head::default() })
    } else {
        let mut request = httparse::Request::new(&mut headers);
        let status = request.parse(bytes);
        let owned = |text: Option<&str>| text.unwrap_or_default().to_owned();
        (status, Head { method: owned(request.method), target: owned(request.path), ..Head::default() })
    };
    let httparse::Status::Complete(length) = status.map_err(|fault| bad(&fault.to_string()))? else {
        return Ok(None);
    };
    let named = headers.iter().take_while(|header| !header.name.is_empty());
    let text = |value: &[u8]| String::from_utf8_lossy(value).trim().to_owned();
    head.headers = named.map(|header| (header.name.to_ascii_lowercase(), text(header.value))).collect();
    Ok(Some((length, head)))
}

/// A line, and what has been read of it ahead.
#[derive(Debug)]
pub(super) struct Wire<L> {
    pub(super) line: L,
    ahead: Vec<u8>,
}

/// Where bytes come from.
pub(super) trait Source {
    fn read(&mut self, buffer: &mut [u8], until: Instant) -> io::Result<usize>;
}

impl Source for Line {
    fn read(&mut self, buffer: &mut [u8], until: Instant) -> io::Result<usize> {
        Line::read(self, buffer, until)
    }
}

impl<L: Source> Wire<L> {
    pub(super) fn new(line: L) -> Self {
        Self { line, ahead: Vec::new() }
    }

    /// Waits until there is something to read: the beginning of a message.
    pub(super) fn begins(&mut self, until: Instant) -> io::Result<()> {
        if self.ahead.is_empty() { self.more(until) } else { Ok(()) }
    }

    fn more(&mut self, until: Instant) -> io::Result<()> {
        let mut piece = vec![0; PIECE_BYTES];
        let count = self.line.read(&mut piece, until)?;
        self.ahead.extend_from_slice(&piece[..count]);
        Ok(())
    }

    pub(super) fn head(&mut self, kind: MessageKind, until: Instant) -> io::Result<Head> {
        loop {
            if let Some((length, head)) = parse_head(&self.ahead, kind)? {
                self.ahead.drain(..length);
                return Ok(head);
            }
            if self.ahead.len() > MAX_HEAD_BYTES {
                return Err(bad("a head that does not end"));
            }
            self.more(until)?;
        }
    }

    /// All of a body, at most so long.
    pub(super) fn whole(&mut self, mut body: Body, most: usize, until: Instant) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        while let Some(piece) = body.next(self, until)? {
            if bytes.len() + piece.len() > most {
                return Err(io::Error::new(ErrorKind::FileTooLarge, format!("a body of more than {most} bytes")));
            }
            bytes.extend(piece);
        }
        Ok(bytes)
    }

    fn take(&mut self, most: u64) -> Vec<u8> {
        let count = usize::try_from(most).unwrap_or(usize::MAX).min(self.ahead.len());
        self.ahead.drain(..count).collect()
    }

    fn text_line(&mut self, until: Instant) -> io::Result<String> {
        loop {
            if let Some(end) = self.ahead.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.ahead.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim().to_owned());
            }
            if self.ahead.len() > MAX_CHUNK_LINE_BYTES {
                return Err(bad("a line that does not end"));
            }
            self.more(until)?;
        }
    }
}

/// How a body ends, and how much is left of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    /// After so many bytes.
    Length(u64),
    /// After a chunk of no length (7.1).
    Chunk { left: u64, first: bool },
    /// When the connection does.
    UntilClosed,
    /// It has.
    Over,
}

impl Body {
    /// The next bytes; `None` at the end.
    pub(super) fn next<L: Source>(&mut self, wire: &mut Wire<L>, until: Instant) -> io::Result<Option<Vec<u8>>> {
        if let Self::Chunk { left: 0, first } = *self {
            if !first {
                wire.text_line(until)?;
                // Should the deadline come between this line and the next, it is not read twice.
                *self = Self::Chunk { left: 0, first: true };
            }
            let line = wire.text_line(until)?;
            let digits = line.split(';').next().unwrap_or_default().trim();
            let length = u64::from_str_radix(digits, 16).map_err(|_| bad("a chunk's length"))?;
            if length == 0 {
                while !wire.text_line(until)?.is_empty() {}
                *self = Self::Over;
            } else {
                *self = Self::Chunk { left: length, first: false };
            }
        }
        let left = match self {
            Self::Length(0) | Self::Over => return Ok(None),
            Self::Length(left) | Self::Chunk { left, .. } => left,
            Self::UntilClosed => {
                return match wire.begins(until) {
                    Ok(()) => Ok(Some(wire.take(u64::MAX))),
                    Err(fault) if fault.kind() == ErrorKind::UnexpectedEof => {
                        *self = Self::Over;
                        Ok(None)
                    }
                    Err(fault) => Err(fault),
                };
            }
        };
        wire.begins(until)?;
        let piece = wire.take(*left);
        *left -= piece.len() as u64;
        Ok(Some(piece))
    }
}

/// Bytes that lie ready, then the end.
struct Ready<'a>(&'a [u8]);

impl Source for Ready<'_> {
    fn read(&mut self, buffer: &mut [u8], _until: Instant) -> io::Result<usize> {
        let count = self.0.len().min(buffer.len()).min(7);
        if count == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let (now, later) = self.0.split_at(count);
        buffer[..count].copy_from_slice(now);
        self.0 = later;
        Ok(count)
    }
}

/// Reads bytes as a message, for fuzzing; the body, at most so long.
#[doc(hidden)]
pub fn fuzz_message(bytes: &[u8], kind: MessageKind, most: usize) -> Option<(Head, Vec<u8>)> {
    let (mut wire, now) = (Wire::new(Ready(bytes)), Instant::now());
    let head = wire.head(kind, now).ok()?;
    let body = head.body().ok()?;
    let body = wire.whole(body, most, now).ok()?;
    Some((head, body))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(text: &str) -> Option<(Head, Vec<u8>)> {
        fuzz_message(text.as_bytes(), MessageKind::Request, 100)
    }

    #[test]
    fn a_request_is_read_with_its_body_by_length_or_in_chunks() {
        let cases = [
            "POST /plate?x=1 HTTP/1.1\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello and more",
            "POST /plate?x=1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\nx-a: b\r\n\r\n3;e=1\r\nhel\r\n2\r\nlo\r\n0\r\nT: 1\r\n\r\n",
        ];
        for text in cases {
            let (head, body) = request(text).expect("a request");
            assert_eq!((head.method.as_str(), head.target.as_str()), ("POST", "/plate?x=1"));
            assert_eq!((head.header("x-a"), body.as_slice()), (Some("b"), b"hello".as_slice()), "{text}");
        }
    }

    #[test]
    fn an_answer_without_a_length_ends_with_the_connection() {
        let (head, body) = fuzz_message(b"HTTP/1.1 200 OK\r\n\r\nhello", MessageKind::Answer, 100).expect("an answer");
        assert_eq!((head.status, body.as_slice()), (200, b"hello".as_slice()));
        assert_eq!(fuzz_message(b"HTTP/1.1 204 No\r\n\r\nhello", MessageKind::Answer, 100).expect("an answer").1, b"");
    }

    #[test]
    fn what_is_beyond_a_limit_or_no_http_is_refused() {
        let long_head = format!("POST / HTTP/1.1\r\nX: {}", "x".repeat(MAX_HEAD_BYTES * 2));
        let many = format!("POST / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(MAX_HEADERS + 1));
        let long_body = format!("POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n{}", "x".repeat(101));
        let cases = [
            long_head.as_str(),
            &many,
            &long_body,
            "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nhe",
            "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nhello",
            "POST / HTTP/1.1\r\nContent-Length: -3\r\n\r\nhello",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
            "\u{1}\u{2}\r\n\r\n",
            "",
        ];
        for text in cases {
            assert_eq!(request(text), None, "{text:.60}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_message_within_the_limits_or_none(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            for kind in [MessageKind::Request, MessageKind::Answer] {
                let prefixed = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".as_slice(), &bytes].concat();
                for bytes in [bytes.as_slice(), &prefixed] {
                    if let Some((_, body)) = fuzz_message(bytes, kind, 64) {
                        prop_assert!(body.len() <= 64);
                    }
                }
            }
        }
    }
}
