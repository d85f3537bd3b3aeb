//! What can be done to a card: every change is an act with who and why, and is undone by its opposite.
//!
//! An act changes the card alone. What it means for bills follows by comparison (`bills::compare`): days that are held
//! and not billed are drawn, days that are billed and no longer held are credited.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::card::{Card, CardState, HeldVehicle, Holding, StateChange};
use crate::charging::calendar::{Span, in_bounds};
use crate::charging::estate::Room;
use crate::charging::label::HolderId;
use crate::charging::place::Place;
use crate::charging::timeline::Note;
use crate::plate::{Plate, VehicleKind};

/// The most places, and the most vehicles, that a card has had in all.
pub const MOST_ENTRIES: usize = 500;

/// A change of a card. The kinds are closed under opposites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// It holds a place from a day on.
    HoldPlace {
        /// Which.
        place: Place,
        /// The first day.
        from: NaiveDate,
        /// The first day after; `None`: for good.
        until: Option<NaiveDate>,
    },
    /// It was a mistake that it holds a place from that day: takes back [`Act::HoldPlace`].
    DropPlace {
        /// Which.
        place: Place,
        /// The first day.
        from: NaiveDate,
    },
    /// It holds a place up to a day, or for good.
    EndPlace {
        /// Which.
        place: Place,
        /// The first day of the holding that is meant.
        from: NaiveDate,
        /// The first day after; `None`: for good.
        until: Option<NaiveDate>,
    },
    /// A vehicle is its from a day on.
    AddVehicle {
        /// Its plate.
        plate: Plate,
        /// As what it is registered.
        kind: VehicleKind,
        /// The first day.
        from: NaiveDate,
        /// The first day after; `None`: for good.
        until: Option<NaiveDate>,
    },
    /// Takes back [`Act::AddVehicle`].
    DropVehicle {
        /// Its plate.
        plate: Plate,
        /// The first day.
        from: NaiveDate,
    },
    /// A vehicle is its up to a day, or for good.
    EndVehicle {
        /// Its plate.
        plate: Plate,
        /// The first day of the entry that is meant.
        from: NaiveDate,
        /// The first day after; `None`: for good.
        until: Option<NaiveDate>,
    },
    /// It passes to another holder, payer and room.
    Transfer {
        /// Who uses it.
        holder: HolderId,
        /// Who pays, where that is another.
        payer: Option<HolderId>,
        /// The room.
        room: Option<Room>,
    },
    /// It stands otherwise.
    Stand(CardState),
    /// It stands as it did before: takes back [`Act::Stand`], to any state that it once had.
    StandAgain(CardState),
    /// Its periodic fees are billed ahead, up to a day.
    PayAhead(Option<NaiveDate>),
    /// Periodic billing rests.
    Rest(Span),
    /// Takes back [`Act::Rest`].
    Resume(Span),
    /// Several, all or none.
    All(Vec<Act>),
}

/// From when, and the first day after.
type Days = (NaiveDate, Option<NaiveDate>);

/// Why an act is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// The card already holds the place on such a day.
    #[error("the card already holds {0} on some of these days")]
    PlaceHeld(Place),
    /// The card has no such entry.
    #[error("the card has no {0} from {1}")]
    NoSuchEntry(String, NaiveDate),
    /// The vehicle is already the card's.
    #[error("{0} is already on the card on some of these days")]
    VehicleHeld(Plate),
    /// An end before the beginning, or a date outside the calendar.
    #[error("the dates do not fit: {0}")]
    Dates(NaiveDate),
    /// A change of state that there is not.
    #[error("a card that is {0:?} cannot become {1:?}")]
    State(CardState, CardState),
    /// Nothing is changed on a closed card but its being closed.
    #[error("the card is closed; open it again first")]
    Closed,
    /// Too many entries.
    #[error("a card has at most {MOST_ENTRIES} places or vehicles in its history")]
    TooMany,
    /// A term overlaps another of the same place.
    #[error("{0} is already sold on some of these days")]
    AlreadySold(Place),
    /// A term for a place that the card does not hold throughout it.
    #[error("the card does not hold {0} on all of these days")]
    NotHeld(Place),
    /// A term that the card does not have, or that is over.
    #[error("the card has no term {0} that could be given up on that day")]
    NoSuchTerm(u32),
}

/// The state changes that there are. Overdue alone never suspends.
fn may_become(from: CardState, to: CardState) -> bool {
    use CardState::{Active, Closed, Expired, Lost, Pending, Suspended};
    match from {
        Pending => matches!(to, Active | Closed),
        Active => matches!(to, Suspended | Lost | Expired | Closed | Pending),
        Suspended => matches!(to, Active | Expired | Closed),
        Lost => matches!(to, Active | Suspended | Expired | Closed),
        Expired => matches!(to, Active | Suspended | Lost | Closed),
        Closed => matches!(to, Pending | Active | Suspended | Lost | Expired),
    }
}

impl Card {
    /// Does an act: the card as it is then, and the act that undoes it. Nothing of an act that is refused is done.
    pub fn apply(&self, act: &Act, note: &Note) -> Result<(Card, Act), CardError> {
        let mut card = self.clone();
        let opposite = card.step(act, note)?;
        Ok((card, opposite))
    }

    fn step(&mut self, act: &Act, note: &Note) -> Result<Act, CardError> {
        let reopens = matches!(act, Act::Stand(_) | Act::StandAgain(_) | Act::All(_));
        if self.state() == CardState::Closed && !reopens {
            return Err(CardError::Closed);
        }
        match act {
            Act::HoldPlace { place, from, until } => self.hold(place, (*from, *until), note),
            Act::DropPlace { place, from } => {
                let at = self.holding(place, *from)?;
                let was = self.holdings.remove(at);
                Ok(Act::HoldPlace { place: was.place, from: *from, until: was.until })
            }
            Act::EndPlace { place, from, until } => self.end_place(place, *from, *until),
            Act::AddVehicle { plate, kind, from, until } => self.add_vehicle(plate, *kind, (*from, *until), note),
            Act::DropVehicle { plate, from } => {
                let at = self.vehicle(plate, *from)?;
                let was = self.vehicles.remove(at);
                Ok(Act::AddVehicle { plate: was.plate, kind: was.kind, from: *from, until: was.until })
            }
            Act::EndVehicle { plate, from, until } => self.end_vehicle(plate, *from, *until),
            Act::Transfer { holder, payer, room } => {
                let holder = std::mem::replace(&mut self.holder, holder.clone());
                let payer = std::mem::replace(&mut self.payer, payer.clone());
                let room = std::mem::replace(&mut self.room, room.clone());
                Ok(Act::Transfer { holder, payer, room })
            }
            Act::Stand(state) => {
                let was = self.state();
                if !may_become(was, *state) {
                    return Err(CardError::State(was, *state));
                }
                self.states.push(StateChange { state: *state, note: note.clone() });
                Ok(Act::StandAgain(was))
            }
            Act::StandAgain(state) => {
                let was = self.state();
                if !self.states.iter().any(|change| change.state == *state) {
                    return Err(CardError::State(was, *state));
                }
                self.states.push(StateChange { state: *state, note: note.clone() });
                Ok(Act::StandAgain(was))
            }
            Act::PayAhead(until) => {
                if let Some(day) = until.filter(|day| !in_bounds(*day)) {
                    return Err(CardError::Dates(day));
                }
                Ok(Act::PayAhead(std::mem::replace(&mut self.ahead_until, *until)))
            }
            Act::Rest(span) => {
                if self.rests.len() >= MOST_ENTRIES {
                    return Err(CardError::TooMany);
                }
                let (from, until) = (span.from, Some(span.until));
                self.rests.push(Holding { place: Place::Card, from, until, note: note.clone() });
                Ok(Act::Resume(*span))
            }
            Act::Resume(span) => {
                let at = self.rests.iter().rposition(|rest| rest.span() == Some(*span));
                self.rests.remove(at.ok_or_else(|| CardError::NoSuchEntry("rest".into(), span.from))?);
                Ok(Act::Rest(*span))
            }
            Act::All(acts) => {
                let mut opposites = acts.iter().map(|act| self.step(act, note)).collect::<Result<Vec<Act>, _>>()?;
                opposites.reverse();
                Ok(Act::All(opposites))
            }
        }
    }

    fn holding(&self, place: &Place, from: NaiveDate) -> Result<usize, CardError> {
        let at = self.holdings.iter().position(|holding| holding.place == *place && holding.from == from);
        at.ok_or_else(|| CardError::NoSuchEntry(place.to_string(), from))
    }

    fn vehicle(&self, plate: &Plate, from: NaiveDate) -> Result<usize, CardError> {
        let at = self.vehicles.iter().position(|vehicle| vehicle.plate == *plate && vehicle.from == from);
        at.ok_or_else(|| CardError::NoSuchEntry(plate.to_string(), from))
    }

    fn hold(&mut self, place: &Place, (from, until): Days, note: &Note) -> Result<Act, CardError> {
        let new = Holding { place: place.clone(), from, until, note: note.clone() };
        self.place_is_free(&new, None)?;
        if self.holdings.len() >= MOST_ENTRIES {
            return Err(CardError::TooMany);
        }
        self.holdings.push(new);
        self.holdings.sort_by(|a, b| (a.from, &a.place).cmp(&(b.from, &b.place)));
        Ok(Act::DropPlace { place: place.clone(), from })
    }

    /// Whether no other holding of the place has a day in common.
    fn place_is_free(&self, new: &Holding, but: Option<usize>) -> Result<(), CardError> {
        let span = new.span().filter(|span| in_bounds(span.from)).ok_or(CardError::Dates(new.from))?;
        let others =
            self.holdings.iter().enumerate().filter(|(at, other)| Some(*at) != but && other.place == new.place);
        let mut overlapping = others.filter(|(_, other)| other.span().is_some_and(|other| other.and(span).is_some()));
        overlapping.next().map_or(Ok(()), |_| Err(CardError::PlaceHeld(new.place.clone())))
    }

    fn end_place(&mut self, place: &Place, from: NaiveDate, until: Option<NaiveDate>) -> Result<Act, CardError> {
        let at = self.holding(place, from)?;
        let new = Holding { until, ..self.holdings[at].clone() };
        self.place_is_free(&new, Some(at))?;
        let was = std::mem::replace(&mut self.holdings[at], new);
        Ok(Act::EndPlace { place: place.clone(), from, until: was.until })
    }

    fn add_vehicle(
        &mut self,
        plate: &Plate,
        kind: VehicleKind,
        (from, until): Days,
        note: &Note,
    ) -> Result<Act, CardError> {
        let new = HeldVehicle { plate: plate.clone(), kind, from, until, note: note.clone() };
        self.vehicle_is_free(&new, None)?;
        if self.vehicles.len() >= MOST_ENTRIES {
            return Err(CardError::TooMany);
        }
        self.vehicles.push(new);
        self.vehicles.sort_by(|a, b| (a.from, &a.plate).cmp(&(b.from, &b.plate)));
        Ok(Act::DropVehicle { plate: plate.clone(), from })
    }

    fn vehicle_is_free(&self, new: &HeldVehicle, but: Option<usize>) -> Result<(), CardError> {
        let days = |vehicle: &HeldVehicle| Span::new(vehicle.from, vehicle.until.unwrap_or(NaiveDate::MAX));
        let span = days(new).filter(|span| in_bounds(span.from)).ok_or(CardError::Dates(new.from))?;
        let others =
            self.vehicles.iter().enumerate().filter(|(at, other)| Some(*at) != but && other.plate == new.plate);
        let mut overlapping = others.filter(|(_, other)| days(other).is_some_and(|other| other.and(span).is_some()));
        overlapping.next().map_or(Ok(()), |_| Err(CardError::VehicleHeld(new.plate.clone())))
    }

    fn end_vehicle(&mut self, plate: &Plate, from: NaiveDate, until: Option<NaiveDate>) -> Result<Act, CardError> {
        let at = self.vehicle(plate, from)?;
        let new = HeldVehicle { until, ..self.vehicles[at].clone() };
        self.vehicle_is_free(&new, Some(at))?;
        let was = std::mem::replace(&mut self.vehicles[at], new);
        Ok(Act::EndVehicle { plate: plate.clone(), from, until: was.until })
    }

    /// The act that changes a plate from a day on.
    pub fn changing_plate(&self, old: &Plate, new: &Plate, kind: VehicleKind, on: NaiveDate) -> Result<Act, CardError> {
        let there = self.vehicles.iter().find(|vehicle| vehicle.plate == *old && vehicle.is_on(on));
        let from = there.ok_or_else(|| CardError::NoSuchEntry(old.to_string(), on))?.from;
        let ends = if from == on {
            Act::DropVehicle { plate: old.clone(), from }
        } else {
            Act::EndVehicle { plate: old.clone(), from, until: Some(on) }
        };
        Ok(Act::All(vec![ends, Act::AddVehicle { plate: new.clone(), kind, from: on, until: None }]))
    }

    /// The act that moves the card from one place to another on a day.
    pub fn changing_place(&self, old: &Place, new: &Place, on: NaiveDate) -> Result<Act, CardError> {
        let there = self.holdings.iter().find(|holding| holding.place == *old && holding.holds_on(on));
        let from = there.ok_or_else(|| CardError::NoSuchEntry(old.to_string(), on))?.from;
        let ends = if from == on {
            Act::DropPlace { place: old.clone(), from }
        } else {
            Act::EndPlace { place: old.clone(), from, until: Some(on) }
        };
        Ok(Act::All(vec![ends, Act::HoldPlace { place: new.clone(), from: on, until: None }]))
    }

    /// The act that closes the card on a day: places and vehicles end, and it stands closed.
    pub fn closing(&self, on: NaiveDate) -> Act {
        let mut acts = Vec::new();
        for held in self.holdings.iter().filter(|held| held.until.is_none_or(|until| on < until)) {
            let (place, from) = (held.place.clone(), held.from);
            let later = from >= on;
            acts.push(if later {
                Act::DropPlace { place, from }
            } else {
                Act::EndPlace { place, from, until: Some(on) }
            });
        }
        for vehicle in self.vehicles.iter().filter(|vehicle| vehicle.until.is_none_or(|until| on < until)) {
            let (plate, from) = (vehicle.plate.clone(), vehicle.from);
            let later = from >= on;
            acts.push(if later {
                Act::DropVehicle { plate, from }
            } else {
                Act::EndVehicle { plate, from, until: Some(on) }
            });
        }
        acts.push(Act::Stand(CardState::Closed));
        Act::All(acts)
    }
}
