//! A price as a person reads it. Knows no tariff: it writes down what the engine answered.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use tollhouse_core::tariff::model::{TariffFile, WrittenStay};
use tollhouse_core::tariff::{FeeLine, Owed};
use tollhouse_core::words::{Language, Words};

use super::Detail;
use crate::quote::unit_price;
use crate::terminal::{Lean, table};

/// The whole answer.
pub(super) fn text(file: &TariffFile, stay: &WrittenStay, owed: &Owed, manner: (Language, Detail)) -> String {
    let (language, detail) = manner;
    let words = |zh: &str, en: &str| Words::new(zh, en).in_language(language).to_owned();
    let zone = file.time_zone;
    let kind = stay.vehicle.clone().or_else(|| file.vehicle_of(stay.colour).map(|vehicle| vehicle.kind.clone()));
    let vehicle = file.vehicles.iter().find(|vehicle| Some(&vehicle.kind) == kind.as_ref());
    let vehicle = vehicle.map_or(String::new(), |vehicle| format!("  {}", vehicle.name.in_language(language)));
    let mut out = format!("{}  ({})\n", file.name.in_language(language), owed.assessment.tariff);
    let long = duration((stay.exit - stay.enter).num_seconds(), language);
    let _ = writeln!(out, "{} → {}  {long}{vehicle}\n", when(stay.enter, zone), until(stay.enter, stay.exit, zone));
    out.push_str(&lines(&owed.assessment.lines, zone, manner));
    if owed.assessment.lines.is_empty() {
        let _ = writeln!(out, "  {}", words("免费", "nothing is owed"));
    }
    out.push('\n');
    let money = |amount: tollhouse_core::money::Money| amount.to_string();
    let mut sums = vec![vec![words("合计", "fee"), money(owed.assessment.total)]];
    if !owed.paid.is_zero() || owed.due != owed.assessment.total {
        sums.push(vec![words("已付", "paid"), money(owed.paid)]);
        sums.push(vec![words("应付", "due"), money(owed.due)]);
    }
    out.push_str(&table(&sums, &[Lean::Left, Lean::Right]));
    if let Some(leave_by) = owed.leave_by {
        let _ = writeln!(out, "  {} {}", words("请在此时间前离场", "leave by"), when(leave_by, zone));
    }
    if detail == Detail::Lines && !owed.assessment.lines.is_empty() {
        let _ =
            writeln!(out, "\n  {}", words("加 --explain 查看每行的依据", "--explain shows how each line came about"));
    }
    out
}

/// The lines alone.
pub(super) fn lines(lines: &[FeeLine], zone: Tz, (language, detail): (Language, Detail)) -> String {
    if lines.is_empty() {
        return String::new();
    }
    if detail == Detail::Lines {
        let row = |line: &FeeLine| vec![line.text.in_language(language).to_owned(), line.amount.amount()];
        return table(&lines.iter().map(row).collect::<Vec<_>>(), &[Lean::Left, Lean::Right]);
    }
    let heads = match language {
        Language::Zh => ["从", "到", "规则", "数量", "单价", "金额", ""],
        Language::En => ["from", "to", "rule", "quantity", "unit price", "amount", ""],
    };
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for line in lines {
        rows.push(vec![
            when(line.from, zone),
            until(line.from, line.to, zone),
            line.rule.clone(),
            line.quantity.normalize().to_string(),
            unit_price(line),
            line.amount.amount(),
            line.text.in_language(language).to_owned(),
        ]);
    }
    let leans = [Lean::Left, Lean::Left, Lean::Left, Lean::Right, Lean::Right, Lean::Right, Lean::Left];
    table(&rows, &leans)
}

/// A moment by the tariff's clock; seconds only where there are some.
pub(crate) fn when(at: DateTime<Utc>, zone: Tz) -> String {
    let form = if at.timestamp() % 60 == 0 { "%Y-%m-%d %H:%M" } else { "%Y-%m-%d %H:%M:%S" };
    at.with_timezone(&zone).format(form).to_string()
}

/// The end of a span: its date only when it is another one.
fn until(from: DateTime<Utc>, to: DateTime<Utc>, zone: Tz) -> String {
    let same = from.with_timezone(&zone).date_naive() == to.with_timezone(&zone).date_naive();
    let whole = when(to, zone);
    if same { whole[11..].to_owned() } else { whole }
}

/// `1 h 30 min`, `2 d 3 h`, `45 s`.
pub(crate) fn duration(seconds: i64, language: Language) -> String {
    let units = match language {
        Language::Zh => ["天", "小时", "分钟", "秒"],
        Language::En => [" d", " h", " min", " s"],
    };
    let counts = [seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60];
    let parts = counts.iter().zip(units).filter(|(count, _)| **count > 0);
    let parts: Vec<String> = parts.map(|(count, unit)| format!("{count}{unit}")).collect();
    let between = if language == Language::Zh { "" } else { " " };
    if parts.is_empty() { format!("0{}", units[2]) } else { parts.join(between) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_in_both_languages() {
        assert_eq!(duration(5_400, Language::En), "1 h 30 min");
        assert_eq!(duration(97_201, Language::Zh), "1天3小时1秒");
        assert_eq!(duration(0, Language::En), "0 min");
    }
}
