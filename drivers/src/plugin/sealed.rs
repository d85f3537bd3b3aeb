//! A library as the box took it in: one copy in sealed memory, looked at and verified there, and opened from there by every
//! child. What happens to the file on the disk afterwards concerns nobody.
//!
//! It must not load anything: this is the parent's side.
#![allow(unsafe_code)]

use std::ffi::CStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use memfd::{FileSeal, MemfdOptions};
use sha2::{Digest, Sha256};
use tollhouse_abi::ABI_MAJOR;

use super::descriptor::Descriptor;
use super::elf::{self, Glibc};
use super::signature::signature_path;
use super::trust::{Identity, Trust, TrustError};

/// The largest library.
const MAX_LIBRARY_BYTES: u64 = 64 * 1024 * 1024;
/// No signature is as long.
const MAX_SIGNATURE_BYTES: u64 = 64 * 1024;

/// Why a file is not taken in, in words for who installed it. Nothing of the file has run.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// It cannot be read.
    #[error("the driver {path} cannot be read: {fault}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        fault: io::Error,
    },
    /// It is no library for this machine.
    #[error("{path} is not a driver: {why}")]
    NotALibrary {
        /// The file.
        path: String,
        /// What it is instead.
        why: String,
    },
    /// It is a library, and cannot work on this box.
    #[error("the driver {path} does not fit: {why}")]
    Unfit {
        /// The file.
        path: String,
        /// What it wants.
        why: String,
    },
    /// The box has no reason to run it.
    #[error("the driver {path} is not trusted: {why}")]
    Untrusted {
        /// The file.
        path: String,
        /// Why not.
        why: TrustError,
    },
}

/// A library in sealed memory, proved as far as the box asks for proof.
#[derive(Debug)]
pub struct SealedLibrary {
    path: PathBuf,
    memory: File,
    identity: Identity,
    signature: Option<String>,
    trust: Trust,
}

impl SealedLibrary {
    /// Takes a file in: copies it into memory that nobody can change any more, then looks at that copy: whether it is a
    /// library, whether it is to be trusted, whether it fits this box.
    pub fn take(path: &Path, trust: &Trust) -> Result<Self, LibraryError> {
        let unreadable = |fault| LibraryError::Unreadable { path: path.display().to_string(), fault };
        let file = open(path).map_err(unreadable)?;
        let signature = signature_text(&signature_path(path)).map_err(unreadable)?;
        Self::take_open(path, file, signature, trust)
    }

    /// The same with a file that somebody has opened already, and the text of its signature; `path` is for words.
    pub fn take_open(
        path: &Path,
        mut file: File,
        signature: Option<String>,
        trust: &Trust,
    ) -> Result<Self, LibraryError> {
        let shown = || path.display().to_string();
        let unreadable = |fault| LibraryError::Unreadable { path: shown(), fault };
        let not = |why: &str| LibraryError::NotALibrary { path: shown(), why: why.to_owned() };
        let known = file.metadata().map_err(unreadable)?;
        if !known.is_file() {
            return Err(not("it is no file"));
        }
        if known.len() > MAX_LIBRARY_BYTES {
            return Err(not("it is larger than 64 MiB"));
        }
        file.rewind().map_err(unreadable)?;
        let mut memory = sealed(file).map_err(unreadable)?;
        let mut bytes = Vec::new();
        memory.rewind().and_then(|()| memory.read_to_end(&mut bytes)).map_err(unreadable)?;
        if let Some(why) = elf::not_a_library(&bytes) {
            return Err(not(why));
        }
        let name = signature_path(path);
        let name = name.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let identity = trust
            .identify(&bytes, hexadecimal(&Sha256::digest(&bytes)), signature.as_deref(), &name)
            .map_err(|why| LibraryError::Untrusted { path: shown(), why })?;
        let unfit = |why| LibraryError::Unfit { path: shown(), why };
        let account = elf::account(&bytes).map_err(unfit)?;
        match account.unfit(glibc_here(), ABI_MAJOR) {
            Some(why) => Err(unfit(why)),
            None => Ok(Self { path: path.to_owned(), memory, identity, signature, trust: trust.clone() }),
        }
    }

    /// Which file it was taken from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Who it is, as far as it is proved.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The text of the signature that lay beside it.
    pub fn signature(&self) -> Option<&str> {
        self.signature.as_deref()
    }

    /// All of the sealed copy, to keep it.
    pub fn bytes(&self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(self.memory.metadata()?.len()).map_err(io::Error::other)?];
        self.memory.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    /// Whether what it says of itself is who the box took it for.
    pub fn agree(&self, descriptor: &Descriptor) -> Result<(), TrustError> {
        self.trust.agree(&self.identity, &descriptor.id, &descriptor.version)
    }

    /// The sealed copy itself.
    pub(super) fn memory(&self) -> &File {
        &self.memory
    }

    /// The sealed copy, for a child to open.
    pub(super) fn descriptor(&self) -> io::Result<OwnedFd> {
        self.memory.try_clone().map(OwnedFd::from)
    }
}

fn sealed(file: File) -> io::Result<File> {
    let failed = |fault: memfd::Error| io::Error::other(format!("no memory file for it: {fault}"));
    let copy = MemfdOptions::default().allow_sealing(true).create("tollhouse-driver").map_err(failed)?;
    io::copy(&mut file.take(MAX_LIBRARY_BYTES), &mut copy.as_file())?;
    copy.add_seals(&[FileSeal::SealShrink, FileSeal::SealGrow, FileSeal::SealWrite, FileSeal::SealSeal])
        .map_err(failed)?;
    Ok(copy.into_file())
}

/// A pipe that lies where a file should is opened as well, without waiting for anybody who writes into it, and then refused.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC).open(path)
}

/// The text of a signature's file; `None` when there is none.
pub fn signature_text(path: &Path) -> io::Result<Option<String>> {
    let file = match open(path) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("its signature is no file"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_SIGNATURE_BYTES).read_to_end(&mut bytes)?;
    // What is no text is no signature either, and is refused as such in words.
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The C library of this process, which is the children's too.
fn glibc_here() -> Option<Glibc> {
    // SAFETY: glibc answers with a static text that ends in NUL.
    let version = unsafe { CStr::from_ptr(libc::gnu_get_libc_version()) };
    let mut parts = version.to_str().ok()?.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn refusal(path: &Path) -> String {
        SealedLibrary::take(path, &Trust::unsigned()).expect_err("refused").to_string()
    }

    #[test]
    fn a_file_that_is_no_library_is_refused_in_words() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let executable_header = {
            let mut head = *b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0";
            head[18] = if cfg!(target_arch = "aarch64") { 183 } else { 62 };
            head
        };
        let shared_header = {
            let mut head = executable_header;
            head[16] = 3;
            head
        };
        let cases: [(&str, &[u8], &str); 5] = [
            ("empty.so", b"", "too short"),
            ("text.so", b"#!/bin/sh\necho I am a driver\n", "no shared library"),
            ("narrow.so", b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x03\0", "64-bit"),
            ("program.so", &executable_header, "yet no shared library"),
            ("torn.so", &shared_header, "ELF tables are damaged"),
        ];
        for (name, bytes, words) in cases {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).expect("a file");
            let refusal = refusal(&path);
            assert!(refusal.contains(words) && refusal.contains(name), "{refusal}");
        }
        assert!(refusal(&folder.path().join("missing.so")).contains("cannot be read"));
        assert!(refusal(folder.path()).contains("it is no file"), "a folder");
    }

    #[test]
    fn the_copy_can_not_be_changed_by_anybody() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("some.bytes");
        std::fs::write(&path, b"as it was").expect("a file");
        let mut copy = sealed(File::open(&path).expect("a file")).expect("sealed");
        std::fs::write(&path, b"something else").expect("a file");
        assert!(copy.write_all(b"x").is_err() && copy.set_len(1).is_err() && copy.set_len(99).is_err());
        let mut bytes = Vec::new();
        copy.rewind().expect("at its beginning");
        copy.read_to_end(&mut bytes).expect("readable");
        assert_eq!(bytes, b"as it was");
    }

    #[test]
    fn digests_are_written_as_everybody_writes_them() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(hexadecimal(&Sha256::digest(b"")), empty);
    }
}
