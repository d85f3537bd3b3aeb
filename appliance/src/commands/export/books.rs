//! `tollhouse export books FILE`: the books as a workbook or in ledger-cli's format, from a running box or a stopped one. A
//! page at a time, so that large books take time and no memory.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chrono::NaiveDate;
use clap::Args;
use serde_json::json;
use tollhouse_core::books::{AccountDay, Tally};

use super::super::desk::Desk;
use super::super::{Place, form, refused, wrong_usage};
use crate::books::{Between, BooksAnswer, BooksCommand, BooksWorkbook, LedgerFile, PostedEntry};
use crate::commands::check::Form;

/// `tollhouse export books`.
#[derive(Debug, Args)]
pub(in crate::commands) struct BooksArgs {
    /// What to write: a name that ends in .xlsx or in .ledger
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    place: Place,
    /// From this day on; without it from the beginning
    #[arg(long, value_name = "DATE")]
    from: Option<NaiveDate>,
    /// Up to and with this day; without it up to now
    #[arg(long, value_name = "DATE")]
    until: Option<NaiveDate>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

/// A file in the making.
enum Target {
    Workbook(Box<BooksWorkbook>, PathBuf),
    Ledger(LedgerFile<BufWriter<File>>),
}

pub(super) fn run(args: &BooksArgs) -> ExitCode {
    let extension = args.file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    if !matches!(extension, "xlsx" | "ledger") {
        return wrong_usage("export books writes .xlsx or .ledger: give the file such a name");
    }
    match export(args, extension) {
        Ok((entries, postings)) => {
            if form(args.json) == Form::Json {
                println!("{}", json!({ "file": args.file, "entries": entries, "postings": postings }));
            } else {
                println!("{}: {entries} entries, {postings} postings", args.file.display());
            }
            ExitCode::SUCCESS
        }
        Err(why) => {
            // Half a file is none.
            let _ = std::fs::remove_file(&args.file);
            refused(&why)
        }
    }
}

fn export(args: &BooksArgs, extension: &str) -> Result<(u64, u64), String> {
    let desk = Desk::at(&args.place)?;
    let BooksAnswer::About { lot, zone, currency, .. } = desk.ask(BooksCommand::About)? else { return Err(strange()) };
    let opening = opening(&desk, args.from)?;
    let mut target = if extension == "xlsx" {
        let book = BooksWorkbook::begin(zone).map_err(|fault| fault.to_string())?;
        Target::Workbook(Box::new(book), args.file.clone())
    } else {
        let file = create(&args.file)?;
        let mut ledger = LedgerFile::begin(BufWriter::new(file), &lot, currency).map_err(|fault| fault.to_string())?;
        if let Some(from) = args.from {
            ledger.opening(from, &opening).map_err(|fault| fault.to_string())?;
        }
        Target::Ledger(ledger)
    };
    let mut tally = Tally::from_closing(&opening);
    let (mut entries, mut postings) = (0, 0);
    let wanted = Between { from: args.from, until: args.until, account: None };
    let mut after = None;
    loop {
        let ask = BooksCommand::Entries { wanted: wanted.clone(), after };
        let BooksAnswer::Entries(page) = desk.ask(ask)? else { return Err(strange()) };
        for entry in &page.entries {
            entries += 1;
            postings += entry.postings.len() as u64;
            entry.postings.iter().try_for_each(|posting| tally.add(posting)).map_err(|fault| fault.to_string())?;
            target.entry(entry)?;
        }
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    target.end(&tally.accounts())?;
    desk.close();
    Ok((entries, postings))
}

fn create(path: &Path) -> Result<File, String> {
    File::create(path).map_err(|fault| format!("{} cannot be written: {fault}", path.display()))
}

/// What the accounts held when the first day began.
fn opening(desk: &Desk, from: Option<NaiveDate>) -> Result<Vec<AccountDay>, String> {
    let Some(before) = from.and_then(|from| from.pred_opt()) else { return Ok(vec![]) };
    match desk.ask(BooksCommand::TrialBalance { as_of: Some(before) })? {
        BooksAnswer::TrialBalance(balance) => Ok(balance.accounts),
        _ => Err(strange()),
    }
}

fn strange() -> String {
    "the running box answers something else: is it of another release?".to_owned()
}

impl Target {
    fn entry(&mut self, entry: &PostedEntry) -> Result<(), String> {
        match self {
            Self::Workbook(book, _) => book.entry(entry).map_err(|fault| fault.to_string()),
            Self::Ledger(file) => file.entry(entry).map_err(|fault| fault.to_string()),
        }
    }

    fn end(self, accounts: &[AccountDay]) -> Result<(), String> {
        match self {
            Self::Workbook(book, path) => {
                let mut file = BufWriter::new(create(&path)?);
                book.end(accounts, &mut file).map_err(|fault| fault.to_string())?;
                file.flush().map_err(|fault| format!("{} cannot be written: {fault}", path.display()))
            }
            Self::Ledger(file) => file.end().map_err(|fault| fault.to_string()),
        }
    }
}
