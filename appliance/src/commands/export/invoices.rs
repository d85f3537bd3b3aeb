//! `tollhouse export invoices FILE`: takes invoices out of the queue of exports, as .csv, .xlsx or .json.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use rust_xlsxwriter::Workbook;
use tollhouse_core::invoice::Invoice;

use crate::commands::check::Form;
use crate::commands::desk::{Author, ask};
use crate::commands::{Place, form, refused, wrong_usage};
use crate::invoices::{ExportCommand, Which, table};

/// What `tollhouse export invoices` takes.
#[derive(Debug, Args)]
pub(in crate::commands) struct InvoicesArgs {
    /// Where to
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// All invoices, not only those that were never exported
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    author: Author,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

/// Writes the file, then marks what stands in it.
pub(super) fn run(args: &InvoicesArgs) -> ExitCode {
    let InvoicesArgs { file, all, place, author, json } = args;
    let which = if *all { Which::All } else { Which::Waiting };
    let kind = file.extension().and_then(|end| end.to_str()).unwrap_or_default().to_ascii_lowercase();
    if !["csv", "xlsx", "json"].contains(&kind.as_str()) {
        return wrong_usage("the file's name ends in .csv, .xlsx or .json");
    }
    let invoices = match ask(place, ExportCommand::Show(which)) {
        Ok(invoices) => invoices,
        Err(why) => return refused(&why),
    };
    let written = bytes_of(&kind, &invoices).and_then(|bytes| whole(file, &bytes));
    if let Err(why) = written {
        return refused(&why);
    }
    let numbers: Vec<String> = invoices.iter().filter_map(|invoice| invoice.number.clone()).collect();
    let count = numbers.len();
    if let Err(why) = ask(place, ExportCommand::Mark(numbers, author.by("invoices exported"))) {
        return refused(&format!("{} is written, and its invoices stay in the queue: {why}", file.display()));
    }
    match form(*json) {
        Form::Json => println!("{}", serde_json::json!({ "file": file, "invoices": count })),
        Form::Text => println!("{count} invoices in {}", file.display()),
    }
    ExitCode::SUCCESS
}

/// Beside its place first, so that nobody ever reads half of it.
fn whole(file: &Path, bytes: &[u8]) -> Result<(), String> {
    let beside = file.with_extension("part");
    let fault = |fault: std::io::Error| format!("{} cannot be written: {fault}", file.display());
    std::fs::write(&beside, bytes).map_err(fault)?;
    std::fs::rename(&beside, file).map_err(fault)
}

fn bytes_of(kind: &str, invoices: &[Invoice]) -> Result<Vec<u8>, String> {
    if kind == "json" {
        return serde_json::to_vec_pretty(invoices).map_err(|fault| fault.to_string());
    }
    let numbers: HashMap<String, String> =
        invoices.iter().filter_map(|one| Some((one.id.to_string(), one.number.clone()?))).collect();
    let rows = table(invoices, |id| numbers.get(id).cloned());
    if kind == "csv" {
        return Ok(csv(&rows).into_bytes());
    }
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (cells, row) in rows.iter().zip(0u32..) {
        for (cell, column) in cells.iter().zip(0u16..) {
            // Always text: a number of eighteen digits is none, and no cell is ever a formula.
            sheet.write_string(row, column, cell).map_err(|fault| fault.to_string())?;
        }
    }
    book.save_to_buffer().map_err(|fault| fault.to_string())
}

/// RFC 4180, with the mark that makes spreadsheets read it as UTF-8. A cell that a spreadsheet would take for a formula
/// is put in front of an apostrophe.
fn csv(rows: &[Vec<String>]) -> String {
    let mut text = String::from("\u{feff}");
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| quoted(cell)).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

fn quoted(cell: &str) -> String {
    let is_number = cell.parse::<f64>().is_ok();
    let guarded =
        if cell.starts_with(['=', '+', '-', '@', '\t']) && !is_number { format!("'{cell}") } else { cell.to_owned() };
    if guarded.contains([',', '"', '\r', '\n']) { format!("\"{}\"", guarded.replace('"', "\"\"")) } else { guarded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_text_whatever_it_holds() {
        for (cell, written) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("a\"b", "\"a\"\"b\""),
            ("=1+1", "'=1+1"),
            ("-15.00", "-15.00"),
            ("-cmd", "'-cmd"),
        ] {
            assert_eq!(quoted(cell), written);
        }
    }
}
