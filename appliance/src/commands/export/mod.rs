//! `tollhouse export ...`: what is on record, as files for people and programs. One file for each kind.

mod books;
mod invoices;

use std::process::ExitCode;

use clap::Subcommand;

use super::exchange::{self, ExportArgs};
use crate::charging::exchange::Kind;

pub(super) use books::BooksArgs;
pub(super) use invoices::InvoicesArgs;

/// `tollhouse export ...`.
#[derive(Debug, Subcommand)]
pub(super) enum ExportVerb {
    /// The books for an accountant: .xlsx (trial balance, journal, accounts) or .ledger (ledger-cli, hledger)
    Books(BooksArgs),
    /// Uses of spaces: .xlsx, .csv, .json
    Uses(ExportArgs),
    /// Numbered spaces: .xlsx, .csv, .json
    Spaces(ExportArgs),
    /// Pools: .xlsx, .csv, .json
    Pools(ExportArgs),
    /// Fee items: .xlsx, .csv, .json
    FeeItems(ExportArgs),
    /// Packages: .xlsx, .csv, .json
    Packages(ExportArgs),
    /// Holders: .xlsx, .csv, .json
    Holders(ExportArgs),
    /// Registered vehicles: .xlsx, .csv, .json
    Vehicles(ExportArgs),
    /// Cards: .xlsx, .csv, .json
    Cards(ExportArgs),
    /// Bills of cards: .xlsx, .csv, .json
    Bills(ExportArgs),
    /// Deposits from elsewhere: none, they stand in bills: .xlsx, .csv, .json
    Deposits(ExportArgs),
    /// What holders have to their credit: .xlsx, .csv, .json
    Balances(ExportArgs),
    /// Cars that are inside: .xlsx, .csv, .json
    Inside(ExportArgs),
    /// Versions of tariffs: .xlsx, .csv, .json
    Tariffs(ExportArgs),
    /// The journal: .xlsx, .csv, .json
    Journal(ExportArgs),
    /// A whole estate: a workbook, a .json, or a folder with a .csv file for each table
    Estate(ExportArgs),
    /// Invoices that were never exported, or all: .csv, .xlsx or .json
    Invoices(InvoicesArgs),
}

pub(super) fn run(verb: &ExportVerb) -> ExitCode {
    match verb {
        ExportVerb::Books(args) => books::run(args),
        ExportVerb::Uses(args) => exchange::export(Kind::Uses, args),
        ExportVerb::Spaces(args) => exchange::export(Kind::Spaces, args),
        ExportVerb::Pools(args) => exchange::export(Kind::Pools, args),
        ExportVerb::FeeItems(args) => exchange::export(Kind::FeeItems, args),
        ExportVerb::Packages(args) => exchange::export(Kind::Packages, args),
        ExportVerb::Holders(args) => exchange::export(Kind::Holders, args),
        ExportVerb::Vehicles(args) => exchange::export(Kind::Vehicles, args),
        ExportVerb::Cards(args) => exchange::export(Kind::Cards, args),
        ExportVerb::Bills(args) => exchange::export(Kind::Bills, args),
        ExportVerb::Deposits(args) => exchange::export(Kind::Deposits, args),
        ExportVerb::Balances(args) => exchange::export(Kind::Balances, args),
        ExportVerb::Inside(args) => exchange::export(Kind::Inside, args),
        ExportVerb::Tariffs(args) => exchange::export(Kind::Tariffs, args),
        ExportVerb::Journal(args) => exchange::export(Kind::Journal, args),
        ExportVerb::Estate(args) => exchange::export(Kind::Estate, args),
        ExportVerb::Invoices(args) => invoices::run(args),
    }
}
