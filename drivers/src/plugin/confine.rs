//! What the child gives up before it loads anything: inherited descriptors, environment, privileges, core dumps.
//!
//! Called once, before any thread. It must not know drivers or frames.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// A driver that needs more descriptors than these leaks them.
const MOST_DESCRIPTORS: libc::rlim_t = 128;

/// Takes the host's socket off standard input, and leaves nothing else that was inherited.
pub(super) fn confine() -> io::Result<UnixStream> {
    // SAFETY: plain system calls on numbers; no other thread runs yet, so nobody owns the descriptors that are closed.
    unsafe {
        checked(libc::close_range(3, libc::c_uint::MAX, 0))?;
        checked(libc::clearenv())?;
        // prctl's arguments are `unsigned long`, which a variadic call does not widen by itself.
        let (yes, none): (libc::c_ulong, libc::c_ulong) = (1, 0);
        checked(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, yes, none, none, none))?;
        let nothing = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        checked(libc::setrlimit(libc::RLIMIT_CORE, &raw const nothing))?;
        let files = libc::rlimit { rlim_cur: MOST_DESCRIPTORS, rlim_max: MOST_DESCRIPTORS };
        checked(libc::setrlimit(libc::RLIMIT_NOFILE, &raw const files))?;
    }
    socket()
}

fn socket() -> io::Result<UnixStream> {
    // SAFETY: duplicating a number; the new descriptor belongs to nobody else.
    let socket = unsafe {
        let number = libc::fcntl(0, libc::F_DUPFD_CLOEXEC, 3);
        checked(number)?;
        OwnedFd::from_raw_fd(number)
    };
    let socket = UnixStream::from(socket);
    // Fails on anything that is no socket, a terminal for one.
    socket.peer_addr()?;
    let nothing = std::fs::File::open("/dev/null")?;
    // SAFETY: replaces standard input, which nobody reads here.
    unsafe { checked(libc::dup2(nothing.as_raw_fd(), 0))? };
    Ok(socket)
}

fn checked(result: libc::c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Ends the process at once: no destructors and no exit handlers of a driver.
pub(super) fn exit_now(code: i32) -> ! {
    // SAFETY: ends the process.
    unsafe { libc::_exit(code) }
}
