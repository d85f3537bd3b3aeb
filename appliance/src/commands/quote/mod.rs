//! `tollhouse quote`: what a stay costs, line by line, from a tariff file and nothing else; or of a stored bill, whether
//! its price is still the same.

mod bill;
mod show;

pub(crate) use show::{duration, when};

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use tollhouse_core::tariff::model::{TariffFile, WrittenStay};
use tollhouse_core::tariff::{StayFacts, parse};
use tollhouse_core::words::Language;

use super::check::Form;
use super::{form, refused, wrong_usage};
use crate::quote::QuoteAnswer;
use crate::tariffs::{self, TariffFault, Tariffs};
use crate::terminal;

/// How much of a price is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// The lines' words and amounts.
    Lines,
    /// With spans, rules, quantities and unit prices.
    Explained,
}

/// The languages of the box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Tongue {
    /// 简体中文
    Zh,
    /// English
    En,
}

impl From<Tongue> for Language {
    fn from(tongue: Tongue) -> Self {
        match tongue {
            Tongue::Zh => Self::Zh,
            Tongue::En => Self::En,
        }
    }
}

/// What `tollhouse quote` takes.
#[derive(Debug, Clone, Args)]
pub(super) struct QuoteArgs {
    /// The tariff; once for each of its versions
    #[arg(long, value_name = "FILE", required_unless_present = "bill")]
    tariff: Vec<PathBuf>,
    /// When the car came in: RFC 3339, or the tariff's local time ("2026-03-02 08:00")
    #[arg(long, value_name = "T", requires = "exit", conflicts_with_all = ["stay", "bill"])]
    enter: Option<String>,
    /// When it leaves
    #[arg(long, value_name = "T", requires = "enter")]
    exit: Option<String>,
    /// The kind as which the vehicle is registered
    #[arg(long, value_name = "KIND", requires = "enter")]
    vehicle: Option<String>,
    /// The colour of its plate, which says the kind when --vehicle does not
    #[arg(long, value_name = "C", requires = "enter")]
    colour: Option<String>,
    /// A stay as a file (TOML or JSON): several visits, areas, payments, lost ticket, pass hours, calendar
    #[arg(long, value_name = "FILE", conflicts_with = "bill")]
    stay: Option<PathBuf>,
    /// Price a stored bill again, by the version that priced it, and say whether the lines agree
    #[arg(long, value_name = "ID", conflicts_with = "tariff")]
    bill: Option<String>,
    #[command(flatten)]
    place: bill::MaybePlace,
    /// Show spans, rules, quantities and unit prices too
    #[arg(long)]
    explain: bool,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
    /// In which language; otherwise as LANG says
    #[arg(long, value_enum)]
    lang: Option<Tongue>,
}

pub(super) fn run(args: &QuoteArgs) -> ExitCode {
    let form = form(args.json);
    let language = terminal::language(args.lang.map(Into::into));
    let detail = if args.explain { Detail::Explained } else { Detail::Lines };
    if let Some(id) = &args.bill {
        return bill::run(id, &args.place, form, (language, detail));
    }
    let tariffs = match tariffs::read_files(&args.tariff) {
        Ok(tariffs) => tariffs,
        Err(faults) => return told(&faults, form),
    };
    let newest = &tariffs.versions.last().expect("a book has a version").file;
    let stay = match (&args.stay, &args.enter, &args.exit) {
        (Some(path), ..) => match from_file(path, newest) {
            Ok(stay) => stay,
            Err(faults) => return told(&faults, form),
        },
        (None, Some(enter), Some(exit)) => match from_arguments(args, enter, exit, newest) {
            Ok(stay) => stay,
            Err(why) => return wrong_usage(&why),
        },
        _ => return wrong_usage("give --enter T and --exit T, or --stay FILE"),
    };
    price(&tariffs, &stay, form, (language, detail))
}

fn price(tariffs: &Tariffs, stay: &WrittenStay, form: Form, shown: (Language, Detail)) -> ExitCode {
    let facts = StayFacts::from(stay);
    let owed = match tariffs.book.owed(&facts) {
        Ok(owed) => owed,
        Err(error) => return refused(&format!("the stay cannot be priced: {error}")),
    };
    let file = tariffs.book.in_force_at(stay.enter).file();
    match form {
        Form::Json => match serde_json::to_string(&QuoteAnswer::new(&owed, file.time_zone)) {
            Ok(text) => println!("{text}"),
            Err(fault) => return refused(&format!("the answer cannot be written: {fault}")),
        },
        Form::Text => print!("{}", show::text(file, stay, &owed, shown)),
    }
    ExitCode::SUCCESS
}

fn from_file(path: &Path, tariff: &TariffFile) -> Result<WrittenStay, Vec<TariffFault>> {
    let name = path.display().to_string();
    let text = tariffs::read_text(path).map_err(|fault| vec![fault])?;
    parse::parse_stay(&text, tariff).map_err(|faults| tariffs::named(&name, faults))
}

/// The stay of the command line, read by the same rules as one in a file.
fn from_arguments(args: &QuoteArgs, enter: &str, exit: &str, tariff: &TariffFile) -> Result<WrittenStay, String> {
    let mut stay = serde_json::json!({ "enter": enter, "exit": exit });
    for (key, value) in [("vehicle", &args.vehicle), ("colour", &args.colour)] {
        if let Some(value) = value {
            stay[key] = value.as_str().into();
        }
    }
    parse::parse_stay(&stay.to_string(), tariff).map_err(|faults| {
        let one = |fault: &parse::Fault| format!("--{}: {}", fault.path, fault.message);
        faults.iter().map(one).collect::<Vec<_>>().join("\n")
    })
}

/// Shows faults of files, each with its line, and ends with 1.
pub(super) fn told(faults: &[TariffFault], form: Form) -> ExitCode {
    if form == Form::Json {
        println!("{}", serde_json::json!({ "ok": false, "faults": faults }));
        return ExitCode::FAILURE;
    }
    for fault in faults {
        let text = tariffs::read_text(Path::new(&fault.file)).unwrap_or_default();
        let message =
            if fault.path.is_empty() { fault.message.clone() } else { format!("{}: {}", fault.path, fault.message) };
        eprintln!("{}", terminal::excerpt("error", &fault.file, &text, (fault.line, fault.column), &message));
    }
    eprintln!("tollhouse: {} fault(s); correct the lines above", faults.len());
    ExitCode::FAILURE
}
