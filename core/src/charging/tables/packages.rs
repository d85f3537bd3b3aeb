//! Packages as a table, one row each.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::cells::{KINDS, Read, date, decimal, list, name, one_of, part, short, tax_cells, whole, word};
use super::fee_items::{PERIODS, late_cells, read_late_fee, read_tax};
use super::{Rows, may, must, names};
use crate::charging::estate::{Grade, Location, Tenure};
use crate::charging::fees::Selector;
use crate::charging::label::{Charge, PackageId, UseId};
use crate::charging::packages::{Length, Package, PriceRule, Tier, TierRule};
use crate::charging::policy::ChargingPolicy;
use crate::charging::table::{Column, Line, RowFault, read_rows};
use crate::words::Words;

const COLUMNS: [Column; 18] = [
    must("id", "套餐"),
    must("name_zh", "中文名称"),
    must("name_en", "英文名称"),
    must("length", "期限"),
    must("classes", "适用车位"),
    may("vehicles", "适用车辆"),
    must("bundles", "包含收费内容"),
    must("rule", "价格规则"),
    may("on_sale_from", "开售日期"),
    may("on_sale_until", "停售日期"),
    may("due_days", "缴费天数"),
    may("tax_rate", "税率"),
    may("tax_point", "纳税时点"),
    may("payee", "收款方"),
    may("invoice_category", "发票编码"),
    may("late_per_day", "违约金日率"),
    may("late_grace_days", "违约金宽限天数"),
    may("late_cap", "违约金上限"),
];

/// The columns of the table.
pub fn package_columns() -> Vec<String> {
    names(&COLUMNS)
}

/// Packages of a table. What a row leaves out goes by the lot's policy.
pub fn read_packages(
    table: &[Vec<String>],
    policy: &ChargingPolicy,
    otherwise_from: NaiveDate,
) -> Result<Vec<Package>, Vec<RowFault>> {
    let mut made: BTreeMap<PackageId, Package> = BTreeMap::new();
    read_rows(table, &COLUMNS, |line| {
        let Some(package) = read_row(line, policy, otherwise_from) else { return };
        for why in package.faults() {
            line.fault("", &Words::new("此套餐的内容不合理", why.to_string()));
        }
        if made.insert(package.id.clone(), package).is_some() {
            line.fault("id", &Words::new("此套餐出现两次", "this package is there twice"));
        }
    })?;
    Ok(made.into_values().collect())
}

fn read_row(line: &mut Line<'_>, policy: &ChargingPolicy, otherwise_from: NaiveDate) -> Option<Package> {
    let id = line.must("id", name::<PackageId>);
    let (zh, en) = (line.must("name_zh", short), line.must("name_en", short));
    let length = line.must("length", length);
    let classes = line.must("classes", |text| list(text, selector));
    let vehicles = line.may("vehicles", |text| list(text, |one| one_of(one, &KINDS))).unwrap_or_default();
    let bundles = line.must("bundles", |text| list(text, name::<Charge>));
    let rule = line.must("rule", rule);
    let on_sale_from = line.may("on_sale_from", date).unwrap_or(otherwise_from);
    let on_sale_until = line.may("on_sale_until", date);
    let due_days = line.may("due_days", |text| whole(text, 0..=366)).unwrap_or(policy.due_days);
    let tax = read_tax(line);
    let late_fee = read_late_fee(line, policy);
    Some(Package {
        id: id?,
        name: Words::new(zh?, en?),
        length: length?,
        classes: classes?,
        vehicles,
        bundles: bundles?,
        rule: rule?,
        on_sale_from,
        on_sale_until,
        tax,
        late_fee,
        due_days,
    })
}

/// `month`, `quarter`, `half_year`, `year`, or `90 days`.
fn length(text: &str) -> Read<Length> {
    if let Ok(months) = one_of(text, &PERIODS) {
        return Ok(Length::Months(months));
    }
    let days = text.trim_end_matches("days").trim_end_matches(['d', '天']).trim();
    whole(days, 1..=1_000).map(Length::Days).map_err(|_| {
        Words::new("应为：月、季、半年、年，或 90天", "month, quarter, half_year, year, or so many days as 90 days")
    })
}

fn length_text(length: Length) -> String {
    match length {
        Length::Months(months) => word(&months, &PERIODS),
        Length::Days(days) => format!("{days} days"),
    }
}

/// `location/tenure/use/grade`, each of them or `any`.
fn selector(text: &str) -> Read<Selector> {
    let wrong = || {
        Words::new(
            "应为 位置/类别/用途/分级，不限的写 any，如 underground/rented/any/any",
            "location/tenure/use/grade with any where it does not matter, as underground/rented/any/any",
        )
    };
    let parts: Vec<&str> = text.split('/').map(str::trim).collect();
    let [location, tenure, usage, grade] = parts[..] else { return Err(wrong()) };
    Ok(Selector {
        location: one_or_any(location, Location::by_word).map_err(|()| wrong())?,
        tenure: one_or_any(tenure, Tenure::by_word).map_err(|()| wrong())?,
        usage: one_or_any(usage, |text| UseId::new(text).ok()).map_err(|()| wrong())?,
        grade: one_or_any(grade, Grade::by_word).map_err(|()| wrong())?,
    })
}

/// A word, or `None` for 'any'.
fn one_or_any<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, ()> {
    if matches!(text, "any" | "任意" | "") { Ok(None) } else { read(text).map(Some).ok_or(()) }
}

/// `fixed 750`, `off 15%`, `12 for 11`, `tiers 1: fixed 300; 3: off 10%`.
fn rule(text: &str) -> Read<PriceRule> {
    let wrong = || {
        Words::new(
            "应为 fixed 750、off 15%、12 for 11 或 tiers 1: fixed 300; 3: off 10%",
            "fixed 750, off 15%, 12 for 11, or tiers 1: fixed 300; 3: off 10%",
        )
    };
    if let Some(tiers) = text.strip_prefix("tiers") {
        let tier = |entry: &str| {
            let (from, rule) = entry.split_once(':').ok_or_else(wrong)?;
            let rule = tier_rule(rule.trim()).ok_or_else(wrong)?;
            Ok(Tier { from_places: whole(from.trim(), 1..=10_000)?, rule })
        };
        return list(tiers, tier).map(PriceRule::Tiers);
    }
    if let Some((terms, price_of)) = text.split_once(" for ") {
        let (terms, price_of) = (whole(terms.trim(), 1..=60)?, whole(price_of.trim(), 1..=60)?);
        return Ok(PriceRule::TermsForPrice { terms, price_of });
    }
    match tier_rule(text).ok_or_else(wrong)? {
        TierRule::Fixed(price) => Ok(PriceRule::Fixed(price)),
        TierRule::PercentOff(off) => Ok(PriceRule::PercentOff(off)),
    }
}

fn tier_rule(text: &str) -> Option<TierRule> {
    let (word, value) = text.split_once(' ')?;
    match word {
        "fixed" | "固定" => decimal(value.trim()).ok().map(TierRule::Fixed),
        "off" | "优惠" => part(value.trim()).ok().map(TierRule::PercentOff),
        _ => None,
    }
}

fn rule_text(rule: &PriceRule) -> String {
    let fixed = |price: &Decimal| format!("fixed {}", price.normalize());
    let off = |part: &Decimal| format!("off {}", part.normalize());
    match rule {
        PriceRule::Fixed(price) => fixed(price),
        PriceRule::PercentOff(part) => off(part),
        PriceRule::TermsForPrice { terms, price_of } => format!("{terms} for {price_of}"),
        PriceRule::Tiers(tiers) => {
            let one = |tier: &Tier| match &tier.rule {
                TierRule::Fixed(price) => format!("{}: {}", tier.from_places, fixed(price)),
                TierRule::PercentOff(part) => format!("{}: {}", tier.from_places, off(part)),
            };
            format!("tiers {}", tiers.iter().map(one).collect::<Vec<_>>().join("; "))
        }
    }
}

/// The table that [`read_packages`] reads back.
pub fn export_packages<'p>(packages: impl IntoIterator<Item = &'p Package>) -> Rows {
    let mut table = vec![package_columns()];
    table.extend(packages.into_iter().map(|package| {
        let classes: Vec<String> = package.classes.iter().map(ToString::to_string).collect();
        let vehicles: Vec<String> = package.vehicles.iter().map(|kind| word(kind, &KINDS)).collect();
        let bundles: Vec<&str> = package.bundles.iter().map(Charge::as_str).collect();
        let mut row = vec![
            package.id.to_string(),
            package.name.zh.clone(),
            package.name.en.clone(),
            length_text(package.length),
            classes.join("; "),
            vehicles.join("; "),
            bundles.join("; "),
            rule_text(&package.rule),
            package.on_sale_from.to_string(),
            package.on_sale_until.map(|until| until.to_string()).unwrap_or_default(),
            package.due_days.to_string(),
        ];
        row.extend(tax_cells(&package.tax));
        row.extend(late_cells(package.late_fee.as_ref()));
        row
    }));
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_rule_survives_being_written_and_read() {
        for text in ["fixed 750", "off 0.15", "12 for 11", "tiers 1: fixed 300; 3: off 0.1"] {
            assert_eq!(rule_text(&rule(text).expect("a rule")), text);
        }
        assert_eq!(rule("off 15%"), Ok(PriceRule::PercentOff(Decimal::new(15, 2))));
        for text in ["", "750", "fixed", "off", "12 for", "tiers 1", "tiers 1: x 3"] {
            assert!(rule(text).is_err(), "{text}");
        }
        for text in ["month", "year", "90 days"] {
            assert_eq!(length_text(length(text).expect("a length")), text);
        }
        assert_eq!(length("90天"), Ok(Length::Days(90)));
    }
}
