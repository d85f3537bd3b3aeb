//! `tollhouse statement`: what happened to the account of a holder, a merchant, a shift or a provider, on a running box or a
//! stopped one.

use std::process::ExitCode;

use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use serde::Serialize;
use tollhouse_core::books::AccountDay;
use tollhouse_core::money::Money;

use super::desk::ask;
use super::{Place, form, refused};
use crate::books::{BooksAnswer, BooksCommand, HolderStatement, Statement, StatementOf};
use crate::commands::check::Form;
use crate::terminal::{Lean, table};

/// `tollhouse statement`.
#[derive(Debug, Args)]
pub(super) struct StatementArgs {
    /// Whose kind of account
    #[arg(value_enum)]
    of: Of,
    /// A holder's or merchant's id, a shift's id, a provider's name
    #[arg(value_name = "NAME")]
    name: String,
    /// From this day on; today if left out
    #[arg(long, value_name = "DATE")]
    from: Option<NaiveDate>,
    /// Up to and with this day; today if left out
    #[arg(long, value_name = "DATE")]
    until: Option<NaiveDate>,
    #[command(flatten)]
    place: Place,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

/// Whose account.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Of {
    Holder,
    Merchant,
    Shift,
    Provider,
}

impl Of {
    fn named(self, name: &str) -> StatementOf {
        match self {
            Self::Holder => StatementOf::Holder(name.to_owned()),
            Self::Merchant => StatementOf::Account(format!("merchant:{name}")),
            Self::Shift => StatementOf::Account(format!("cash:{name}")),
            Self::Provider => StatementOf::Account(format!("clearing:{name}")),
        }
    }
}

pub(super) fn run(args: &StatementArgs) -> ExitCode {
    let of = args.of.named(&args.name);
    match ask(&args.place, BooksCommand::Statement { of, from: args.from, until: args.until }) {
        Ok(BooksAnswer::Statement(statement)) => told(&statement, form(args.json), of_account),
        Ok(BooksAnswer::Holder(statement)) => told(&statement, form(args.json), of_holder),
        Ok(_) => refused(&"the running box answers something else: is it of another release?"),
        Err(why) => refused(&why),
    }
}

fn told<T: Serialize>(statement: &T, form: Form, show: impl Fn(&T)) -> ExitCode {
    if form == Form::Text {
        show(statement);
        return ExitCode::SUCCESS;
    }
    match serde_json::to_string(statement) {
        Ok(text) => println!("{text}"),
        Err(fault) => return refused(&fault),
    }
    ExitCode::SUCCESS
}

fn of_account(statement: &Statement) {
    let mut rows = vec![];
    for entry in &statement.entries {
        for posting in
            entry.postings.iter().filter(|posting| statement.accounts.iter().any(|one| one.account == posting.account))
        {
            let (day, position) = (entry.day.to_string(), entry.position.to_string());
            rows.push(vec![day, position, entry.kind_word(), posting.account.to_string(), posting.amount.to_string()]);
        }
    }
    print!("{}", table(&rows, &[Lean::Left, Lean::Right, Lean::Left, Lean::Left, Lean::Right]));
    for AccountDay { account, opening, debit, credit, closing } in &statement.accounts {
        println!("{account}: opening {opening}, debit {debit}, credit {credit}, closing {closing}");
    }
    if statement.accounts.is_empty() {
        println!("nothing happened on {}", statement.account);
    }
}

fn of_holder(statement: &HolderStatement) {
    let shown = |money: Money| if money.is_zero() { String::new() } else { money.amount() };
    let heads = ["day", "entry", "for", "charged", "paid", "lost", "credit", "balance"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for line in &statement.lines {
        let (day, position, text) = (line.day.to_string(), line.position.to_string(), line.text.en.clone());
        let amounts = [line.charged, line.paid, line.lost, line.credit].map(shown);
        rows.push([vec![day, position, text], amounts.to_vec(), vec![line.balance.amount()]].concat());
    }
    let right = Lean::Right;
    print!("{}", table(&rows, &[Lean::Left, right, Lean::Left, right, right, right, right, right]));
    let HolderStatement { holder, opening, charged, paid, lost, credit, closing, .. } = statement;
    println!(
        "{holder}: opening {opening}, charged {charged}, paid {paid}, lost {lost}, credit {credit}, closing {closing}"
    );
}
