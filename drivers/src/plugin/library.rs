//! The library in the child: opened from the sealed copy, its table and descriptor checked before they are believed.
//!
//! It must not call the driver's functions.
#![allow(unsafe_code)]

use std::fs::File;
use std::os::fd::AsRawFd;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use serde_json::value::RawValue;
use tollhouse_abi::{ABI_MAJOR, DRIVER_TABLE_SIZE, DriverTable, SYMBOL};

const MAX_DESCRIPTOR_BYTES: u64 = tollhouse_abi::MAX_JSON_BYTES as u64;

/// A driver in this process; never unloaded.
pub(super) struct Driver {
    /// A copy of its table, all functions present.
    pub(super) table: DriverTable,
    /// Its descriptor's JSON, whatever it says.
    pub(super) descriptor: Box<RawValue>,
}

/// Opens the sealed copy; `shown` is the file's name for people. In words, why it is no driver.
pub(super) fn load(sealed: &File, shown: &str) -> Result<Driver, String> {
    let from = format!("/proc/self/fd/{}", sealed.as_raw_fd());
    // SAFETY: this runs the library's constructors, which is what a driver is for; the process exists for nothing else.
    let library = unsafe { Library::open(Some(&from), RTLD_NOW | RTLD_LOCAL) }
        .map_err(|fault| format!("it does not load: {}", fault.to_string().replace(&from, shown)))?;
    // SAFETY: only the address is taken here; what it leads to is checked below before it is believed.
    let table = unsafe { library.get::<*const DriverTable>(SYMBOL) }
        .map(|symbol| *symbol)
        .map_err(|_| format!("it does not export {SYMBOL}"))?;
    let table = checked(table)?;
    let descriptor = descriptor(&table)?;
    // Never closed: threads or thread-local destructors of a driver may outlive every call into it.
    std::mem::forget(library);
    Ok(Driver { table, descriptor })
}

fn checked(table: *const DriverTable) -> Result<DriverTable, String> {
    if table.is_null() || !table.is_aligned() {
        return Err(format!("{SYMBOL} is no table"));
    }
    // SAFETY: every table of every version begins with three u32; nothing beyond them is read before the size is known.
    let [struct_size, major, _minor] = unsafe { table.cast::<[u32; 3]>().read() };
    if major != ABI_MAJOR {
        return Err(format!("it is built for version {major} of the driver ABI, this box has {ABI_MAJOR}"));
    }
    if struct_size < DRIVER_TABLE_SIZE {
        return Err(format!("its table has {struct_size} bytes, version {ABI_MAJOR} has {DRIVER_TABLE_SIZE}"));
    }
    // SAFETY: the driver says that its table reaches at least so far.
    let table = unsafe { table.read() };
    let present = [
        ("create", table.create.is_some()),
        ("start", table.start.is_some()),
        ("command", table.command.is_some()),
        ("stop", table.stop.is_some()),
        ("destroy", table.destroy.is_some()),
    ];
    match present.iter().find(|(_, present)| !present) {
        Some((name, _)) => Err(format!("its function {name} is missing")),
        None => Ok(table),
    }
}

fn descriptor(table: &DriverTable) -> Result<Box<RawValue>, String> {
    let text = table.descriptor_json;
    if text.data.is_null() || text.length == 0 || text.length > MAX_DESCRIPTOR_BYTES {
        return Err(format!("its descriptor has {} bytes", text.length));
    }
    let length = usize::try_from(text.length).unwrap_or_default();
    // SAFETY: the header demands a static text of that length; a lie crashes this process and no other.
    let bytes = unsafe { std::slice::from_raw_parts(text.data, length) };
    let text = std::str::from_utf8(bytes).map_err(|_| "its descriptor is not UTF-8".to_owned())?;
    serde_json::from_str(text).map_err(|fault| format!("its descriptor is no JSON: {fault}"))
}
