//! `[books]`: the till's smallest coin, and when days are reconciled.

use chrono::NaiveTime;
use tollhouse_core::cash::Coin;
use tollhouse_core::money::{Currency, Money};

use super::reader::Document;

/// `[books]`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BooksConfig {
    /// The smallest coin that the till gives and takes.
    pub coin: Coin,
    /// At which of the lot's hours yesterday's statements are fetched. WeChat Pay has them from 10:00 on.
    pub reconcile_at: NaiveTime,
}

impl Default for BooksConfig {
    fn default() -> Self {
        let reconcile_at = NaiveTime::from_hms_opt(10, 30, 0).expect("half past ten is a time");
        Self { coin: Coin::default(), reconcile_at }
    }
}

/// Reads it; all of it may be left out.
pub(super) fn books(document: &mut Document<'_>, currency: Option<Currency>) -> BooksConfig {
    let mut section = document.section("books");
    let usual = BooksConfig::default();
    let coin = section.optional(document, "coin", |text| {
        let money = Money::parse(text, currency.unwrap_or(Currency::Cny)).ok();
        let coin = money.and_then(|money| Coin::new(money.minor()));
        coin.ok_or_else(|| format!("{text:?} is no coin; write the smallest one that the till gives, like \"0.10\""))
    });
    let reconcile_at = section.optional(document, "reconcile_at", |text| {
        NaiveTime::parse_from_str(text, "%H:%M")
            .map_err(|_| format!("{text:?} is no time of day; write it like \"10:30\""))
    });
    document.close(section, &["coin", "reconcile_at"]);
    BooksConfig {
        coin: coin.map_or(usual.coin, |at| at.value),
        reconcile_at: reconcile_at.map_or(usual.reconcile_at, |at| at.value),
    }
}
