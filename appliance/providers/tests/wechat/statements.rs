//! The published statement, packed and unpacked, and what is wrong with it when one thing in it is changed.

use std::collections::BTreeMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tollhouse_core::money::{Currency, Money};
use tollhouse_providers::StatementError;
use tollhouse_providers::wechat::{RowKind, check_hash, read_statement, unpack};

use crate::vectors::bytes;

const SHA1: &str = "9bb6cd819be348f17a9cbcedddc8eb62fefbd790";

fn published() -> Vec<u8> {
    bytes("published/wechat.bill.ALL.csv")
}

fn changed(from: &str, to: &str) -> Result<(), StatementError> {
    let text = String::from_utf8(published()).expect("UTF-8");
    assert!(text.contains(from), "{from} stands in the statement");
    read_statement(text.replacen(from, to, 1).as_bytes()).map(|_| ())
}

const fn fen(fen: i64) -> Money {
    Money::new(fen, Currency::Cny)
}

#[test]
fn the_published_statement_has_45_rows_whose_sums_are_its_summary() {
    let unpacked = unpack(&published()).expect("plain");
    check_hash(&unpacked, SHA1).expect("its hash");
    let statement = read_statement(&unpacked).expect("a statement");
    let summary = statement.summary;
    assert_eq!((statement.rows.len(), summary.rows), (45, 45));
    assert_eq!((summary.settled, summary.refunds, summary.fees), (fen(47), fen(14), fen(8)));
    assert_eq!((summary.totals, summary.asked_refunds, summary.coupon_refunds), (fen(47), fen(14), fen(0)));
    let mut orders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in &statement.rows {
        orders.entry(&row.transaction_id).or_default().push(&row.order);
    }
    assert_eq!(
        orders.values().filter(|orders| orders.len() == 2).count(),
        2,
        "two transactions stand at two orders each"
    );
    let first = &statement.rows[0];
    assert_eq!((first.kind, first.line, first.mchid.as_str()), (RowKind::Refund, 2, "1921000401"));
    assert_eq!((first.refund, first.asked_refund, first.fee), (fen(1), fen(1), fen(0)));
    assert_eq!(first.refund_number.as_deref(), Some("REF4200000263201902167700963919"));
    assert_eq!(first.at.to_rfc3339(), "2019-02-18T21:01:46+00:00", "05:01:46 in Beijing");
    let paid = &statement.rows[2];
    assert_eq!((paid.kind, paid.total, paid.fee, &paid.refund_id), (RowKind::Paid, fen(3), fen(1), &None));
}

#[test]
fn the_hash_is_over_the_unpacked_file() {
    let packed = bytes("own/wechat.bill.ALL.csv.gz");
    let unpacked = unpack(&packed).expect("unpacked");
    assert_eq!(unpacked, published());
    assert_eq!(check_hash(&unpacked, &SHA1.to_uppercase()), Ok(()));
    assert!(matches!(check_hash(&packed, SHA1), Err(StatementError::Hash { .. })));
    assert!(matches!(check_hash(&unpacked, ""), Err(StatementError::Hash { .. })));
}

#[test]
fn lines_may_end_without_a_carriage_return_and_the_file_begin_without_a_mark() {
    let text = String::from_utf8(published()).expect("UTF-8");
    let plain = text.trim_start_matches('\u{FEFF}').replace('\r', "");
    assert_ne!(plain.len(), text.len());
    let as_published = read_statement(text.as_bytes()).expect("a statement").rows;
    assert_eq!(read_statement(plain.as_bytes()).expect("a statement").rows, as_published);
}

#[test]
fn a_changed_amount_is_noticed_by_the_summary_and_a_third_decimal_is_refused() {
    for (from, to) in [
        ("`0.01000,", "`0.02000,"),
        ("`0.03,`0.00,", "`0.04,`0.00,"),
        ("`45.0,", "`44.0,"),
        ("`0.47,`0.14,", "`0.47,`0.15,"),
    ] {
        assert!(matches!(changed(from, to), Err(StatementError::Totals { .. })), "{from} {to}");
    }
    for (from, to) in [
        ("`0.01000,", "`0.01500,"),
        ("`0.01000,", "`,"),
        ("`0.01000,", "`１,"),
        ("`0.01000,", "`1e3,"),
        ("`0.01000,", "`99999999999999.00,"),
        ("`CNY,", "`USD,"),
        ("`REFUND,`OTHERS,", "`SETTLED,`OTHERS,"),
        ("`2019-02-19 05:01:46,", "`2019-02-30 05:01:46,"),
        ("`harryma007,", ""),
        ("手续费,", "服务费,"),
        ("设备号,", "商户号,"),
        ("`45.0,", "`45.5,"),
        ("`45.0,", "45.0,"),
    ] {
        let fault = changed(from, to);
        assert!(matches!(fault, Err(StatementError::Line { .. })), "{from} {to}: {fault:?}");
    }
}

#[test]
fn a_comma_inside_a_value_separates_nothing() {
    assert_eq!(changed("`autotest,`", "`停车费, 夜间,`"), Ok(()));
}

#[test]
fn a_statement_that_was_cut_off_has_no_rows() {
    let whole = published();
    for cut in [0, 3, 100, 1000, whole.len() / 2, whole.len() - 40] {
        assert!(read_statement(&whole[..cut]).is_err(), "{cut} bytes");
    }
    let twice = [whole.as_slice(), b"\r\n`1\r\n"].concat();
    assert!(read_statement(&twice).is_err(), "something follows the summary");
    assert_eq!(read_statement(b"\xFF\xFE"), Err(StatementError::CharacterSet("UTF-8")));
}

#[test]
fn a_bomb_is_not_unpacked() {
    let mut writer = GzEncoder::new(Vec::new(), Compression::fast());
    let zeros = vec![0; 1 << 20];
    for _ in 0..80 {
        writer.write_all(&zeros).expect("packed");
    }
    let bomb = writer.finish().expect("packed");
    assert!(bomb.len() < 1 << 20, "{} bytes", bomb.len());
    assert!(matches!(unpack(&bomb), Err(StatementError::TooLarge { .. })));
    let packed = bytes("own/wechat.bill.ALL.csv.gz");
    assert!(matches!(unpack(&packed[..packed.len() - 9]), Err(StatementError::Packing(_))));
    let long = format!("{}\r\n", "交".repeat(4000));
    assert!(matches!(read_statement(long.as_bytes()), Err(StatementError::Line { line: 1, .. })));
}
