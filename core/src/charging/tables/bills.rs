//! Bills of cards as a table, one row each: an opening debt from elsewhere, or a whole bill as an export wrote it.

use chrono::NaiveDate;

use super::cells::{amount, date, name, short};
use super::{Rows, may, must, names};
use crate::bill::BillKind;
use crate::charging::bills::CardBill;
use crate::charging::label::CardNumber;
use crate::charging::table::{Column, RECORD, RowFault, read_rows, recorded};
use crate::money::{Currency, Money};
use crate::words::Words;

const COLUMNS: [Column; 16] = [
    may("id", "账单号"),
    must("card", "卡号"),
    may("payer", "缴费人"),
    may("room", "房号"),
    may("kind", "账单类型"),
    may("state", "状态"),
    may("period_from", "账期始"),
    may("period_until", "账期止"),
    may("issued_on", "开单日期"),
    must("due_on", "最后缴费日"),
    may("text", "说明"),
    must("amount", "金额"),
    may("paid", "已缴"),
    may("due", "应缴"),
    may("lines", "行数"),
    may(RECORD, "完整记录"),
];

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillRow {
    /// As the spreadsheet counts.
    pub row: usize,
    /// Whose.
    pub card: CardNumber,
    /// When it was issued; `None`: with its due date.
    pub issued_on: Option<NaiveDate>,
    /// The last day on which it could be paid without being late.
    pub due_on: NaiveDate,
    /// What for.
    pub text: Option<String>,
    /// What is owed.
    pub amount: Money,
    /// The whole record, as an export wrote it.
    pub record: Option<Box<CardBill>>,
}

/// The columns of the table.
pub fn bill_columns() -> Vec<String> {
    names(&COLUMNS)
}

/// Bills of a table.
pub fn read_bills(table: &[Vec<String>], currency: Currency) -> Result<Vec<BillRow>, Vec<RowFault>> {
    let mut made = Vec::new();
    let mut known = std::collections::BTreeSet::new();
    read_rows(table, &COLUMNS, |line| {
        let card = line.must("card", name::<CardNumber>);
        let issued_on = line.may("issued_on", date);
        let due_on = line.must("due_on", date);
        let text = line.may("text", short);
        let amount = line.must("amount", |text| amount(text, currency));
        let record = recorded::<CardBill>(line, &names(&COLUMNS[..COLUMNS.len() - 1]), cells);
        let (Some(card), Some(due_on), Some(amount)) = (card, due_on, amount) else { return };
        if record.is_none() && !amount.is_positive() {
            line.fault("amount", &Words::new("金额应大于零", "an amount owed is above zero"));
        }
        if record.as_ref().is_some_and(|bill| bill.currency() != currency) {
            line.fault(RECORD, &Words::new("币种与车场不符", "it is not in the lot's currency"));
        }
        if record.as_ref().is_some_and(|bill| !known.insert(bill.id)) {
            line.fault("id", &Words::new("此账单出现两次", "this bill is there twice"));
        }
        made.push(BillRow { row: line.row, card, issued_on, due_on, text, amount, record: record.map(Box::new) });
    })?;
    Ok(made)
}

fn cells(bill: &CardBill) -> Vec<String> {
    let kind = if bill.kind == BillKind::Independent { "independent" } else { "periodic" };
    let state = serde_json::to_value(bill.state()).ok().and_then(|state| state.as_str().map(str::to_owned));
    vec![
        bill.id.to_string(),
        bill.heading.card.to_string(),
        bill.heading.payer.to_string(),
        bill.heading.room.as_ref().map(ToString::to_string).unwrap_or_default(),
        kind.to_owned(),
        state.unwrap_or_default(),
        bill.period.map(|period| period.from.to_string()).unwrap_or_default(),
        bill.period.map(|period| period.until.to_string()).unwrap_or_default(),
        bill.issued_on.to_string(),
        bill.due_on.to_string(),
        bill.lines[0].text.zh.chars().take(100).collect(),
        bill.total().amount(),
        bill.paid().amount(),
        bill.due().amount(),
        bill.lines.len().to_string(),
    ]
}

/// The table that [`read_bills`] reads back, each with its whole record.
pub fn export_bills<'b>(bills: impl IntoIterator<Item = &'b CardBill>) -> Rows {
    let mut table = vec![bill_columns()];
    table.extend(bills.into_iter().map(|bill| {
        let mut row = cells(bill);
        row.push(serde_json::to_string(bill).expect("records serialise: text keys, no fallible types"));
        row
    }));
    table
}
