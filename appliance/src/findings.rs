//! What is to be said of a tariff's text before a box goes by it: faults with their place, examples that do not hold, and
//! the linter's warnings. The same for `tollhouse tariff check` and for the console's draft.
//!
//! Owns the gathering. It must not know who asked, nor how it is shown to a person.

use std::path::Path;

use serde_json::{Value, json};
use tollhouse_core::tariff::lint::{ShownStay, Warning};
use tollhouse_core::tariff::proof::{Broken, failed_examples, linted};

use crate::quote::local;
use crate::tariffs::{self, TariffFault, Version};

/// What was found in one text.
#[derive(Debug)]
pub struct Found {
    /// As people call the file.
    pub name: String,
    /// Its text, as far as it could be read.
    pub text: String,
    /// What it says, if it has no fault.
    pub version: Option<Version>,
    /// Why it is no tariff.
    pub faults: Vec<TariffFault>,
    /// Examples of its own that do not hold.
    pub broken: Vec<Broken>,
    /// What it can be used for that nobody meant.
    pub warnings: Vec<Warning>,
}

impl Found {
    /// Whether a box may go by it.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty() && self.broken.is_empty()
    }

    /// Looks at a file.
    pub fn of_file(path: &Path) -> Self {
        let name = path.display().to_string();
        match tariffs::read_text(path) {
            Ok(text) => Self::of_text(name, text),
            Err(fault) => Self { faults: vec![fault], ..Self::nothing(name, String::new()) },
        }
    }

    /// Looks at a text.
    pub fn of_text(name: String, text: String) -> Self {
        let version = tariffs::version(&name, text.clone());
        let mut found = Self::nothing(name, text);
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

    fn nothing(name: String, text: String) -> Self {
        Self { name, text, version: None, faults: vec![], broken: vec![], warnings: vec![] }
    }

    /// As programs read it.
    pub fn json(&self) -> Value {
        let zone = self.version.as_ref().map(|version| version.file.time_zone);
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
            "file": self.name,
            "ok": self.is_sound(),
            "id": self.version.as_ref().map(|version| &version.file.id),
            "version": self.version.as_ref().map(|version| &version.file.version),
            "examples": self.version.as_ref().map(|version| version.file.examples.len()),
            "faults": self.faults,
            "broken": self.broken.iter().map(|one| json!({ "line": one.line, "text": one.text })).collect::<Vec<_>>(),
            "warnings": self.warnings.iter().map(warning).collect::<Vec<_>>(),
        })
    }
}
