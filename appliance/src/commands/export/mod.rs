//! `tollhouse export ...`: what is on record, as files for people and programs. One file for each kind.

mod books;

use std::process::ExitCode;

use clap::Subcommand;

pub(super) use books::BooksArgs;

/// `tollhouse export ...`.
#[derive(Debug, Subcommand)]
pub(super) enum ExportVerb {
    /// The books for an accountant: .xlsx (trial balance, journal, accounts) or .ledger (ledger-cli, hledger)
    Books(BooksArgs),
}

pub(super) fn run(verb: &ExportVerb) -> ExitCode {
    match verb {
        ExportVerb::Books(args) => books::run(args),
    }
}
