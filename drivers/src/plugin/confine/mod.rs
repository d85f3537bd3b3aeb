//! What the child gives up before it loads anything: inherited descriptors, environment, privileges, memory without end,
//! other files, other programs, other processes.
//!
//! Called once, before any thread. It must not know drivers or frames. What a driver needs keeps working: threads, TCP and
//! UDP, names, time zones, certificates, and the files and devices of its [`Allowance`].
#![allow(unsafe_code)]

mod files;
mod filter;
mod limits;

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use files::{FileWall, file_wall};

/// What an instance may use beyond what every driver may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    /// Files and folders that it may read.
    pub read: Vec<PathBuf>,
    /// Devices, such as a serial port, that it may read, write and configure.
    pub devices: Vec<PathBuf>,
    /// How much memory it may write to, in MiB.
    pub memory_mib: u32,
}

impl Default for Allowance {
    fn default() -> Self {
        Self { read: Vec::new(), devices: Vec::new(), memory_mib: 256 }
    }
}

/// What the host gave the child.
pub(super) struct Inherited {
    /// The way to the host.
    pub(super) socket: UnixStream,
    /// The sealed library.
    pub(super) library: File,
}

/// Takes the host's socket off standard input and the library off standard output, and leaves nothing else that was
/// inherited.
pub(super) fn undress() -> io::Result<Inherited> {
    let socket = undress_to_socket()?;
    let library = File::from(taken(1)?);
    let nothing = nothing()?;
    // SAFETY: replaces standard output, which nobody uses here.
    unsafe { checked(libc::dup2(nothing.as_raw_fd(), 1))? };
    Ok(Inherited { socket, library })
}

/// The same, but standard output stays what it is: the checker listens there.
pub(super) fn undress_to_socket() -> io::Result<UnixStream> {
    // SAFETY: plain system calls on numbers; no other thread runs yet, so nobody owns the descriptors that are closed.
    unsafe {
        checked(libc::close_range(3, libc::c_uint::MAX, 0))?;
        checked(libc::clearenv())?;
        // A session of its own: no terminal, and a group that can be killed whole. One who leads a group already has it.
        let _ = libc::setsid();
    }
    let socket = UnixStream::from(taken(0)?);
    // Fails on anything that is no socket, a terminal for one.
    socket.peer_addr()?;
    let nothing = nothing()?;
    // SAFETY: replaces standard input, which nobody uses here.
    unsafe { checked(libc::dup2(nothing.as_raw_fd(), 0))? };
    Ok(socket)
}

fn nothing() -> io::Result<File> {
    File::options().read(true).write(true).open("/dev/null")
}

/// Locks the process up, but for [`deny_calls`]. There is no way back, and every thread that follows is locked up with it.
pub(super) fn lock(allowance: &Allowance) -> Result<(), String> {
    limits::give_way();
    limits::die_with_the_host().map_err(|fault| format!("it cannot be bound to the box's end: {fault}"))?;
    limits::set(allowance.memory_mib).map_err(|fault| format!("its limits cannot be set: {fault}"))?;
    limits::drop_privileges().map_err(|fault| format!("its privileges cannot be dropped: {fault}"))?;
    // Where the kernel has no landlock this does nothing; the host looks for itself and says so.
    files::restrict(allowance)
}

/// Refuses the system calls that no driver needs. To be called last.
pub(super) fn deny_calls() -> Result<(), String> {
    filter::install().map_err(|fault| format!("its system calls cannot be filtered: {fault}"))
}

/// A second descriptor of the same thing, beyond the standard ones.
fn taken(number: libc::c_int) -> io::Result<OwnedFd> {
    // SAFETY: duplicating a number; the new descriptor belongs to nobody else.
    unsafe {
        let number = libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3);
        checked(number)?;
        Ok(OwnedFd::from_raw_fd(number))
    }
}

fn checked(result: libc::c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Ends the process at once: no destructors and no exit handlers of a driver.
pub(super) fn exit_now(code: i32) -> ! {
    // SAFETY: ends the process.
    unsafe { libc::_exit(code) }
}
