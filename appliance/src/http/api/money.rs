//! How the resources of money write amounts, and read those that clerks send: shared by shifts, payments and books.

use serde::{Deserialize, Serialize};
use tollhouse_core::cash::{Count, Pieces};
use tollhouse_core::money::{Currency, Money};
use utoipa::ToSchema;

use super::Fields;

/// So many values of coins and notes there are at most.
const MOST_VALUES: usize = 40;

/// So many pieces of one value.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PiecesBody {
    /// What one is worth.
    #[schema(examples("100.00"))]
    value: String,
    /// How many.
    pieces: u32,
}

impl PiecesBody {
    pub(super) fn of(pieces: &[Pieces]) -> Vec<Self> {
        pieces.iter().map(|one| Self { value: one.value.amount(), pieces: one.pieces }).collect()
    }
}

/// What was counted: a sum, and its pieces where they were counted.
pub(super) fn count(
    fields: &mut Fields,
    (pointer, sum): (&str, &str),
    pieces: &[PiecesBody],
    currency: Currency,
) -> Option<Count> {
    if pieces.len() > MOST_VALUES {
        fields.fault("/pieces", format!("at most {MOST_VALUES} values of coins and notes"));
        return None;
    }
    let sum = fields.money(pointer, sum, currency);
    let mut read = vec![];
    for (place, one) in pieces.iter().enumerate() {
        let value = fields.money(&format!("/pieces/{place}/value"), &one.value, currency)?;
        read.push(Pieces { value, pieces: one.pieces });
    }
    Some(Count { sum: sum?, pieces: read })
}

/// An amount that has to be more than nothing.
pub(super) fn more_than_nothing(fields: &mut Fields, pointer: &str, text: &str, currency: Currency) -> Option<Money> {
    let money = fields.money(pointer, text, currency)?;
    if money.is_positive() {
        return Some(money);
    }
    fields.fault(pointer, "more than nothing is wanted");
    None
}
