//! The option `tollhouse.whitelist/1` of a loaded driver, if it has it.
//!
//! It owns the way from the option's id to a checked table, and from a command's args to the option's part. It must not know lists of plates.
#![allow(unsafe_code)]

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tollhouse_abi::{DriverTable, Text, WHITELIST, WHITELIST_TABLE_SIZE, WhitelistTable};

/// The option's table; none when the driver does not offer it, or offers one that is too short. On the control thread.
pub(super) fn of(driver: &DriverTable) -> Option<WhitelistTable> {
    let extension = driver.extension?;
    // SAFETY: the table was checked, the text is static.
    let table = unsafe { extension(Text::of(WHITELIST)) }.cast::<WhitelistTable>();
    if table.is_null() || !table.is_aligned() {
        return None;
    }
    // SAFETY: the id says what the table is, and its first field how far it reaches.
    let struct_size = unsafe { table.cast::<u32>().read() };
    // SAFETY: as above.
    (struct_size >= WHITELIST_TABLE_SIZE).then(|| unsafe { table.read() })
}

/// `{"device","args":{"revision",...}}` of a command as the option's `{"device","revision",...}`.
pub(super) fn part(args: &RawValue) -> Option<String> {
    let mut given: Map<String, Value> = serde_json::from_str(args.get()).ok()?;
    let Some(Value::Object(mut part)) = given.remove("args") else { return None };
    part.insert("device".to_owned(), given.remove("device")?);
    Some(Value::Object(part).to_string())
}
