//! A statement as Alipay sends it, in a GBK archive, and what is wrong with it when one thing in it is changed.

use std::io::{Cursor, Write};

use encoding_rs::GBK;
use tollhouse_core::money::{Currency, Money};
use tollhouse_providers::StatementError;
use tollhouse_providers::alipay::{RowKind, read_statement, unpack};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::vectors::bytes;

const fn fen(fen: i64) -> Money {
    Money::new(fen, Currency::Cny)
}

fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        writer.start_file(*name, SimpleFileOptions::default()).expect("begun");
        writer.write_all(content).expect("written");
    }
    writer.finish().expect("finished").into_inner()
}

fn changed(from: &str, to: &str) -> Result<(), StatementError> {
    let published = bytes("own/alipay_statement.csv");
    let (text, _, _) = GBK.decode(&published);
    assert!(text.contains(from), "{from} stands in the statement");
    let altered = text.replacen(from, to, 1);
    read_statement(&GBK.encode(&altered).0).map(|_| ())
}

#[test]
fn the_archive_gives_the_details_and_not_the_totals() {
    assert_eq!(unpack(&bytes("own/alipay_statement.zip")), Ok(bytes("own/alipay_statement.csv")));
}

#[test]
fn rows_are_read_to_the_fen_and_give_the_footer_s_totals() {
    let statement = read_statement(&bytes("own/alipay_statement.csv")).expect("a statement");
    assert_eq!(
        (statement.paid.rows, statement.paid.received, statement.paid.merchant_discount),
        (2, fen(3450), fen(100))
    );
    assert_eq!((statement.refunded.rows, statement.refunded.received), (1, fen(-500)));
    let [first, second, third] = statement.rows.as_slice() else { panic!("three rows") };
    assert_eq!((first.kind, first.total, first.fee, &first.refund_number), (RowKind::Paid, fen(1500), fen(-9), &None));
    assert_eq!(first.order, "LOT101ARYZ6S41AAAAAAAAAAAAAA");
    assert_eq!(first.finished_at.to_rfc3339(), "2026-01-01T00:00:05+00:00");
    assert_eq!((second.total, second.received, second.merchant_discount), (fen(2050), fen(1950), fen(100)));
    assert_eq!((first.remark.as_deref(), second.remark.as_deref()), (None, Some("月保")));
    assert_eq!((third.kind, third.total, third.fee), (RowKind::Refund, fen(-500), fen(3)));
    assert_eq!(third.refund_number.as_deref(), Some("LOT101REFUND01"));
    assert_eq!(
        (first.trade_no.as_str(), first.line),
        (third.trade_no.as_str(), 6),
        "one trade, two rows, never merged"
    );
}

#[test]
fn a_changed_row_is_noticed_by_the_footer() {
    for (from, to) in [
        ("\t,15.00\t,15.00\t", "\t,15.00\t,15.01\t"),
        ("2笔，商家实收共34.50元", "3笔，商家实收共34.50元"),
        ("商家实收共34.50元", "商家实收共34.51元"),
        ("商家优惠共1.00元", "商家优惠共1.01元"),
        ("商家实收退款共-5.00元", "商家实收退款共-5.01元"),
        ("\t,1.00\t", "\t,1.10\t"),
    ] {
        let fault = changed(from, to);
        assert!(matches!(fault, Err(StatementError::Totals { .. })), "{from} {to}: {fault:?}");
    }
    assert_eq!(changed("退款共-5.00元", "退款共5.00元"), Ok(()), "some footers write what went back without its sign");
    for (from, to) in [("商家实收共34.50元", "商家实收共-34.50元"), ("#交易合计", "#合计"), ("#退款合计", "#退款")]
    {
        assert!(changed(from, to).is_err(), "{from} {to}");
    }
}

#[test]
fn a_line_that_is_not_as_agreed_is_named() {
    for (from, to) in [
        ("\t,15.00\t,15.00\t", "\t,15.001\t,15.00\t"),
        ("\t,15.00\t,15.00\t", "\t,-15.00\t,15.00\t"),
        ("\t,15.00\t,15.00\t", "\t,\t,15.00\t"),
        ("交易\t", "转账\t"),
        ("2026-01-01 08:00:05", "2026-01-32 08:00:05"),
        ("\"停车费, 夜间\"", "停车费, 夜间"),
        ("\"停车费, 夜间\"", "\"停车费, 夜间"),
        ("服务费（元）", "手续费（元）"),
        ("商户订单号", "支付宝交易号"),
        ("#导出时间", "x"),
    ] {
        let fault = changed(from, to);
        assert!(matches!(fault, Err(StatementError::Line { .. })), "{from} {to}: {fault:?}");
    }
    assert_eq!(changed("\t,-0.09\t", "\t,-0.09000\t"), Ok(()), "zeros beyond the fen are no fault");
    assert_eq!(read_statement(&[0xFF, 0xFF, 0xFF]), Err(StatementError::CharacterSet("GBK")));
    assert_eq!(read_statement(b"# nothing"), Err(StatementError::NoTable("head")));
}

#[test]
fn a_statement_that_was_cut_off_has_no_rows() {
    let whole = bytes("own/alipay_statement.csv");
    for cut in [0, 10, 300, whole.len() / 2, whole.len() - 120] {
        assert!(read_statement(&whole[..cut]).is_err(), "{cut} bytes");
    }
    let packed = bytes("own/alipay_statement.zip");
    for cut in 0..packed.len() {
        assert!(unpack(&packed[..cut]).is_err(), "{cut} bytes");
    }
}

#[test]
fn a_name_that_leads_out_of_its_folder_is_refused() {
    for name in ["../业务明细.csv", "a/../../业务明细.csv", "/etc/业务明细.csv", "..\\业务明细.csv", "C:业务明细.csv"]
    {
        let packed = archive(&[(name, b"x")]);
        assert!(matches!(unpack(&packed), Err(StatementError::Packing(_))), "{name}");
    }
    assert_eq!(unpack(&archive(&[("2088_业务明细.csv", b"x")])), Ok(b"x".to_vec()));
    assert_eq!(unpack(&archive(&[("2088_业务明细(汇总).csv", b"x")])), Err(StatementError::NoTable("业务明细")));
    assert!(unpack(&archive(&[("a_业务明细.csv", b"x"), ("b_业务明细.csv", b"y")])).is_err(), "which of them?");
}

#[test]
fn a_bomb_is_not_unpacked() {
    let bomb = archive(&[("2088_业务明细.csv", &vec![0; 80 << 20])]);
    assert!(bomb.len() < 1 << 20, "{} bytes", bomb.len());
    assert!(matches!(unpack(&bomb), Err(StatementError::TooLarge { .. })));
    let names: Vec<String> = (0..17).map(|n| format!("{n}.csv")).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), b"x".as_slice())).collect();
    assert!(matches!(unpack(&archive(&many)), Err(StatementError::TooLarge { .. })));
    assert!(matches!(unpack(&vec![0; 17 << 20]), Err(StatementError::TooLarge { .. })));
    assert!(matches!(unpack(b"no archive"), Err(StatementError::Packing(_))));
}
