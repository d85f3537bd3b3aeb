//! `tollhouse tariff check`: faults with their line, examples that do not hold, and the linter's warnings.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};
use tollhouse_core::tariff::lint::{ShownStay, Warning};
use tollhouse_core::tariff::proof::{Broken, failed_examples, linted};
use tollhouse_core::words::Language;

use crate::commands::check::Form;
use crate::quote::local;
use crate::tariffs::{self, TariffFault, Version};
use crate::terminal::{Lean, excerpt, table};

/// What was found in one file.
struct Found {
    name: String,
    text: String,
    version: Option<Version>,
    faults: Vec<TariffFault>,
    broken: Vec<Broken>,
    warnings: Vec<Warning>,
}

impl Found {
    fn is_sound(&self) -> bool {
        self.faults.is_empty() && self.broken.is_empty()
    }
}

pub(super) fn run(files: &[PathBuf], form: Form, language: Language) -> ExitCode {
    let found: Vec<Found> = files.iter().map(|path| look(path)).collect();
    let sound = found.iter().all(Found::is_sound);
    match form {
        Form::Json => println!("{}", json!({ "ok": sound, "files": found.iter().map(as_json).collect::<Vec<_>>() })),
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

fn look(path: &Path) -> Found {
    let name = path.display().to_string();
    let mut found =
        Found { name, text: String::new(), version: None, faults: vec![], broken: vec![], warnings: vec![] };
    let read = tariffs::read_text(path).map_err(|fault| vec![fault]);
    let version = read.and_then(|text| {
        found.text.clone_from(&text);
        tariffs::version(&found.name, text)
    });
    match version.and_then(|version| tariffs::book(vec![version])) {
        Ok(mut tariffs) => {
            let version = tariffs.versions.remove(0);
            found.broken = failed_examples(&version.file, &tariffs.book);
            let (warnings, broken) = linted(&version.file);
            found.warnings = warnings;
            found.broken.extend(broken);
            found.version = Some(version);
        }
        Err(faults) => found.faults = faults,
    }
    found
}

fn as_json(found: &Found) -> Value {
    let zone = found.version.as_ref().map(|version| version.file.time_zone);
    let when = |at| zone.map_or(Value::Null, |zone| local(at, zone).into());
    let stay = |stay: &ShownStay| {
        json!({ "text": stay.text, "vehicle": stay.vehicle, "enter": when(stay.enter), "exit": when(stay.exit),
                "fee": stay.fee.amount(), "currency": stay.fee.currency() })
    };
    let warning = |warning: &Warning| {
        json!({ "hole": warning.hole.as_str(), "line": warning.line, "text": warning.text,
                "stays": warning.stays.iter().map(stay).collect::<Vec<_>>(), "accepted": warning.accepted })
    };
    json!({
        "file": found.name,
        "ok": found.is_sound(),
        "id": found.version.as_ref().map(|version| &version.file.id),
        "version": found.version.as_ref().map(|version| &version.file.version),
        "examples": found.version.as_ref().map(|version| version.file.examples.len()),
        "faults": found.faults,
        "broken": found.broken.iter().map(|one| json!({ "line": one.line, "text": one.text })).collect::<Vec<_>>(),
        "warnings": found.warnings.iter().map(warning).collect::<Vec<_>>(),
    })
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
