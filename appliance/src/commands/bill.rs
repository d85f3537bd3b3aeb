//! `tollhouse bill ...`: what a run would draw, drawing it, and printed notices, on a running box and on a stopped one.

use std::io::{IsTerminal, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use chrono::NaiveDate;
use clap::Subcommand;
use serde_json::json;
use tollhouse_core::charging::bills::RunSums;
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::words::Language;

use super::desk::{Author, ask};
use super::{Place, form, refused};
use crate::charging::bills::command::{BillAnswer, BillCommand};
use crate::charging::bills::notices::NoticeOf;
use crate::charging::bills::run::RunProgress;
use crate::charging::bills::view::{BillView, RunSumsView, RunView};
use crate::commands::check::Form;

/// How often a run that goes is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// `tollhouse bill ...`.
#[derive(Debug, Subcommand)]
pub(super) enum BillVerb {
    /// What a run would draw up
    Preview {
        /// Every bill whose issue date is not after this day
        #[arg(long, value_name = "DATE")]
        as_of: NaiveDate,
        #[command(flatten)]
        place: Place,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
    },
    /// Draw it up. Never bills a period twice; one that was cut off goes on
    Run {
        /// Every bill whose issue date is not after this day
        #[arg(long, value_name = "DATE")]
        as_of: NaiveDate,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        author: Author,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
    },
    /// Write notices of what is owed as a page to print, by building, unit and room (催缴单)
    Notices {
        /// Of this building, unit (3-2) or room (3-2-1201) alone
        #[arg(long, value_name = "BUILDING")]
        building: Option<String>,
        /// All that is unpaid, not only what is overdue
        #[arg(long)]
        unpaid: bool,
        /// In this language: zh or en
        #[arg(long, value_name = "LANGUAGE", default_value = "zh", value_parser = language)]
        lang: Language,
        #[command(flatten)]
        place: Place,
        /// Where the page is written; - is the standard output
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

fn language(text: &str) -> Result<Language, String> {
    match text {
        "zh" => Ok(Language::Zh),
        "en" => Ok(Language::En),
        _ => Err("the languages are zh and en".to_owned()),
    }
}

pub(super) fn run(verb: BillVerb) -> ExitCode {
    let done = match verb {
        BillVerb::Preview { as_of, place, json } => preview(&place, as_of, form(json)),
        BillVerb::Run { as_of, place, author, json } => draw(&place, as_of, &author, form(json)),
        BillVerb::Notices { building, unpaid, lang, place, file } => {
            let of = if unpaid { NoticeOf::Unpaid } else { NoticeOf::Overdue };
            notices(&place, BillCommand::Notices { building, of, language: lang }, &file)
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => refused(&why),
    }
}

fn other_release() -> String {
    "the running box answers something else: is it of another release?".to_owned()
}

fn preview(place: &Place, as_of: NaiveDate, form: Form) -> Result<(), String> {
    let BillAnswer::Preview(preview, currency, zone) = ask(place, BillCommand::Preview(as_of))? else {
        return Err(other_release());
    };
    if form == Form::Json {
        let bills: Vec<BillView> =
            preview.bills.iter().map(|bill| BillView::new(bill, u64::MAX, None, as_of, zone)).collect();
        let sums = RunSumsView::new(&preview.sums, currency);
        println!("{}", json!({ "as_of": as_of, "currency": currency.code(), "sums": sums, "bills": bills }));
        return Ok(());
    }
    for bill in &preview.bills {
        let room = bill.heading.room.as_ref().map(ToString::to_string).unwrap_or_default();
        let total = bill.total();
        println!("{}  {:<16} {room:<14} due {}  {total:>12}", bill.issued_on, bill.heading.card, bill.due_on);
    }
    let more = preview.sums.bills.saturating_sub(preview.bills.len() as u64);
    if more > 0 {
        println!("... and {more} more");
    }
    println!("{}", told("would draw", &preview.sums, currency));
    Ok(())
}

/// What a run did, in a few lines.
fn told(did: &str, sums: &RunSums, currency: Currency) -> String {
    let money = |minor| Money::new(minor, currency);
    let mut lines = vec![format!("{} cards: {did} {} bills, {}", sums.cards, sums.bills, money(sums.drawn_minor))];
    if sums.credit_notes > 0 {
        lines.push(format!("credited by {} notes, {}", sums.credit_notes, money(sums.credited_minor)));
    }
    let parked = sums.parked_cards.iter();
    lines.extend(parked.map(|parked| format!("left for a person: card {}: {}", parked.card, parked.why)));
    let more = sums.parked.saturating_sub(sums.parked_cards.len() as u64);
    if more > 0 {
        lines.push(format!("... and {more} more cards"));
    }
    lines.join("\n")
}

/// Draws, and shows how far it is while a person watches.
fn draw(place: &Place, as_of: NaiveDate, author: &Author, form: Form) -> Result<(), String> {
    let command = BillCommand::Run(as_of, author.by(&format!("a bill run as of {as_of}")));
    let watched = form == Form::Text && std::io::stderr().is_terminal();
    let answer = if watched { watched_run(place, &command) } else { ask(place, command) };
    let BillAnswer::Run(run, currency, zone) = answer? else { return Err(other_release()) };
    if form == Form::Json {
        let text = serde_json::to_string(&RunView::new(&run, currency, zone)).map_err(|fault| fault.to_string())?;
        println!("{text}");
    } else {
        println!("{}", told("drew", &run.sums, currency));
    }
    Ok(())
}

/// The run on a thread of its own, while this one looks how far it is. A stopped box has nothing to ask: it only waits.
fn watched_run(place: &Place, command: &BillCommand) -> Result<BillAnswer, String> {
    let (tell, told) = channel();
    let (of, asked) = (place.clone(), command.clone());
    let asking = move || drop(tell.send(ask(&of, asked)));
    std::thread::Builder::new().spawn(asking).map_err(|fault| format!("this machine gives no thread: {fault}"))?;
    loop {
        match told.recv_timeout(LOOK_EVERY) {
            Ok(answer) => {
                eprint!("\r\x1b[2K");
                return answer;
            }
            Err(RecvTimeoutError::Disconnected) => return Err("the run has ended without an answer".to_owned()),
            Err(RecvTimeoutError::Timeout) => {
                if let Some(progress) = super::desk::ask_running(place, &BillCommand::Progress) {
                    show(&progress);
                }
            }
        }
    }
}

fn show(answer: &BillAnswer) {
    let BillAnswer::Progress(Some(progress)) = answer else { return };
    let RunProgress { run, of_cards } = &**progress;
    let share = run.sums.cards * 100 / (*of_cards).max(1);
    eprint!("\r\x1b[2K{:>3} %  {} of {of_cards} cards, {} bills", share.min(100), run.sums.cards, run.sums.bills);
    // A terminal that takes no more is no reason to stop.
    let _ = std::io::stderr().flush();
}

fn notices(place: &Place, command: BillCommand, file: &PathBuf) -> Result<(), String> {
    let BillAnswer::Page(page) = ask(place, command)? else { return Err(other_release()) };
    if file.as_os_str() == "-" {
        return std::io::stdout().write_all(page.as_bytes()).map_err(|fault| fault.to_string());
    }
    std::fs::write(file, page).map_err(|fault| format!("{} cannot be written: {fault}", file.display()))
}
