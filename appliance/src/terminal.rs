//! What a person reads at a terminal: in which language, in columns that line up in Chinese too, and the line of a
//! file that is at fault, with a caret below it.

use std::fmt::Write as _;
use std::io::IsTerminal as _;

use tollhouse_core::words::Language;

/// The language that was asked for, else the one of the surroundings (`LC_ALL`, `LC_MESSAGES`, `LANG`), else English.
pub fn language(asked: Option<Language>) -> Language {
    let from_surroundings = || {
        let names = ["LC_ALL", "LC_MESSAGES", "LANG"];
        let set = names.iter().filter_map(|name| std::env::var(name).ok()).find(|value| !value.is_empty())?;
        set.starts_with("zh").then_some(Language::Zh)
    };
    asked.or_else(from_surroundings).unwrap_or(Language::En)
}

/// How many columns a text takes: Chinese characters and full-width marks take two.
pub fn width(text: &str) -> usize {
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

fn is_wide(c: char) -> bool {
    matches!(u32::from(c), 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd)
}

/// How far long work has come, on one line of a terminal that is written over; anywhere else nothing is said.
#[derive(Debug)]
pub struct Progress {
    what: String,
    all: usize,
    every: usize,
    done: usize,
    shown: bool,
}

impl Progress {
    /// So many steps are to be done.
    pub fn of(what: impl Into<String>, all: usize) -> Self {
        let shown = std::io::stderr().is_terminal();
        Self { what: what.into(), all, every: (all / 50).max(1_000), done: 0, shown }
    }

    /// One more is done.
    pub fn step(&mut self) {
        self.done += 1;
        if self.shown && self.done.is_multiple_of(self.every) {
            eprint!("\r{} {} / {}", self.what, self.done, self.all);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown && self.done >= self.every {
            eprint!("\r{}\r", " ".repeat(width(&self.what) + 24));
        }
    }
}

/// To which side a column leans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lean {
    /// Words.
    Left,
    /// Figures.
    Right,
}

/// Rows in columns, two spaces in and two between.
pub fn table(rows: &[Vec<String>], leans: &[Lean]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(widest).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (place, cell) in row.iter().enumerate() {
            let space = " ".repeat(widths[place] - width(cell));
            let lean = leans.get(place).copied().unwrap_or(Lean::Left);
            let (before, after) = if lean == Lean::Right { (space.as_str(), "") } else { ("", space.as_str()) };
            let _ = write!(line, "  {before}{cell}{after}");
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// What is wrong with a file: the message, the place, the line itself and a caret below it.
pub fn excerpt(word: &str, name: &str, text: &str, (line, column): (u32, u32), message: &str) -> String {
    let mut out = format!("{word}: {message}\n");
    let found = (line as usize).checked_sub(1).and_then(|before| text.lines().nth(before));
    let Some(found) = found else {
        let _ = writeln!(out, "  --> {name}");
        return out;
    };
    let number = line.to_string();
    let gutter = " ".repeat(number.len());
    let shown: String = found.chars().map(|c| if c == '\t' { ' ' } else { c }).take(160).collect();
    let before: String = shown.chars().take((column as usize).saturating_sub(1)).collect();
    let rest: String = shown.chars().skip((column as usize).saturating_sub(1)).collect();
    // The caret takes in the word that it points at.
    let word = rest.split([' ', ',', ']', '}', '=', '#']).next().map_or(1, width).max(1);
    let _ = writeln!(out, "{gutter}--> {name}:{line}:{column}");
    let _ = writeln!(out, "{gutter} |");
    let _ = writeln!(out, "{number} | {shown}");
    let _ = writeln!(out, "{gutter} | {}{}", " ".repeat(width(&before)), "^".repeat(word));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_in_chinese_too() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let shown = table(&[row(["小时", "2", "x"]), row(["hours!", "10", "y"])], &[Lean::Left, Lean::Right]);
        assert_eq!(shown, "  小时     2  x\n  hours!  10  y\n");
    }

    #[test]
    fn the_caret_stands_below_the_fault() {
        let text = "id = \"a\"\nname = { zh = \"港湾\", en = 7 }\n";
        let shown = excerpt("error", "a.toml", text, (2, 25), "a text is wanted");
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[..2], ["error: a text is wanted", " --> a.toml:2:25"]);
        assert_eq!(lines[3], "2 | name = { zh = \"港湾\", en = 7 }");
        // The two Chinese characters before it take two columns more than they are characters.
        assert_eq!(lines[4], format!("  | {}^", " ".repeat(26)));
    }

    #[test]
    fn a_fault_of_the_whole_file_has_no_caret() {
        assert_eq!(excerpt("error", "a.toml", "", (0, 0), "empty"), "error: empty\n  --> a.toml\n");
    }
}
