//! `tollhouse tariff ...`: what an operator does with tariff files before the box does: check, preview, chart.

mod chart;
mod check;
mod preview;
mod stays;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::form;
use super::quote::Tongue;
use crate::terminal;

/// The commands.
#[derive(Debug, Clone, Subcommand)]
pub(super) enum TariffCommand {
    /// Validates tariff files, runs the examples they carry, and looks for holes
    Check(CheckArgs),
    /// What a change would have done to real stays: who pays more, who less, how much in all
    Preview(PreviewArgs),
    /// Draws fee over duration as SVG
    Chart(ChartArgs),
}

/// What `tollhouse tariff check` takes.
#[derive(Debug, Clone, Args)]
pub(super) struct CheckArgs {
    /// The files, each for itself
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
    /// In which language; otherwise as LANG says
    #[arg(long, value_enum)]
    lang: Option<Tongue>,
}

/// What `tollhouse tariff preview` takes.
#[derive(Debug, Clone, Args)]
pub(super) struct PreviewArgs {
    /// The tariff as it is
    #[arg(long, value_name = "FILE")]
    old: PathBuf,
    /// The tariff as it would be
    #[arg(long, value_name = "FILE")]
    new: PathBuf,
    #[command(flatten)]
    source: StaySource,
    /// The last so many stays
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    last: u64,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
    /// In which language; otherwise as LANG says
    #[arg(long, value_enum)]
    lang: Option<Tongue>,
}

/// Where real stays are to be had.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
struct StaySource {
    /// Stays as CSV with a head line: enter,exit and, if known, vehicle,colour
    #[arg(long, value_name = "FILE")]
    stays: Option<PathBuf>,
    /// The box's data folder: the stays that have ended
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The box's configuration
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What `tollhouse tariff chart` takes.
#[derive(Debug, Clone, Args)]
pub(super) struct ChartArgs {
    /// The tariff
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// When the car comes in: RFC 3339, or the tariff's local time; now, if left out
    #[arg(long, value_name = "T")]
    enter: Option<String>,
    /// Up to which duration: 48h, 3d, 90min
    #[arg(long, value_name = "SPAN", default_value = "24h")]
    to: String,
    /// The kind of vehicle
    #[arg(long, value_name = "K", default_value = "small")]
    vehicle: String,
    /// Where to write the picture; otherwise to the standard output
    #[arg(long, short = 'o', value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(command: &TariffCommand) -> ExitCode {
    let language = |lang: Option<Tongue>| terminal::language(lang.map(Into::into));
    match command {
        TariffCommand::Check(args) => check::run(&args.files, form(args.json), language(args.lang)),
        TariffCommand::Preview(args) => preview::run(args, form(args.json), language(args.lang)),
        TariffCommand::Chart(args) => chart::run(args),
    }
}
