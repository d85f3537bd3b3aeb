//! What is refused: each file of `broken/` says in its first lines on which line which words are to be told.

use std::fmt::Write as _;

use tollhouse_core::tariff::parse::{Fault, parse};

use super::{files, shown};

/// Line and words of each `# expect: line N: words`.
fn expected(text: &str) -> Vec<(u32, &str)> {
    text.lines()
        .map_while(|line| line.strip_prefix("# expect: line "))
        .map(|rest| {
            let (line, words) = rest.split_once(": ").expect("a line and words");
            (line.parse().expect("a line"), words)
        })
        .collect()
}

#[test]
fn every_broken_tariff_is_refused_with_each_fault_in_its_line_and_no_other() {
    let files = files("core/tests/tariff_language/broken");
    assert!(files.len() >= 60, "there are {}", files.len());
    let mut wrong = Vec::new();
    for (name, text) in files {
        let expected = expected(&text);
        assert!(!expected.is_empty(), "{name} says what is wrong with it");
        let faults = parse(&text).err().unwrap_or_default();
        let told = |(line, words): &(u32, &str)| {
            faults.iter().any(|fault| fault.line == *line && fault.message.contains(words))
        };
        if faults.len() != expected.len() || !expected.iter().all(told) {
            wrong.push(format!("{name}: expected {expected:?}\n  {}", shown(&faults)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn only_fault(text: &str) -> Fault {
    let mut faults = parse(text).expect_err("a fault");
    assert_eq!(faults.len(), 1, "{}", shown(&faults));
    faults.remove(0)
}

#[test]
fn a_fault_in_json_has_its_line_and_column() {
    let fault = only_fault("{\n  \"id\": \"a\",\n  \"id\": \"b\"\n}\n");
    assert_eq!((fault.line, fault.column, fault.message.as_str()), (3, 3, "this is not JSON: this key comes twice"));
    let text = r#"{"id": "a", "version": "1", "currency": "CNY", "time_zone": "Asia/Shanghai",
 "rate": [{"per": "1h", "price": 5}]}"#;
    let fault = only_fault(text);
    assert_eq!((fault.line, fault.column, fault.path.as_str()), (2, 25, "rate[1].price"));
    assert_eq!(fault.message, "this is a number without quotes; put it in quotes: \"5\"");
}

#[test]
fn a_file_beyond_the_bounds_is_refused_before_it_is_understood() {
    assert!(only_fault(&"#".repeat((1 << 20) + 1)).message.contains("bytes"));
    let deep = format!("{{\"rate\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(only_fault(&deep).message.contains("nested too deeply"));
    let head = "id = \"a\"\nversion = \"1\"\ncurrency = \"CNY\"\ntime_zone = \"Asia/Shanghai\"\n";
    let many = format!("{head}{}", "[[rate]]\nper = \"1h\"\nprice = \"1.00\"\n".repeat(65));
    assert!(only_fault(&many).message.contains("there are 65, and 64 are the most"));
    let long = format!("{head}source = \"{}\"\n[[rate]]\nper = \"1h\"\nprice = \"1.00\"\n", "x".repeat(501));
    assert!(only_fault(&long).message.contains("500 are the most"));
}

#[test]
fn a_file_that_is_all_faults_is_refused_at_once_with_the_first_of_them() {
    let mut text = String::new();
    for key in 0..60_000 {
        writeln!(text, "key{key} = 1").expect("a line");
    }
    let begun = std::time::Instant::now();
    let faults = parse(&text).expect_err("faults");
    assert_eq!(faults.len(), 50);
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
}

/// A file at the bounds of every count that the checks multiply: kinds, areas, seasons, events, rates with their windows.
fn most_intricate() -> String {
    let mut text =
        "id = \"a\"\nversion = \"1\"\ncurrency = \"CNY\"\ntime_zone = \"Asia/Shanghai\"\n[vehicles]\n".to_owned();
    let names = |prefix: &str, count: usize| (0..count).map(|i| format!("{prefix}{i}")).collect::<Vec<_>>();
    for name in names("kind", 28) {
        writeln!(text, "{name} = []").expect("a line");
    }
    text.push_str("[areas]\n");
    for name in names("area", 32) {
        writeln!(text, "{name} = \"x\"").expect("a line");
    }
    text.push_str("[seasons]\n");
    for month in 1..=12 {
        writeln!(text, "season{month} = \"{month:02}-03..{month:02}-20\"").expect("a line");
    }
    text.push_str("[calendar.events]\n");
    for name in names("event", 32) {
        writeln!(text, "{name} = \"2026-01-01\"").expect("a line");
    }
    for rate in 0..63 {
        let windows: Vec<_> = (0..16).map(|hour| format!("\"{hour:02}:{:02}-{hour:02}:59\"", rate % 59)).collect();
        writeln!(
            text,
            "[[rate]]\ntime = [{}]\ndays = [\"event:event{}\", \"sat\", \"holiday\", \"workday\"]",
            windows.join(","),
            rate % 32
        )
        .expect("a line");
        writeln!(
            text,
            "seasons = \"season{}\"\nvehicles = \"kind{}\"\nareas = \"area{}\"",
            rate % 12 + 1,
            rate % 28,
            rate % 32
        )
        .expect("a line");
        text.push_str("per = \"1h\"\nprice = \"1.00\"\n");
    }
    text.push_str("[[rate]]\nper = \"1h\"\nprice = \"1.00\"\n");
    text
}

#[test]
fn the_most_intricate_tariff_is_answered_in_time() {
    let begun = std::time::Instant::now();
    let faults = parse(&most_intricate()).expect_err("nobody could check it by hand either");
    assert!(faults[0].message.contains("too many combinations"), "{}", shown(&faults));
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}
