//! The keys of the language, table by table: what the parser accepts, and what the JSON Schema must list.
//! It must not know what they mean.

/// The keys that a scheme shares with the top of a file.
macro_rules! price_keys {
    ($($more:literal),* $(,)?) => {
        &[
            $($more,)*
            "flat", "free", "cycle", "counting", "boundary", "rate", "cap", "adjust", "minimum", "maximum", "rounding",
        ]
    };
}

pub(super) const FILE: &[&str] = price_keys![
    "id",
    "version",
    "name",
    "currency",
    "time_zone",
    "source",
    "in_force_from",
    "version_by",
    "seconds",
    "exit_grace",
    "early_payment",
    "return",
    "lost_record",
    "vehicles",
    "areas",
    "calendar",
    "seasons",
    "choose",
    "scheme",
    "claims",
    "lint",
    "example",
];
/// The keys of a scheme that may stand at the top.
pub(super) const PRICES: &[&str] = price_keys![];
pub(super) const SCHEME: &[&str] =
    price_keys!["name", "text", "vehicles", "areas", "entered", "left", "days", "seasons", "at_least", "at_most",];
pub(super) const WORDS: &[&str] = &["en", "zh"];
pub(super) const EARLY_PAYMENT: &[&str] = &["then"];
pub(super) const RETURN: &[&str] = &["within", "measured_from", "counts", "at_most"];
pub(super) const LOST_RECORD: &[&str] = &["fee", "instead", "as_if"];
pub(super) const VEHICLE: &[&str] = &["colours", "en", "zh"];
pub(super) const CALENDAR: &[&str] = &["weekend", "holidays", "workdays", "events"];
pub(super) const LINT: &[&str] = &["jump", "accept"];
pub(super) const FREE: &[&str] = &["time", "ends", "when_exceeded", "again", "measured", "areas"];
pub(super) const CYCLE: &[&str] = &["every", "starts", "next"];
pub(super) const ROUNDING: &[&str] = &["to", "direction", "at"];
pub(super) const RATE: &[&str] = &[
    "name",
    "text",
    "days",
    "time",
    "seasons",
    "vehicles",
    "areas",
    "split_at_midnight",
    "per",
    "price",
    "steps",
    "flat",
    "clock",
    "cheapest",
    "units",
    "tolerance",
    "ends",
    "after",
    "min",
    "max",
];
pub(super) const OFFER: &[&str] =
    &["text", "per", "price", "steps", "flat", "units", "tolerance", "ends", "after", "min", "max"];
pub(super) const STEP: &[&str] = &["until", "per", "price", "total", "units", "tolerance", "text"];
pub(super) const CAP: &[&str] =
    &["text", "max", "per", "rates", "vehicles", "areas", "days", "seasons", "day_number", "visits"];
pub(super) const ADJUST: &[&str] = &[
    "text",
    "percent",
    "amount",
    "rates",
    "days",
    "time",
    "seasons",
    "vehicles",
    "areas",
    "split_at_midnight",
    "applied",
];
pub(super) const STAY: &[&str] =
    &["enter", "exit", "vehicle", "colour", "areas", "earlier", "payments", "lost", "covered", "calendar"];
pub(super) const EXAMPLE: &[&str] = &[
    "enter", "exit", "vehicle", "colour", "areas", "earlier", "payments", "lost", "covered", "calendar", "note", "fee",
    "due", "leave_by",
];
pub(super) const AREA_VISIT: &[&str] = &["area", "enter", "exit"];
pub(super) const EARLIER: &[&str] = &["enter", "exit", "paid"];
pub(super) const PAYMENT: &[&str] = &["at", "amount"];
pub(super) const COVERED: &[&str] = &["from", "to"];

/// Every table of the language under the name that the JSON Schema gives it.
pub const TABLES: &[(&str, &[&str])] = &[
    ("file", FILE),
    ("scheme", SCHEME),
    ("words", WORDS),
    ("early_payment", EARLY_PAYMENT),
    ("return", RETURN),
    ("lost_record", LOST_RECORD),
    ("vehicle", VEHICLE),
    ("calendar", CALENDAR),
    ("lint", LINT),
    ("free", FREE),
    ("cycle", CYCLE),
    ("rounding", ROUNDING),
    ("rate", RATE),
    ("offer", OFFER),
    ("step", STEP),
    ("cap", CAP),
    ("adjust", ADJUST),
    ("example", EXAMPLE),
    ("stay", STAY),
    ("area_visit", AREA_VISIT),
    ("earlier", EARLIER),
    ("payment", PAYMENT),
    ("covered", COVERED),
];
