//! A receipt as other programs read it: poppler's `pdftotext` finds the Chinese text, `pdfinfo` the page.

use std::path::Path;
use std::process::{Command, Stdio};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use tollhouse_core::id::{BillId, InvoiceId};
use tollhouse_core::invoice::{BillRef, Buyer, BuyerKind, Invoice, InvoiceKind, InvoiceLine, InvoiceState, Seller};
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::words::{Language, Words};
use tollhouse_documents::{Font, FontError, Party, Receipt, receipt};

fn yuan(minor: i64) -> Money {
    Money::new(minor, Currency::Cny)
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a moment")
}

fn invoice(lines: u8) -> Invoice {
    let line = |number: u8| InvoiceLine {
        bill: BillRef::Stay(BillId::from_bytes([number; 16])),
        line: 0,
        name: Words::new(format!("停车费（第{number}次）"), "Parking"),
        category: "3040502020200000000".into(),
        rate: Decimal::new(9, 2),
        gross: yuan(1_500),
        tax: yuan(124),
    };
    let lines: Vec<InvoiceLine> = (1..=lines).map(line).collect();
    let count = i64::try_from(lines.len()).expect("few");
    Invoice {
        id: InvoiceId::from_bytes([7; 16]),
        kind: InvoiceKind::Blue,
        provider: "receipt".into(),
        seller: Seller::Firm,
        buyer: Buyer {
            kind: BuyerKind::Firm,
            title: "深圳市腾讯计算机系统有限公司".into(),
            uscc: Some("9144030071526726XG".parse().expect("valid")),
            address: "深圳市南山区粤海街道麻岭社区科技中一路腾讯大厦35层".into(),
            phone: "0755-86013388".into(),
            bank: "招商银行深圳汉京中心支行 817281299610001".into(),
            send_to: String::new(),
        },
        total: yuan(1_500 * count),
        tax: yuan(124 * count),
        lines,
        remark: "车牌 粤C12345；入场 2026-11-30 08:00，出场 2026-11-30 10:30".into(),
        state: InvoiceState::Issued,
        number: Some("R2026-00000042".into()),
        requested_at: at("2026-11-30T02:40:00Z"),
        requested_by: "driver".into(),
        issued_at: Some(at("2026-11-30T02:40:01Z")),
        reversal: None,
    }
}

fn pdf_of(invoice: &Invoice) -> Vec<u8> {
    pdf_in(Language::Zh, invoice)
}

fn pdf_in(language: Language, invoice: &Invoice) -> Vec<u8> {
    let seller = Party {
        title: "珠海市海湾物业管理有限公司".into(),
        tax_number: "91350100M000100Y43".into(),
        address: "珠海市香洲区海湾路1号 0756-1234567".into(),
        bank: "中国银行珠海分行 6013 8210 0000 1234".into(),
    };
    let made = Receipt {
        invoice,
        seller: &seller,
        lot: "海湾花园停车场",
        zone: chrono_tz::Asia::Shanghai,
        address: Some("https://park.example.org/pay/invoices/7hyfqy3zvhwfbqy3zvhwfbqy3z"),
        reverses: None,
        language,
    };
    receipt(&made, &Font::find(None).expect("a font: apt-get install fonts-wqy-microhei")).expect("a PDF")
}

/// What a program of poppler's says of a PDF that it gets on its standard input.
fn told(program: &str, arguments: &[&str], pdf: &[u8]) -> String {
    let folder = std::env::temp_dir().join(format!("tollhouse-receipt-{}-{}", std::process::id(), arguments.len()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("receipt.pdf");
    std::fs::write(&file, pdf).expect("written");
    let output = Command::new(program).args(arguments).arg(&file).arg("-").stderr(Stdio::inherit()).output();
    let output = output.expect("apt-get install poppler-utils");
    std::fs::remove_dir_all(&folder).expect("removed");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn another_program_finds_the_chinese_text_in_a_receipt() {
    let text = told("pdftotext", &["-layout"], &pdf_of(&invoice(3)));
    for wanted in [
        "停车费收据",
        "非发票",
        "R2026-00000042",
        "2026年11月30日",
        "深圳市腾讯计算机系统有限公司",
        "9144030071526726XG",
        "珠海市海湾物业管理有限公司",
        "停车费（第2次）",
        "3040502020200000000",
        "9%",
        "13.76",
        "肆拾伍元整",
        "¥45.00",
        "粤C12345",
        "海湾花园停车场",
    ] {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
}

#[test]
fn a_receipt_is_written_in_english_too_with_names_as_they_are_on_record() {
    let text = told("pdftotext", &["-layout"], &pdf_in(Language::En, &invoice(2)));
    for wanted in [
        "Parking receipt",
        "Not a tax invoice",
        "R2026-00000042",
        "30 November 2026",
        "Tax No.",
        "Total with tax",
        "深圳市腾讯计算机系统有限公司",
        "¥30.00",
        "It is no tax invoice",
    ] {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
    for absent in ["付款方", "停车费（第", "税率", "大写", "备注"] {
        assert!(!text.contains(absent), "{absent} is in\n{text}");
    }
}

#[test]
fn many_lines_go_on_over_pages_and_the_sum_stands_on_the_last() {
    let pdf = pdf_of(&invoice(14));
    let text = told("pdftotext", &["-layout", "-nopgbrk"], &pdf);
    assert!(text.contains("停车费（第14次）") && text.contains("3/3"), "{text}");
    assert_eq!(text.matches("贰佰壹拾元整").count(), 1, "{text}");
}

#[test]
fn the_same_receipt_has_the_same_bytes_and_is_small() {
    let (one, other) = (pdf_of(&invoice(1)), pdf_of(&invoice(1)));
    assert_eq!(one, other);
    assert!(one.len() < 80_000, "{} bytes", one.len());
}

#[test]
fn a_title_with_characters_that_no_font_holds_is_shown_all_the_same() {
    let mut odd = invoice(1);
    odd.buyer.title = "🚗 粤\u{10FFFF} Ltd".into();
    let text = told("pdftotext", &[], &pdf_of(&odd));
    assert!(text.contains("? 粤? Ltd"), "{text}");
}

#[test]
fn what_is_no_font_says_what_to_do() {
    let missing = Font::read(Path::new("/nowhere/font.ttf"));
    assert!(matches!(missing, Err(FontError::File(..))));
    let text = Font::of(Path::new("notes.txt"), b"not a font at all".to_vec());
    assert!(matches!(text, Err(FontError::Form(..))));
    assert!(FontError::None.to_string().contains("apt-get install fonts-wqy-microhei"));
}
