//! Tables of every kind of record, as clerks exchange them: each row read with every fault of it, and written so that what
//! is written can be read back. The columns of a table are the fields of the call that makes one such record.
//!
//! A table is rows of texts, the first the header; it must not know whether it was a spreadsheet, a CSV file or a call.

mod bills;
mod cards;
mod cells;
mod fee_items;
mod holders;
mod merchants;
mod opening;
mod packages;
mod places;

pub use bills::{BillRow, bill_columns, export_bills, read_bills};
pub use cards::{CardRow, Held, MidTerm, card_columns, export_cards, read_cards, state_by_word, state_word};
pub use fee_items::{export_fee_items, fee_item_columns, read_fee_items};
pub use holders::{export_holders, export_vehicles, holder_columns, read_holders, read_vehicles, vehicle_columns};
pub use merchants::{
    BatchRow, export_coupons, export_free_list, export_merchants, read_coupons, read_free_list, read_merchants,
};
pub use opening::{
    BalanceRow, DepositRow, InsideRow, balance_columns, deposit_columns, export_balances, inside_columns,
    read_balances, read_deposits, read_inside,
};
pub use packages::{export_packages, package_columns, read_packages};
pub use places::{export_pools, export_uses, pool_columns, read_pools, read_uses, use_columns};

use super::table::{Column, Need};

/// What is read as a table of its own.
pub type Rows = Vec<Vec<String>>;

const fn must(name: &'static str, chinese: &'static str) -> Column {
    Column { name, chinese, need: Need::Must }
}

const fn may(name: &'static str, chinese: &'static str) -> Column {
    Column { name, chinese, need: Need::May }
}

/// The column names of a table, as an export writes them.
fn names(columns: &[Column]) -> Vec<String> {
    columns.iter().map(|column| column.name.to_owned()).collect()
}
