//! A shared library: whether a file can be one, and how it gets into this process.
//!
//! It owns the sealed copy, the symbol and the checks on the table. It must not call the driver.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::path::Path;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use memfd::{FileSeal, MemfdOptions};
use serde::Deserialize;
use tollhouse_abi::{ABI_MAJOR, DRIVER_TABLE_SIZE, DriverTable, SYMBOL};

/// The largest library.
const MAX_LIBRARY_BYTES: u64 = 64 * 1024 * 1024;
const MAX_DESCRIPTOR_BYTES: u64 = tollhouse_abi::MAX_JSON_BYTES as u64;

/// Why a file is not loaded, in words for who installed it.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// It cannot be read.
    #[error("the driver {path} cannot be read: {fault}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        fault: std::io::Error,
    },
    /// It is no library for this machine.
    #[error("{path} is not a driver: {why}")]
    NotALibrary {
        /// The file.
        path: String,
        /// What it is instead.
        why: &'static str,
    },
    /// The loader refuses it: a missing symbol or library, most often.
    #[error("the driver does not load: {0}")]
    Loader(String),
    /// It loads, and is no driver of this ABI.
    #[error("the library is no driver for this box: {0}")]
    Foreign(String),
}

/// Looks at a file without loading it.
pub(super) fn inspect(path: &Path) -> Result<(), LibraryError> {
    let mut file = open(path)?;
    let mut head = [0; 20];
    let unreadable = |fault| LibraryError::Unreadable { path: path.display().to_string(), fault };
    let known = file.metadata().map_err(unreadable)?;
    let not = |why| Err(LibraryError::NotALibrary { path: path.display().to_string(), why });
    if !known.is_file() {
        return not("it is no file");
    }
    if known.len() > MAX_LIBRARY_BYTES {
        return not("it is larger than 64 MiB");
    }
    if file.read_exact(&mut head).is_err() {
        return not("it is too short to be a shared library");
    }
    not_elf(&head).map_or(Ok(()), not)
}

fn open(path: &Path) -> Result<File, LibraryError> {
    File::open(path).map_err(|fault| LibraryError::Unreadable { path: path.display().to_string(), fault })
}

/// What the first bytes of a file say against its being a library for this machine (System V ABI, 'ELF Header').
fn not_elf(head: &[u8; 20]) -> Option<&'static str> {
    const SHARED_OBJECT: u16 = 3;
    let machine: u16 = if cfg!(target_arch = "aarch64") { 183 } else { 62 };
    let half = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
    if head[..4] != *b"\x7fELF" {
        Some("it is no shared library (it does not begin as an ELF file does)")
    } else if head[4] != 2 || head[5] != 1 {
        Some("it is not built for a 64-bit little-endian machine")
    } else if half(16) != SHARED_OBJECT {
        Some("it is an ELF file, yet no shared library")
    } else if half(18) != machine {
        Some("it is built for another kind of processor")
    } else {
        None
    }
}

/// A driver in this process; never unloaded.
pub(super) struct Driver {
    /// A copy of its table, all functions present.
    pub(super) table: DriverTable,
    /// Who it is.
    pub(super) descriptor: Descriptor,
}

/// What the host reads of a descriptor.
#[derive(Debug, Deserialize)]
pub(super) struct Descriptor {
    pub(super) id: String,
    pub(super) version: String,
    /// The JSON Schema of its configuration; without one everything fits.
    pub(super) config: Option<serde_json::Value>,
}

/// Copies the library into sealed memory and opens that copy.
pub(super) fn load(path: &Path) -> Result<Driver, LibraryError> {
    inspect(path)?;
    let sealed = sealed_copy(path)?;
    let from = format!("/proc/self/fd/{}", sealed.as_file().as_raw_fd());
    // SAFETY: this runs the library's constructors, which is what a driver is for; the process exists for nothing else.
    let library = unsafe { Library::open(Some(&from), RTLD_NOW | RTLD_LOCAL) }
        .map_err(|fault| LibraryError::Loader(fault.to_string().replace(&from, &path.display().to_string())))?;
    // SAFETY: only the address is taken here; what it leads to is checked below before it is believed.
    let table = unsafe { library.get::<*const DriverTable>(SYMBOL) }
        .map(|symbol| *symbol)
        .map_err(|_| LibraryError::Foreign(format!("it does not export {SYMBOL}")))?;
    let table = checked(table)?;
    let descriptor = descriptor(&table)?;
    // Never closed: threads or thread-local destructors of a driver may outlive every call into it.
    std::mem::forget(library);
    Ok(Driver { table, descriptor })
}

fn sealed_copy(path: &Path) -> Result<memfd::Memfd, LibraryError> {
    let unreadable = |fault| LibraryError::Unreadable { path: path.display().to_string(), fault };
    let loader = |fault: memfd::Error| LibraryError::Loader(format!("no memory file for it: {fault}"));
    let copy = MemfdOptions::default().allow_sealing(true).create("tollhouse-driver").map_err(loader)?;
    let mut bytes = Vec::new();
    open(path)?.take(MAX_LIBRARY_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
    copy.as_file().write_all(&bytes).map_err(unreadable)?;
    copy.add_seals(&[FileSeal::SealShrink, FileSeal::SealGrow, FileSeal::SealWrite, FileSeal::SealSeal])
        .map_err(loader)?;
    Ok(copy)
}

fn checked(table: *const DriverTable) -> Result<DriverTable, LibraryError> {
    let foreign = |why: String| Err(LibraryError::Foreign(why));
    if table.is_null() || !table.is_aligned() {
        return foreign(format!("{SYMBOL} is no table"));
    }
    // SAFETY: every table of every version begins with three u32; nothing beyond them is read before the size is known.
    let [struct_size, major, _minor] = unsafe { table.cast::<[u32; 3]>().read() };
    if major != ABI_MAJOR {
        return foreign(format!("it is built for version {major} of the driver ABI, this box has {ABI_MAJOR}"));
    }
    if struct_size < DRIVER_TABLE_SIZE {
        return foreign(format!("its table has {struct_size} bytes, version {ABI_MAJOR} has {DRIVER_TABLE_SIZE}"));
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
        Some((name, _)) => foreign(format!("its function {name} is missing")),
        None => Ok(table),
    }
}

fn descriptor(table: &DriverTable) -> Result<Descriptor, LibraryError> {
    let text = table.descriptor_json;
    if text.data.is_null() || text.length == 0 || text.length > MAX_DESCRIPTOR_BYTES {
        return Err(LibraryError::Foreign(format!("its descriptor has {} bytes", text.length)));
    }
    let length = usize::try_from(text.length).unwrap_or_default();
    // SAFETY: the header demands a static text of that length; a lie crashes this process and no other.
    let bytes = unsafe { std::slice::from_raw_parts(text.data, length) };
    serde_json::from_slice(bytes)
        .map_err(|fault| LibraryError::Foreign(format!("its descriptor does not fit: {fault}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_library_is_refused_in_words() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let executable_header = {
            let mut head = *b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0";
            head[18] = if cfg!(target_arch = "aarch64") { 183 } else { 62 };
            head
        };
        let cases: [(&str, &[u8], &str); 4] = [
            ("empty.so", b"", "too short"),
            ("text.so", b"#!/bin/sh\necho I am a driver\n", "no shared library"),
            ("narrow.so", b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x03\0", "64-bit"),
            ("program.so", &executable_header, "yet no shared library"),
        ];
        for (name, bytes, words) in cases {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).expect("a file");
            let refusal = inspect(&path).expect_err(name).to_string();
            assert!(refusal.contains(words) && refusal.contains(name), "{refusal}");
        }
        let missing = inspect(&folder.path().join("missing.so")).expect_err("missing").to_string();
        assert!(missing.contains("cannot be read"), "{missing}");
        assert!(inspect(folder.path()).is_err(), "a folder");
    }
}
