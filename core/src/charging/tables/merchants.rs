//! Merchants, batches of coupons and the free list as tables. A batch's row says which of its coupons are spent; their codes
//! stand in no table, for they follow from the box's key.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::cells::{Read, amount, date, list, moment, name, one_of, plate, whole, word};
use super::{Rows, may, must, names};
use crate::charging::label::MerchantId;
use crate::charging::table::{Column, RowFault, read_rows};
use crate::coupons::{
    BatchOrder, Contact, CouponBatch, FreeEntry, FreeReason, Limits, MOST_COUPONS, MOST_MINUTES, Merchant,
    MerchantState, MerchantTerms, Worth,
};
use crate::id::UserName;
use crate::money::{Currency, Money};
use crate::words::Words;

const MERCHANTS: [Column; 14] = [
    must("id", "商户编号"),
    must("name", "名称"),
    may("contact", "联系人"),
    may("phone", "电话"),
    may("accounts", "操作账号"),
    must("terms", "结算方式"),
    may("credit", "赊欠上限"),
    may("coupons_per_day", "每日张数"),
    may("coupons_per_month", "每月张数"),
    may("value_per_day", "每日金额"),
    may("value_per_month", "每月金额"),
    may("most_per_coupon", "单张上限"),
    may("per_stay", "每次停车张数"),
    may("state", "状态"),
];
const COUPONS: [Column; 10] = [
    must("merchant", "商户编号"),
    must("number", "批次"),
    must("worth", "优惠内容"),
    may("most", "单张上限"),
    must("pays_percent", "商户承担"),
    must("count", "张数"),
    may("spent", "已用或作废"),
    must("valid_from", "起用日期"),
    must("valid_until", "停用日期"),
    may("note", "备注"),
];
const FREE_LIST: [Column; 4] =
    [must("plate", "车牌"), must("reason", "事由"), must("until", "截止时间"), must("note", "备注")];

const STATES: [(&str, &str, MerchantState); 2] =
    [("open", "启用", MerchantState::Open), ("closed", "停用", MerchantState::Closed)];
const REASONS: [(&str, &str, FreeReason); 6] = [
    ("courier", "快递", FreeReason::Courier),
    ("mover", "搬家", FreeReason::Mover),
    ("contractor", "施工", FreeReason::Contractor),
    ("official", "公务", FreeReason::Official),
    ("guest", "来访", FreeReason::Guest),
    ("other", "其他", FreeReason::Other),
];

/// A batch of coupons as a row says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRow {
    /// As the spreadsheet counts.
    pub row: usize,
    /// Its number among the merchant's batches.
    pub number: u32,
    /// What it is.
    pub order: BatchOrder,
    /// Which of its coupons can be redeemed no longer.
    pub spent: BTreeSet<u32>,
}

fn above_zero(text: &str, currency: Currency) -> Read<Money> {
    let money = amount(text, currency)?;
    if money.is_positive() { Ok(money) } else { Err(Words::new("金额应大于零", "an amount above zero")) }
}

fn label(text: &str, most: usize) -> Read<String> {
    let fits = (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits {
        Ok(text.to_owned())
    } else {
        Err(Words::new(format!("1 至 {most} 个字符"), format!("1 to {most} characters")))
    }
}

/// Merchants of a table, each id once.
pub fn read_merchants(
    table: &[Vec<String>],
    currency: Currency,
    now: DateTime<Utc>,
) -> Result<Vec<Merchant>, Vec<RowFault>> {
    let mut made: BTreeMap<MerchantId, Merchant> = BTreeMap::new();
    read_rows(table, &MERCHANTS, |line| {
        let id = line.must("id", name::<MerchantId>);
        let called = line.must("name", |text| label(text, 40));
        let (contact, phone) = (line.may("contact", |text| label(text, 40)), line.may("phone", |text| label(text, 40)));
        if contact.is_some() != phone.is_some() {
            line.fault("contact", &Words::new("联系人和电话请一并填写", "a contact has a name and a telephone number"));
        }
        let account = |text: &str| UserName::new(text).map_err(|why| Words::new("账号名不正确", why.to_string()));
        let accounts = line.may("accounts", |text| list(text, account)).unwrap_or_default();
        let credit = line.may("credit", |text| above_zero(text, currency));
        let terms = line.must("terms", |text| match text {
            "prepaid" | "预付" => Ok(MerchantTerms::Prepaid),
            "monthly" | "月结" => Ok(MerchantTerms::Monthly { credit }),
            _ => Err(Words::new("应为：预付、月结", "one of: prepaid, monthly")),
        });
        if credit.is_some() && terms == Some(MerchantTerms::Prepaid) {
            line.fault("credit", &Words::new("预付商户没有赊欠", "a merchant that pays before has no credit"));
        }
        let mut money = |column| line.may(column, |text| above_zero(text, currency));
        let [value_per_day, value_per_month, most_per_coupon] =
            ["value_per_day", "value_per_month", "most_per_coupon"].map(&mut money);
        let limits = Limits {
            coupons_per_day: line.may("coupons_per_day", |text| whole(text, 0..=i64::from(u32::MAX))),
            coupons_per_month: line.may("coupons_per_month", |text| whole(text, 0..=i64::from(u32::MAX))),
            value_per_day,
            value_per_month,
            most_per_coupon,
            per_stay: line.may("per_stay", |text| whole(text, 0..=255)),
        };
        let state = line.may("state", |text| one_of(text, &STATES)).unwrap_or(MerchantState::Open);
        let (Some(id), Some(called), Some(terms)) = (id, called, terms) else { return };
        let contact = contact.zip(phone).map(|(name, phone)| Contact { name, phone });
        let merchant =
            Merchant { id: id.clone(), name: called, contact, accounts, terms, limits, state, batches: 0, since: now };
        if made.insert(id, merchant).is_some() {
            line.fault("id", &Words::new("此商户出现两次", "this merchant is there twice"));
        }
    })?;
    Ok(made.into_values().collect())
}

/// The table that [`read_merchants`] reads back.
pub fn export_merchants<'m>(merchants: impl IntoIterator<Item = &'m Merchant>) -> Rows {
    let amount = |money: Option<Money>| money.map(Money::amount).unwrap_or_default();
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    let mut table = vec![names(&MERCHANTS)];
    table.extend(merchants.into_iter().map(|one| {
        let (contact, phone) = one.contact.as_ref().map(|of| (of.name.clone(), of.phone.clone())).unwrap_or_default();
        let accounts: Vec<&str> = one.accounts.iter().map(UserName::as_str).collect();
        let (terms, credit) = match one.terms {
            MerchantTerms::Prepaid => ("prepaid", None),
            MerchantTerms::Monthly { credit } => ("monthly", credit),
        };
        let limits = one.limits;
        vec![
            one.id.to_string(),
            one.name.clone(),
            contact,
            phone,
            accounts.join("; "),
            terms.to_owned(),
            amount(credit),
            number(limits.coupons_per_day),
            number(limits.coupons_per_month),
            amount(limits.value_per_day),
            amount(limits.value_per_month),
            amount(limits.most_per_coupon),
            number(limits.per_stay.map(u32::from)),
            word(&one.state, &STATES),
        ]
    }));
    table
}

/// What a coupon is worth: `60 minutes`, `5.00`, `50%`, `free`.
fn worth(text: &str, currency: Currency) -> Read<Worth> {
    let plain = text.trim();
    if matches!(plain, "free" | "全免") {
        return Ok(Worth::Free);
    }
    if let Some(percent) = plain.strip_suffix(['%', '％']) {
        return whole(percent.trim(), 1..=100).map(Worth::Percent);
    }
    let minutes = ["minutes", "分钟"].iter().find_map(|word| plain.strip_suffix(*word));
    match minutes {
        Some(minutes) => whole(minutes.trim(), 1..=i64::from(MOST_MINUTES)).map(Worth::Minutes),
        None => above_zero(plain, currency)
            .map(Worth::Amount)
            .map_err(|_| Words::new("请写成 60 分钟、5.00、50% 或 全免", "write it as 60 minutes, 5.00, 50% or free")),
    }
}

fn worth_text(worth: Worth) -> String {
    match worth {
        Worth::Minutes(minutes) => format!("{minutes} minutes"),
        Worth::Amount(amount) => amount.amount(),
        Worth::Percent(percent) => format!("{percent}%"),
        Worth::Free => "free".to_owned(),
    }
}

/// Numbers of coupons: `1-20; 35`.
fn numbers(text: &str) -> Read<BTreeSet<u32>> {
    let one = |text: &str| whole::<u32>(text.trim(), 1..=i64::from(MOST_COUPONS));
    let mut numbers = BTreeSet::new();
    for part in text.split([';', '；']).map(str::trim).filter(|part| !part.is_empty()) {
        match part.split_once('-') {
            Some((first, last)) => numbers.extend(one(first)?..=one(last)?),
            None => numbers.extend([one(part)?]),
        }
    }
    Ok(numbers)
}

fn numbers_text(numbers: &BTreeSet<u32>) -> String {
    let mut parts: Vec<(u32, u32)> = vec![];
    for number in numbers {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => parts.push((*number, *number)),
        }
    }
    let part = |(first, last): (u32, u32)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    parts.into_iter().map(part).collect::<Vec<_>>().join("; ")
}

/// Batches of a table, each number of a merchant once.
pub fn read_coupons(table: &[Vec<String>], currency: Currency) -> Result<Vec<BatchRow>, Vec<RowFault>> {
    let (mut made, mut known) = (vec![], BTreeSet::new());
    read_rows(table, &COUPONS, |line| {
        let merchant = line.must("merchant", name::<MerchantId>);
        let number: Option<u32> = line.must("number", |text| whole(text, 1..=999_999));
        let worth = line.must("worth", |text| worth(text, currency));
        let most = line.may("most", |text| above_zero(text, currency));
        let pays_percent = line.must("pays_percent", |text| whole(text.trim_end_matches(['%', '％']).trim(), 0..=100));
        let count: Option<u32> = line.must("count", |text| whole(text, 1..=i64::from(MOST_COUPONS)));
        let spent = line.may("spent", numbers).unwrap_or_default();
        let days: (Option<NaiveDate>, Option<NaiveDate>) =
            (line.must("valid_from", date), line.must("valid_until", date));
        let note = line.may("note", |text| label(text, 200)).unwrap_or_default();
        let (Some(merchant), Some(number), Some(worth)) = (merchant, number, worth) else { return };
        let (Some(pays_percent), Some(count), (Some(valid_from), Some(valid_until))) = (pays_percent, count, days)
        else {
            return;
        };
        if valid_until <= valid_from {
            line.fault(
                "valid_until",
                &Words::new("停用日期应晚于起用日期", "the first day after comes after the first day"),
            );
        }
        if spent.last().is_some_and(|last| *last > count) {
            line.fault("spent", &Words::new("没有这么多张", "the batch has fewer coupons"));
        }
        if !known.insert((merchant.clone(), number)) {
            line.fault("number", &Words::new("此批次出现两次", "this batch is there twice"));
        }
        let order = BatchOrder { merchant, worth, most, pays_percent, count, valid_from, valid_until, note };
        made.push(BatchRow { row: line.row, number, order, spent });
    })?;
    Ok(made)
}

/// The table that [`read_coupons`] reads back: batches, each with the numbers of its coupons that are spent.
pub fn export_coupons(batches: impl IntoIterator<Item = (CouponBatch, BTreeSet<u32>)>) -> Rows {
    let mut table = vec![names(&COUPONS)];
    table.extend(batches.into_iter().map(|(one, spent)| {
        vec![
            one.merchant.to_string(),
            one.number.to_string(),
            worth_text(one.worth),
            one.most.map(Money::amount).unwrap_or_default(),
            one.pays_percent.to_string(),
            one.count.to_string(),
            numbers_text(&spent),
            one.valid_from.to_string(),
            one.valid_until.to_string(),
            one.note,
        ]
    }));
    table
}

/// Cars of a free list, each plate once. `by` puts them there.
pub fn read_free_list(
    table: &[Vec<String>],
    zone: Tz,
    (now, by): (DateTime<Utc>, &str),
) -> Result<Vec<FreeEntry>, Vec<RowFault>> {
    let (mut made, mut known) = (vec![], BTreeSet::new());
    read_rows(table, &FREE_LIST, |line| {
        let plate = line.must("plate", plate);
        let reason = line.must("reason", |text| one_of(text, &REASONS));
        let until = line.must("until", |text| moment(text, zone));
        let note = line.must("note", |text| label(text, 200));
        let (Some(plate), Some(reason), Some(until), Some(note)) = (plate, reason, until, note) else { return };
        if !known.insert(plate.clone()) {
            line.fault("plate", &Words::new("此车牌出现两次", "this plate is there twice"));
        }
        made.push(FreeEntry { plate, reason, note, until, since: now, by: by.to_owned() });
    })?;
    Ok(made)
}

/// The table that [`read_free_list`] reads back.
pub fn export_free_list<'f>(entries: impl IntoIterator<Item = &'f FreeEntry>) -> Rows {
    let mut table = vec![names(&FREE_LIST)];
    table.extend(
        entries.into_iter().map(|one| {
            vec![one.plate.to_string(), word(&one.reason, &REASONS), one.until.to_rfc3339(), one.note.clone()]
        }),
    );
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worth_and_numbers_are_written_as_they_are_read() {
        for text in ["60 minutes", "5.00", "50%", "free"] {
            assert_eq!(worth(text, Currency::Cny).map(worth_text).as_deref(), Ok(text));
        }
        assert_eq!(worth("90分钟", Currency::Cny), Ok(Worth::Minutes(90)));
        for text in ["0 minutes", "101%", "-5", "much"] {
            assert!(worth(text, Currency::Cny).is_err(), "{text}");
        }
        for text in ["", "7", "1-20; 35", "1-2; 4-6; 9"] {
            assert_eq!(numbers(text).map(|found| numbers_text(&found)).as_deref(), Ok(text));
        }
        assert!(numbers("1-99999999").is_err() && numbers("0").is_err());
    }
}
