//! The option `tollhouse.whitelist/1`: a device that opens by itself, from a list of its own, while the box is away.
//!
//! It owns the option's table and the reading of a list's parts. It must not know where a device keeps its list.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr;

use serde::Deserialize;
use tollhouse_abi::{DriverTable, Status, Text, WHITELIST, WHITELIST_TABLE_SIZE, WhitelistTable};

use crate::boundary::{copied, guarded, instance_of, table_with};
use crate::{Driver, Pending};

/// A plate that a device lets in by itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WhitelistPlate {
    /// As the box writes it: `粤C12345`.
    pub plate: String,
    /// From when on, RFC 3339; always, when it is missing.
    pub from: Option<String>,
    /// Until when, RFC 3339; for ever, when it is missing.
    pub until: Option<String>,
}

/// A part of a device's new list. Parts come in order, each after the one before was completed; a part 1 begins anew.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WhitelistPart {
    /// Whose list it is.
    pub device: String,
    /// Which list; all parts of one have the same.
    pub revision: String,
    /// From 1.
    pub part: u32,
    /// How many there are. With the last one the list is whole, and what is in none of them is taken off.
    pub parts: u32,
    /// At most [`tollhouse_abi::WHITELIST_MAX_PLATES`].
    pub plates: Vec<WhitelistPlate>,
}

/// A driver whose devices keep a list of plates: `export_driver!(MyDriver, whitelist)`, and
/// `"options":["tollhouse.whitelist/1"]` in the descriptor.
pub trait Whitelist: Driver {
    /// Takes a part; completed as a command is, as confirmed when the device holds it. Returns within 50 ms.
    fn replace(&mut self, part: WhitelistPart, pending: Pending);

    /// How many plates a device holds, without I/O; `None` when that is not known, or the device is not.
    fn capacity(&self, device: &str) -> Option<u64>;
}

/// The table of a driver with a whitelist.
pub const fn table<D: Whitelist>() -> DriverTable {
    table_with::<D>(option::<D>)
}

/// Where a static of the option's table can stand for each driver.
struct Table<D>(D);

impl<D: Whitelist> Table<D> {
    const TABLE: &'static WhitelistTable = &WhitelistTable {
        struct_size: WHITELIST_TABLE_SIZE,
        reserved: 0,
        replace: Some(replace::<D>),
        capacity: Some(capacity::<D>),
    };
}

/// # Safety
/// As the header says of `extension`.
unsafe extern "C" fn option<D: Whitelist>(id: Text) -> *const c_void {
    // SAFETY: the header promises a readable text for the call.
    let id = unsafe { copied(id) };
    if id.as_deref() == Some(WHITELIST) { ptr::from_ref(Table::<D>::TABLE).cast() } else { ptr::null() }
}

/// # Safety
/// As the header says of `replace`.
unsafe extern "C" fn replace<D: Whitelist>(instance: *mut c_void, cmd_id: Text, _deadline_ms: u64, part: Text) -> i32 {
    // SAFETY: the header promises an instance of ours, on the control thread.
    let Some(instance) = (unsafe { instance_of::<D>(instance) }) else { return Status::Invalid.code() };
    // SAFETY: the header promises readable texts for the call.
    let (Some(cmd_id), Some(part)) = (unsafe { (copied(cmd_id), copied(part)) }) else {
        return Status::Invalid.code();
    };
    let Ok(part) = serde_json::from_str::<WhitelistPart>(&part) else { return Status::Invalid.code() };
    let pending = Pending::new(instance.host, cmd_id);
    guarded(Some(instance.host), "whitelist.replace", || {
        instance.driver.replace(part, pending);
        Status::Ok
    });
    Status::Ok.code()
}

/// # Safety
/// As the header says of `capacity`.
unsafe extern "C" fn capacity<D: Whitelist>(instance: *mut c_void, device: Text) -> u64 {
    // SAFETY: the header promises an instance of ours, on the control thread, and a readable text.
    let (Some(instance), Some(device)) = (unsafe { (instance_of::<D>(instance), copied(device)) }) else { return 0 };
    let mut capacity = 0;
    guarded(Some(instance.host), "whitelist.capacity", || {
        capacity = instance.driver.capacity(&device).unwrap_or(0);
        Status::Ok
    });
    capacity
}
