//! Fee items as a table: rows of one id are changes of its price.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::cells::{PAYEES, TAX_POINTS, date, decimal, name, one_of, part, short, tax_cells, whole, word};
use super::{Rows, may, must, names};
use crate::charging::estate::{Grade, Location, Tenure};
use crate::charging::fees::{
    Alignment, FeeItem, FeeKind, LateFeeRule, Occasion, PeriodicTerms, PricePer, Selector, TaxTerms, Timing,
};
use crate::charging::label::{Charge, FeeItemId, UseId};
use crate::charging::policy::ChargingPolicy;
use crate::charging::table::{Column, Line, RowFault, read_rows};
use crate::charging::timeline::{Note, Timeline};
use crate::words::Words;

const COLUMNS: [Column; 27] = [
    must("id", "费用项目"),
    must("name_zh", "中文名称"),
    must("name_en", "英文名称"),
    may("charge", "收费内容"),
    may("location", "车位位置"),
    may("tenure", "车位类别"),
    may("use", "车位用途"),
    may("grade", "车位分级"),
    must("kind", "计费方式"),
    may("per", "计价单位"),
    may("period", "账期"),
    may("billing_day", "账单日"),
    may("timing", "预收或后付"),
    may("lead_days", "提前天数"),
    may("due_days", "缴费天数"),
    may("tariff", "计费规则"),
    may("occasion", "收费场合"),
    may("price", "价格"),
    may("from", "生效日期"),
    may("until", "失效日期"),
    may("tax_rate", "税率"),
    may("tax_point", "纳税时点"),
    may("payee", "收款方"),
    may("invoice_category", "发票编码"),
    may("late_per_day", "违约金日率"),
    may("late_grace_days", "违约金宽限天数"),
    may("late_cap", "违约金上限"),
];

/// What a kind is called, and what it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KindWord {
    Periodic,
    Rent,
    Tariff,
    OneOff,
    Deposit,
}

const KIND_WORDS: [(&str, &str, KindWord); 5] = [
    ("periodic", "周期", KindWord::Periodic),
    ("rent", "租金", KindWord::Rent),
    ("tariff", "计费规则", KindWord::Tariff),
    ("one_off", "一次性", KindWord::OneOff),
    ("deposit", "押金", KindWord::Deposit),
];
const PER: [(&str, &str, PricePer); 5] = [
    ("month", "月", PricePer::Space { months: 1 }),
    ("quarter", "季", PricePer::Space { months: 3 }),
    ("half_year", "半年", PricePer::Space { months: 6 }),
    ("year", "年", PricePer::Space { months: 12 }),
    ("m2_month", "平方米月", PricePer::SquareMetre),
];
/// Lengths of periods, in months.
pub(super) const PERIODS: [(&str, &str, u8); 4] =
    [("month", "月", 1), ("quarter", "季", 3), ("half_year", "半年", 6), ("year", "年", 12)];
const OCCASIONS: [(&str, &str, Occasion); 3] = [
    ("card_issue", "发卡", Occasion::CardIssue),
    ("lost_card", "补卡", Occasion::LostCard),
    ("transfer", "过户", Occasion::Transfer),
];

/// When it is billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Advance,
    Arrears,
}

const WHEN: [(&str, &str, When); 2] = [("advance", "预收", When::Advance), ("arrears", "后付", When::Arrears)];

/// The columns of the table.
pub fn fee_item_columns() -> Vec<String> {
    names(&COLUMNS)
}

/// Fee items of a table. What a row leaves out goes by the lot's policy; without a date a price holds from `otherwise_from`.
pub fn read_fee_items(
    table: &[Vec<String>],
    policy: &ChargingPolicy,
    otherwise_from: NaiveDate,
    note: &Note,
) -> Result<Vec<FeeItem>, Vec<RowFault>> {
    let mut made: BTreeMap<FeeItemId, FeeItem> = BTreeMap::new();
    read_rows(table, &COLUMNS, |line| {
        let Some(item) = read_row(line, policy, otherwise_from, note) else { return };
        let Some(there) = made.get_mut(&item.id) else {
            for why in item.faults() {
                line.fault("", &Words::new("此费用项目的内容不合理", why.to_string()));
            }
            made.insert(item.id.clone(), item);
            return;
        };
        let change = &item.price.changes()[0];
        let rest = FeeItem { price: there.price.clone(), ..item.clone() };
        if rest != *there {
            line.fault(
                "id",
                &Words::new("同一费用项目各行除价格外应一致", "rows of one item differ in their price alone"),
            );
        } else if there.price.changes().iter().any(|known| known.from == change.from) {
            line.fault("from", &Words::new("此日期出现两次", "this date is there twice"));
        } else {
            there.price.set(change.from, change.value, change.note.clone());
        }
    })?;
    Ok(made.into_values().collect())
}

fn read_row(line: &mut Line<'_>, policy: &ChargingPolicy, otherwise_from: NaiveDate, note: &Note) -> Option<FeeItem> {
    let id = line.must("id", name::<FeeItemId>);
    let (zh, en) = (line.must("name_zh", short), line.must("name_en", short));
    let charge = line.may("charge", name::<Charge>);
    let selector = selector(line);
    let kind = kind(line, policy);
    let price = line.may("price", decimal);
    let from = line.may("from", date).unwrap_or(otherwise_from);
    let until = line.may("until", date);
    let tax = read_tax(line);
    let late_fee = read_late_fee(line, policy);
    let (id, kind) = (id?, kind?);
    if price.is_none() && !matches!(kind, FeeKind::Tariff(_)) && line.faults.is_empty() {
        line.fault("price", &Words::new("不能为空", "must not be empty"));
    }
    Some(FeeItem {
        // Without a charge of its own an item is the only one of its charge.
        charge: charge.or_else(|| Charge::new(id.as_str()).ok())?,
        id,
        name: Words::new(zh?, en?),
        selector,
        kind,
        price: Timeline::new(from, price.unwrap_or(Decimal::ZERO), note.clone()),
        until,
        tax,
        late_fee,
    })
}

fn selector(line: &mut Line<'_>) -> Selector {
    fn word<T: Copy>(
        line: &mut Line<'_>,
        column: &'static str,
        all: &[T],
        texts: impl Fn(T) -> (&'static str, &'static str),
    ) -> Option<T> {
        let words: Vec<(&str, &str, Option<T>)> = all
            .iter()
            .map(|one| {
                let (en, zh) = texts(*one);
                (en, zh, Some(*one))
            })
            .chain([("any", "任意", None)])
            .collect();
        line.may(column, |text| one_of(text, &words)).flatten()
    }
    Selector {
        location: word(line, "location", Location::ALL, |one| (one.as_str(), one.chinese())),
        tenure: word(line, "tenure", Tenure::ALL, |one| (one.as_str(), one.chinese())),
        usage: line
            .may("use", |text| if text == "any" || text == "任意" { Ok(None) } else { name::<UseId>(text).map(Some) })
            .flatten(),
        grade: word(line, "grade", Grade::ALL, |one| (one.as_str(), one.chinese())),
    }
}

fn kind(line: &mut Line<'_>, policy: &ChargingPolicy) -> Option<FeeKind> {
    let word = line.must("kind", |text| one_of(text, &KIND_WORDS));
    let per = line.may("per", |text| one_of(text, &PER));
    let months = line.may("period", |text| one_of(text, &PERIODS)).unwrap_or(1);
    let alignment = line.may("billing_day", alignment).unwrap_or(policy.alignment);
    let when = line.may("timing", |text| one_of(text, &WHEN)).unwrap_or(When::Advance);
    let lead_days = line.may("lead_days", |text| whole(text, 0..=366)).unwrap_or(policy.lead_days);
    let due_days = line.may("due_days", |text| whole(text, 0..=366)).unwrap_or(policy.due_days);
    let tariff = line.may("tariff", short);
    let occasion = line.may("occasion", |text| one_of(text, &OCCASIONS));
    let per = per.unwrap_or(PricePer::Space { months: 1 });
    Some(match word? {
        KindWord::Periodic => FeeKind::Periodic(PeriodicTerms {
            per,
            months,
            alignment,
            timing: if when == When::Arrears { Timing::InArrears } else { Timing::InAdvance { lead_days } },
            due_days,
        }),
        KindWord::Rent => FeeKind::Rent(per),
        KindWord::Deposit => FeeKind::Deposit,
        KindWord::Tariff => match tariff {
            Some(tariff) => FeeKind::Tariff(tariff),
            None => return missing(line, "tariff", "请填写计费规则的编号", "name the tariff"),
        },
        KindWord::OneOff => match occasion {
            Some(occasion) => FeeKind::OneOff(occasion),
            None => return missing(line, "occasion", "请填写收费场合", "say on what occasion"),
        },
    })
}

fn missing<T>(line: &mut Line<'_>, column: &str, zh: &str, en: &str) -> Option<T> {
    line.fault(column, &Words::new(zh, en));
    None
}

fn alignment(text: &str) -> Result<Alignment, Words> {
    match text {
        "calendar" | "自然月" => Ok(Alignment::Calendar),
        "anniversary" | "起租日" => Ok(Alignment::Anniversary),
        day => whole(day, 1..=31).map(Alignment::Day),
    }
}

/// Tax terms; what is left out is no tax, the firm's, on receipt.
pub(super) fn read_tax(line: &mut Line<'_>) -> TaxTerms {
    let rate = line.may("tax_rate", part).unwrap_or(Decimal::ZERO);
    let point = line.may("tax_point", |text| one_of(text, &TAX_POINTS));
    let payee = line.may("payee", |text| one_of(text, &PAYEES));
    let invoice_category = line.may("invoice_category", short).unwrap_or_default();
    TaxTerms { rate, point: point.unwrap_or(TAX_POINTS[0].2), payee: payee.unwrap_or(PAYEES[0].2), invoice_category }
}

/// A late fee of a row; the lot's where the row has none, and none for `0`.
pub(super) fn read_late_fee(line: &mut Line<'_>, policy: &ChargingPolicy) -> Option<LateFeeRule> {
    let rate = line.may("late_per_day", part);
    let grace_days = line.may("late_grace_days", |text| whole(text, 0..=366)).unwrap_or(0);
    let cap = line.may("late_cap", part);
    match rate {
        None => policy.late_fee.clone(),
        Some(rate) if rate.is_zero() => None,
        Some(rate_per_day) => Some(LateFeeRule { rate_per_day, grace_days, cap }),
    }
}

/// The cells of a late fee.
pub(super) fn late_cells(rule: Option<&LateFeeRule>) -> [String; 3] {
    let Some(rule) = rule else { return ["0".into(), String::new(), String::new()] };
    let cap = rule.cap.map(|cap| cap.normalize().to_string()).unwrap_or_default();
    [rule.rate_per_day.normalize().to_string(), rule.grace_days.to_string(), cap]
}

/// The table that [`read_fee_items`] reads back: one row for each price of each item.
pub fn export_fee_items<'i>(items: impl IntoIterator<Item = &'i FeeItem>) -> Rows {
    let mut table = vec![fee_item_columns()];
    for item in items {
        table.extend(item.price.changes().iter().map(|change| row(item, change.value, change.from)));
    }
    table
}

fn row(item: &FeeItem, price: Decimal, from: NaiveDate) -> Vec<String> {
    let any = |word: Option<&str>| word.unwrap_or("any").to_owned();
    let selector = &item.selector;
    let mut row = vec![
        item.id.to_string(),
        item.name.zh.clone(),
        item.name.en.clone(),
        item.charge.to_string(),
        any(selector.location.map(Location::as_str)),
        any(selector.tenure.map(Tenure::as_str)),
        any(selector.usage.as_ref().map(UseId::as_str)),
        any(selector.grade.map(Grade::as_str)),
    ];
    row.extend(kind_cells(&item.kind));
    row.extend([price.normalize().to_string(), from.to_string()]);
    row.push(item.until.map(|until| until.to_string()).unwrap_or_default());
    row.extend(tax_cells(&item.tax));
    row.extend(late_cells(item.late_fee.as_ref()));
    row
}

/// From `kind` to `occasion`.
fn kind_cells(kind: &FeeKind) -> [String; 9] {
    let mut cells: [String; 9] = Default::default();
    match kind {
        FeeKind::Periodic(terms) => {
            let day = match terms.alignment {
                Alignment::Calendar => "calendar".to_owned(),
                Alignment::Anniversary => "anniversary".to_owned(),
                Alignment::Day(day) => day.to_string(),
            };
            cells[0] = "periodic".into();
            cells[1] = word(&terms.per, &PER);
            cells[2] = word(&terms.months, &PERIODS);
            cells[3] = day;
            match terms.timing {
                Timing::InArrears => cells[4] = "arrears".into(),
                Timing::InAdvance { lead_days } => {
                    cells[4] = "advance".into();
                    cells[5] = lead_days.to_string();
                }
            }
            cells[6] = terms.due_days.to_string();
        }
        FeeKind::Rent(per) => {
            cells[0] = "rent".into();
            cells[1] = word(per, &PER);
        }
        FeeKind::Tariff(tariff) => {
            cells[0] = "tariff".into();
            cells[7].clone_from(tariff);
        }
        FeeKind::OneOff(occasion) => {
            cells[0] = "one_off".into();
            cells[8] = word(occasion, &OCCASIONS);
        }
        FeeKind::Deposit => cells[0] = "deposit".into(),
    }
    cells
}
