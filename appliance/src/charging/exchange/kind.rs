//! The kinds of tables. It must not know what is in them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A kind of table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Uses of spaces.
    Uses,
    /// Numbered spaces.
    Spaces,
    /// Pools.
    Pools,
    /// Fee items.
    FeeItems,
    /// Packages.
    Packages,
    /// Holders.
    Holders,
    /// Registered vehicles.
    Vehicles,
    /// Cards.
    Cards,
    /// Bills of cards; rows without a record are debts from elsewhere.
    Bills,
    /// Deposits that are held from elsewhere.
    Deposits,
    /// What holders have to their credit from elsewhere.
    Balances,
    /// Cars that are inside.
    Inside,
    /// Merchants.
    Merchants,
    /// Batches of their coupons.
    Coupons,
    /// Cars on the free list.
    FreeList,
    /// Versions of tariffs.
    Tariffs,
    /// The journal.
    Journal,
    /// Everything but tariffs and journal: a workbook, or a folder.
    Estate,
}

impl Kind {
    /// The tables of a whole estate, in the order in which they need each other.
    pub const OF_ESTATE: [Kind; 15] = [
        Kind::Uses,
        Kind::Spaces,
        Kind::Pools,
        Kind::FeeItems,
        Kind::Packages,
        Kind::Holders,
        Kind::Vehicles,
        Kind::Cards,
        Kind::Bills,
        Kind::Deposits,
        Kind::Balances,
        Kind::Inside,
        Kind::Merchants,
        Kind::Coupons,
        Kind::FreeList,
    ];

    const ALL: [(Kind, &'static str, &'static str); 18] = [
        (Kind::Uses, "uses", "用途"),
        (Kind::Spaces, "spaces", "车位"),
        (Kind::Pools, "pools", "车位池"),
        (Kind::FeeItems, "fee-items", "费用项目"),
        (Kind::Packages, "packages", "套餐"),
        (Kind::Holders, "holders", "用户"),
        (Kind::Vehicles, "vehicles", "车辆"),
        (Kind::Cards, "cards", "停车卡"),
        (Kind::Bills, "bills", "账单"),
        (Kind::Deposits, "deposits", "押金"),
        (Kind::Balances, "balances", "余额"),
        (Kind::Inside, "inside", "在场车辆"),
        (Kind::Merchants, "merchants", "商户"),
        (Kind::Coupons, "coupons", "优惠券"),
        (Kind::FreeList, "free-list", "免费名单"),
        (Kind::Tariffs, "tariffs", "计费规则"),
        (Kind::Journal, "journal", "日志"),
        (Kind::Estate, "estate", "小区"),
    ];

    /// As commands and sheets name it.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _, _)| *kind == self).map_or("", |(_, name, _)| name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = text.trim().to_ascii_lowercase().replace([' ', '_'], "-");
        let found = Self::ALL.iter().find(|(_, name, chinese)| *name == wanted || *chinese == text.trim());
        found.map(|(kind, _, _)| *kind).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|(_, name, _)| *name).collect();
            format!("{text:?} is no kind of table; the kinds are {}", names.join(", "))
        })
    }
}
