//! JSON (RFC 8259) with the place of every value, which no crate that we have keeps.
//! It must not know the keys of the language. Bounded in depth; a key that comes twice is refused.

use super::fault::Faults;
use super::tree::{Entry, Node, Value};

/// Deeper than any tariff.
const MOST_DEPTH: usize = 32;
/// More keys than any table of a tariff; it bounds the search for a key that comes twice.
const MOST_KEYS: usize = 1_000;

/// The whole text as one value. `None` when a fault was told.
pub(super) fn read(text: &str, faults: &Faults<'_>) -> Option<Node> {
    let mut reader = Reader { text, at: 0 };
    if text.starts_with('\u{feff}') {
        reader.at = '\u{feff}'.len_utf8();
    }
    let outcome = reader.value(0).and_then(|node| {
        reader.skip_blanks();
        if reader.at == text.len() { Ok(node) } else { Err("nothing may follow the closing brace") }
    });
    match outcome {
        Ok(node) => Some(node),
        Err(message) => {
            faults.tell_at(reader.at, String::new(), format!("this is not JSON: {message}"));
            None
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

type Outcome<T> = Result<T, &'static str>;

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, word: &str, value: Value) -> Outcome<Value> {
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            Ok(value)
        } else {
            Err("a value is expected here: text in quotes, number, list, table, true, false or null")
        }
    }

    fn value(&mut self, depth: usize) -> Outcome<Node> {
        if depth > MOST_DEPTH {
            return Err("the values are nested too deeply");
        }
        self.skip_blanks();
        let at = self.at;
        let value = match self.peek() {
            Some(b'{') => self.table(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => Value::Text(self.string()?),
            Some(b't') => self.word("true", Value::Truth(true))?,
            Some(b'f') => self.word("false", Value::Truth(false))?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => self.word("null", Value::Nothing)?,
        };
        Ok(Node { at, value })
    }

    fn number(&mut self) -> Outcome<Value> {
        let begin = self.at;
        self.take(b'-');
        let leading_zero = self.peek() == Some(b'0');
        let whole = self.digits();
        if whole == 0 || (leading_zero && whole > 1) {
            return Err("this is not a number");
        }
        if self.take(b'.') && self.digits() == 0 {
            return Err("digits are expected behind the point");
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if !self.take(b'+') {
                self.take(b'-');
            }
            if self.digits() == 0 {
                return Err("digits are expected in the exponent");
            }
        }
        Ok(Value::Number(self.text[begin..self.at].to_owned()))
    }

    fn digits(&mut self) -> usize {
        let begin = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - begin
    }

    fn table(&mut self, depth: usize) -> Outcome<Value> {
        self.at += 1;
        let mut entries: Vec<Entry> = Vec::new();
        self.skip_blanks();
        if self.take(b'}') {
            return Ok(Value::Table(entries));
        }
        loop {
            self.skip_blanks();
            let at = self.at;
            if self.peek() != Some(b'"') {
                return Err("a key in quotes is expected here");
            }
            let key = self.string()?;
            if entries.iter().any(|entry| entry.key == key) {
                self.at = at;
                return Err("this key comes twice");
            }
            self.skip_blanks();
            if !self.take(b':') {
                return Err("a colon is expected behind the key");
            }
            let node = self.value(depth + 1)?;
            if entries.len() == MOST_KEYS {
                return Err("this table has more than 1000 keys");
            }
            entries.push(Entry { key, at, node });
            self.skip_blanks();
            if self.take(b'}') {
                return Ok(Value::Table(entries));
            }
            if !self.take(b',') {
                return Err("a comma or a closing brace is expected here");
            }
        }
    }

    fn list(&mut self, depth: usize) -> Outcome<Value> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_blanks();
        if self.take(b']') {
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.skip_blanks();
            if self.take(b']') {
                return Ok(Value::List(items));
            }
            if !self.take(b',') {
                return Err("a comma or a closing bracket is expected here");
            }
        }
    }

    /// The quotes and what is between them; serde_json undoes the escapes.
    fn string(&mut self) -> Outcome<String> {
        let begin = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                None | Some(b'\n') => return Err("the closing quote is missing"),
                Some(b'"') => {
                    self.at += 1;
                    break;
                }
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
            }
        }
        let quoted = self.text.get(begin..self.at).ok_or("the closing quote is missing")?;
        serde_json::from_str(quoted).map_err(|_| {
            self.at = begin;
            "this text has an escape that JSON does not know"
        })
    }
}
