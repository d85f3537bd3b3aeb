//! A card as a record. Everything on it that has dates keeps them, so that what should be billed follows from it alone.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::charging::bills::{Heading, Source, Surplus};
use crate::charging::calendar::{Span, joined, without};
use crate::charging::estate::{Room, SpaceClass};
use crate::charging::label::{CardNumber, Charge, FeeItemId, HolderId};
use crate::charging::place::Place;
use crate::charging::timeline::Note;
use crate::id::BillId;
use crate::plate::{Plate, VehicleKind};
use crate::record::{Change, Record, Table};

/// A card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Its number.
    pub number: CardNumber,
    /// Who uses it (租户, or the owner).
    pub holder: HolderId,
    /// Who pays, where that is another (业主).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<HolderId>,
    /// The holder's room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<Room>,
    /// The day on which it was opened.
    pub opened_on: NaiveDate,
    /// How it stands, with its history, the latest last; never empty.
    #[serde(deserialize_with = "crate::charging::timeline::at_least_one")]
    pub states: Vec<StateChange>,
    /// Spaces and places of pools, with the days on which they are its.
    pub holdings: Vec<Holding>,
    /// Vehicles, with the days on which they are its.
    pub vehicles: Vec<HeldVehicle>,
    /// Lettings and packages, the earliest first.
    #[serde(default)]
    pub terms: Vec<Term>,
    /// The holder pays ahead: periods that begin before this day are billed now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead_until: Option<NaiveDate>,
    /// Days on which periodic billing rests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rests: Vec<Holding>,
    /// What is billed: the days for each place and charge. One span for years of bills that follow each other.
    #[serde(default)]
    pub billed: Vec<BilledSpan>,
}

impl Record for Card {
    const TABLE: Table = Table::Cards;
    fn key(&self) -> String {
        self.number.to_string()
    }
}

/// How a card stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardState {
    /// Opened, and its first bill is not paid. Gives no pass.
    Pending,
    /// In force.
    Active,
    /// By a person, or by a rule that names itself. Gives no pass.
    Suspended,
    /// The physical card is blocked, its plates are not.
    Lost,
    /// Its last term is over. Gives no pass.
    Expired,
    /// Given up. Gives no pass.
    Closed,
}

/// A change of state, with who and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateChange {
    /// To what.
    pub state: CardState,
    /// Who and why.
    pub note: Note,
}

/// A place of a card, or days on which billing rests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// Which.
    pub place: Place,
    /// The first day.
    pub from: NaiveDate,
    /// The first day after; `None`: for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
    /// Who and why.
    pub note: Note,
}

impl Holding {
    /// Its days; none when it was taken back.
    pub fn span(&self) -> Option<Span> {
        Span::new(self.from, self.until.unwrap_or(NaiveDate::MAX))
    }

    /// The same, as a function to map with.
    pub(in crate::charging) fn span_of(holding: &Holding) -> Option<Span> {
        holding.span()
    }

    /// Whether it is held on a day.
    pub fn holds_on(&self, day: NaiveDate) -> bool {
        self.span().is_some_and(|span| span.has(day))
    }
}

/// A vehicle of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldVehicle {
    /// Its plate.
    pub plate: Plate,
    /// As what it is registered.
    pub kind: VehicleKind,
    /// The first day.
    pub from: NaiveDate,
    /// The first day after; `None`: for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
    /// Who and why.
    pub note: Note,
}

impl HeldVehicle {
    /// Whether it is the card's on a day.
    pub fn is_on(&self, day: NaiveDate) -> bool {
        self.from <= day && self.until.is_none_or(|until| day < until)
    }
}

/// Whether a term lets a place or bundles the fees of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TermKind {
    /// A rented space or pool place: one independent bill.
    Letting,
    /// A package for owned spaces: one periodic bill.
    Package,
}

/// One term of a letting, or of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// 1 for the card's first.
    pub number: u32,
    /// Which kind.
    pub kind: TermKind,
    /// What is sold: a rent item or a package.
    pub source: Source,
    /// From when to when.
    pub span: Span,
    /// For which places, at what price for the whole term.
    pub places: Vec<TermPlace>,
    /// Charges that it bundles, so that no periodic bill is drawn for them.
    #[serde(default)]
    pub replaces: Vec<Charge>,
    /// The first day that was given up, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_up: Option<NaiveDate>,
    /// Its one bill.
    pub bill: BillId,
    /// Who and why.
    pub note: Note,
}

impl Term {
    /// The days for which it holds.
    pub fn live(&self) -> Option<Span> {
        Span::new(self.span.from, self.given_up.map_or(self.span.until, |day| day.min(self.span.until)))
    }
}

/// A place of a term.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermPlace {
    /// Which.
    pub place: Place,
    /// What it costs for the whole term.
    pub price: Decimal,
}

/// Under what days are billed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Billing {
    /// A periodic fee.
    Fee {
        /// What for.
        charge: Charge,
        /// By which item.
        item: FeeItemId,
        /// As what class.
        class: SpaceClass,
    },
    /// A term.
    Term {
        /// Of what.
        source: Source,
    },
}

/// Days that stand in live lines of bills.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BilledSpan {
    /// For which place.
    pub place: Place,
    /// Under what.
    pub of: Billing,
    /// Which days, joined and in order.
    pub spans: Vec<Span>,
    /// How often days of it were credited: part of the ids of what is drawn after.
    #[serde(default)]
    pub credits: u32,
}

impl Card {
    /// Writes it, its plates as personal texts.
    pub fn write(&self, change: &mut Change) {
        for held in &self.vehicles {
            change.personal(held.plate.as_str());
        }
        change.put(self);
    }

    /// How it stands now.
    pub fn state(&self) -> CardState {
        self.states[self.states.len() - 1].state
    }

    /// Who owes its bills.
    pub fn payer(&self) -> &HolderId {
        self.payer.as_ref().unwrap_or(&self.holder)
    }

    /// What stands at the head of its bills.
    pub fn heading(&self) -> Heading {
        Heading { card: self.number.clone(), payer: self.payer().clone(), room: self.room.clone() }
    }

    /// The places that it holds on a day.
    pub fn places_on(&self, day: NaiveDate) -> impl Iterator<Item = &Place> {
        self.holdings.iter().filter(move |holding| holding.holds_on(day)).map(|holding| &holding.place)
    }

    /// The vehicles that are its on a day.
    pub fn vehicles_on(&self, day: NaiveDate) -> impl Iterator<Item = &HeldVehicle> {
        self.vehicles.iter().filter(move |vehicle| vehicle.is_on(day))
    }

    /// The first day for which no term is sold.
    pub fn sold_until(&self) -> Option<NaiveDate> {
        self.terms.iter().filter_map(Term::live).map(|span| span.until).max()
    }

    /// How often days of a charge of a place were credited.
    pub(in crate::charging) fn credits_of(&self, place: &Place, charge: &Charge) -> u32 {
        let same = self.billed.iter().filter(|billed| {
            billed.place == *place && matches!(&billed.of, Billing::Fee { charge: of, .. } if of == charge)
        });
        same.map(|billed| billed.credits).sum()
    }

    /// Notes days as billed.
    pub(in crate::charging) fn note_billed(&mut self, place: &Place, of: Billing, span: Span) {
        let there = self.billed.iter_mut().find(|billed| billed.place == *place && billed.of == of);
        if let Some(billed) = there {
            billed.spans.push(span);
            billed.spans = joined(std::mem::take(&mut billed.spans));
        } else {
            // In a fixed order, so that the card is the same however many runs it took.
            let at = self.billed.partition_point(|billed| (&billed.place, &billed.of) < (place, &of));
            self.billed.insert(at, BilledSpan { place: place.clone(), of, spans: vec![span], credits: 0 });
        }
    }

    /// Notes days as billed no longer.
    pub(in crate::charging) fn note_credited(&mut self, surplus: &Surplus) {
        for billed in self.billed.iter_mut().filter(|billed| billed.place == surplus.place) {
            let same = match &billed.of {
                Billing::Fee { item, .. } => surplus.source == Source::Item(item.clone()),
                Billing::Term { source } => surplus.source == *source,
            };
            let left: Vec<Span> = billed.spans.iter().flat_map(|span| without(*span, &[surplus.span])).collect();
            if same && left != billed.spans {
                billed.spans = left;
                billed.credits += 1;
            }
        }
    }
}
