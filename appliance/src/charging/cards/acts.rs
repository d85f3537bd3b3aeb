//! What was done to a card, in order, and undoing it.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use tollhouse_core::charging::bills::{CardBill, Retention, Standing};
use tollhouse_core::charging::cards::{Act, Card, CardAct, CardState, FreedTo, Order, Term};
use tollhouse_core::record::By;
use utoipa::ToSchema;

use super::CardsDesk;
use super::doing::{Doing, acts_of, bills_of};
use super::show::CardDone;
use crate::charging::fault::ChargingFault;
use crate::charging::view::NoteView;

/// Which act is undone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedUndo {
    /// Its number; the last one that was not undone without it.
    #[serde(default)]
    pub act: Option<u32>,
}

/// What was done to a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ActView {
    /// 1 for its opening.
    pub number: u32,
    /// What, in a word: `opened`, `renewed`, `plate_changed`, `closed`, `undone`, ...
    pub what: String,
    /// The lot's date.
    pub on: NaiveDate,
    /// Who, and why.
    pub note: NoteView,
    /// Bills that it drew.
    pub drew: Vec<String>,
    /// Credit notes that it wrote.
    pub credited: Vec<String>,
    /// Money that came free and left the card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freed: Option<String>,
    /// Where it went: `credit` or `refund_due`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freed_to: Option<String>,
    /// The act that it undoes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<u32>,
    /// The act that undid it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undone_by: Option<u32>,
}

impl From<&CardAct> for ActView {
    fn from(act: &CardAct) -> Self {
        let to = |to: FreedTo| match to {
            FreedTo::Credit => "credit",
            FreedTo::RefundDue => "refund_due",
        };
        Self {
            number: act.number,
            what: act.what.clone(),
            on: act.note.on,
            note: NoteView::from(&act.note),
            drew: act.drew.iter().map(ToString::to_string).collect(),
            credited: act.credited.iter().map(ToString::to_string).collect(),
            freed: act.freed.as_ref().map(|freed| freed.amount.amount()),
            freed_to: act.freed.as_ref().map(|freed| to(freed.to).to_owned()),
            undoes: act.undoes,
            undone_by: act.undone_by,
        }
    }
}

/// What opening a card is called.
pub(super) const OPENED: &str = "opened";

/// The orders that leave nothing of a card: its terms and bills are withdrawn, its places and vehicles dropped, and it
/// stands closed. Whatever was done and undone since it was opened.
fn annulling<'b>(card: &Card, bills: impl Iterator<Item = &'b CardBill>) -> Vec<Order> {
    let live: Vec<&Term> = card.terms.iter().filter(|term| term.live().is_some()).collect();
    let others = bills.filter(|bill| bill.standing != Standing::Void && !live.iter().any(|term| term.bill == bill.id));
    let others = Order::Withdraw(others.map(|bill| bill.id).collect());
    let places = card.holdings.iter().map(|held| Act::DropPlace { place: held.place.clone(), from: held.from });
    let vehicles = card.vehicles.iter().map(|held| Act::DropVehicle { plate: held.plate.clone(), from: held.from });
    let acts = places.chain(vehicles).chain([Act::Stand(CardState::Closed)]).collect();
    let unsold = live.iter().map(|term| Order::Unsell { term: term.number });
    unsold.chain([others, Order::Act(Act::All(acts))]).collect()
}

impl CardsDesk {
    /// What was done to a card, the first act first.
    pub fn acts(&self, number: &str) -> Result<Vec<ActView>, ChargingFault> {
        let records = self.parts.store.snapshot();
        Self::kept(&records, number)?;
        Ok(acts_of(&records, number)?.iter().map(ActView::from).collect())
    }

    /// Undoes an act: carries out the orders that stand beside it. What it had set free is taken back from where it went;
    /// what this sets free goes there. An act that others build upon is refused by the card, and nothing is done.
    pub async fn undo(&self, by: &By, number: &str, wanted: &WantedUndo) -> Result<CardDone, ChargingFault> {
        self.act(by, number, |records, card| {
            let acts = acts_of(records, number)?;
            let act = match wanted.act {
                Some(wanted) => acts.iter().find(|act| act.number == wanted),
                None => acts.iter().rev().find(|act| act.undone_by.is_none() && act.undoes.is_none()),
            };
            let act = act.ok_or_else(|| match wanted.act {
                Some(wanted) => ChargingFault::unknown("act", format!("{wanted} of card {number}")),
                None => ChargingFault::conflict(format!("nothing of card {number} is left to be undone")),
            })?;
            if let Some(by) = act.undone_by {
                return Err(ChargingFault::conflict(format!("act {} was undone by act {by}", act.number)));
            }
            if act.what == OPENED {
                let later =
                    acts.iter().find(|act| act.what != OPENED && act.undone_by.is_none() && act.undoes.is_none());
                if let Some(later) = later {
                    return Err(ChargingFault::conflict(format!("undo act {} ({}) first", later.number, later.what)));
                }
                let bills = bills_of(records, number)?;
                let orders = annulling(card, bills.iter().map(|kept| &kept.record));
                return Ok(Doing { undoes: Some(act.clone()), ..Doing::of("undone", orders) });
            }
            if act.opposite.is_empty() {
                let why = format!("act {} ({}) has nothing that could be undone", act.number, act.what);
                return Err(ChargingFault::conflict(why));
            }
            let to = act.freed.as_ref().map_or(FreedTo::Credit, |freed| freed.to);
            Ok(Doing {
                what: "undone",
                orders: act.opposite.clone(),
                to,
                retention: Retention::NONE,
                undoes: Some(act.clone()),
            })
        })
        .await
    }
}
