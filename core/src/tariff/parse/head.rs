//! What a file says before its prices: who it is, vehicles, areas, calendar, seasons. The rest of the file is read
//! against these names.
//! It must not know prices.

use std::collections::BTreeMap;

use chrono_tz::Tz;

use super::fault::{Faults, Place};
use super::forms;
use super::keys;
use super::reader::{At, Keys, NAME_FORM, is_name};
use super::tree::Node;
use crate::money::Currency;
use crate::plate::Colour;
use crate::tariff::model::{Area, Calendar, DateRange, DayClass, Price, Season, Vehicle};
use crate::words::Words;

const MOST_KINDS: usize = 32;
const MOST_AREAS: usize = 32;
const MOST_SEASONS: usize = 16;
const MOST_EVENTS: usize = 32;
const MOST_DATES: usize = 1_000;

/// The names and units that everything else in the file is read against.
pub(super) struct Head<'n> {
    pub(super) faults: &'n Faults<'n>,
    pub(super) currency: Currency,
    pub(super) zone: Tz,
    pub(super) vehicles: Vec<Vehicle>,
    pub(super) areas: Vec<Area>,
    pub(super) calendar: Calendar,
    pub(super) seasons: Vec<Season>,
}

impl<'n> Head<'n> {
    /// A currency or zone that cannot be read is told, and another stands in so that the rest can still be read.
    pub(super) fn read(file: &Keys<'n>) -> Self {
        let zones = "\"Asia/Shanghai\", a name of the IANA time zones";
        Self {
            faults: file.faults,
            currency: file
                .required("currency", "\"CNY\", \"HKD\", \"EUR\", \"GBP\", \"USD\" or \"JPY\"", |text| {
                    text.parse().ok()
                })
                .unwrap_or(Currency::Cny),
            zone: file.required("time_zone", zones, |text| text.parse().ok()).unwrap_or(Tz::UTC),
            vehicles: vehicles(file),
            areas: areas(file),
            calendar: calendar(file).unwrap_or_default(),
            seasons: seasons(file),
        }
    }

    /// Tells names that nothing in the file declares, and gives back those that are.
    fn declared(&self, found: Vec<At<String>>, known: &[&str], what: &str, declare: &str) -> Vec<String> {
        let check = |name: &At<String>| {
            let there = known.contains(&name.value.as_str());
            if !there {
                let known = if known.is_empty() { "there are none".to_owned() } else { known.join(", ") };
                let message = format!("there is no {what} {:?}; {declare} ({known})", name.value);
                self.faults.tell(&name.place, message);
            }
            there
        };
        found.into_iter().filter(check).map(|name| name.value).collect()
    }

    pub(super) fn vehicles(&self, table: &Keys<'_>) -> Vec<String> {
        let found = table.list("vehicles", MOST_KINDS, "[\"large\"]", |text| Some(text.to_owned()));
        let known: Vec<&str> = self.vehicles.iter().map(|vehicle| vehicle.kind.as_str()).collect();
        self.declared(found, &known, "kind of vehicle", "declare it in [vehicles], or take one of those")
    }

    pub(super) fn areas(&self, table: &Keys<'_>) -> Vec<String> {
        let found = table.list("areas", MOST_AREAS, "[\"inner\"]", |text| Some(text.to_owned()));
        let known: Vec<&str> = self.areas.iter().map(|area| area.id.as_str()).collect();
        self.declared(found, &known, "area", "declare it in [areas], or take one of those")
    }

    pub(super) fn seasons(&self, table: &Keys<'_>) -> Vec<String> {
        let found = table.list("seasons", MOST_SEASONS, "[\"summer\"]", |text| Some(text.to_owned()));
        let known: Vec<&str> = self.seasons.iter().map(|season| season.name.as_str()).collect();
        self.declared(found, &known, "season", "declare it in [seasons], or take one of those")
    }

    pub(super) fn days(&self, table: &Keys<'_>) -> Vec<DayClass> {
        let found = table.list("days", 32, forms::DAYS, forms::day_class);
        let mut classes = Vec::new();
        for class in found {
            if let DayClass::Event(name) = &class.value
                && !self.calendar.events.contains_key(name)
            {
                let message = format!("there is no event {name:?}; declare it in [calendar.events]");
                self.faults.tell(&class.place, message);
            }
            classes.push(class.value);
        }
        classes
    }

    /// A price that is a whole number of the currency's smallest unit.
    pub(super) fn whole(&self, price: &At<Price>) -> Option<crate::money::Money> {
        let money = price.value.money(self.currency);
        if money.is_none() {
            let places = self.currency.decimals();
            let message =
                format!("{} has more than {places} decimals, and no fee of {} has", price.value, self.currency);
            self.faults.tell(&price.place, message);
        }
        money
    }
}

const COLOURS: [Colour; 7] =
    [Colour::Blue, Colour::Yellow, Colour::Green, Colour::YellowGreen, Colour::White, Colour::Black, Colour::Unknown];

pub(super) fn colour(text: &str) -> Option<Colour> {
    COLOURS.into_iter().find(|colour| colour.as_str() == text)
}

pub(super) const COLOUR_FORM: &str =
    "\"blue\", \"yellow\", \"green\", \"yellow_green\", \"white\", \"black\" or \"unknown\"";

fn default_vehicles() -> Vec<Vehicle> {
    let vehicle = |kind: &str, zh: &str, en: &str, colours: &[Colour]| Vehicle {
        kind: kind.to_owned(),
        name: Words::new(zh, en),
        colours: colours.to_vec(),
    };
    vec![
        vehicle("small", "小型车", "small vehicle", &[Colour::Blue, Colour::White, Colour::Black, Colour::Unknown]),
        vehicle("large", "大型车", "large vehicle", &[Colour::Yellow]),
        vehicle("new_energy", "新能源车", "new-energy vehicle", &[Colour::Green, Colour::YellowGreen]),
        vehicle("motorcycle", "摩托车", "motorcycle", &[]),
    ]
}

/// The defaults, with the file's own laid over: its kinds are added, and the colours that they claim taken from others.
fn vehicles(file: &Keys<'_>) -> Vec<Vehicle> {
    let mut kinds = default_vehicles();
    let Some(table) = file.node("vehicles") else { return kinds };
    let table = Keys::free(file.faults, table.value, table.place);
    let mut claimed: Vec<Colour> = Vec::new();
    for (kind, node, place) in table.all().take(MOST_KINDS) {
        own_name(file.faults, kind, &place);
        let default = kinds.iter().find(|vehicle| vehicle.kind == kind).cloned();
        let (name, colours) = one_vehicle(file.faults, &table, kind, node, place);
        for colour in &colours {
            if claimed.contains(&colour.value) {
                file.faults.tell(&colour.place, format!("{:?} means another kind already", colour.value.as_str()));
            }
            claimed.push(colour.value);
        }
        let known = default.map_or_else(|| Words::new(kind, kind), |vehicle| vehicle.name);
        let colours: Vec<Colour> = colours.into_iter().map(|colour| colour.value).collect();
        kinds.retain(|vehicle| vehicle.kind != kind);
        for vehicle in &mut kinds {
            vehicle.colours.retain(|colour| !colours.contains(colour));
        }
        kinds.push(Vehicle { kind: kind.to_owned(), name: name.unwrap_or(known), colours });
    }
    if table.all().count() > MOST_KINDS {
        table.tell(format!("{MOST_KINDS} kinds are the most"));
    }
    kinds
}

/// `bus = ["yellow"]` or `bus = { colours = ["yellow"], en = "Bus", zh = "客车" }`.
fn one_vehicle<'n>(
    faults: &'n Faults<'n>,
    table: &Keys<'n>,
    kind: &str,
    node: &'n Node,
    place: Place,
) -> (Option<Words>, Vec<At<Colour>>) {
    if matches!(node.value, super::tree::Value::Table(_)) {
        let keys = Keys::open(faults, node, place, keys::VEHICLE);
        let named = keys.has("en") || keys.has("zh");
        let name = if named { keys.bilingual() } else { None };
        return (name, colours(&keys, "colours"));
    }
    (None, colours(table, kind))
}

/// An empty list is right here: a kind that no colour means.
fn colours(keys: &Keys<'_>, key: &str) -> Vec<At<Colour>> {
    let empty =
        keys.node(key).is_none_or(|found| matches!(&found.value.value, super::tree::Value::List(l) if l.is_empty()));
    if empty { Vec::new() } else { keys.list(key, COLOURS.len(), COLOUR_FORM, colour) }
}

fn own_name(faults: &Faults<'_>, name: &str, place: &Place) {
    if !is_name(name) {
        faults.tell(place, format!("this is no name: {NAME_FORM}"));
    }
}

fn areas(file: &Keys<'_>) -> Vec<Area> {
    let Some(table) = file.node("areas") else { return Vec::new() };
    let table = Keys::free(file.faults, table.value, table.place);
    if table.all().count() > MOST_AREAS {
        table.tell(format!("{MOST_AREAS} areas are the most"));
    }
    let mut areas = Vec::new();
    for (id, _, place) in table.all().take(MOST_AREAS) {
        own_name(file.faults, id, &place);
        let name = table.words(id).unwrap_or_else(|| Words::new(id, id));
        areas.push(Area { id: id.to_owned(), name });
    }
    areas
}

fn seasons(file: &Keys<'_>) -> Vec<Season> {
    let Some(table) = file.node("seasons") else { return Vec::new() };
    let table = Keys::free(file.faults, table.value, table.place);
    if table.all().count() > MOST_SEASONS {
        table.tell(format!("{MOST_SEASONS} seasons are the most"));
    }
    let mut seasons = Vec::new();
    for (name, _, place) in table.all().take(MOST_SEASONS) {
        own_name(file.faults, name, &place);
        let parts = table.list(name, 16, forms::SEASON, forms::season);
        seasons.push(Season { name: name.to_owned(), parts: parts.into_iter().map(|part| part.value).collect() });
    }
    seasons
}

/// `[calendar]` of a tariff or of a stay.
pub(super) fn calendar(file: &Keys<'_>) -> Option<Calendar> {
    let mut calendar = Calendar::default();
    let table = file.table("calendar", keys::CALENDAR)?;
    if let Some(weekend) = table.node("weekend") {
        let none = matches!(&weekend.value.value, super::tree::Value::List(days) if days.is_empty());
        let days = if none { Vec::new() } else { table.list("weekend", 7, "[\"sat\", \"sun\"]", forms::weekday) };
        calendar.weekend = days.into_iter().map(|day| day.value).collect();
    }
    calendar.holidays = dates(&table, "holidays").into_iter().map(|range| range.value).collect();
    for workdays in dates(&table, "workdays") {
        let both = |holiday: &&DateRange| holiday.from <= workdays.value.to && workdays.value.from <= holiday.to;
        if let Some(holiday) = calendar.holidays.iter().find(both) {
            let date = holiday.from.max(workdays.value.from);
            file.faults.tell(&workdays.place, format!("{date} is listed as a holiday and as a workday; take one away"));
        }
        calendar.workdays.push(workdays.value);
    }
    if let Some(events) = table.node("events") {
        let events = Keys::free(file.faults, events.value, events.place);
        if events.all().count() > MOST_EVENTS {
            events.tell(format!("{MOST_EVENTS} events are the most"));
        }
        let mut all = BTreeMap::new();
        for (name, _, place) in events.all().take(MOST_EVENTS) {
            own_name(file.faults, name, &place);
            all.insert(name.to_owned(), dates(&events, name).into_iter().map(|range| range.value).collect());
        }
        calendar.events = all;
    }
    Some(calendar)
}

/// Ranges of dates that do not overlap. An empty list is right: a calendar to be filled in later.
fn dates(table: &Keys<'_>, key: &str) -> Vec<At<DateRange>> {
    let none =
        table.node(key).is_none_or(|found| matches!(&found.value.value, super::tree::Value::List(l) if l.is_empty()));
    let mut ranges = if none { Vec::new() } else { table.list(key, MOST_DATES, forms::DATES, forms::date_range) };
    ranges.sort_by_key(|range| range.value);
    for pair in ranges.windows(2) {
        if pair[1].value.from <= pair[0].value.to {
            table.faults.tell(&pair[1].place, format!("{} is listed twice", pair[1].value.from));
        }
    }
    ranges
}
