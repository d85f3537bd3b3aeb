//! `tollhouse reconcile`: a provider's statement of a day held against the books, on a running box or a stopped one.

use std::path::PathBuf;
use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::NaiveDate;
use clap::Args;
use tollhouse_core::reconciliation::{Class, DayState};

use super::desk::ask;
use super::{Place, form, refused};
use crate::commands::check::Form;
use crate::reconciliation::{ReconcileCommand, Report};
use crate::terminal::{Lean, table};

/// No statement is larger, packed or not.
const MAX_STATEMENT_BYTES: u64 = 40 << 20;

/// `tollhouse reconcile`.
#[derive(Debug, Args)]
pub(super) struct ReconcileArgs {
    /// wechat, alipay or sandbox
    #[arg(long, value_name = "P")]
    provider: String,
    /// Which of the provider's days
    #[arg(long, value_name = "D")]
    date: NaiveDate,
    /// The statement as it was downloaded; without it the provider is asked for it
    #[arg(long, value_name = "FILE")]
    statement: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

/// Exit code 0 when the day is closed: it balances, or every difference has an owner.
pub(super) fn run(args: &ReconcileArgs) -> ExitCode {
    let statement = match args.statement.as_ref().map(read).transpose() {
        Ok(statement) => statement,
        Err(why) => return refused(&why),
    };
    let command = ReconcileCommand { provider: args.provider.clone(), day: args.date, statement };
    match ask(&args.place, command) {
        Ok(reports) => {
            tell(&reports, form(args.json));
            let closed = reports.iter().all(|report| report.reconciliation.state == DayState::Closed);
            if closed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(why) => refused(&why),
    }
}

fn read(path: &PathBuf) -> Result<String, String> {
    let fault = |fault: std::io::Error| format!("{} cannot be read: {fault}", path.display());
    if std::fs::metadata(path).map_err(fault)?.len() > MAX_STATEMENT_BYTES {
        return Err(format!("{} is larger than 40 MiB: that is no statement", path.display()));
    }
    std::fs::read(path).map(|bytes| STANDARD.encode(bytes)).map_err(fault)
}

fn tell(reports: &[Report], form: Form) {
    if form == Form::Json {
        match serde_json::to_string(reports) {
            Ok(text) => println!("{text}"),
            Err(fault) => eprintln!("tollhouse: the answer cannot be written: {fault}"),
        }
        return;
    }
    for report in reports {
        let day = &report.reconciliation;
        println!("{} {} ({}): {}", day.provider, day.day, day.merchant, day.state.as_str());
        let mut rows = vec![];
        for class in Class::ALL {
            if let Some(total) = day.classes.get(&class) {
                rows.push(vec![class.as_str().to_owned(), total.rows.to_string(), total.amount.to_string()]);
            }
        }
        print!("{}", table(&rows, &[Lean::Left, Lean::Right, Lean::Right]));
        println!(
            "  booked from the statement: {} rows now, {} in all; fees {}",
            report.repaired_now, day.repaired, day.fees
        );
        for difference in &report.differences {
            let side = difference.theirs.as_ref().or(difference.ours.as_ref());
            let about = side.map(|side| format!("{} of {} under {}", side.kind.as_str(), side.amount, side.order));
            let (class, words) = (difference.class.as_str(), difference.proposal.words());
            println!("  case {}: {class}, {}: {}", difference.id, about.unwrap_or_default(), words.en);
        }
    }
}
