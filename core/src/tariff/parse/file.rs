//! The whole file: its head, its schemes, and what it says beside the prices.
//! It must not know how each part is read.

use std::collections::BTreeMap;

use super::fault::{Faults, Place};
use super::forms;
use super::head::Head;
use super::keys;
use super::reader::{Keys, NAME_FORM, is_name};
use super::scheme::{self, Stands};
use super::stay;
use super::tree::Node;
use crate::tariff::model::{
    Choose, Claim, ComingBack, Counts, EarlyPayment, Lint, LostRecord, Price, Scheme, Seconds, Since, Span, TariffFile,
    VersionBy,
};
use crate::words::Words;

/// What the fee of a lost record does.
type Instead = fn(Price) -> LostRecord;

const MOST_SCHEMES: usize = 32;
const MOST_EXAMPLES: usize = 500;
const USUAL_GRACE: Span = Span::from_seconds(15 * 60);

/// Reads the tree; `None` or told faults when something is wrong.
pub(super) fn read(root: &Node, faults: &Faults<'_>) -> Option<TariffFile> {
    let file = Keys::open(faults, root, Place { at: 0, path: String::new() }, keys::FILE);
    let head = Head::read(&file);
    let id = file.required("id", "\"harbour-garage\"", plain_id);
    let version = file.required("version", "\"2026-01\"", plain_id);
    let schemes = schemes(&file, &head);
    let examples = file.tables("example", MOST_EXAMPLES, keys::EXAMPLE);
    let examples = examples.iter().filter_map(|table| stay::example(table, &head)).collect();
    let id = id?;
    Some(TariffFile {
        name: file.words("name").unwrap_or_else(|| Words::new(&id, &id)),
        id,
        version: version?,
        source: file.text("source").map(|text| text.value.to_owned()),
        in_force_from: stay::head_moment(&file, "in_force_from", head.zone),
        version_by: file.choice(
            "version_by",
            &[("entry", VersionBy::Entry), ("moment", VersionBy::Moment)],
            VersionBy::Entry,
        ),
        seconds: file.choice("seconds", &[("count", Seconds::Count), ("drop", Seconds::Drop)], Seconds::Count),
        exit_grace: file.read("exit_grace", forms::SPAN, Span::parse).unwrap_or(USUAL_GRACE),
        early_payment: early_payment(&file),
        coming_back: coming_back(&file),
        lost_record: lost_record(&file, &head),
        choose: file.choice(
            "choose",
            &[("most_specific", Choose::MostSpecific), ("cheapest", Choose::Cheapest)],
            Choose::MostSpecific,
        ),
        claims: claims(&file),
        lint: lint(&file),
        schemes,
        examples,
        currency: head.currency,
        time_zone: head.zone,
        vehicles: head.vehicles,
        areas: head.areas,
        calendar: head.calendar,
        seasons: head.seasons,
    })
}

/// Part of file names and keys of the store, so plain.
fn plain_id(text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (!text.is_empty() && text.len() <= 64 && text.chars().all(plain)).then(|| text.to_owned())
}

fn schemes(file: &Keys<'_>, head: &Head<'_>) -> Vec<Scheme> {
    let mut schemes: Vec<Scheme> = Vec::new();
    let tables = file.tables("scheme", MOST_SCHEMES, keys::SCHEME);
    if keys::PRICES.iter().any(|key| file.has(key)) {
        schemes.push(scheme::scheme(file, head, &Stands::AtTheTop, 1));
    } else if !file.has("scheme") {
        file.tell("there are no prices; write [[rate]] tables with `per` and `price`, or [[scheme]] tables");
    }
    for (i, table) in tables.iter().enumerate() {
        schemes.push(scheme::scheme(table, head, &Stands::InItsTable, i + 1));
    }
    for (i, one) in schemes.iter().enumerate() {
        if schemes[..i].iter().any(|other| other.name == one.name) {
            let path = "scheme".to_owned();
            head.faults.tell_line(one.line, path, format!("two schemes are named {:?}", one.name));
        }
    }
    schemes
}

fn early_payment(file: &Keys<'_>) -> EarlyPayment {
    let words = [("from_entry", EarlyPayment::FromEntry), ("from_payment", EarlyPayment::FromPayment)];
    let table = file.table("early_payment", keys::EARLY_PAYMENT);
    table.map_or(EarlyPayment::FromEntry, |table| table.choice("then", &words, EarlyPayment::FromEntry))
}

fn coming_back(file: &Keys<'_>) -> Option<ComingBack> {
    let table = file.table("return", keys::RETURN)?;
    let positive = |text: &str| Span::parse(text).filter(|span| !span.is_zero());
    let within = table.required("within", "\"30min\"", positive);
    let since = table.choice("measured_from", &[("exit", Since::Exit), ("entry", Since::FirstEntry)], Since::Exit);
    let like = "\"from_first_entry\", \"without_the_time_away\", \"without_free_time\" or \"free\"";
    let counts = table.required("counts", like, |text| match text {
        "from_first_entry" => Some(Counts::FromFirstEntry),
        "without_the_time_away" => Some(Counts::WithoutTheTimeAway),
        "without_free_time" => Some(Counts::WithoutFreeTime),
        "free" => Some(Counts::Free { at_most: Span::default() }),
        _ => None,
    })?;
    let at_most = table.read_at("at_most", "\"2h\"", positive);
    let counts = match (counts, at_most) {
        (Counts::Free { .. }, Some(at_most)) => Counts::Free { at_most: at_most.value },
        (Counts::Free { .. }, None) => {
            if !table.has("at_most") {
                table.missing("at_most", "\"2h\"");
            }
            return None;
        }
        (counts, Some(at_most)) => {
            file.faults
                .tell(&at_most.place, "only counts = \"free\" has an `at_most`: up to how long a visit costs nothing");
            counts
        }
        (counts, None) => counts,
    };
    Some(ComingBack { within: within?, since, counts })
}

fn lost_record(file: &Keys<'_>, head: &Head<'_>) -> Option<LostRecord> {
    let table = file.table("lost_record", keys::LOST_RECORD)?;
    let as_if = table.read("as_if", "\"24h\"", |text| Span::parse(text).filter(|span| !span.is_zero()));
    let fee = table.read_at("fee", forms::MONEY, forms::price);
    if let Some(fee) = &fee {
        head.whole(fee);
    }
    if table.has("fee") == table.has("as_if") {
        table.tell("write exactly one of fee = \"30.00\" and as_if = \"24h\"");
    }
    if table.has("as_if") && table.has("instead") {
        file.faults.tell(&table.place_at("instead"), "`instead` says what `fee` does; with `as_if` there is none");
    }
    let how: [(&str, Instead); 3] =
        [("of_the_fee", LostRecord::OfTheFee), ("on_top", LostRecord::OnTop), ("at_least", LostRecord::AtLeast)];
    let instead = table.choice("instead", &how, LostRecord::OfTheFee as Instead);
    fee.map(|fee| instead(fee.value)).or(as_if.map(LostRecord::AsIf))
}

fn claims(file: &Keys<'_>) -> Vec<Claim> {
    let read = |text: &str| (text == "never_decreasing").then_some(Claim::NeverDecreasing);
    file.list("claims", 1, "[\"never_decreasing\"]", read).into_iter().map(|claim| claim.value).collect()
}

fn lint(file: &Keys<'_>) -> Lint {
    let Some(table) = file.table("lint", keys::LINT) else { return Lint::default() };
    let mut accept = BTreeMap::new();
    if let Some(node) = table.node("accept") {
        let reasons = Keys::free(file.faults, node.value, node.place);
        for (code, _, place) in reasons.all().take(64) {
            if !is_name(code) {
                file.faults.tell(&place, format!("this is no name of a warning: {NAME_FORM}"));
            }
            if let Some(reason) = reasons.text(code) {
                accept.insert(code.to_owned(), reason.value.to_owned());
            }
        }
    }
    Lint { jump: table.read("jump", forms::MONEY, forms::positive_price), accept }
}
