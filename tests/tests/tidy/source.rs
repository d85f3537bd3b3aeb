//! Owns how the tidy test sees the sources: which files there are, and what of a Rust file is code.
//! It must not know a rule.

use std::fs;
use std::path::{Path, PathBuf};

/// One text file of the project, its path relative to the root and with forward slashes.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The project's root: the folder above this crate.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests crate lies in the project").to_owned()
}

/// Every text file of the project, in the order of paths. What is built, run or versioned is left out.
pub(crate) fn project_files() -> Vec<Source> {
    let root = root();
    let mut found = Vec::new();
    walk(&root, &root, &mut found);
    found.sort_by(|left, right| left.path.cmp(&right.path));
    found
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("a folder of the project can be read") {
        let path = entry.expect("an entry of the project can be read").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if matches!(name, "target" | ".git" | "demo-data" | "corpus" | "artifacts") {
            continue;
        }
        if path.is_dir() {
            walk(root, &path, found);
        } else if let Ok(text) = fs::read_to_string(&path) {
            let relative = path.strip_prefix(root).expect("found below the root");
            found.push(Source { path: relative.to_string_lossy().replace('\\', "/"), text });
        }
    }
}

/// The text with comments and the contents of literals blanked out and every line kept: what remains is code, so a rule can
/// look for a word without finding it where it is only talked about.
pub(crate) fn code_only(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = match chars[at] {
            '/' if chars.get(at + 1) == Some(&'/') => end_of_line(&chars, at),
            '/' if chars.get(at + 1) == Some(&'*') => end_of_block_comment(&chars, at),
            '"' => end_of_string(&chars, at),
            'r' if begins_raw_string(&chars, at) => end_of_raw_string(&chars, at),
            '\'' => end_of_character(&chars, at),
            _ => at,
        };
        if end == at {
            code.push(chars[at]);
            at += 1;
        } else {
            code.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    code
}

fn end_of_line(chars: &[char], from: usize) -> usize {
    chars[from..].iter().position(|c| *c == '\n').map_or(chars.len(), |length| from + length)
}

fn end_of_block_comment(chars: &[char], from: usize) -> usize {
    let mut depth = 0_u32;
    let mut at = from;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

fn end_of_string(chars: &[char], from: usize) -> usize {
    let mut at = from + 1;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

fn begins_raw_string(chars: &[char], from: usize) -> bool {
    let inside_a_word =
        from > 0 && (chars[from - 1].is_alphanumeric() && chars[from - 1] != 'b' || chars[from - 1] == '_');
    !inside_a_word && chars[from + 1..].iter().find(|c| **c != '#') == Some(&'"')
}

fn end_of_raw_string(chars: &[char], from: usize) -> usize {
    let hashes = chars[from + 1..].iter().take_while(|c| **c == '#').count();
    let mut at = from + hashes + 2;
    while at < chars.len() {
        if chars[at] == '"' && chars[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes {
            return at + 1 + hashes;
        }
        at += 1;
    }
    chars.len()
}

/// A character literal, or nothing when the quote opens a lifetime.
fn end_of_character(chars: &[char], from: usize) -> usize {
    if chars.get(from + 1) == Some(&'\\') {
        let closing = chars.iter().skip(from + 3).position(|c| *c == '\'');
        return closing.map_or(chars.len(), |length| from + 4 + length);
    }
    if chars.get(from + 2) == Some(&'\'') { from + 3 } else { from }
}

/// Whether `word` stands in the code as a word of its own. Words may hold `::` and may end in `(` or `!`.
pub(crate) fn names(code: &str, word: &str) -> bool {
    let in_a_word = |c: char| c.is_alphanumeric() || c == '_';
    let open_ended = !word.ends_with(in_a_word);
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back().is_some_and(in_a_word);
        let after = code[at + word.len()..].chars().next().is_some_and(in_a_word);
        !before && (open_ended || !after)
    })
}

#[test]
fn comments_and_literals_are_not_code_and_lifetimes_are() {
    let text = "let a = \"unsafe\"; // unsafe\n/* unsafe /* nested */ */ let b: &'static str = r#\"un\"safe\"#; let c = '\\''; unsafe {}";
    let code = code_only(text);
    assert_eq!(code.matches("unsafe").count(), 1, "{code}");
    assert_eq!(code.lines().count(), text.lines().count());
    assert!(code.contains("&'static str") && code.ends_with("unsafe {}"), "{code}");
}

#[test]
fn a_word_inside_another_word_is_not_named() {
    assert!(names("use std::time::Instant;", "Instant"));
    assert!(names("tokio::time::sleep(d)", "sleep("));
    assert!(!names("InstantaneousFlow", "Instant"));
    assert!(!names("allow(unsafe_code)", "unsafe"));
    assert!(!names("fn oversleep(", "sleep("));
}
