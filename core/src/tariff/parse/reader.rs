//! Reads tables key by key and tells every fault with its place, instead of stopping at the first.
//! It must not know what the keys mean.

use super::fault::{Faults, Place};
use super::tree::{Entry, Node, Value};
use crate::words::Words;

/// The most characters of a name, and of a text that people read.
const MOST_NAME: usize = 64;
const MOST_TEXT: usize = 500;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// One table of the file.
pub(super) struct Keys<'n> {
    pub(super) faults: &'n Faults<'n>,
    pub(super) place: Place,
    entries: &'n [Entry],
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

impl<'n> Keys<'n> {
    /// Opens a table and tells the keys that it must not have. Something else than a table is told and read as empty.
    pub(super) fn open(faults: &'n Faults<'n>, node: &'n Node, place: Place, known: &[&str]) -> Self {
        let keys = Self::free(faults, node, place);
        for entry in keys.entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            if faults.is_full() {
                break;
            }
            let meant = known.iter().find(|known| near(&entry.key, known));
            let hint = meant
                .map_or_else(|| format!("the keys here are {}", known.join(", ")), |m| format!("did you mean `{m}`?"));
            let key: String = entry.key.chars().take(MOST_NAME).collect();
            faults.tell_at(entry.at, join(&keys.place.path, &key), format!("there is no such key; {hint}"));
        }
        keys
    }

    /// Opens a table whose keys are names of the operator's own.
    pub(super) fn free(faults: &'n Faults<'n>, node: &'n Node, place: Place) -> Self {
        let entries: &[Entry] = match &node.value {
            Value::Table(entries) => entries,
            other => {
                faults.tell(&place, format!("a table belongs here, but this is {}", other.kind()));
                &[]
            }
        };
        Self { faults, place, entries }
    }

    pub(super) fn line(&self) -> u32 {
        self.faults.line(self.place.at)
    }

    pub(super) fn tell(&self, message: impl Into<String>) {
        self.faults.tell(&self.place, message);
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    fn get(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    fn place_of(&self, entry: &Entry) -> Place {
        Place { at: entry.at, path: join(&self.place.path, &entry.key) }
    }

    /// Where the key stands, or would.
    pub(super) fn place_at(&self, key: &str) -> Place {
        self.get(key)
            .map_or_else(|| Place { at: self.place.at, path: join(&self.place.path, key) }, |e| self.place_of(e))
    }

    /// All of them, in the order of the file.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'n str, &'n Node, Place)> + '_ {
        self.entries.iter().map(|entry| (entry.key.as_str(), &entry.node, self.place_of(entry)))
    }

    pub(super) fn node(&self, key: &str) -> Option<At<&'n Node>> {
        self.get(key).map(|entry| At { value: &entry.node, place: self.place_of(entry) })
    }

    pub(super) fn table(&self, key: &str, known: &[&str]) -> Option<Keys<'n>> {
        self.node(key).map(|found| Keys::open(self.faults, found.value, found.place, known))
    }

    /// The tables of a list, each with its number from 1 in its path.
    pub(super) fn tables(&self, key: &str, at_most: usize, known: &[&str]) -> Vec<Keys<'n>> {
        let Some(found) = self.node(key) else { return Vec::new() };
        let Value::List(items) = &found.value.value else {
            let kind = found.value.value.kind();
            self.faults
                .tell(&found.place, format!("write it as [[{}]], once for each; this is {kind}", found.place.path));
            return Vec::new();
        };
        if items.len() > at_most {
            self.faults.tell(&found.place, format!("there are {}, and {at_most} are the most", items.len()));
            return Vec::new();
        }
        let numbered = items.iter().enumerate();
        numbered
            .map(|(i, item)| {
                let place = Place { at: item.at, path: format!("{}[{}]", found.place.path, i + 1) };
                Keys::open(self.faults, item, place, known)
            })
            .collect()
    }

    pub(super) fn missing(&self, key: &str, like: &str) {
        self.tell(format!("`{key}` is missing; write it like {key} = {like}"));
    }

    /// A text, bounded in length.
    pub(super) fn text(&self, key: &str) -> Option<At<&'n str>> {
        let found = self.node(key)?;
        text_of(self.faults, found.value, &found.place).map(|value| At { value, place: found.place })
    }

    /// A text that `read` understands; `like` shows one.
    pub(super) fn read<T>(&self, key: &str, like: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.read_at(key, like, read).map(|found| found.value)
    }

    pub(super) fn read_at<T>(&self, key: &str, like: &str, read: impl Fn(&str) -> Option<T>) -> Option<At<T>> {
        self.tell_bare_number(key, like, &read)?;
        let text = self.text(key)?;
        let value = read(text.value);
        if value.is_none() {
            self.faults.tell(&text.place, format!("{:?} cannot be read; write it like {like}", text.value));
        }
        value.map(|value| At { value, place: text.place })
    }

    /// A number without quotes: told with what belongs here, when quotes alone would not make it right.
    fn tell_bare_number<T>(&self, key: &str, like: &str, read: &impl Fn(&str) -> Option<T>) -> Option<()> {
        if let Value::Number(number) = &self.get(key)?.node.value
            && read(number).is_none()
        {
            self.faults.tell(&self.place_at(key), format!("this is a number without quotes; write it like {like}"));
            return None;
        }
        Some(())
    }

    /// The same, and its absence is a fault.
    pub(super) fn required<T>(&self, key: &str, like: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        if !self.has(key) {
            self.missing(key, like);
        }
        self.read(key, like, read)
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&self, key: &str, words: &[(&str, T)], default: T) -> T {
        let Some(text) = self.text(key) else { return default };
        let found = words.iter().find(|(word, _)| *word == text.value);
        if found.is_none() {
            let known: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            self.faults.tell(&text.place, format!("{:?} is none of {}", text.value, known.join(", ")));
        }
        found.map_or(default, |(_, value)| *value)
    }

    pub(super) fn truth(&self, key: &str) -> Option<bool> {
        let found = self.node(key)?;
        if let Value::Truth(truth) = found.value.value {
            return Some(truth);
        }
        self.faults.tell(&found.place, "write true or false, without quotes");
        None
    }

    /// One text or a list of texts, each read; the same twice is a fault.
    pub(super) fn list<T: PartialEq>(
        &self,
        key: &str,
        at_most: usize,
        like: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Vec<At<T>> {
        let Some(found) = self.node(key) else { return Vec::new() };
        let (items, single): (&[Node], _) = match &found.value.value {
            Value::List(items) => (items, false),
            _ => (std::slice::from_ref(found.value), true),
        };
        if items.is_empty() {
            self.faults
                .tell(&found.place, format!("an empty list selects nothing; leave `{key}` out, or write {like}"));
        }
        if items.len() > at_most {
            self.faults.tell(&found.place, format!("there are {}, and {at_most} are the most", items.len()));
            return Vec::new();
        }
        let mut all: Vec<At<T>> = Vec::new();
        for item in items {
            let at = if single { found.place.at } else { item.at };
            let place = Place { at, path: found.place.path.clone() };
            let Some(text) = text_of(self.faults, item, &place) else { continue };
            match read(text) {
                Some(value) if all.iter().any(|other| other.value == value) => {
                    self.faults.tell(&place, format!("{text:?} stands here twice"));
                }
                Some(value) => all.push(At { value, place }),
                None => self.faults.tell(&place, format!("{text:?} cannot be read; write it like {like}")),
            }
        }
        all
    }

    /// A name of the operator's own, in any script.
    pub(super) fn name(&self, key: &str) -> Option<At<String>> {
        let text = self.text(key)?;
        if !is_name(text.value) {
            self.faults.tell(&text.place, format!("{:?} is no name: {NAME_FORM}", text.value));
            return None;
        }
        Some(At { value: text.value.to_owned(), place: text.place })
    }

    /// What people read: a text for both languages or `{ en = "...", zh = "..." }`.
    pub(super) fn words(&self, key: &str) -> Option<Words> {
        let found = self.node(key)?;
        if let Value::Text(_) = found.value.value {
            let text = text_of(self.faults, found.value, &found.place)?;
            return Some(Words::new(text, text));
        }
        let both = Keys::open(self.faults, found.value, found.place, super::keys::WORDS);
        both.bilingual()
    }

    /// The words that this table itself says, in `en` and `zh`; one alone stands for both.
    pub(super) fn bilingual(&self) -> Option<Words> {
        let (en, zh) = (self.text("en"), self.text("zh"));
        if !self.has("en") && !self.has("zh") {
            self.tell("write { en = \"...\", zh = \"...\" }; one of them may be left out");
        }
        let (en, zh) = (en.map(|found| found.value), zh.map(|found| found.value));
        en.or(zh).map(|either| Words::new(zh.unwrap_or(either), en.unwrap_or(either)))
    }
}

pub(super) const NAME_FORM: &str = "a name has 1 to 64 characters and no blank at either end, like \"early bird\"";

pub(super) fn is_name(text: &str) -> bool {
    let characters = text.chars().count();
    (1..=MOST_NAME).contains(&characters) && text.trim() == text && !text.chars().any(char::is_control)
}

fn text_of<'n>(faults: &Faults<'_>, node: &'n Node, place: &Place) -> Option<&'n str> {
    let Value::Text(text) = &node.value else {
        let instead = match &node.value {
            Value::Number(number) => format!("put it in quotes: \"{}\"", number.chars().take(40).collect::<String>()),
            _ => "a text in quotes belongs here".to_owned(),
        };
        faults.tell(place, format!("this is {}; {instead}", node.value.kind()));
        return None;
    };
    let characters = text.chars().count();
    if characters > MOST_TEXT {
        faults.tell(place, format!("the text has {characters} characters, and {MOST_TEXT} are the most"));
        return None;
    }
    if text.chars().any(char::is_control) {
        faults.tell(place, "the text holds a line break or another control character");
        return None;
    }
    Some(text)
}

/// Whether one letter more, less, other or a pair swapped makes `wrong` of `right`, or only case, `-`/`_` or a plural
/// differ.
fn near(wrong: &str, right: &str) -> bool {
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let (a, b): (Vec<char>, Vec<char>) = (plain(wrong).chars().collect(), plain(right).chars().collect());
    let front = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let back = a[front..].iter().rev().zip(b[front..].iter().rev()).take_while(|(x, y)| x == y).count();
    let (left_a, left_b) = (a.len() - front - back, b.len() - front - back);
    left_a.max(left_b) <= 1 || (left_a == 2 && left_b == 2 && a[front] == b[front + 1] && a[front + 1] == b[front])
}
