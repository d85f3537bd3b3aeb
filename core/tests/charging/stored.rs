//! Records as bytes: the form of this release is held here, so that every later one opens it; and what is no record is an
//! error, never a panic later.

use serde::de::DeserializeOwned;
use tollhouse_core::charging::bills::{CardBill, CardLine, CreditNote, Part, Retention, Source};
use tollhouse_core::charging::calendar::Span;
use tollhouse_core::charging::cards::{Card, Cover, MorePolicy};
use tollhouse_core::charging::estate::{Pool, Space, Tenure, Use, UseList};
use tollhouse_core::charging::fees::{FeeItem, FeeKind};
use tollhouse_core::charging::label::CardNumber;
use tollhouse_core::id::StayId;
use tollhouse_core::plate::Plate;
use tollhouse_core::record::Record;

use crate::sample::{Books, attributes, card, day, held, item, key, monthly, note, space, yuan};

const NOTE: &str = r#"{"at":"1970-01-01T00:00:00Z","on":"2020-01-01","by":"anna","why":"as agreed"}"#;

fn form(text: &str) -> String {
    text.replace("NOTE", NOTE)
}

/// The bytes give the record, and the record gives the bytes.
fn holds<T: Record + PartialEq + std::fmt::Debug>(record: &T, bytes: &str) {
    let bytes = form(bytes);
    assert_eq!(serde_json::to_string(record).expect("a record"), bytes);
    assert_eq!(&serde_json::from_str::<T>(&bytes).expect("readable"), record);
}

fn survives<T: Record + PartialEq + std::fmt::Debug>(record: &T) {
    let json = serde_json::to_string(record).expect("a record");
    assert_eq!(&serde_json::from_str::<T>(&json).expect("readable"), record);
}

#[test]
fn records_have_the_form_of_this_release() {
    let one = space("1", attributes(Tenure::Owned));
    holds(
        &one,
        r#"{"number":"1","area":"B1","attributes":{"changes":[{"from":"1990-01-01","value":{"location":"underground","tenure":"owned","use":"residential","layout":"ordinary","size":"12.50"},"note":NOTE}]}}"#,
    );
    holds(
        &item("care", FeeKind::Periodic(monthly()), "310.5"),
        r#"{"id":"care","name":{"zh":"费用","en":"care"},"charge":"care","selector":{},"kind":{"periodic":{"per":{"space":{"months":1}},"months":1,"alignment":"calendar","timing":{"in_advance":{"lead_days":0}},"due_days":15}},"price":{"changes":[{"from":"1990-01-01","value":"310.5","note":NOTE}]},"tax":{"rate":"0.06","point":"on_receipt","payee":"firm","invoice_category":""}}"#,
    );
    let mut books = Books::new(
        card(vec![held("1", "2026-01-01", None)]),
        vec![one],
        vec![item("care", FeeKind::Periodic(monthly()), "310")],
    );
    books.run("2026-01-01");
    holds(
        &books.card,
        r#"{"number":"C1","holder":"H1","opened_on":"2026-01-01","states":[{"state":"active","note":NOTE}],"holdings":[{"place":"space/1","from":"2026-01-01","note":NOTE}],"vehicles":[],"terms":[],"billed":[{"place":"space/1","of":{"fee":{"charge":"care","item":"care","class":{"location":"underground","tenure":"owned","use":"residential","grade":"ordinary"}}},"spans":[{"from":"2026-01-01","until":"2026-02-01"}],"credits":0}]}"#,
    );
    let bill = &mut books.bills[0];
    let note = bill.credit(Part::Whole, day("2026-01-05"), Retention::NONE, &key(), note()).expect("something");
    survives(bill);
    survives(&note);
    assert_eq!(bill.lines[0].source, Source::Item(crate::sample::item_id("care")));
    UseList::usual().all().iter().for_each(survives::<Use>);
    let mut cover = Cover::new(CardNumber::new("C1").expect("a number"), 1);
    let plate = Plate::new("粤C12345").expect("a plate");
    cover.enter(&plate, StayId::from_bytes([1; 16]), chrono::DateTime::UNIX_EPOCH, MorePolicy::Refuse);
    survives(&cover);
    assert_eq!(bill.due(), yuan("0"));
}

fn refused<T: DeserializeOwned>(json: &str) {
    assert!(serde_json::from_str::<T>(&form(json)).is_err(), "{json}");
}

#[test]
fn what_is_no_record_is_refused_when_it_is_read() {
    refused::<Span>(r#"{"from":"2026-01-01","until":"2026-01-01"}"#);
    refused::<Span>(r#"{"from":"2026-01-02","until":"2026-01-01"}"#);
    refused::<Space>(r#"{"number":"1","area":"B1","attributes":{"changes":[]}}"#);
    refused::<Pool>(r#"{"id":"p","area":"B1","terms":{"changes":[]}}"#);
    refused::<Card>(
        r#"{"number":"C1","holder":"H1","opened_on":"2026-01-01","states":[],"holdings":[],"vehicles":[]}"#,
    );
    refused::<FeeItem>("{}");
    refused::<CardLine>("{}");
    refused::<CardBill>("{}");
    refused::<CreditNote>("{}");
}
