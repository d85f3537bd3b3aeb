//! `tollhouse merchant ...` and `tollhouse coupon ...`: accounts of merchants and their coupons, on a running box and on a
//! stopped one.

use std::process::ExitCode;

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use tollhouse_core::charging::label::{LabelError, MerchantId};
use tollhouse_core::coupons::{BatchOrder, MerchantState, MerchantTerms, MoneyKind, Received, StatementLine, Worth};
use tollhouse_core::id::{DiscountId, IdError, UserName};
use tollhouse_core::money::{Currency, Money, MoneyError};

use super::check::Form;
use super::desk::{Author, ask};
use super::{Place, form, refused};
use crate::coupons::{CouponAnswer, CouponCommand, Month, NewMerchant, ShownMerchant};
use crate::terminal::{Lean, table};

/// `tollhouse merchant ...`.
#[derive(Debug, Subcommand)]
pub(super) enum MerchantVerb {
    /// Open an account; prepaid unless told otherwise
    Add {
        #[command(flatten)]
        whose: Whose,
        #[command(flatten)]
        account: Account,
    },
    /// Change an account; what is left out stays
    Set {
        #[command(flatten)]
        whose: Whose,
        #[command(flatten)]
        account: Account,
        /// Take its coupons no longer
        #[arg(long, conflicts_with = "open")]
        closed: bool,
        /// Take them again
        #[arg(long)]
        open: bool,
    },
    /// Show all accounts with their balances
    List {
        #[command(flatten)]
        place: Place,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
    },
    /// Book money from or to a merchant
    Money {
        #[command(flatten)]
        whose: Whose,
        /// What for
        #[arg(long, value_parser = ["top_up", "settlement", "returned"], default_value = "top_up")]
        kind: String,
        /// How much, as 500.00
        #[arg(long, value_name = "AMOUNT", value_parser = yuan)]
        amount: Money,
        /// The payment provider that took it; left out: the bank
        #[arg(long, value_name = "NAME")]
        provider: Option<String>,
        /// The bank's or the clerk's reference
        #[arg(long, value_name = "TEXT")]
        reference: String,
    },
    /// A statement of one of the lot's months
    Statement {
        #[command(flatten)]
        whose: Whose,
        /// As 2026-11
        #[arg(long, value_name = "MONTH")]
        month: Month,
    },
}

/// `tollhouse coupon ...`.
#[derive(Debug, Subcommand)]
pub(super) enum CouponVerb {
    /// Issue a batch and print its codes, one a line
    Issue {
        #[command(flatten)]
        whose: Whose,
        /// What each is worth: minutes=60, amount=5.00, percent=50 or free
        #[arg(long, value_name = "WORTH", value_parser = worth)]
        worth: Worth,
        /// How many
        #[arg(long, value_name = "N")]
        count: u32,
        /// The first day on which they are taken
        #[arg(long, value_name = "DATE")]
        from: NaiveDate,
        /// The last day
        #[arg(long, value_name = "DATE")]
        to: NaiveDate,
        /// Each comes to at most this
        #[arg(long, value_name = "AMOUNT", value_parser = yuan)]
        most: Option<Money>,
        /// How many hundredths the merchant pays
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u8).range(0..=100))]
        pays_percent: u8,
        /// What for
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
    },
    /// Show the coupons of a batch
    List {
        #[command(flatten)]
        whose: Whose,
        /// The batch's number
        #[arg(long, value_name = "N")]
        batch: u32,
    },
    /// Withdraw a coupon that nobody has redeemed
    Void {
        /// The coupon's id
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        author: Author,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
    },
}

/// Which merchant, of which box, and on whose order.
#[derive(Debug, Args)]
pub(super) struct Whose {
    /// The merchant's id
    #[arg(value_name = "MERCHANT", value_parser = merchant)]
    merchant: MerchantId,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    author: Author,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

/// What an account says.
#[derive(Debug, Args)]
pub(super) struct Account {
    /// As drivers know it
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// It pays by the month
    #[arg(long, conflicts_with = "prepaid")]
    monthly: bool,
    /// What a monthly account may owe; left out: no limit
    #[arg(long, value_name = "AMOUNT", value_parser = yuan, requires = "monthly")]
    credit: Option<Money>,
    /// It pays before
    #[arg(long)]
    prepaid: bool,
    /// An account of the box that acts for it, may be repeated
    #[arg(long = "account", value_name = "NAME", value_parser = account)]
    accounts: Vec<UserName>,
}

impl Account {
    fn new_merchant(&self, state: Option<MerchantState>) -> NewMerchant {
        let terms = match (self.monthly, self.prepaid) {
            (true, _) => Some(MerchantTerms::Monthly { credit: self.credit }),
            (false, true) => Some(MerchantTerms::Prepaid),
            (false, false) => None,
        };
        let accounts = (!self.accounts.is_empty()).then(|| self.accounts.clone());
        NewMerchant { name: self.name.clone(), accounts, terms, state, ..NewMerchant::default() }
    }
}

fn merchant(text: &str) -> Result<MerchantId, LabelError> {
    MerchantId::new(text)
}

fn account(text: &str) -> Result<UserName, IdError> {
    UserName::new(text)
}

/// Amounts of the command line are renminbi unless they say otherwise, as `5.00 HKD`.
fn yuan(text: &str) -> Result<Money, MoneyError> {
    if text.contains(' ') { text.parse() } else { Money::parse(text, Currency::Cny) }
}

fn worth(text: &str) -> Result<Worth, String> {
    let read = match text.split_once('=') {
        None if text == "free" => Some(Worth::Free),
        Some(("minutes", value)) => value.parse().ok().map(Worth::Minutes),
        Some(("percent", value)) => value.parse().ok().map(Worth::Percent),
        Some(("amount", value)) => yuan(value).ok().map(Worth::Amount),
        _ => None,
    };
    read.filter(|worth| worth.is_sound()).ok_or_else(|| "write minutes=60, amount=5.00, percent=50 or free".to_owned())
}

pub(super) fn merchants(verb: MerchantVerb) -> ExitCode {
    match verb {
        MerchantVerb::Add { whose, account } => {
            let by = whose.author.by("a merchant's account");
            let new = account.new_merchant(None);
            told(&whose.place, CouponCommand::Open(whose.merchant, new, by), form(whose.json))
        }
        MerchantVerb::Set { whose, account, closed, open } => {
            let state = match (closed, open) {
                (true, _) => Some(MerchantState::Closed),
                (false, true) => Some(MerchantState::Open),
                (false, false) => None,
            };
            let by = whose.author.by("a merchant's account");
            let new = account.new_merchant(state);
            told(&whose.place, CouponCommand::Change(whose.merchant, new, by), form(whose.json))
        }
        MerchantVerb::List { place, json } => told(&place, CouponCommand::Merchants, form(json)),
        MerchantVerb::Money { whose, kind, amount, provider, reference } => {
            let kind = match kind.as_str() {
                "settlement" => MoneyKind::Settlement,
                "returned" => MoneyKind::Returned,
                _ => MoneyKind::TopUp,
            };
            let through = provider.map_or(Received::Bank, Received::Provider);
            let by = whose.author.by(&reference);
            let command = CouponCommand::Money(whose.merchant, kind, amount, through, reference, by);
            told(&whose.place, command, form(whose.json))
        }
        MerchantVerb::Statement { whose, month } => {
            told(&whose.place, CouponCommand::Statement(whose.merchant, month), form(whose.json))
        }
    }
}

pub(super) fn coupons(verb: CouponVerb) -> ExitCode {
    match verb {
        CouponVerb::Issue { whose, worth, count, from, to, most, pays_percent, note } => {
            let by = whose.author.by("coupons issued");
            let order = BatchOrder {
                merchant: whose.merchant,
                worth,
                most,
                pays_percent,
                count,
                valid_from: from,
                valid_until: to.succ_opt().unwrap_or(to),
                note,
            };
            told(&whose.place, CouponCommand::Issue(order, by), form(whose.json))
        }
        CouponVerb::List { whose, batch } => {
            told(&whose.place, CouponCommand::Coupons(whose.merchant, batch), form(whose.json))
        }
        CouponVerb::Void { id, place, author, json } => match id.parse::<DiscountId>() {
            Ok(id) => {
                let by = author.by("withdrawn");
                let reason = match &by.cause {
                    tollhouse_core::record::Cause::Person { reason, .. } => reason.clone(),
                    _ => "withdrawn".to_owned(),
                };
                told(&place, CouponCommand::Void(id, reason, by), form(json))
            }
            Err(fault) => super::wrong_usage(&fault.to_string()),
        },
    }
}

fn told(place: &Place, command: CouponCommand, form: Form) -> ExitCode {
    let answer = match ask(place, command) {
        Ok(answer) => answer,
        Err(why) => return refused(&why),
    };
    if form == Form::Json {
        println!("{}", as_json(&answer));
        return ExitCode::SUCCESS;
    }
    match &answer {
        CouponAnswer::Merchant(shown) => print!("{}", table(&[row(shown)], &LEANS)),
        CouponAnswer::Merchants(all) => print!("{}", table(&all.iter().map(row).collect::<Vec<_>>(), &LEANS)),
        CouponAnswer::Money(money) => println!("booked {} as {}", money.amount, money.id),
        // Nothing but the codes: they are mostly read by a program that prints them.
        CouponAnswer::Batch(batch) => batch.codes.iter().for_each(|code| println!("{code}")),
        CouponAnswer::Statement(found) => {
            println!("opening {}", found.opening);
            let line = |line: &StatementLine| {
                let what = match line {
                    StatementLine::Charge(charge) => format!("coupon {} ({})", charge.coupon, charge.value),
                    StatementLine::Money(money) => money.reference.clone(),
                };
                vec![line.at().to_rfc3339(), what, line.credit().to_string()]
            };
            let rows: Vec<Vec<String>> = found.lines.iter().map(line).collect();
            print!("{}", table(&rows, &[Lean::Left, Lean::Left, Lean::Right]));
            println!("charged {}, received {}, closing {}", found.charged, found.received, found.closing);
        }
        CouponAnswer::Coupons(coupons) => {
            let line = |one: &crate::coupons::ShownCoupon| {
                let code = one.code.clone().unwrap_or_default();
                vec![one.number.to_string(), one.id.to_string(), one.state.clone(), code]
            };
            print!("{}", table(&coupons.iter().map(line).collect::<Vec<_>>(), &[Lean::Right]));
        }
    }
    ExitCode::SUCCESS
}

const LEANS: [Lean; 4] = [Lean::Left, Lean::Left, Lean::Left, Lean::Right];

fn row(shown: &ShownMerchant) -> Vec<String> {
    let merchant = &shown.merchant;
    let terms = match merchant.terms {
        MerchantTerms::Prepaid => "prepaid",
        MerchantTerms::Monthly { .. } => "monthly",
    };
    let state = if merchant.state == MerchantState::Open { terms.to_owned() } else { format!("{terms}, closed") };
    vec![merchant.id.to_string(), merchant.name.clone(), state, shown.balance.to_string()]
}

fn as_json(answer: &CouponAnswer) -> serde_json::Value {
    use serde_json::json;
    match answer {
        CouponAnswer::Merchant(shown) => json!(shown),
        CouponAnswer::Merchants(all) => json!(all),
        CouponAnswer::Money(money) => json!(money),
        CouponAnswer::Statement(statement) => json!(statement),
        CouponAnswer::Batch(batch) => json!(batch),
        CouponAnswer::Coupons(coupons) => json!(coupons),
    }
}
