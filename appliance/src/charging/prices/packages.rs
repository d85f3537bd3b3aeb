//! Packages: new ones, and when they go off sale. What was sold stays as it was sold.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use tollhouse_core::charging::packages::Package;
use tollhouse_core::charging::tables::{export_packages, read_packages};
use tollhouse_core::record::{By, ChangeKind, Records};
use utoipa::ToSchema;

use super::PricesDesk;
use crate::charging::fault::ChargingFault;
use crate::charging::form::{of_fields, of_row, one_row};
use crate::charging::parts::Decided;
use crate::charging::reading::all;

/// A package: the columns of the import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PackageBody {
    /// Its id.
    #[schema(example = "quarter")]
    pub id: String,
    /// Its Chinese name.
    pub name_zh: String,
    /// Its English name.
    pub name_en: String,
    /// How long one term is: `month`, `quarter`, `half_year`, `year` or `90 days`.
    pub length: String,
    /// For which classes, parted by `;`: location/tenure/use/grade, each of them or `any`.
    #[schema(example = "underground/rented/any/any")]
    pub classes: String,
    /// For which vehicles, parted by `;`: `small`, `large`, `new_energy`; for all without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vehicles: Option<String>,
    /// The charges that it bundles, parted by `;`.
    pub bundles: String,
    /// What it costs: `fixed 750`, `off 15%`, `12 for 11`, or `tiers 1: fixed 300; 3: off 10%`.
    #[schema(example = "fixed 750")]
    pub rule: String,
    /// The first day on which it is on sale; today without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_sale_from: Option<NaiveDate>,
    /// The first day on which it is no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_sale_until: Option<NaiveDate>,
    /// Days from the sale to the due date; the lot's without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_days: Option<u16>,
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

/// A package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PackageView {
    /// As it was written.
    #[serde(flatten)]
    pub package: PackageBody,
    /// Whether it can be bought today.
    pub on_sale: bool,
}

/// When a package goes off sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SaleEnd {
    /// The first day on which it is no longer on sale; null: it stays on sale.
    pub on_sale_until: Option<NaiveDate>,
}

impl PricesDesk {
    fn package_view(&self, package: &Package) -> PackageView {
        let rows = export_packages([package]);
        PackageView { package: of_row(&rows[0], &rows[1]), on_sale: package.is_on_sale(self.parts.today()) }
    }

    /// All packages.
    pub fn packages(&self) -> Result<Vec<PackageView>, ChargingFault> {
        let packages: Vec<Package> = all(&self.parts.store.snapshot(), "")?;
        Ok(packages.iter().map(|package| self.package_view(package)).collect())
    }

    /// A package.
    pub fn package(&self, id: &str) -> Result<PackageView, ChargingFault> {
        let kept = self.parts.store.snapshot().get::<Package>(id)?;
        let kept = kept.ok_or_else(|| ChargingFault::unknown("package", id))?;
        Ok(self.package_view(&kept.record))
    }

    /// Makes a package.
    pub async fn add_package(&self, by: &By, body: &PackageBody) -> Result<PackageView, ChargingFault> {
        self.parts
            .carry_out(by, |records| {
                let made = read_packages(&one_row(body), self.parts.policy(), self.parts.today()).map_err(of_fields)?;
                let package = made.into_iter().next().ok_or_else(|| ChargingFault::unknown("package", &body.id))?;
                if records.get::<Package>(package.id.as_str())?.is_some() {
                    return Err(ChargingFault::exists("package", &package.id));
                }
                let mut change = self.parts.change(ChangeKind::PricesChanged, by);
                change.rely_on::<Package>(package.id.as_str(), None);
                change.put(&package);
                Ok(Decided { change, outcome: self.package_view(&package) })
            })
            .await
    }

    /// A package goes off sale on a day, or stays on sale.
    pub async fn end_sale(&self, by: &By, id: &str, end: &SaleEnd) -> Result<PackageView, ChargingFault> {
        self.parts
            .carry_out(by, |records| {
                let kept = records.get::<Package>(id)?.ok_or_else(|| ChargingFault::unknown("package", id))?;
                let package = Package { on_sale_until: end.on_sale_until, ..kept.record.clone() };
                if let Some(why) = package.faults().first() {
                    return Err(ChargingFault::wrong("on_sale_until", "停售日期应晚于开售日期", why.to_string()));
                }
                let mut change = self.parts.change(ChangeKind::PricesChanged, by);
                change.rely_on(id, Some(&kept));
                change.put(&package);
                Ok(Decided { change, outcome: self.package_view(&package) })
            })
            .await
    }
}
