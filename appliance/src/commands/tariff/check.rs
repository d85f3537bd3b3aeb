//! `tollhouse tariff check`: faults with their line, examples that do not hold, and the linter's warnings, for people.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;
use tollhouse_core::tariff::lint::{ShownStay, Warning};
use tollhouse_core::words::Language;

use crate::commands::check::Form;
use crate::findings::Found;
use crate::terminal::{Lean, excerpt, table};

pub(super) fn run(files: &[PathBuf], form: Form, language: Language) -> ExitCode {
    let found: Vec<Found> = files.iter().map(|path| Found::of_file(path)).collect();
    let sound = found.iter().all(Found::is_sound);
    match form {
        Form::Json => {
            println!("{}", json!({ "ok": sound, "files": found.iter().map(Found::json).collect::<Vec<_>>() }));
        }
        Form::Text => {
            for one in &found {
                let (faults, rest) = as_text(one, language);
                eprint!("{faults}");
                print!("{rest}");
            }
        }
    }
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What belongs on stderr, and what on stdout.
fn as_text(found: &Found, language: Language) -> (String, String) {
    let (mut faults, mut out) = (String::new(), String::new());
    for fault in &found.faults {
        let message =
            if fault.path.is_empty() { fault.message.clone() } else { format!("{}: {}", fault.path, fault.message) };
        let shown = excerpt("error", &found.name, &found.text, (fault.line, fault.column), &message);
        let _ = writeln!(faults, "{shown}");
    }
    for broken in &found.broken {
        let message = broken.text.in_language(language);
        let shown = excerpt("error", &found.name, &found.text, (broken.line, 1), message);
        let _ = writeln!(faults, "{shown}");
    }
    for warning in &found.warnings {
        out.push_str(&shown_warning(found, warning, language));
    }
    let (wrong, open) = (
        found.faults.len() + found.broken.len(),
        found.warnings.iter().filter(|warning| warning.accepted.is_none()).count(),
    );
    let examples = found.version.as_ref().map_or(0, |version| version.file.examples.len());
    let name = &found.name;
    let _ = match (language, wrong) {
        (Language::En, 0) => writeln!(out, "{name}: sound: {examples} example(s) hold, {open} warning(s)"),
        (Language::Zh, 0) => writeln!(out, "{name}：通过：{examples}个示例成立，{open}条警告"),
        (Language::En, _) => writeln!(out, "{name}: refused: {wrong} fault(s), {open} warning(s)"),
        (Language::Zh, _) => writeln!(out, "{name}：不通过：{wrong}处错误，{open}条警告"),
    };
    (faults, out)
}

fn shown_warning(found: &Found, warning: &Warning, language: Language) -> String {
    let message = format!("{} [{}]", warning.text.in_language(language), warning.hole.as_str());
    if let Some(reason) = &warning.accepted {
        let accepted = if language == Language::Zh { "已接受" } else { "accepted" };
        return format!("{accepted}: {message}: {reason}\n\n");
    }
    let mut out = excerpt("warning", &found.name, &found.text, (warning.line, 1), &message);
    let zone = found.version.as_ref().map_or(chrono_tz::UTC, |version| version.file.time_zone);
    let row = |stay: &ShownStay| {
        let when = |at| crate::commands::quote::when(at, zone);
        let long = crate::commands::quote::duration((stay.exit - stay.enter).num_seconds(), language);
        vec![
            stay.text.in_language(language).to_owned(),
            stay.vehicle.clone(),
            format!("{} → {}", when(stay.enter), when(stay.exit)),
            long,
            stay.fee.to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = warning.stays.iter().map(row).collect();
    out.push_str(&table(&rows, &[Lean::Left, Lean::Left, Lean::Left, Lean::Right, Lean::Right]));
    out.push('\n');
    out
}
