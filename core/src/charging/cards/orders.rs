//! What a person orders for a card: a change of the card itself, or a sale, a withdrawal, a charge. The kinds are closed
//! under opposites, so that what was done is undone by carrying out the orders that stand beside it on record.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::act::{Act, CardError};
use super::sell::{Extra, Offer};
use crate::charging::bills::Parked;
use crate::charging::label::CardNumber;
use crate::charging::timeline::Note;
use crate::id::{BillId, CreditNoteId};
use crate::money::Money;
use crate::record::{Record, Table};

/// One order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// A change of the card itself.
    Act(Act),
    /// A term is sold. Its opposite: [`Order::Unsell`].
    Sell(Box<Offer>),
    /// A term was a mistake: its bill is withdrawn whole. Its opposite: [`Order::SellAgain`] from its first day.
    Unsell {
        /// Which.
        term: u32,
    },
    /// The days of a term from one on are given up. Its opposite: [`Order::SellAgain`] from that day.
    GiveUp {
        /// Which.
        term: u32,
        /// The first day that is given up.
        from: NaiveDate,
    },
    /// The days of a term from one on are sold again, as a new term at the same price.
    SellAgain {
        /// The term that was given up or unsold.
        term: u32,
        /// The first day.
        from: NaiveDate,
        /// Whether its deposit and what else was on its bill come again.
        extras: Extras,
    },
    /// Something is charged once, on a bill of its own. Its opposite: [`Order::Withdraw`].
    Charge(Box<Extra>),
    /// Bills are withdrawn, whatever was paid of them. Bills of a period are drawn again by the next run if they are due.
    Withdraw(Vec<BillId>),
    /// What is billed by period from a day on is credited, and billed anew at the prices of now. Its opposite is the same
    /// order, after the opposite change of the price.
    Reprice {
        /// The first day.
        from: NaiveDate,
    },
    /// All deposits that are held are given back, and those still owed are owed no longer.
    ReturnDeposits,
    /// Deposits that were given back are held again: takes back [`Order::ReturnDeposits`].
    TakeDeposits(Vec<(BillId, Money)>),
}

/// Whether what was charged once with a term is charged again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extras {
    /// It is: its bill was withdrawn whole.
    Again,
    /// It is not: it stayed as it was.
    Not,
}

/// Why an order is not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderFault {
    /// The card refuses it.
    #[error(transparent)]
    Card(#[from] CardError),
    /// It would draw bills beyond a bound, or needs a space that is not there.
    #[error(transparent)]
    Parked(#[from] Parked),
    /// It names a bill that the card does not have.
    #[error("the card has no bill {0}")]
    NoBill(BillId),
    /// It takes back what money that came free has been used for since.
    #[error("{0} came free then and has been used or paid out since: settle that first")]
    Spent(String),
}

/// What was done to a card in one change: who, why, and what undoes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardAct {
    /// To which card.
    pub card: CardNumber,
    /// 1 for its opening.
    pub number: u32,
    /// What, in a word: `opened`, `renewed`, `plate_changed`, `closed`, ...
    pub what: String,
    /// Who and why.
    pub note: Note,
    /// What was ordered.
    pub orders: Vec<Order>,
    /// What undoes it, in order.
    pub opposite: Vec<Order>,
    /// Bills that it drew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drew: Vec<BillId>,
    /// Credit notes that it wrote.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credited: Vec<CreditNoteId>,
    /// What came free and went to its payer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freed: Option<Freed>,
    /// The act that it undoes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<u32>,
    /// The act that undid it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undone_by: Option<u32>,
}

/// Money that came free, beyond what the card's other bills took of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freed {
    /// How much.
    pub amount: Money,
    /// Where it went.
    pub to: FreedTo,
}

/// Where money that came free goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FreedTo {
    /// It stays with the payer's credit and is used for their next bills.
    Credit,
    /// It is to be given back.
    RefundDue,
}

impl Record for CardAct {
    const TABLE: Table = Table::CardActs;
    fn key(&self) -> String {
        Self::key_of(&self.card, self.number)
    }
}

impl CardAct {
    /// The key of an act: acts of a card are in order.
    pub fn key_of(card: &CardNumber, number: u32) -> String {
        format!("{card}/{number:08}")
    }
}
