//! What else comes in from another system, as tables: balances of holders, deposits of cards, and the cars now inside.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::cells::{amount, date, moment, name, one_of, plate};
use super::{Rows, may, must, names};
use crate::charging::label::{CardNumber, FeeItemId, HolderId};
use crate::charging::table::{Column, RowFault, read_rows};
use crate::id::AreaId;
use crate::money::{Currency, Money};
use crate::plate::{Colour, Plate};
use crate::words::Words;

const BALANCES: [Column; 2] = [must("holder", "用户编号"), must("credit", "余额")];
const DEPOSITS: [Column; 4] =
    [must("card", "卡号"), must("amount", "押金"), may("item", "费用项目"), may("taken_on", "收取日期")];
const INSIDE: [Column; 4] =
    [must("plate", "车牌"), may("colour", "车牌颜色"), must("entered_at", "入场时间"), must("area", "区域")];

const COLOURS: [(&str, &str, Colour); 7] = [
    ("blue", "蓝", Colour::Blue),
    ("yellow", "黄", Colour::Yellow),
    ("green", "绿", Colour::Green),
    ("yellow_green", "黄绿", Colour::YellowGreen),
    ("white", "白", Colour::White),
    ("black", "黑", Colour::Black),
    ("unknown", "未知", Colour::Unknown),
];

/// What a holder has to their credit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalanceRow {
    /// As the spreadsheet counts.
    pub row: usize,
    /// Whose.
    pub holder: HolderId,
    /// How much.
    pub credit: Money,
}

/// A deposit that is held for a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepositRow {
    /// As the spreadsheet counts.
    pub row: usize,
    /// Of which card.
    pub card: CardNumber,
    /// How much.
    pub amount: Money,
    /// By which fee item, if the row says so.
    pub item: Option<FeeItemId>,
    /// When it was taken.
    pub taken_on: Option<NaiveDate>,
}

/// A car that is inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InsideRow {
    /// As the spreadsheet counts.
    pub row: usize,
    /// Its plate.
    pub plate: Plate,
    /// The plate's colour.
    pub colour: Colour,
    /// When it came in.
    pub entered_at: DateTime<Utc>,
    /// Where it stands.
    pub area: AreaId,
}

/// The columns of the table of balances.
pub fn balance_columns() -> Vec<String> {
    names(&BALANCES)
}

/// The columns of the table of deposits.
pub fn deposit_columns() -> Vec<String> {
    names(&DEPOSITS)
}

/// The columns of the table of cars inside.
pub fn inside_columns() -> Vec<String> {
    names(&INSIDE)
}

fn above_zero(text: &str, currency: Currency) -> Result<Money, Words> {
    let money = amount(text, currency)?;
    if money.is_positive() { Ok(money) } else { Err(Words::new("金额应大于零", "an amount above zero")) }
}

/// Balances of a table, each holder once.
pub fn read_balances(table: &[Vec<String>], currency: Currency) -> Result<Vec<BalanceRow>, Vec<RowFault>> {
    let mut made = Vec::new();
    let mut known = std::collections::BTreeSet::new();
    read_rows(table, &BALANCES, |line| {
        let holder = line.must("holder", name::<HolderId>);
        let credit = line.must("credit", |text| above_zero(text, currency));
        let (Some(holder), Some(credit)) = (holder, credit) else { return };
        if !known.insert(holder.clone()) {
            line.fault("holder", &Words::new("此用户出现两次", "this holder is there twice"));
        }
        made.push(BalanceRow { row: line.row, holder, credit });
    })?;
    Ok(made)
}

/// Deposits of a table.
pub fn read_deposits(table: &[Vec<String>], currency: Currency) -> Result<Vec<DepositRow>, Vec<RowFault>> {
    let mut made = Vec::new();
    read_rows(table, &DEPOSITS, |line| {
        let card = line.must("card", name::<CardNumber>);
        let amount = line.must("amount", |text| above_zero(text, currency));
        let item = line.may("item", name::<FeeItemId>);
        let taken_on = line.may("taken_on", date);
        let (Some(card), Some(amount)) = (card, amount) else { return };
        made.push(DepositRow { row: line.row, card, amount, item, taken_on });
    })?;
    Ok(made)
}

/// Cars inside of a table, each plate once. None has come in after `now`.
pub fn read_inside(table: &[Vec<String>], zone: Tz, now: DateTime<Utc>) -> Result<Vec<InsideRow>, Vec<RowFault>> {
    let mut made = Vec::new();
    let mut known = std::collections::BTreeSet::new();
    read_rows(table, &INSIDE, |line| {
        let plate = line.must("plate", plate);
        let colour = line.may("colour", |text| one_of(text.trim_end_matches('色'), &COLOURS));
        let entered_at = line.must("entered_at", |text| moment(text, zone));
        let area =
            line.must("area", |text| AreaId::new(text).map_err(|fault| Words::new("区域不正确", fault.to_string())));
        let (Some(plate), Some(entered_at), Some(area)) = (plate, entered_at, area) else { return };
        if entered_at > now {
            line.fault("entered_at", &Words::new("入场时间在将来", "it has not come in yet by the box's clock"));
        }
        if !known.insert(plate.clone()) {
            line.fault("plate", &Words::new("此车牌出现两次", "this plate is there twice"));
        }
        let colour = colour.unwrap_or(Colour::Unknown);
        made.push(InsideRow { row: line.row, plate, colour, entered_at, area });
    })?;
    Ok(made)
}

/// The table of balances that [`read_balances`] reads back.
pub fn export_balances<'b>(balances: impl IntoIterator<Item = (&'b HolderId, Money)>) -> Rows {
    let mut table = vec![balance_columns()];
    table.extend(balances.into_iter().map(|(holder, credit)| vec![holder.to_string(), credit.amount()]));
    table
}
