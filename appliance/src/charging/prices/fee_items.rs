//! Fee items: new ones, prices from dates on with the way back, and their end. A change never touches a bill that exists.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tollhouse_core::charging::fees::{FeeItem, FeeList};
use tollhouse_core::charging::tables::{export_fee_items, read_fee_items};
use tollhouse_core::record::{By, ChangeKind, Kept, Records, Table};
use utoipa::ToSchema;

use super::{PricesDesk, fees, of_fees};
use crate::charging::fault::ChargingFault;
use crate::charging::form::{of_fields, of_row, one_row};
use crate::charging::parts::Decided;
use crate::charging::reading::all;
use crate::charging::view::NoteView;

/// A fee item: the columns of the import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FeeItemBody {
    /// Its id.
    #[schema(example = "rent-underground")]
    pub id: String,
    /// Its Chinese name, on bills.
    pub name_zh: String,
    /// Its English name, on bills.
    pub name_en: String,
    /// What for: items of one charge compete for a space, items of different charges add up. Its id without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge: Option<String>,
    /// `open_air`, `underground`, `structure` or `any`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// `owned`, `rented`, `temporary` or `any`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenure: Option<String>,
    /// A use of the list or `any`.
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    /// `ordinary`, `tandem`, `triple`, `multi` or `any`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<String>,
    /// `periodic`, `rent`, `tariff`, `one_off` or `deposit`.
    pub kind: String,
    /// What the price is per: `month`, `quarter`, `half_year`, `year` (per space) or `m2_month`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per: Option<String>,
    /// The length of a period of a periodic fee: `month`, `quarter`, `half_year` or `year`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<String>,
    /// `calendar`, `anniversary`, or a day of the month; the lot's without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_day: Option<String>,
    /// `advance` or `arrears`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timing: Option<String>,
    /// How many days before its period it is billed; the lot's without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_days: Option<u16>,
    /// Days from the issue of a bill to its due date; the lot's without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_days: Option<u16>,
    /// The tariff of temporary stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tariff: Option<String>,
    /// `card_issue`, `lost_card` or `transfer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occasion: Option<String>,
    /// The price with tax, at most four decimals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "300.00")]
    pub price: Option<String>,
    /// The first day of the price; today without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<NaiveDate>,
    /// The first day on which it is no longer in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
    /// The tax that the price contains: `0.09` or `9%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_rate: Option<String>,
    /// When tax falls due: `on_receipt`, `on_bill` or `on_service`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_point: Option<String>,
    /// `firm` or `owners`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payee: Option<String>,
    /// The category code on invoices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice_category: Option<String>,
    /// What being late costs per day; the lot's without it, nothing for `0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_per_day: Option<String>,
    /// Days after the due date that cost nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_grace_days: Option<u16>,
    /// The most of the principal that being late costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_cap: Option<String>,
}

/// A fee item with its prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FeeItemView {
    /// The item, with its latest price.
    #[serde(flatten)]
    pub item: FeeItemBody,
    /// Its prices, the earliest first.
    pub prices: Vec<PriceView>,
}

/// A price from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PriceView {
    /// The first day.
    pub from: NaiveDate,
    /// With tax.
    pub price: String,
    /// Who set it, and why.
    pub note: NoteView,
}

/// Another price from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPrice {
    /// The first day.
    pub from: NaiveDate,
    /// With tax, at most four decimals.
    #[schema(example = "320.00")]
    pub price: String,
}

/// How an item is shown.
pub(super) fn view(item: &FeeItem) -> FeeItemView {
    let mut rows = export_fee_items([item]);
    let latest = rows.pop().unwrap_or_default();
    let prices = item.price.changes().iter().map(|change| PriceView {
        from: change.from,
        price: change.value.normalize().to_string(),
        note: NoteView::from(&change.note),
    });
    FeeItemView { item: of_row(&rows[0], &latest), prices: prices.collect() }
}

impl PricesDesk {
    /// All fee items.
    pub fn fee_items(&self) -> Result<Vec<FeeItemView>, ChargingFault> {
        Ok(all::<FeeItem>(&self.parts.store.snapshot(), "")?.iter().map(view).collect())
    }

    /// A fee item.
    pub fn fee_item(&self, id: &str) -> Result<FeeItemView, ChargingFault> {
        Ok(view(&kept(&self.parts.store.snapshot(), id)?.record))
    }

    /// Makes a fee item. One that is as specific as another and meets it is refused, and both are named.
    pub async fn add_fee_item(&self, by: &By, body: &FeeItemBody) -> Result<FeeItemView, ChargingFault> {
        self.parts
            .carry_out(by, |records| {
                let (today, note) = (self.parts.today(), self.parts.note(by));
                let made = read_fee_items(&one_row(body), self.parts.policy(), today, &note).map_err(of_fields)?;
                let item = made.into_iter().next().ok_or_else(|| ChargingFault::unknown("fee item", &body.id))?;
                if records.get::<FeeItem>(item.id.as_str())?.is_some() {
                    return Err(ChargingFault::exists("fee item", &item.id));
                }
                self.write_item(by, records, None, &item)
            })
            .await
    }

    /// From a day on an item has another price. Bills that exist keep theirs.
    pub async fn set_price(&self, by: &By, id: &str, body: &NewPrice) -> Result<FeeItemView, ChargingFault> {
        let wrong = || ChargingFault::wrong("price", "请写数字，如 300.00", "write a number such as 300.00");
        let price = body.price.parse::<Decimal>().map_err(|_| wrong())?;
        self.parts
            .carry_out(by, |records| {
                let kept = kept(records, id)?;
                let mut item = kept.record.clone();
                item.price.set(body.from, price, self.parts.note(by));
                self.write_item(by, records, Some(&kept), &item)
            })
            .await
    }

    /// Takes a price back: from that day on it is what it was before. The opposite of [`PricesDesk::set_price`].
    pub async fn take_back_price(&self, by: &By, id: &str, from: NaiveDate) -> Result<FeeItemView, ChargingFault> {
        self.parts
            .carry_out(by, |records| {
                let kept = kept(records, id)?;
                let mut item = kept.record.clone();
                item.price.unset(from).map_err(ChargingFault::conflict)?;
                self.write_item(by, records, Some(&kept), &item)
            })
            .await
    }

    /// An item is no longer in force from a day on; `None`: for good again.
    pub async fn end_fee_item(
        &self,
        by: &By,
        id: &str,
        until: Option<NaiveDate>,
    ) -> Result<FeeItemView, ChargingFault> {
        self.parts
            .carry_out(by, |records| {
                let kept = kept(records, id)?;
                let item = FeeItem { until, ..kept.record.clone() };
                self.write_item(by, records, Some(&kept), &item)
            })
            .await
    }

    /// Writes an item, if the list with it is without fault. All changes of the list are one after the
    /// other, so that two items that are ambiguous together are not saved at once.
    fn write_item(
        &self,
        by: &By,
        records: &impl Records,
        before: Option<&Kept<FeeItem>>,
        item: &FeeItem,
    ) -> Result<Decided<FeeItemView>, ChargingFault> {
        let list: FeeList = fees(records)?;
        list.with(item.clone()).map_err(of_fees)?;
        let mut change = self.parts.change(ChangeKind::PricesChanged, by);
        change.rely_on(item.id.as_str(), before);
        change.put(item);
        let made = records.get::<tollhouse_core::record::Counter>(CHANGES)?;
        change.relied.push(tollhouse_core::record::Relied {
            table: Table::Counters,
            key: CHANGES.to_owned(),
            revision: made.map(|kept| kept.revision),
        });
        change.count(CHANGES, 1, None);
        Ok(Decided { change, outcome: view(item) })
    }
}

/// Counts changes of the price list.
pub(in crate::charging) const CHANGES: &str = "prices/changes";

fn kept(records: &impl Records, id: &str) -> Result<Kept<FeeItem>, ChargingFault> {
    records.get::<FeeItem>(id)?.ok_or_else(|| ChargingFault::unknown("fee item", id))
}
