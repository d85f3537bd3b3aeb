//! What is changed about a card: plates, places, state, holder; and its closing with refund of the rest.

use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tollhouse_core::charging::calendar::Span;
use tollhouse_core::charging::cards::{Act, Card, CardState, FreedTo, Offer, Order, Term, TermPlace};
use tollhouse_core::charging::estate::Tenure;
use tollhouse_core::charging::fees::{FeeKind, Occasion};
use tollhouse_core::charging::label::HolderId;
use tollhouse_core::charging::packages::{Which, occasion_extras};
use tollhouse_core::charging::place::Place;
use tollhouse_core::charging::tables::state_by_word;
use tollhouse_core::plate::Plate;
use tollhouse_core::record::{By, Records};
use utoipa::ToSchema;

use super::CardsDesk;
use super::doing::Doing;
use super::opening::{NewVehicle, known_holder, places};
use super::show::CardDone;
use crate::charging::fault::ChargingFault;
use crate::charging::prices::{fees, sold_places};

/// How long ago a card can be closed as of.
const MOST_DAYS_BACK: u64 = 31;

/// A plate in place of another, a further one, or one less.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedPlate {
    /// The plate that goes; without it one is added.
    #[serde(default)]
    pub old: Option<String>,
    /// The plate that comes; without it one goes.
    #[serde(default)]
    pub new: Option<String>,
    /// `small`, `large` or `new_energy`; without it as it is registered, else by the form of its plate.
    #[serde(default)]
    pub kind: Option<String>,
    /// The first day; today without it.
    #[serde(default)]
    pub on: Option<NaiveDate>,
}

/// A place in place of another, a further one, or one less.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedPlace {
    /// The place that goes; without it one is added.
    #[serde(default)]
    pub old: Option<String>,
    /// The place that comes: a space's number, or `pool/ID`; without it one goes.
    #[serde(default)]
    pub new: Option<String>,
    /// The first day; today without it.
    #[serde(default)]
    pub on: Option<NaiveDate>,
    /// Months of the letting of a rented place that is added: 1 to 60, 1 without it. A place that comes for another takes
    /// over the days that are left.
    #[serde(default)]
    pub months: Option<u8>,
}

/// How a card is to stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedState {
    /// `active`, `suspended`, `lost` or `expired`.
    pub state: String,
}

/// A new physical card for one that was lost: the fee for it is charged, and it is in force again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedReplacement {}

/// Another holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedTransfer {
    /// Who uses it from now on.
    pub holder: String,
    /// Who pays, where that is another.
    #[serde(default)]
    pub payer: Option<String>,
    /// The room; the holder's without it.
    #[serde(default)]
    pub room: Option<String>,
}

/// The end of a card.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedClosing {
    /// The first day on which it is no longer; today without it, at most 31 days ago.
    #[serde(default)]
    pub on: Option<NaiveDate>,
}

fn plate(text: &str) -> Result<Plate, ChargingFault> {
    Plate::new(text).map_err(|why| ChargingFault::wrong("old", "车牌不正确", why.to_string()))
}

impl CardsDesk {
    /// Changes, adds or takes a plate.
    pub async fn change_plate(&self, by: &By, number: &str, wanted: &WantedPlate) -> Result<CardDone, ChargingFault> {
        self.act(by, number, |records, card| {
            let on = wanted.on.unwrap_or_else(|| self.parts.today());
            let new = match &wanted.new {
                Some(new) => {
                    let vehicle = NewVehicle { plate: new.clone(), kind: wanted.kind.clone() };
                    Some(Self::vehicle(records, &vehicle)?)
                }
                None => None,
            };
            let (what, act) = match (&wanted.old, new) {
                (Some(old), Some((new, kind))) => {
                    let act = card.changing_plate(&plate(old)?, &new, kind, on).map_err(ChargingFault::conflict)?;
                    ("plate_changed", act)
                }
                (None, Some((plate, kind))) => ("plate_added", Act::AddVehicle { plate, kind, from: on, until: None }),
                (Some(old), None) => ("plate_dropped", dropping_plate(card, &plate(old)?, on)?),
                (None, None) => return Err(neither("new", "请给出新车牌或要去掉的车牌")),
            };
            Ok(Doing::of(what, vec![Order::Act(act)]))
        })
        .await
    }

    /// Changes, adds or takes a place. A rented place that comes for another takes over the days that are left, at its
    /// own rent where its class is another.
    pub async fn change_place(&self, by: &By, number: &str, wanted: &WantedPlace) -> Result<CardDone, ChargingFault> {
        self.act(by, number, |records, card| self.place_change(records, card, wanted)).await
    }

    fn place_change(&self, records: &impl Records, card: &Card, wanted: &WantedPlace) -> Result<Doing, ChargingFault> {
        let on = wanted.on.unwrap_or_else(|| self.parts.today());
        let read = |text: &String| -> Result<Place, ChargingFault> {
            let mut all = places(std::slice::from_ref(text), Some(card))?;
            Ok(all.remove(0))
        };
        let new = wanted.new.as_ref().map(&read).transpose()?;
        let old = match &wanted.old {
            // A place of a pool that is given up has a number; the first one without it.
            Some(text) if text.starts_with("pool/") && text.matches('/').count() == 1 => {
                Some(held_of_pool(card, text, on)?)
            }
            Some(text) => Some(read(text)?),
            None => None,
        };
        let mut orders = match &old {
            Some(old) => terms_with(card, old, on).map(|term| Order::GiveUp { term: term.number, from: on }).collect(),
            None => vec![],
        };
        match (&old, &new) {
            (Some(old), Some(new)) => {
                orders.push(Order::Act(card.changing_place(old, new, on).map_err(ChargingFault::conflict)?));
            }
            (None, Some(new)) => orders.push(Order::Act(Act::HoldPlace { place: new.clone(), from: on, until: None })),
            (Some(old), None) => orders.push(Order::Act(dropping_place(card, old, on)?)),
            (None, None) => return Err(neither("new", "请给出新车位或要去掉的车位")),
        }
        if let Some(old) = &old {
            for term in terms_with(card, old, on) {
                orders.extend(self.sold_on(records, card, term, (old, new.as_ref()), on)?);
            }
        } else if let Some(new) = &new {
            let sold = sold_places(records, std::slice::from_ref(new), on)?;
            if sold[0].class.tenure != Tenure::Owned {
                let list = fees(records)?;
                let offer = self.rent(&sold, on, wanted.months.unwrap_or(1), Which::First, &list)?;
                orders.push(Order::Sell(Box::new(offer)));
            }
        }
        let what = match (&old, &new) {
            (Some(_), Some(_)) => "place_changed",
            (None, _) => "place_added",
            (_, None) => "place_dropped",
        };
        Ok(Doing::of(what, orders))
    }

    /// The rest of a term for the places that it goes on with.
    fn sold_on(
        &self,
        records: &impl Records,
        card: &Card,
        term: &Term,
        (old, new): (&Place, Option<&Place>),
        on: NaiveDate,
    ) -> Result<Option<Order>, ChargingFault> {
        let live = term.live().and_then(|live| Span::new(on.max(live.from), live.until));
        let Some(span) = live else { return Ok(None) };
        let share = |price: Decimal| price * Decimal::from(span.days()) / Decimal::from(term.span.days());
        let mut kept: Vec<TermPlace> = term.places.iter().filter(|one| one.place != *old).cloned().collect();
        for one in &mut kept {
            one.price = share(one.price);
        }
        let list = fees(records)?;
        let mut name = None;
        if let Some(new) = new {
            let before = sold_places(records, std::slice::from_ref(old), on)?;
            let after = sold_places(records, std::slice::from_ref(new), on)?;
            if after[0].class.tenure == Tenure::Owned {
                // An owned space pays its periodic fees; what was let of the old one ends.
            } else if before[0].class == after[0].class {
                let price = term.places.iter().find(|one| one.place == *old).map_or(Decimal::ZERO, |one| one.price);
                kept.push(TermPlace { place: new.clone(), price: share(price) });
            } else {
                let month = self.rent(&after, on, 1, Which::Renewal, &list)?;
                let days = Decimal::from(month.span.days());
                let price = month.places.first().map_or(Decimal::ZERO, |one| one.price);
                kept.push(TermPlace { place: new.clone(), price: price * Decimal::from(span.days()) / days });
                name = Some(month.name);
            }
        }
        if kept.is_empty() {
            return Ok(None);
        }
        let bill =
            records.get::<tollhouse_core::charging::bills::CardBill>(&format!("{}/{}", card.number, term.bill))?;
        let first = bill.as_ref().map(|kept| kept.record.lines[0].clone());
        let first =
            first.ok_or_else(|| ChargingFault::conflict(format!("the bill of term {} is not there", term.number)))?;
        let words = first.text.clone();
        Ok(Some(Order::Sell(Box::new(Offer {
            kind: term.kind,
            source: term.source.clone(),
            name: name.unwrap_or_else(|| before_place(&words, &first.place)),
            span,
            places: kept,
            replaces: term.replaces.clone(),
            extras: vec![],
            tax: first.tax,
            late_fee: bill.and_then(|kept| kept.record.late.rule),
            due_days: self.parts.policy().due_days,
            currency: self.parts.currency(),
        }))))
    }

    /// Suspends a card, notes it as lost or expired, or brings it back into force.
    pub async fn stand(&self, by: &By, number: &str, wanted: &WantedState) -> Result<CardDone, ChargingFault> {
        let state = state_by_word(&wanted.state).map_err(|words| ChargingFault::wrong("state", words.zh, words.en))?;
        self.act(by, number, |_, card| Self::standing(card, state)).await
    }

    pub(super) fn standing(card: &Card, state: CardState) -> Result<Doing, ChargingFault> {
        let what = match state {
            CardState::Active if card.state() == CardState::Lost => "found",
            CardState::Active => "resumed",
            CardState::Suspended => "suspended",
            CardState::Lost => "lost",
            CardState::Expired => "expired",
            CardState::Pending | CardState::Closed => {
                let en = "one of: active, suspended, lost, expired; a card is closed by closings";
                return Err(ChargingFault::wrong("state", "应为 active、suspended、lost、expired", en));
            }
        };
        Ok(Doing::of(what, vec![Order::Act(Act::Stand(state))]))
    }

    /// Gives out a new physical card for one that is lost, and charges for it what the price list says.
    pub async fn replace(&self, by: &By, number: &str, _: &WantedReplacement) -> Result<CardDone, ChargingFault> {
        self.act(by, number, |records, card| {
            if card.state() != CardState::Lost {
                return Err(ChargingFault::conflict(format!("card {number} is not lost")));
            }
            let mut orders = self.once(records, card, Occasion::LostCard)?;
            orders.push(Order::Act(Act::Stand(CardState::Active)));
            Ok(Doing::of("replaced", orders))
        })
        .await
    }

    /// What is charged for a card on an occasion, by the class of its first place.
    fn once(&self, records: &impl Records, card: &Card, occasion: Occasion) -> Result<Vec<Order>, ChargingFault> {
        let today = self.parts.today();
        let held: Vec<Place> = card.places_on(today).take(1).cloned().collect();
        let list = fees(records)?;
        let charges = list.items().iter().any(|item| item.kind == FeeKind::OneOff(occasion));
        if !charges || held.is_empty() {
            return Ok(vec![]);
        }
        let sold = sold_places(records, &held, today)?;
        let extras = occasion_extras(&sold, occasion, today, &list, self.parts.currency());
        Ok(extras.into_iter().map(|extra| Order::Charge(Box::new(extra))).collect())
    }

    /// A card passes to another holder. What was drawn before stays with who owed it.
    pub async fn transfer(&self, by: &By, number: &str, wanted: &WantedTransfer) -> Result<CardDone, ChargingFault> {
        let id = |field: &str, text: &str| {
            HolderId::new(text).map_err(|why| ChargingFault::wrong(field, "用户编号不正确", why.to_string()))
        };
        let holder = id("holder", &wanted.holder)?;
        let payer = wanted.payer.as_deref().map(|payer| id("payer", payer)).transpose()?;
        let room = match &wanted.room {
            Some(text) => Some(text.parse().map_err(|why: tollhouse_core::charging::estate::RoomError| {
                ChargingFault::wrong("room", "房号不正确", why.to_string())
            })?),
            None => None,
        };
        self.act(by, number, |records, card| {
            let known = known_holder(records, &holder)?;
            if let Some(payer) = &payer {
                known_holder(records, payer)?;
            }
            let room = room.clone().or(known.room);
            let mut orders = vec![Order::Act(Act::Transfer { holder: holder.clone(), payer: payer.clone(), room })];
            orders.extend(self.once(records, card, Occasion::Transfer)?);
            Ok(Doing::of("transferred", orders))
        })
        .await
    }

    /// Closes a card: its places and vehicles end, what was paid for days after comes back less what the lot keeps, and
    /// its deposits come back. What is still owed of it is paid out of that first.
    pub async fn close(&self, by: &By, number: &str, wanted: &WantedClosing) -> Result<CardDone, ChargingFault> {
        self.act(by, number, |_, card| {
            let today = self.parts.today();
            let on = wanted.on.unwrap_or(today);
            let earliest = today.checked_sub_days(Days::new(MOST_DAYS_BACK)).unwrap_or(today);
            if on > today || on < earliest {
                let en = "a card is closed today, or as of one of the 31 days before";
                return Err(ChargingFault::wrong("on", "退卡日期应为今天或之前 31 天内", en));
            }
            if card.state() == CardState::Closed {
                return Err(ChargingFault::conflict(format!("card {number} is closed")));
            }
            let live = card.terms.iter().filter(|term| term.live().is_some_and(|live| live.until > on));
            let mut orders: Vec<Order> = live.map(|term| Order::GiveUp { term: term.number, from: on }).collect();
            orders.push(Order::Act(card.closing(on)));
            orders.push(Order::ReturnDeposits);
            let retention = self.parts.policy().retention();
            Ok(Doing { to: FreedTo::RefundDue, retention, ..Doing::of("closed", orders) })
        })
        .await
    }
}

fn neither(field: &str, zh: &str) -> ChargingFault {
    ChargingFault::wrong(field, zh, "say what comes, what goes, or both")
}

/// What stands before the place in a line's text: the name of what was sold.
fn before_place(words: &tollhouse_core::words::Words, place: &Place) -> tollhouse_core::words::Words {
    let head = |text: &str| text.split_once(&format!(" {place} ")).map_or(text, |(head, _)| head).to_owned();
    tollhouse_core::words::Words::new(head(&words.zh), head(&words.en))
}

/// Terms of a place that go on after a day.
fn terms_with<'c>(card: &'c Card, place: &'c Place, on: NaiveDate) -> impl Iterator<Item = &'c Term> {
    let live = move |term: &&Term| term.live().is_some_and(|live| live.until > on);
    card.terms.iter().filter(live).filter(move |term| term.places.iter().any(|one| one.place == *place))
}

fn held_of_pool(card: &Card, text: &str, on: NaiveDate) -> Result<Place, ChargingFault> {
    let of = |place: &&Place| place.to_string().rsplit_once('/').is_some_and(|(pool, _)| pool == text);
    let held = card.places_on(on).find(of).cloned();
    held.ok_or_else(|| ChargingFault::conflict(format!("the card holds no place of {text} on {on}")))
}

fn dropping_place(card: &Card, place: &Place, on: NaiveDate) -> Result<Act, ChargingFault> {
    let held = card.holdings.iter().find(|held| held.place == *place && held.holds_on(on));
    let held = held.ok_or_else(|| ChargingFault::conflict(format!("the card does not hold {place} on {on}")))?;
    let (place, from) = (place.clone(), held.from);
    Ok(if from == on { Act::DropPlace { place, from } } else { Act::EndPlace { place, from, until: Some(on) } })
}

fn dropping_plate(card: &Card, plate: &Plate, on: NaiveDate) -> Result<Act, ChargingFault> {
    let held = card.vehicles.iter().find(|held| held.plate == *plate && held.is_on(on));
    let held = held.ok_or_else(|| ChargingFault::conflict(format!("{plate} is not on the card on {on}")))?;
    let (plate, from) = (plate.clone(), held.from);
    Ok(if from == on { Act::DropVehicle { plate, from } } else { Act::EndVehicle { plate, from, until: Some(on) } })
}
