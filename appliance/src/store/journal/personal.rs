//! Texts that identify a person, kept apart from what the chain covers, so that they can be erased later.
//!
//! In the chained JSON stands a token (DEL, decimal index, DEL) and a salted commitment; salt and text stand beside
//! it and can be blanked in place. It knows JSON's string literals, nothing of records.

use std::borrow::Cow;

use aho_corasick::{AhoCorasick, MatchKind};
use memchr::{memchr, memmem};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Stands around an index in place of a text.
pub(super) const MARK: u8 = 0x7f;
/// Shorter texts are left: replacing them would hide half the entry and protect nobody.
const SHORTEST: usize = 3;
/// What is read where a text was erased.
pub(super) const ERASED: &str = "▇";
pub(super) const SALT: usize = 16;
/// What erased bytes are overwritten with. A salt never begins or ends with it, zeros (a torn write) are not it.
pub(super) const BLANK: u8 = 0xff;

/// What the chain covers of a personal text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Commitment {
    /// Bytes of the text, as it stands in the JSON.
    pub(super) length: usize,
    /// SHA-256(salt || text), in hexadecimal.
    pub(super) commitment: String,
}

/// Looks for personal texts. A lane's entry has one or two of them, one of a bill run has hundreds, and they are looked for in
/// each of its records.
enum Finder {
    /// One after the other.
    Few(Vec<memmem::Finder<'static>>),
    /// All at once, the longest first.
    Many(AhoCorasick),
}

/// From so many texts on all are looked for at once.
const MANY: usize = 8;

impl Finder {
    fn of(texts: &[String]) -> Self {
        let each = || texts.iter().map(|text| memmem::Finder::new(text.as_bytes()).into_owned()).collect();
        if texts.len() < MANY {
            return Self::Few(each());
        }
        // What cannot be built is too large; then one after the other is slow, and true.
        let all = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(texts);
        all.map_or_else(|_| Self::Few(each()), Self::Many)
    }

    fn occurs_in(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Few(texts) => texts.iter().any(|text| text.find(bytes).is_some()),
            Self::Many(all) => all.is_match(bytes),
        }
    }
}

/// Replaces personal texts by tokens, over the pieces of one change.
pub(super) struct Redactor {
    /// As they stand in JSON, longest first, so that a text within a longer one does not split it.
    texts: Vec<String>,
    /// Made once for all pieces.
    finder: Finder,
    used: Vec<Option<usize>>,
    order: Vec<usize>,
}

impl Redactor {
    pub(super) fn new(personal: &[String]) -> Self {
        let mut texts: Vec<String> =
            personal.iter().filter(|text| text.len() >= SHORTEST).map(|t| escaped(t)).collect();
        texts.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        texts.dedup();
        let (finder, used) = (Finder::of(&texts), vec![None; texts.len()]);
        Self { texts, finder, used, order: vec![] }
    }

    /// Appends `json` to `out`, with the texts replaced inside string literals. Names of fields are left.
    pub(super) fn redact(&mut self, json: &str, out: &mut Vec<u8>) {
        let bytes = json.as_bytes();
        if !self.occurs_in(bytes) {
            return out.extend_from_slice(bytes);
        }
        let mut at = 0;
        while let Some(open) = memchr(b'"', &bytes[at..]).map(|offset| at + offset) {
            let close = literal_end(bytes, open);
            out.extend_from_slice(&bytes[at..=open]);
            let content = &bytes[open + 1..close];
            if !self.occurs_in(content) || is_field_name(content, &bytes[close..]) {
                out.extend_from_slice(content);
            } else {
                self.redact_literal(content, out);
            }
            at = close;
            if at < bytes.len() {
                out.push(b'"');
                at += 1;
            }
        }
        out.extend_from_slice(&bytes[at..]);
    }

    /// Most pieces hold none of the texts, and are not looked at twice.
    fn occurs_in(&self, bytes: &[u8]) -> bool {
        self.finder.occurs_in(bytes)
    }

    fn redact_literal(&mut self, content: &[u8], out: &mut Vec<u8>) {
        if let Finder::Many(all) = &self.finder
            && memchr(b'\\', content).is_none()
        {
            let found: Vec<_> = all.find_iter(content).map(|one| (one.pattern().as_usize(), one.range())).collect();
            let mut at = 0;
            for (text, place) in found {
                out.extend_from_slice(&content[at..place.start]);
                self.token(text, out);
                at = place.end;
            }
            return out.extend_from_slice(&content[at..]);
        }
        let mut at = 0;
        while at < content.len() {
            let rest = &content[at..];
            if let Some(text) = self.texts.iter().position(|text| rest.starts_with(text.as_bytes())) {
                self.token(text, out);
                at += self.texts[text].len();
            } else {
                // An escape is copied whole: a text must not match from its middle on.
                let width = if rest[0] == b'\\' { 2.min(rest.len()) } else { 1 };
                out.extend_from_slice(&rest[..width]);
                at += width;
            }
        }
    }

    fn token(&mut self, text: usize, out: &mut Vec<u8>) {
        let index = self.index_of(text);
        out.push(MARK);
        out.extend_from_slice(index.to_string().as_bytes());
        out.push(MARK);
    }

    fn index_of(&mut self, text: usize) -> usize {
        *self.used[text].get_or_insert_with(|| {
            self.order.push(text);
            self.order.len() - 1
        })
    }

    /// The commitments, and the personal bytes: for each text 16 bytes of salt, then the text.
    pub(super) fn seal(self) -> Result<(Vec<Commitment>, Vec<u8>), getrandom::Error> {
        let mut salts = vec![0u8; SALT * self.order.len()];
        getrandom::fill(&mut salts)?;
        let (mut commitments, mut personal) = (vec![], vec![]);
        for (text, salt) in self.order.iter().map(|text| &self.texts[*text]).zip(salts.chunks_exact_mut(SALT)) {
            salt[0] &= 0x7f;
            salt[SALT - 1] &= 0x7f;
            commitments.push(Commitment { length: text.len(), commitment: commitment(salt, text.as_bytes()) });
            personal.extend_from_slice(salt);
            personal.extend_from_slice(text.as_bytes());
        }
        Ok((commitments, personal))
    }
}

/// Where the literal that opens at `open` closes.
fn literal_end(bytes: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at.min(bytes.len())
}

fn is_field_name(content: &[u8], from_close: &[u8]) -> bool {
    from_close.get(1) == Some(&b':')
        && content.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_')
        && content.first().is_some_and(u8::is_ascii_lowercase)
}

/// A text as it stands between the quotes of a JSON string.
pub(super) fn escaped(text: &str) -> String {
    let literal = serde_json::to_string(text).expect("a text serialises");
    literal[1..literal.len() - 1].to_owned()
}

fn commitment(salt: &[u8], text: &[u8]) -> String {
    super::hex(&Sha256::new().chain_update(salt).chain_update(text).finalize().into())
}

/// The texts of an entry, `None` where erased; an error says what does not fit.
pub(super) fn opened<'a>(commitments: &[Commitment], personal: &'a [u8]) -> Result<Vec<Option<&'a str>>, String> {
    let mut texts = vec![];
    let mut rest = personal;
    for (index, committed) in commitments.iter().enumerate() {
        let (value, after) =
            rest.split_at_checked(SALT.saturating_add(committed.length)).ok_or("personal bytes are missing")?;
        let (salt, text) = value.split_at(SALT);
        rest = after;
        if is_blanked(salt) {
            texts.push(None);
        } else if commitment(salt, text) == committed.commitment {
            texts.push(Some(std::str::from_utf8(text).map_err(|fault| fault.to_string())?));
        } else {
            return Err(format!("personal text {index} does not match its commitment"));
        }
    }
    if rest.is_empty() { Ok(texts) } else { Err("more personal bytes than texts".into()) }
}

/// A blanked salt, even one that a power cut has torn while it was blanked.
fn is_blanked(salt: &[u8]) -> bool {
    salt.first() == Some(&BLANK) || salt.last() == Some(&BLANK)
}

/// Puts the texts back in place of their tokens.
pub(super) fn restored<'a>(json: &'a str, texts: &[Option<&str>]) -> Result<Cow<'a, str>, String> {
    if !json.as_bytes().contains(&MARK) {
        return Ok(Cow::Borrowed(json));
    }
    let mut out = String::with_capacity(json.len() + 64);
    for (piece, part) in json.split(char::from(MARK)).enumerate() {
        if piece % 2 == 0 {
            out.push_str(part);
        } else {
            let text = part.parse().ok().and_then(|index: usize| texts.get(index));
            out.push_str(text.ok_or_else(|| format!("no personal text {part:?}"))?.unwrap_or(ERASED));
        }
    }
    Ok(Cow::Owned(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, PartialEq)]
    enum Way {
        OneByOne,
        AtOnce,
    }

    fn redacted(texts: &[String], way: Way, json: &str) -> (String, Vec<usize>) {
        let mut redactor = Redactor::new(texts);
        if way == Way::OneByOne {
            let each = redactor.texts.iter().map(|text| memmem::Finder::new(text.as_bytes()).into_owned());
            redactor.finder = Finder::Few(each.collect());
        }
        let mut out = vec![];
        redactor.redact(json, &mut out);
        (String::from_utf8(out).expect("UTF-8"), redactor.order)
    }

    #[test]
    fn many_texts_are_replaced_as_few_are() {
        let texts: Vec<String> =
            (0..200).map(|number| format!("粤C{number:03}")).chain(["粤C0".into(), "n粤".into()]).collect();
        assert!(matches!(Redactor::new(&texts).finder, Finder::Many(_)));
        let pieces = [
            r#"{"plate":"粤C007","others":["粤C199/K1","粤C0","x粤C12粤C123y"],"number":7}"#,
            r#"{"note":"two\n粤C001 and \"粤C002\""}"#,
            r#"["粤", "C001", ""]"#,
            r#""粤C0071""#,
        ];
        for piece in pieces {
            let all = redacted(&texts, Way::AtOnce, piece);
            assert_eq!(all, redacted(&texts, Way::OneByOne, piece), "{piece}");
        }
        assert_eq!(redacted(&texts, Way::AtOnce, pieces[2]).0, pieces[2]);
    }
}
