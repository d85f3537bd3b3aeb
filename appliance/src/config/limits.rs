//! `[[limits]]`: how far a role may go where money is given up, where that differs from the rule.

use std::collections::BTreeMap;

use tollhouse_core::money::{Currency, Money};
use tollhouse_core::user::{Limits, Role, RoleLimits};

use super::reader::{Document, Section};

/// Reads all of them.
pub(super) fn limits(document: &mut Document<'_>, currency: Option<Currency>) -> RoleLimits {
    let mut limits = BTreeMap::new();
    for section in document.sections("limits", Role::ALL.len()) {
        if let Some((role, limit)) = one(document, section, currency) {
            limits.insert(role, limit);
        }
    }
    RoleLimits(limits)
}

fn one<'t>(
    document: &mut Document<'t>,
    mut section: Section<'t>,
    currency: Option<Currency>,
) -> Option<(Role, Limits)> {
    let role = section.required(document, "role", |text| {
        let names: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
        Role::by_name(text).ok_or_else(|| format!("{text:?} is not one of {}", names.join(", ")))
    });
    let amount = |text: &str| read(text, currency.unwrap_or(Currency::Cny));
    let discount = section.optional(document, "discount", amount);
    let forgiveness = section.optional(document, "forgiveness", amount);
    let write_off = section.optional(document, "write_off", amount);
    document.close(section, &["role", "discount", "forgiveness", "write_off"]);
    let role = role?.value;
    let usual = role.limits();
    let limits = Limits {
        discount: discount.map_or(usual.discount, |at| at.value),
        forgiveness: forgiveness.map_or(usual.forgiveness, |at| at.value),
        write_off: write_off.map_or(usual.write_off, |at| at.value),
    };
    Some((role, limits))
}

/// An amount, or `any`.
fn read(text: &str, currency: Currency) -> Result<Option<i64>, String> {
    if text == "any" {
        return Ok(None);
    }
    match Money::parse(text, currency) {
        Ok(amount) if amount.minor() >= 0 => Ok(Some(amount.minor())),
        _ => Err(format!("{text:?} is no limit; write an amount like \"50.00\", or \"any\"")),
    }
}
