//! Files in and out, and what is refused before it costs memory.

use std::io::{Cursor, Write};

use super::*;

fn table() -> Rows {
    [["number", "note", "at"], ["B1-001", "=1+1", "2026-03-01"], ["B1-002", "姓名, \"引号\"\n换行", ""]]
        .iter()
        .map(|row| row.iter().map(|cell| (*cell).to_owned()).collect())
        .collect()
}

/// As [`table`] without empty cells at the end of a row.
fn trimmed(mut rows: Rows) -> Rows {
    for row in &mut rows {
        while row.last().is_some_and(String::is_empty) {
            row.pop();
        }
    }
    rows
}

#[test]
fn a_table_comes_back_from_every_kind_of_file() {
    let sheets = [Sheet { name: "spaces".into(), rows: table() }];
    for format in [Format::Xlsx, Format::Csv, Format::Json] {
        let bytes = write(&sheets, format).expect("written");
        let read = one(read(&bytes, format).expect("read"), "spaces").expect("a table");
        let mut header = read[0].clone();
        header.sort();
        assert_eq!(header, ["at", "note", "number"], "{format:?}");
        if format != Format::Json {
            assert_eq!(trimmed(read), trimmed(table()), "{format:?}");
        }
    }
}

#[test]
fn a_cell_that_is_no_formula_is_not_written_as_one() {
    let bytes = write(&[Sheet { name: String::new(), rows: table() }], Format::Csv).expect("written");
    let text = String::from_utf8(bytes).expect("UTF-8");
    assert!(text.starts_with('\u{feff}') && text.contains("'=1+1"), "{text}");
}

#[test]
fn a_csv_file_of_an_old_spreadsheet_is_read_too() {
    let (bytes, _, _) = encoding_rs::GB18030.encode("车位号,区域\r\nB1-001,地下一层\r\n");
    let rows = one(read(&bytes, Format::Csv).expect("read"), "").expect("a table");
    assert_eq!(rows, [["车位号", "区域"], ["B1-001", "地下一层"]]);
    assert!(read(&[0xff, 0xff, 0xff], Format::Csv).is_err());
}

fn packed(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).expect("a part");
        zip.write_all(content).expect("written");
    }
    zip.finish().expect("packed").into_inner()
}

#[test]
fn a_workbook_that_unpacks_without_end_is_refused() {
    let zeros = vec![0; 90 << 20];
    let parts: Vec<(&str, &[u8])> = ["a", "b", "c"].into_iter().map(|name| (name, &zeros[..])).collect();
    let bomb = packed(&parts);
    assert!(bomb.len() < 1 << 20, "it is small: {}", bomb.len());
    let why = read(&bomb, Format::Xlsx).expect_err("refused").to_string();
    assert!(why.contains("256 MiB"), "{why}");
}

#[test]
fn a_sheet_that_claims_a_billion_cells_costs_what_it_holds() {
    let sheets = [Sheet { name: "far".into(), rows: vec![vec!["x".into()]] }];
    let small = write(&sheets, Format::Xlsx).expect("written");
    let mut zip = zip::ZipArchive::new(Cursor::new(&small)).expect("a workbook");
    let mut parts: Vec<(String, Vec<u8>)> = vec![];
    for number in 0..zip.len() {
        let mut part = zip.by_index(number).expect("a part");
        let mut content = vec![];
        std::io::Read::read_to_end(&mut part, &mut content).expect("read");
        parts.push((part.name().expect("a name").into_owned(), content));
    }
    for (name, content) in &mut parts {
        if name.ends_with("sheet1.xml") {
            let text = String::from_utf8(content.clone()).expect("XML");
            let far = r#"<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>y</t></is></c></row></sheetData>"#;
            *content = text.replace("</sheetData>", far).into_bytes();
            assert!(content.len() > text.len(), "{text}");
        }
    }
    let parts: Vec<(&str, &[u8])> = parts.iter().map(|(name, content)| (name.as_str(), &content[..])).collect();
    let why = read(&packed(&parts), Format::Xlsx).expect_err("refused").to_string();
    assert!(why.contains("too many rows"), "{why}");
}

#[test]
fn what_is_no_table_is_refused_and_says_why() {
    for (bytes, format) in
        [(&b"{}"[..], Format::Xlsx), (b"not json", Format::Json), (b"[1]", Format::Json), (b"3", Format::Json)]
    {
        assert!(read(bytes, format).is_err(), "{format:?}");
    }
    assert!(Format::of(Path::new("x.xls")).is_err());
    assert_eq!(Format::of(Path::new("a/B.XLSX")), Ok(Format::Xlsx));
    let two = read(br#"{"a":[],"b":[]}"#, Format::Json).expect("two tables");
    assert!(one(two, "c").is_err());
}
