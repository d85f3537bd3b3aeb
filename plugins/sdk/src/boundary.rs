//! The functions behind the exported table: raw on the outside, safe on the inside, no panic across.
//!
//! It owns the conversion of texts and the instance's box, and must not know any one driver.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Deserialize;
use tollhouse_abi::{ABI_MAJOR, ABI_MINOR, DriverTable, HostTable, LogLevel, Status, Text};

use crate::{Command, Driver, Host, Pending, Refusal};

/// Finds an option's static table by its id.
pub(crate) type Options = unsafe extern "C" fn(id: Text) -> *const c_void;

/// The table of a driver without options.
pub const fn table<D: Driver>() -> DriverTable {
    table_with::<D>(no_options)
}

/// The table of a driver whose options are found by `options`.
pub(crate) const fn table_with<D: Driver>(options: Options) -> DriverTable {
    DriverTable {
        struct_size: tollhouse_abi::DRIVER_TABLE_SIZE,
        abi_major: ABI_MAJOR,
        abi_minor: ABI_MINOR,
        reserved: 0,
        descriptor_json: Text::of(D::DESCRIPTOR),
        create: Some(create::<D>),
        start: Some(start::<D>),
        command: Some(command::<D>),
        stop: Some(stop::<D>),
        destroy: Some(destroy::<D>),
        extension: Some(options),
    }
}

pub(crate) struct Instance<D> {
    pub(crate) driver: D,
    pub(crate) host: Host,
}

#[derive(Deserialize)]
struct Wrapped {
    device: String,
    #[serde(default)]
    args: serde_json::Value,
}

/// Copies a borrowed text; `None` when it is no UTF-8.
///
/// # Safety
/// `text` points to `length` readable bytes, or its length is 0.
pub(crate) unsafe fn copied(text: Text) -> Option<String> {
    if text.length == 0 {
        return Some(String::new());
    }
    let length = usize::try_from(text.length).ok().filter(|_| !text.data.is_null())?;
    // SAFETY: promised by the caller.
    let bytes = unsafe { std::slice::from_raw_parts(text.data, length) };
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

pub(crate) fn guarded(host: Option<Host>, what: &str, body: impl FnOnce() -> Status) -> i32 {
    let status = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        let words = panic
            .downcast_ref::<&str>()
            .map(|words| (*words).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        // A panic's payload may panic when dropped.
        std::mem::forget(panic);
        if let Some(host) = host {
            host.log(LogLevel::Error, &format!("the driver panicked in {what}: {words}"));
        }
        Status::Internal
    });
    status.code()
}

fn refused(host: Host, what: &str, refusal: &Refusal) -> Status {
    host.log(LogLevel::Error, &format!("{what}: {}", refusal.reason));
    refusal.status
}

/// # Safety
/// As the header says of `create`.
unsafe extern "C" fn create<D: Driver>(host: *const HostTable, config: Text, instance: *mut *mut c_void) -> i32 {
    // SAFETY: the header promises a valid table until the process ends.
    let Some(host) = (unsafe { Host::new(host) }) else { return Status::Unsupported.code() };
    guarded(Some(host), "create", || {
        // SAFETY: the header promises a readable text for the call.
        let Some(config) = (unsafe { copied(config) }) else { return Status::Invalid };
        let config = match serde_json::from_str(&config) {
            Ok(config) => config,
            Err(fault) => {
                let refusal = Refusal::new(Status::Invalid, format!("the configuration does not fit: {fault}"));
                return refused(host, "create", &refusal);
            }
        };
        match D::create(host, config) {
            Ok(driver) => {
                let made = Box::into_raw(Box::new(Instance { driver, host }));
                // SAFETY: the header promises a writable place for the instance.
                unsafe { instance.write(made.cast()) };
                Status::Ok
            }
            Err(refusal) => refused(host, "create", &refusal),
        }
    })
}

/// The instance behind the host's pointer.
///
/// # Safety
/// `instance` came from `create::<D>`, was not destroyed, and no other call is in it: the header's [control] thread.
pub(crate) unsafe fn instance_of<'a, D: Driver>(instance: *mut c_void) -> Option<&'a mut Instance<D>> {
    // SAFETY: promised by the caller.
    unsafe { instance.cast::<Instance<D>>().as_mut() }
}

/// # Safety
/// As the header says of `start`.
unsafe extern "C" fn start<D: Driver>(instance: *mut c_void) -> i32 {
    // SAFETY: the header promises an instance of ours, on the control thread.
    let Some(instance) = (unsafe { instance_of::<D>(instance) }) else { return Status::Invalid.code() };
    let host = instance.host;
    guarded(Some(host), "start", || match instance.driver.start() {
        Ok(()) => Status::Ok,
        Err(refusal) => refused(host, "start", &refusal),
    })
}

/// # Safety
/// As the header says of `command`.
unsafe extern "C" fn command<D: Driver>(
    instance: *mut c_void,
    cmd_id: Text,
    deadline_ms: u64,
    name: Text,
    args: Text,
) -> i32 {
    // SAFETY: the header promises an instance of ours, on the control thread.
    let Some(instance) = (unsafe { instance_of::<D>(instance) }) else { return Status::Invalid.code() };
    // SAFETY: the header promises readable texts for the call.
    let texts = unsafe { (copied(cmd_id), copied(name), copied(args)) };
    let (Some(cmd_id), Some(name), Some(args)) = texts else { return Status::Invalid.code() };
    let Ok(Wrapped { device, args }) = serde_json::from_str(&args) else { return Status::Invalid.code() };
    // Once the driver has the token the command counts as taken: a panic drops it, and that is its one completion.
    let pending = Pending::new(instance.host, cmd_id);
    guarded(Some(instance.host), "command", || {
        instance.driver.command(Command { device, name, args, deadline_ms }, pending);
        Status::Ok
    });
    Status::Ok.code()
}

/// # Safety
/// As the header says of `stop`.
unsafe extern "C" fn stop<D: Driver>(instance: *mut c_void) -> i32 {
    // SAFETY: the header promises an instance of ours, on the control thread.
    let Some(instance) = (unsafe { instance_of::<D>(instance) }) else { return Status::Invalid.code() };
    guarded(Some(instance.host), "stop", || {
        instance.driver.stop();
        Status::Ok
    })
}

/// # Safety
/// As the header says of `destroy`.
unsafe extern "C" fn destroy<D: Driver>(instance: *mut c_void) {
    if instance.is_null() {
        return;
    }
    // SAFETY: the header promises an instance of ours that nobody uses any more.
    let instance = unsafe { Box::from_raw(instance.cast::<Instance<D>>()) };
    let host = instance.host;
    guarded(Some(host), "destroy", move || {
        drop(instance);
        Status::Ok
    });
}

/// # Safety
/// As the header says of `extension`; the text is not read.
unsafe extern "C" fn no_options(_id: Text) -> *const c_void {
    std::ptr::null()
}
