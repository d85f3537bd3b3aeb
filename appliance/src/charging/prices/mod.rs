//! The desk of fee items, packages and recommendations. It must not know cards' bills.

mod fee_items;
mod packages;
mod pricer;
mod recommend;

use tollhouse_core::charging::fees::{FeeFault, FeeItem, FeeList};
use tollhouse_core::record::Records;
use tollhouse_core::words::Words;

pub use fee_items::{FeeItemBody, FeeItemView, NewPrice, PriceView};
pub use packages::{PackageBody, PackageView, SaleEnd};
pub use recommend::{AskedPlace, CandidateView, RecommendationView, ReplayView, WantedRecommendation};

pub(in crate::charging) use fee_items::CHANGES;
pub(in crate::charging) use recommend::{kind_of, sold_places};

use super::fault::{ChargingFault, Finding};
use super::parts::ChargingParts;
use super::reading::all;

/// The desk.
#[derive(Clone)]
pub struct PricesDesk {
    parts: ChargingParts,
}

impl PricesDesk {
    /// Over the box's parts.
    pub fn new(parts: ChargingParts) -> Self {
        Self { parts }
    }

    /// What it works with.
    pub fn parts(&self) -> &ChargingParts {
        &self.parts
    }
}

/// The price list.
pub fn fees(records: &impl Records) -> Result<FeeList, ChargingFault> {
    let items: Vec<FeeItem> = all(records, "")?;
    FeeList::new(items).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        ChargingFault::Broken(format!("the price list on record is not in order: {}", faults.join("; ")))
    })
}

/// What is wrong with a price list, told by item.
pub fn of_fees(faults: Vec<FeeFault>) -> ChargingFault {
    let finding = |fault: FeeFault| {
        let en = fault.to_string();
        let (field, zh) = match fault {
            FeeFault::Ambiguous { one, selector, other, other_selector } => (
                "selector".to_owned(),
                format!(
                    "{one}（{selector}）与 {other}（{other_selector}）同样具体且同时适用：请再限定一项，或停用其一"
                ),
            ),
            FeeFault::Twice(id) => ("id".to_owned(), format!("费用项目 {id} 出现两次")),
            FeeFault::Invalid { item, why: _ } => (item.to_string(), "此费用项目的内容不合理".to_owned()),
        };
        Finding::of(&field, &Words::new(zh, en))
    };
    ChargingFault::Wrong(faults.into_iter().map(finding).collect())
}
