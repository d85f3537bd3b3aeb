//! What a single cell can be: dates, amounts, words in either language, lists. Each fault is told in both languages.
//! It must not know columns.

use std::fmt::Display;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;

use crate::charging::calendar::in_bounds;
use crate::charging::fees::TaxTerms;
use crate::charging::place::Place;
use crate::money::{Currency, Money};
use crate::plate::{Plate, VehicleKind};
use crate::words::Words;

/// The entries of one list in a cell.
const MOST_IN_LIST: usize = 200;

/// What reading a cell gives.
pub(super) type Read<T> = Result<T, Words>;

/// A date, as spreadsheets and people write it.
pub(super) fn date(text: &str) -> Read<NaiveDate> {
    let day = text.replace(['/', '.'], "-");
    let day = day.split_once([' ', 'T']).map_or(day.as_str(), |(day, _)| day);
    let day = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok().filter(|day| in_bounds(*day));
    day.ok_or_else(|| Words::new("日期请写成 2026-01-31", "write a date as 2026-01-31"))
}

/// A moment: RFC 3339, or the lot's local time.
pub(super) fn moment(text: &str, zone: Tz) -> Read<DateTime<Utc>> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at.with_timezone(&Utc));
    }
    let plain = text.replace('/', "-").replace('T', " ");
    let formats = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"];
    let local = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(&plain, format).ok());
    let at = local.and_then(|local| zone.from_local_datetime(&local).earliest());
    at.map(|at| at.with_timezone(&Utc))
        .ok_or_else(|| Words::new("时间请写成 2026-01-31 08:30", "write a time as 2026-01-31 08:30"))
}

/// Anything that says itself why it is none.
pub(super) fn name<T: FromStr>(text: &str) -> Read<T>
where
    T::Err: Display,
{
    text.parse().map_err(|fault: T::Err| Words::new("名称不正确（1 至 32 个字母、数字或 - _ . #）", fault.to_string()))
}

/// A decimal that is not negative.
pub(super) fn decimal(text: &str) -> Read<Decimal> {
    let plain = text.replace([',', '，'], "");
    let plain = plain.trim_start_matches(['¥', '￥']).trim_end_matches('元').trim();
    let number = plain.parse::<Decimal>().ok().filter(|number| !number.is_sign_negative());
    number.ok_or_else(|| Words::new("请写数字，如 300.00", "write a number such as 300.00"))
}

/// A part: `0.09` or `9%`.
pub(super) fn part(text: &str) -> Read<Decimal> {
    let (text, hundred) = match text.trim_end().strip_suffix(['%', '％']) {
        Some(text) => (text.trim_end(), Decimal::ONE_HUNDRED),
        None => (text, Decimal::ONE),
    };
    let number = text.parse::<Decimal>().ok().filter(|number| !number.is_sign_negative());
    let wrong = || Words::new("请写成 9% 或 0.09", "write it as 9% or 0.09");
    number.map(|number| (number / hundred).normalize()).ok_or_else(wrong)
}

/// An amount in the lot's currency.
pub(super) fn amount(text: &str, currency: Currency) -> Read<Money> {
    let number = decimal(text)?.normalize().to_string();
    Money::parse(&number, currency)
        .map_err(|_| Words::new("金额最多两位小数，如 300.00", "an amount has at most two decimals, as 300.00"))
}

/// A whole number within limits.
pub(super) fn whole<T: TryFrom<i64>>(text: &str, limits: std::ops::RangeInclusive<i64>) -> Read<T> {
    let number = text.parse::<i64>().ok().filter(|number| limits.contains(number));
    number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| {
        let (low, high) = (limits.start(), limits.end());
        Words::new(format!("应为 {low} 到 {high} 的整数"), format!("a whole number from {low} to {high}"))
    })
}

/// One of some words, in either language.
pub(super) fn one_of<T: Copy>(text: &str, words: &[(&str, &str, T)]) -> Read<T> {
    let found = words.iter().find(|(en, zh, _)| en.eq_ignore_ascii_case(text) || *zh == text);
    found.map(|(_, _, value)| *value).ok_or_else(|| {
        let zh: Vec<&str> = words.iter().map(|(_, zh, _)| *zh).collect();
        let en: Vec<&str> = words.iter().map(|(en, _, _)| *en).collect();
        Words::new(format!("应为：{}", zh.join("、")), format!("one of: {}", en.join(", ")))
    })
}

/// The word for a value.
pub(super) fn word<T: PartialEq>(value: &T, words: &[(&'static str, &'static str, T)]) -> String {
    words.iter().find(|(_, _, one)| one == value).map(|(en, _, _)| (*en).to_owned()).unwrap_or_default()
}

/// A list, its entries parted by `;`.
pub(super) fn list<T>(text: &str, read: impl Fn(&str) -> Read<T>) -> Read<Vec<T>> {
    let entries: Vec<&str> = text.split([';', '；']).map(str::trim).filter(|entry| !entry.is_empty()).collect();
    if entries.len() > MOST_IN_LIST {
        let (zh, en) = (format!("最多 {MOST_IN_LIST} 项"), format!("at most {MOST_IN_LIST} entries"));
        return Err(Words::new(zh, en));
    }
    let one = |entry: &&str| {
        read(entry).map_err(|why| Words::new(format!("“{entry}”：{}", why.zh), format!("{entry:?}: {}", why.en)))
    };
    entries.iter().map(one).collect()
}

/// A place: `B1-001` or `space/B1-001`, and `pool/monthly/1`.
pub(super) fn place(text: &str) -> Read<Place> {
    let wrong = || Words::new("请写车位号，或 pool/车位池/1", "write a space's number, or pool/ID/1");
    if text.contains('/') {
        return text.parse::<Place>().ok().filter(|place| *place != Place::Card).ok_or_else(wrong);
    }
    name(text).map(Place::Space)
}

/// What it says, and the days after it: `TEXT`, `TEXT 2026-01-01`, `TEXT 2026-01-01..2026-07-01`.
pub(super) fn with_days(text: &str) -> Read<(&str, Option<NaiveDate>, Option<NaiveDate>)> {
    let Some((head, days)) = text.rsplit_once(' ') else { return Ok((text, None, None)) };
    let head = head.trim();
    let (from, until) = match days.split_once("..") {
        None => (Some(date(days)?), None),
        Some(("", until)) => (None, Some(date(until)?)),
        Some((from, "")) => (Some(date(from)?), None),
        Some((from, until)) => (Some(date(from)?), Some(date(until)?)),
    };
    Ok((head, from, until))
}

/// The days of an entry, as [`with_days`] reads them.
pub(super) fn days_text(from: NaiveDate, until: Option<NaiveDate>) -> String {
    until.map_or_else(|| format!("{from}.."), |until| format!("{from}..{until}"))
}

/// A plate.
pub(super) fn plate(text: &str) -> Read<Plate> {
    Plate::new(text).map_err(|fault| Words::new("车牌不正确", fault.to_string()))
}

/// The words for kinds of vehicles.
pub(super) const KINDS: [(&str, &str, VehicleKind); 3] = [
    ("small", "小型车", VehicleKind::Small),
    ("large", "大型车", VehicleKind::Large),
    ("new_energy", "新能源车", VehicleKind::NewEnergy),
];

/// The words for who a price is paid to.
pub(super) const PAYEES: [(&str, &str, crate::books::Payee); 2] =
    [("firm", "公司", crate::books::Payee::Firm), ("owners", "业主共有", crate::books::Payee::Owners)];

/// The words for when tax falls due.
pub(super) const TAX_POINTS: [(&str, &str, crate::charging::fees::TaxPoint); 3] = [
    ("on_receipt", "收款时", crate::charging::fees::TaxPoint::OnReceipt),
    ("on_bill", "开单时", crate::charging::fees::TaxPoint::OnBill),
    ("on_service", "服务时", crate::charging::fees::TaxPoint::OnService),
];

/// The cells of tax terms: rate, point, payee, category.
pub(super) fn tax_cells(tax: &TaxTerms) -> [String; 4] {
    [
        tax.rate.normalize().to_string(),
        word(&tax.point, &TAX_POINTS),
        word(&tax.payee, &PAYEES),
        tax.invoice_category.clone(),
    ]
}

/// A short text for people, or a code.
pub(super) fn short(text: &str) -> Read<String> {
    let fits = text.chars().count() <= 100 && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err(Words::new("最多 100 个字符", "at most 100 characters")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_as_people_write_them() {
        for text in ["2026-03-01", "2026/3/1", "2026.03.01", "2026-03-01 00:00:00"] {
            assert_eq!(date(text).expect("a date").to_string(), "2026-03-01", "{text}");
        }
        assert!(date("1.3.2026").is_err());
        for text in ["1,200.50", "¥1200.5", "1200.50元"] {
            assert_eq!(decimal(text).expect("a number").normalize().to_string(), "1200.5", "{text}");
        }
        for text in ["9%", "0.09", "9 ％"] {
            assert_eq!(part(text).expect("a part").to_string(), "0.09", "{text}");
        }
        assert!(decimal("-1").is_err());
        let at = moment("2026-01-31 08:30", chrono_tz::Asia::Shanghai).expect("a time");
        assert_eq!(at.to_rfc3339(), "2026-01-31T00:30:00+00:00");
        assert_eq!(
            with_days("粤C12345 small 2026-01-01.."),
            Ok(("粤C12345 small", Some(date("2026-01-01").expect("a date")), None))
        );
        assert_eq!(list("a; b；c;", |text| Ok(text.to_owned())), Ok(vec!["a".into(), "b".into(), "c".into()]));
        assert!(list(&"x;".repeat(201), |text| Ok(text.to_owned())).is_err());
        assert_eq!(place("B1-001").expect("a place").to_string(), "space/B1-001");
        assert!(place("card").is_ok(), "a space may be called card");
        assert!(place("pool/x").is_err());
    }
}
