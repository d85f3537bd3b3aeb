//! What a call hands in, as a table of one row: its fields are the columns of the import, so that both are read by the same
//! code and every fault of it is told at once.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tollhouse_core::charging::table::RowFault;
use tollhouse_core::charging::tables::Rows;

use super::fault::{ChargingFault, Finding};

/// The fields of a body as header and row. Lists are joined by `;`.
pub fn one_row(body: &impl Serialize) -> Rows {
    let Ok(Value::Object(fields)) = serde_json::to_value(body) else { return vec![] };
    let filled = fields.into_iter().filter_map(|(name, value)| cell(value).map(|cell| (name, cell)));
    let (header, row): (Vec<String>, Vec<String>) = filled.unzip();
    vec![header, row]
}

fn cell(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        Value::Array(list) => Some(list.into_iter().filter_map(cell).collect::<Vec<_>>().join("; ")),
        other => Some(other.to_string()),
    }
}

/// Columns that are numbers in a call.
const NUMBERS: [&str; 3] = ["lead_days", "due_days", "late_grace_days"];

/// A row as a call shows it: its filled cells as fields. The inverse of [`one_row`].
pub(super) fn of_row<T: DeserializeOwned>(header: &[String], row: &[String]) -> T {
    let filled = header.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
    let value = |name: &str, cell: &str| match cell.parse::<u64>() {
        Ok(number) if NUMBERS.contains(&name) => Value::from(number),
        _ => Value::from(cell),
    };
    let fields = filled.map(|(name, cell)| (name.clone(), value(name, cell))).collect();
    serde_json::from_value(Value::Object(fields)).expect("the columns of a table are the fields of its call")
}

/// The faults of a row as those of fields.
pub fn of_fields(faults: Vec<RowFault>) -> ChargingFault {
    ChargingFault::Wrong(faults.into_iter().map(|fault| Finding::of(&fault.column, &fault.text)).collect())
}

/// The faults of a table.
pub fn of_rows(faults: Vec<RowFault>) -> ChargingFault {
    ChargingFault::Wrong(faults.into_iter().map(Finding::from).collect())
}
