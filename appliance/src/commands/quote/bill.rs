//! `tollhouse quote --bill`: a stored bill priced again by the version that priced it, years later if need be.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use tollhouse_core::bill::priced;
use tollhouse_core::tariff::model::TariffFile;
use tollhouse_core::tariff::{Assessment, FeeLine};
use tollhouse_core::words::{Language, Words};

use super::show;
use super::{Detail, Form};
use crate::commands::{Place, refused, verify, wrong_usage};
use crate::past::{self, StoredBill};
use crate::quote::QuoteLine;
use crate::tariffs;

/// A box's data, where a bill is asked for.
#[derive(Debug, Clone, Args)]
pub(super) struct MaybePlace {
    /// The box's configuration, with --bill
    #[arg(long, value_name = "FILE", requires = "bill", conflicts_with = "data")]
    config: Option<PathBuf>,
    /// The box's data folder, with --bill
    #[arg(long, value_name = "DIR", requires = "bill")]
    data: Option<PathBuf>,
}

/// Whether a bill's price is still the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finding {
    /// Line by line.
    Lines,
    /// In all; the stored bill grew after it was fixed, so its lines are those of each time.
    Total,
    /// Not.
    No,
}

pub(super) fn run(id: &str, place: &MaybePlace, form: Form, shown: (Language, Detail)) -> ExitCode {
    if place.config.is_none() && place.data.is_none() {
        return wrong_usage("--bill needs --data DIR or --config FILE");
    }
    let place = Place { config: place.config.clone(), data: place.data.clone() };
    let stored = verify::folder(&place).and_then(|data| past::ask_bill(&data, id).map_err(|fault| fault.to_string()));
    let stored = match stored {
        Ok(stored) => stored,
        Err(why) => return refused(&why),
    };
    let (again, file) = match price_again(&stored) {
        Ok(priced) => priced,
        Err(why) => return refused(&why),
    };
    let finding = compare(&stored, &again);
    match form {
        Form::Json => println!("{}", as_json(&stored, &again, &file, finding)),
        Form::Text => print!("{}", as_text(&stored, &again, &file, finding, shown)),
    }
    if finding == Finding::No { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// By the text of the version that the stay keeps from its entry.
fn price_again(stored: &StoredBill) -> Result<(Assessment, TariffFile), String> {
    let label = stored.stay.tariff.clone().unwrap_or_default();
    let known = stored.versions.iter().find(|version| format!("{}@{}", version.id, version.version) == label);
    let known = known.ok_or_else(|| format!("the tariff {label:?} that priced the stay is not on record"))?;
    let first = |faults: Vec<tariffs::TariffFault>| faults.first().map_or_else(String::new, ToString::to_string);
    let version = tariffs::version(&label, known.text.clone()).map_err(first)?;
    let file = (*version.file).clone();
    let tariffs = tariffs::book(vec![version]).map_err(first)?;
    let again = priced(&stored.stay, stored.bill.assessed_to, &tariffs.book);
    let again = again.map_err(|error| format!("the stay cannot be priced again: {error}"))?;
    Ok((again, file))
}

fn compare(stored: &StoredBill, again: &Assessment) -> Finding {
    let same = |a: &FeeLine, b: &FeeLine| {
        (a.rule == b.rule && a.from == b.from && a.to == b.to && a.amount == b.amount)
            && a.quantity == b.quantity
            && a.unit_price == b.unit_price
    };
    let lines = &stored.bill.lines;
    if lines.len() == again.lines.len() && lines.iter().zip(&again.lines).all(|(a, b)| same(a, b)) {
        return Finding::Lines;
    }
    let grew = lines.iter().any(|line| line.rule == "growth");
    if grew && stored.bill.total == again.total { Finding::Total } else { Finding::No }
}

fn as_json(stored: &StoredBill, again: &Assessment, file: &TariffFile, finding: Finding) -> serde_json::Value {
    let lines = |lines: &[FeeLine]| lines.iter().map(|line| QuoteLine::new(line, file.time_zone)).collect::<Vec<_>>();
    json!({
        "bill": stored.bill.id.to_string(),
        "tariff": again.tariff,
        "currency": again.total.currency().code(),
        "agrees": finding != Finding::No,
        "line_by_line": finding == Finding::Lines,
        "stored": { "total": stored.bill.total.amount(), "lines": lines(&stored.bill.lines) },
        "again": { "total": again.total.amount(), "lines": lines(&again.lines) },
    })
}

fn as_text(
    stored: &StoredBill,
    again: &Assessment,
    file: &TariffFile,
    finding: Finding,
    (language, _): (Language, Detail),
) -> String {
    let say = |zh: &str, en: &str| Words::new(zh, en).in_language(language).to_owned();
    let shown = |lines: &[FeeLine]| show::lines(lines, file.time_zone, (language, Detail::Explained));
    let (bill, label) = (&stored.bill, &again.tariff);
    let verdict = match finding {
        Finding::Lines => say("逐行一致", "the same, line by line"),
        Finding::Total => say("总额一致；此账单付款后曾增加", "the same in all; the bill grew after it was fixed"),
        Finding::No => say("不一致", "NOT the same"),
    };
    let mut out = format!("{} ({label})\n\n", file.name.in_language(language));
    let _ = writeln!(out, "{}  {}\n{}", say("存档", "stored"), bill.total, shown(&bill.lines));
    if finding != Finding::Lines {
        let _ = writeln!(out, "{}  {}\n{}", say("重新计价", "priced again"), again.total, shown(&again.lines));
    }
    let _ = writeln!(out, "{}: {verdict}", bill.id);
    out
}
