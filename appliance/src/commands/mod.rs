//! The command line: what each command takes, and where it is carried out. Exit codes: 0 done, 1 refused or not true,
//! 2 wrong usage. Errors go to stderr and say what to do.

mod bill;
pub mod check;
pub mod demo;
mod desk;
pub mod driver;
mod exchange;
mod export;
mod log;
mod merchant;
mod quote;
mod reconcile;
mod run;
mod statement;
mod tariff;
mod tunnel;
mod user;
mod verify;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use check::{Form, Verdict};

/// The box in the guard-house of a car park.
#[derive(Debug, Parser)]
#[command(name = "tollhouse", version, about, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The whole box with an embedded broker, sandbox payments and a sample estate whose cars drive
    Demo(DemoArgs),
    /// The installed box
    Run {
        /// The configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Bills of cards: what a run would draw, drawing it, notices to print
    #[command(subcommand)]
    Bill(bill::BillVerb),
    /// Configuration and surroundings: every fault at once, with the line
    Check {
        /// The configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
    },
    /// Accounts of merchants
    #[command(subcommand)]
    Merchant(merchant::MerchantVerb),
    /// Coupons of merchants
    #[command(subcommand)]
    Coupon(merchant::CouponVerb),
    /// The vendor's and installer's tools for drivers
    #[command(subcommand)]
    Driver(driver::DriverCommand),
    /// What a stay costs, line by line, by a tariff file; or a stored bill, priced again
    Quote(quote::QuoteArgs),
    /// Tariff files: check them, preview a change, draw a picture
    Tariff {
        #[command(subcommand)]
        command: tariff::TariffCommand,
    },
    /// Match a provider's statement of a day with the books
    Reconcile(reconcile::ReconcileArgs),
    /// What happened to the account of a holder, a merchant, a shift or a provider
    Statement(statement::StatementArgs),
    /// What is on record, as files: every kind of record or a whole estate (.xlsx, .csv, .json), the books for an accountant
    #[command(subcommand)]
    Export(export::ExportVerb),
    /// Take in every kind of record, or a whole estate: .xlsx, .csv, .json
    Import(exchange::ImportArgs),
    /// Accounts of people and programs: make and change them, print tokens
    #[command(subcommand)]
    User(user::UserVerb),
    /// Prove that nothing was lost: the journal's chain, tables against journal, the ledger, every invariant
    Verify {
        #[command(flatten)]
        place: Place,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
    },
}

/// What `tollhouse demo` takes.
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// Where to serve pages and calls; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub http: SocketAddr,
    /// Where the embedded broker listens, on loopback; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:1883")]
    pub mqtt: SocketAddr,
    /// The data folder; one that is there already goes on where it was. Without it, a new one that goes with the demo
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Let the clock and the cars run so many times as fast
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub speed: u32,
    /// Drive no cars, so that you (or a test) are the camera and the barrier
    #[arg(long)]
    pub quiet_estate: bool,
}

/// Which box's data a command works on.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
struct Place {
    /// The box's configuration
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The box's data folder
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Carries out the command line.
pub fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Demo(args) => demo::run(args),
        Command::Run { config } => run::run(&config),
        Command::Check { config, json } => match check::run(&config, form(json), &mut io::stdout()) {
            Ok(Verdict::Sound) => ExitCode::SUCCESS,
            Ok(Verdict::Faulty) => ExitCode::FAILURE,
            Err(fault) => refused(&fault),
        },
        Command::Bill(verb) => bill::run(verb),
        Command::Merchant(verb) => merchant::merchants(verb),
        Command::Coupon(verb) => merchant::coupons(verb),
        Command::Driver(command) => driver::run(command),
        Command::Quote(args) => quote::run(&args),
        Command::Tariff { command } => tariff::run(&command),
        Command::Reconcile(args) => reconcile::run(&args),
        Command::Statement(args) => statement::run(&args),
        Command::Export(verb) => export::run(&verb),
        Command::Import(args) => exchange::import(&args),
        Command::User(verb) => user::run(verb),
        Command::Verify { place, json } => verify::run(&place, form(json)),
    }
}

fn form(json: bool) -> Form {
    if json { Form::Json } else { Form::Text }
}

/// Says on stderr why not; exit code 1.
fn refused(why: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("tollhouse: {why}");
    ExitCode::FAILURE
}

/// Says on stderr what was asked wrongly; exit code 2.
fn wrong_usage(why: &str) -> ExitCode {
    eprintln!("tollhouse: {why}");
    ExitCode::from(2)
}
