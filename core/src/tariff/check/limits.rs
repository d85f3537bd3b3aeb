//! Caps, surcharges and free time that cannot work as written.
//! It must not know which rate or scheme is taken.

use super::super::model::{Cap, FreeAreas, Scheme, TariffFile};
use super::super::parse::Faults;

pub(super) fn check(tariff: &TariffFile, faults: &Faults<'_>) {
    for scheme in &tariff.schemes {
        let path = format!("scheme {:?}", scheme.name);
        twice(scheme, &path, faults);
        outside(scheme, &path, faults);
        if scheme.free.is_some_and(|free| free.areas == FreeAreas::Each) && scheme.conditions.areas.is_empty() {
            let message = "free.areas = \"each\" is for a scheme of certain areas, and this one names none";
            faults.tell_line(scheme.line, path, message);
        }
    }
}

/// Two caps for the same: only the lower could ever work.
fn twice(scheme: &Scheme, path: &str, faults: &Faults<'_>) {
    let same = |one: &Cap, other: &Cap| {
        (one.per, &one.rates, &one.selectors, one.day_numbers, one.visits)
            == (other.per, &other.rates, &other.selectors, other.day_numbers, other.visits)
    };
    for (i, cap) in scheme.caps.iter().enumerate() {
        if let Some(other) = scheme.caps[..i].iter().find(|other| same(cap, other)) {
            let message =
                format!("this cap is for the same as the one on line {}; keep the one that is meant", other.line);
            faults.tell_line(cap.line, path.to_owned(), message);
        }
    }
}

/// What selects vehicles or areas that the scheme is not for.
fn outside(scheme: &Scheme, path: &str, faults: &Faults<'_>) {
    let caps = scheme.caps.iter().map(|cap| (cap.line, "cap", &cap.selectors));
    let adjusts = scheme.adjusts.iter().map(|adjust| (adjust.line, "surcharge or discount", &adjust.selectors));
    let disjoint = |names: &[String], allowed: &[String]| {
        !names.is_empty() && !allowed.is_empty() && !names.iter().any(|name| allowed.contains(name))
    };
    for (line, what, selectors) in caps.chain(adjusts) {
        let conditions = &scheme.conditions;
        if disjoint(&selectors.vehicles, &conditions.vehicles) || disjoint(&selectors.areas, &conditions.areas) {
            let message = format!("this {what} can never work: the scheme is for other vehicles or areas");
            faults.tell_line(line, path.to_owned(), message);
        }
    }
}
