//! The C ABI between the box and a vendor's driver, major 1, as Rust sees it.
//!
//! `tollhouse_driver.h` beside this crate is the contract, with the thread, lifetime and error rules of every function;
//! this module mirrors its layout and nothing else. The layout is asserted here at compile time, and against a C
//! compiler's view in `tests/layout.rs`. It must not know the host, the SDK, or any other crate.

use std::ffi::c_void;
use std::mem::{offset_of, size_of};

/// Major version: another one is another symbol.
pub const ABI_MAJOR: u32 = 1;
/// Minor version: fields appended since the major began.
pub const ABI_MINOR: u32 = 0;
/// The exported symbol, the driver's table itself.
pub const SYMBOL: &str = "tollhouse_driver_v1";
/// `struct_size` of a [`DriverTable`] of this minor version.
pub const DRIVER_TABLE_SIZE: u32 = 80;
/// `struct_size` of a [`HostTable`] of this minor version.
pub const HOST_TABLE_SIZE: u32 = 64;
/// The longest JSON text that crosses the ABI.
pub const MAX_JSON_BYTES: usize = 63 * 1024;
/// The largest picture.
pub const MAX_PICTURE_BYTES: usize = 2 * 1024 * 1024;
/// The longest line of the log; the rest is cut off.
pub const MAX_LOG_BYTES: usize = 2 * 1024;
/// The longest id, of ASCII characters.
pub const MAX_ID_BYTES: usize = 64;
/// The id of the option behind [`WhitelistTable`].
pub const WHITELIST: &str = "tollhouse.whitelist/1";
/// `struct_size` of a [`WhitelistTable`].
pub const WHITELIST_TABLE_SIZE: u32 = 24;
/// The most plates in one part of a whitelist.
pub const WHITELIST_MAX_PLATES: usize = 200;

/// UTF-8, borrowed for the call; not NUL-terminated.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Text {
    /// May be null when `length` is 0.
    pub data: *const u8,
    /// In bytes.
    pub length: u64,
}

/// Bytes, borrowed for the call.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Bytes {
    /// May be null when `length` is 0.
    pub data: *const u8,
    /// In bytes.
    pub length: u64,
}

impl Text {
    /// Lends a text to the other side.
    pub const fn of(text: &str) -> Self {
        Self { data: text.as_ptr(), length: text.len() as u64 }
    }
}

impl Bytes {
    /// Lends bytes to the other side.
    pub const fn of(bytes: &[u8]) -> Self {
        Self { data: bytes.as_ptr(), length: bytes.len() as u64 }
    }
}

/// What the host offers a driver: `tollhouse_host`.
#[repr(C)]
pub struct HostTable {
    /// `size_of::<HostTable>()` of the host that made it.
    pub struct_size: u32,
    /// [`ABI_MAJOR`].
    pub abi_major: u32,
    /// [`ABI_MINOR`] of the host.
    pub abi_minor: u32,
    /// 0.
    pub reserved: u32,
    /// The host's own.
    pub context: *const c_void,
    /// A line for the box's log.
    pub log: Option<unsafe extern "C" fn(host: *const HostTable, level: i32, message: Text)>,
    /// Something happened at a device.
    pub emit: Option<unsafe extern "C" fn(host: *const HostTable, event_json: Text, picture: Bytes) -> i32>,
    /// The outcome of a command, exactly once.
    pub complete: Option<unsafe extern "C" fn(host: *const HostTable, cmd_id: Text, status: i32, json: Text) -> i32>,
    /// Milliseconds on a clock that never jumps.
    pub now_ms: Option<unsafe extern "C" fn(host: *const HostTable) -> u64>,
    /// An option of the host, or null.
    pub extension: Option<unsafe extern "C" fn(host: *const HostTable, id: Text) -> *const c_void>,
}

/// What a driver offers the host: `tollhouse_driver`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct DriverTable {
    /// `size_of::<DriverTable>()` of the driver that was built.
    pub struct_size: u32,
    /// [`ABI_MAJOR`].
    pub abi_major: u32,
    /// [`ABI_MINOR`] that the driver was built against.
    pub abi_minor: u32,
    /// 0.
    pub reserved: u32,
    /// Who the driver is and what it can do.
    pub descriptor_json: Text,
    /// Makes an instance.
    pub create: Option<unsafe extern "C" fn(host: *const HostTable, config: Text, instance: *mut *mut c_void) -> i32>,
    /// Connects to the devices.
    pub start: Option<unsafe extern "C" fn(instance: *mut c_void) -> i32>,
    /// A command to one device.
    pub command: Option<
        unsafe extern "C" fn(instance: *mut c_void, cmd_id: Text, deadline_ms: u64, name: Text, args: Text) -> i32,
    >,
    /// Ends what start began.
    pub stop: Option<unsafe extern "C" fn(instance: *mut c_void) -> i32>,
    /// Frees the instance.
    pub destroy: Option<unsafe extern "C" fn(instance: *mut c_void)>,
    /// A static table of an option, or null.
    pub extension: Option<unsafe extern "C" fn(id: Text) -> *const c_void>,
}

/// The option [`WHITELIST`]: `tollhouse_whitelist`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct WhitelistTable {
    /// `size_of::<WhitelistTable>()` of the driver that was built.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// A part of a device's new list; completed as a command is.
    pub replace: Option<unsafe extern "C" fn(instance: *mut c_void, cmd_id: Text, deadline_ms: u64, part: Text) -> i32>,
    /// How many plates a device holds; 0 when that is not known.
    pub capacity: Option<unsafe extern "C" fn(instance: *mut c_void, device: Text) -> u64>,
}

// SAFETY: a driver's table is immutable and static; its pointers lead to code and to constant text only.
#[allow(unsafe_code)]
unsafe impl Sync for DriverTable {}

/// What every result of the ABI means; the numbers are the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum Status {
    /// Done, or taken.
    Ok = 0,
    /// An argument, the configuration or the JSON is wrong.
    Invalid = 1,
    /// This driver or device cannot do it.
    Unsupported = 2,
    /// Not now: try again.
    Busy = 3,
    /// The device does not answer.
    Offline = 4,
    /// The deadline passed.
    Timeout = 5,
    /// The device said no.
    Rejected = 6,
    /// A fault of the driver itself.
    Internal = 7,
}

impl Status {
    /// The number that crosses the ABI.
    pub const fn code(self) -> i32 {
        self as i32
    }

    /// Reads a number from the other side; one that the contract does not know is a fault of the driver.
    pub const fn from_code(code: i32) -> Self {
        match code {
            0 => Self::Ok,
            1 => Self::Invalid,
            2 => Self::Unsupported,
            3 => Self::Busy,
            4 => Self::Offline,
            5 => Self::Timeout,
            6 => Self::Rejected,
            _ => Self::Internal,
        }
    }

    /// For people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Ok => "done",
            Self::Invalid => "invalid argument or configuration",
            Self::Unsupported => "not supported by this driver",
            Self::Busy => "busy",
            Self::Offline => "the device does not answer",
            Self::Timeout => "the deadline passed",
            Self::Rejected => "refused by the device",
            Self::Internal => "a fault of the driver",
        }
    }
}

/// Levels of the host's `log`; the numbers are the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum LogLevel {
    /// Something does not work.
    Error = 1,
    /// Something may soon not work.
    Warn = 2,
    /// Worth a line.
    Info = 3,
    /// For who looks for a fault.
    Debug = 4,
}

impl LogLevel {
    /// The number that crosses the ABI.
    pub const fn code(self) -> i32 {
        self as i32
    }

    /// Reads a number from the other side; an unknown one is for who looks for a fault.
    pub const fn from_code(code: i32) -> Self {
        match code {
            1 => Self::Error,
            2 => Self::Warn,
            3 => Self::Info,
            _ => Self::Debug,
        }
    }
}

// The layout on every 64-bit target; the box runs on no other.
const _: () = {
    assert!(size_of::<Text>() == 16 && offset_of!(Text, length) == 8);
    assert!(size_of::<Bytes>() == 16 && offset_of!(Bytes, length) == 8);
    assert!(size_of::<HostTable>() == HOST_TABLE_SIZE as usize);
    assert!(offset_of!(HostTable, context) == 16 && offset_of!(HostTable, log) == 24);
    assert!(offset_of!(HostTable, emit) == 32 && offset_of!(HostTable, complete) == 40);
    assert!(offset_of!(HostTable, now_ms) == 48 && offset_of!(HostTable, extension) == 56);
    assert!(size_of::<DriverTable>() == DRIVER_TABLE_SIZE as usize);
    assert!(offset_of!(DriverTable, descriptor_json) == 16 && offset_of!(DriverTable, create) == 32);
    assert!(offset_of!(DriverTable, start) == 40 && offset_of!(DriverTable, command) == 48);
    assert!(offset_of!(DriverTable, stop) == 56 && offset_of!(DriverTable, destroy) == 64);
    assert!(offset_of!(DriverTable, extension) == 72);
    assert!(size_of::<WhitelistTable>() == WHITELIST_TABLE_SIZE as usize);
    assert!(offset_of!(WhitelistTable, replace) == 8 && offset_of!(WhitelistTable, capacity) == 16);
};
