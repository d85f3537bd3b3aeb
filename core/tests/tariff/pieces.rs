//! The pieces of TOML in docs/tariffs.md, as whole files.

use std::path::Path;

/// What the page leaves out in front of each piece but the first.
const HEAD: &str = "id = \"piece\"\nversion = \"1\"\ncurrency = \"CNY\"\ntime_zone = \"Asia/Shanghai\"\n";

/// Each with the line of the page on which it begins.
pub(crate) fn pieces() -> Vec<(usize, String)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/tariffs.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let mut pieces = Vec::new();
    let mut piece: Option<(usize, String)> = None;
    for (number, line) in page.lines().enumerate() {
        match (&mut piece, line) {
            (None, "```toml") => piece = Some((number + 2, String::new())),
            (Some((begins, text)), "```") => {
                let head = if text.lines().any(|line| line.starts_with("id = ")) { "" } else { HEAD };
                pieces.push((*begins, format!("{head}{text}")));
                piece = None;
            }
            (Some((_, text)), line) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, _) => {}
        }
    }
    assert!(piece.is_none(), "a piece does not end");
    pieces
}
