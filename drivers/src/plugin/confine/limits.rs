//! The child's limits and its place behind the box: memory, descriptors, priority, privileges, and its end.
#![allow(unsafe_code)]

use std::io;

use super::checked;

/// A driver that needs more descriptors than these leaks them.
const MOST_DESCRIPTORS: u64 = 256;
/// Counted by user, so a distant bound; the box's user has a few dozen threads.
const MOST_THREADS_OF_THE_USER: u64 = 2048;
/// Addresses cost nothing: thread stacks and the allocator's arenas reserve far more than they use.
const ADDRESSES_BEYOND_MEMORY: u64 = 4 << 30;
const MIB: u64 = 1 << 20;

/// The box comes first: for the processor, and when memory runs out.
pub(super) fn give_way() {
    // Both are courtesies to the box: where the system refuses them, the limits still hold.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    // SAFETY: plain system calls on numbers.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, 5);
        // A write beyond the limit is an error to its caller, not the end.
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
}

/// Killed when the box ends, whatever the driver has done to its socket. The host starts children from a thread that
/// lives as long as the box, so this never fires early.
pub(super) fn die_with_the_host() -> io::Result<()> {
    // prctl's arguments are `unsigned long`, which a variadic call does not widen by itself.
    let (signal, none): (libc::c_ulong, libc::c_ulong) = (libc::SIGKILL as libc::c_ulong, 0);
    // SAFETY: a plain system call on numbers.
    unsafe { checked(libc::prctl(libc::PR_SET_PDEATHSIG, signal, none, none, none)) }
}

/// Sets what the process may use at most beyond what it holds already; it cannot raise that again.
pub(super) fn set(memory_mib: u32) -> io::Result<()> {
    let memory = u64::from(memory_mib) * MIB;
    // The host's own allocator may have set a gibibyte aside before it needs the first page of it.
    let (addresses, written) = held()?;
    let limits = [
        (libc::RLIMIT_CORE, 0),
        (libc::RLIMIT_NOFILE, MOST_DESCRIPTORS),
        // It writes no file, nor memory in the guise of one.
        (libc::RLIMIT_FSIZE, 0),
        (libc::RLIMIT_DATA, written + memory),
        (libc::RLIMIT_AS, addresses + memory + ADDRESSES_BEYOND_MEMORY),
        (libc::RLIMIT_NPROC, MOST_THREADS_OF_THE_USER),
        (libc::RLIMIT_MSGQUEUE, 0),
    ];
    for (what, most) in limits {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: plain system calls on a value of ours.
        unsafe {
            checked(libc::getrlimit(what, &raw mut limit))?;
            // Never above what the box itself was given.
            limit.rlim_max = most.min(limit.rlim_max);
            limit.rlim_cur = limit.rlim_max;
            checked(libc::setrlimit(what, &raw const limit))?;
        }
    }
    Ok(())
}

/// How many bytes of addresses this process has, and how many of them it may write to (proc(5), `statm`).
fn held() -> io::Result<(u64, u64)> {
    // SAFETY: asks for a constant of the system.
    let page = u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
    let statm = std::fs::read_to_string("/proc/self/statm")?;
    let pages: Vec<u64> = statm.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    match pages.as_slice() {
        [addresses, _, _, _, _, written, ..] => Ok((addresses * page, written * page)),
        _ => Err(io::Error::other("/proc/self/statm has another form")),
    }
}

/// The kernel's `struct __user_cap_header_struct` and two of `__user_cap_data_struct` (capget(2)).
#[repr(C)]
struct CapabilityHeader {
    version: u32,
    pid: libc::c_int,
}

#[repr(C)]
#[derive(Default, Clone, Copy, PartialEq, Eq)]
struct CapabilityWord {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Gives up every capability, also those of root, and the way to any other.
pub(super) fn drop_privileges() -> io::Result<()> {
    const VERSION_3: u32 = 0x2008_0522;
    let (yes, none): (libc::c_ulong, libc::c_ulong) = (1, 0);
    let mut header = CapabilityHeader { version: VERSION_3, pid: 0 };
    let mut held = [CapabilityWord::default(); 2];
    // SAFETY: plain system calls on values of ours, in the form of the kernel's version 3.
    unsafe {
        checked(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, yes, none, none, none))?;
        checked_long(libc::syscall(libc::SYS_capget, &raw mut header, &raw mut held))?;
        if held == [CapabilityWord::default(); 2] {
            // An installed box has none, and its system call filter would refuse the next call.
            return Ok(());
        }
        let nothing = [CapabilityWord::default(); 2];
        checked_long(libc::syscall(libc::SYS_capset, &raw mut header, &raw const nothing))
    }
}

fn checked_long(result: libc::c_long) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
