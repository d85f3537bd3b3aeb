//! What `tollhouse export books` asks of the desk: a page of entries at a time, so that no answer grows with the books.

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use tollhouse_core::charging::label::HolderId;
use tollhouse_core::money::Currency;
use tollhouse_core::record::Revision;

use super::{Between, HolderStatement, Page, Statement, TrialBalance};
use crate::desks::{DeskCommand, Desks};

/// Entries of one answer.
const PAGE: usize = 2_000;
/// Lines of a statement.
const MOST_OF_A_STATEMENT: usize = 20_000;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BooksCommand {
    /// Whose books they are.
    About,
    /// Entries after one.
    Entries {
        /// Which.
        wanted: Between,
        /// After this entry.
        after: Option<Revision>,
    },
    /// Every account as of the end of a day.
    TrialBalance {
        /// The day; today if left out.
        as_of: Option<NaiveDate>,
    },
    /// What happened to somebody's account.
    Statement {
        /// Whose.
        of: StatementOf,
        /// From this day on; today if left out.
        from: Option<NaiveDate>,
        /// Up to and with this day; today if left out.
        until: Option<NaiveDate>,
    },
}

/// Whose statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatementOf {
    /// A holder's, by id.
    Holder(String),
    /// An account's: of a provider, a shift, a merchant or any other.
    Account(String),
}

/// What the desk answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BooksAnswer {
    /// Whose books they are.
    About {
        /// The lot's name.
        lot: String,
        /// Its clock.
        zone: Tz,
        /// Its currency.
        currency: Currency,
        /// Its date.
        today: NaiveDate,
    },
    /// A page of entries.
    Entries(Page),
    /// A trial balance.
    TrialBalance(TrialBalance),
    /// An account's statement.
    Statement(Statement),
    /// A holder's.
    Holder(HolderStatement),
}

impl DeskCommand for BooksCommand {
    const DESK: &'static str = "books";
    type Answer = BooksAnswer;

    async fn carry_out(self, desks: &Desks) -> Result<BooksAnswer, String> {
        let desk = &desks.books;
        let answer = match self {
            Self::About => Ok(BooksAnswer::About {
                lot: desks.lot.name.clone(),
                zone: desks.lot.zone,
                currency: desks.lot.currency,
                today: desk.today(),
            }),
            Self::Entries { wanted, after } => desk.entries(&wanted, after, PAGE).map(BooksAnswer::Entries),
            Self::TrialBalance { as_of } => {
                desk.trial_balance(as_of.unwrap_or_else(|| desk.today())).map(BooksAnswer::TrialBalance)
            }
            Self::Statement { of, from, until } => {
                let days = (from.unwrap_or_else(|| desk.today()), until.unwrap_or_else(|| desk.today()));
                match of {
                    StatementOf::Account(account) => {
                        desk.statement(&account, days, MOST_OF_A_STATEMENT).map(BooksAnswer::Statement)
                    }
                    StatementOf::Holder(holder) => {
                        let holder = HolderId::new(&holder).map_err(|fault| fault.to_string())?;
                        let of = (&holder, desks.lot.currency);
                        desk.holder_statement(of, days, MOST_OF_A_STATEMENT).map(BooksAnswer::Holder)
                    }
                }
            }
        };
        answer.map_err(|fault| fault.to_string())
    }
}
