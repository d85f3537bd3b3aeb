//! Sees the system calls of a driver that say something about its manners: files, sockets, connections, child processes.
//!
//! The kernel asks a thread of ours about each (seccomp user notification), which notes it and lets it go on, or answers
//! EPERM where the box would: fork and exec. The thread is older than the filter, so it is not asked about itself. It must
//! not know what is good manners when.
#![allow(unsafe_code)]

use std::io;
use std::mem::zeroed;
use std::sync::mpsc::sync_channel;

use super::lab::Lab;
use crate::check::script::Record;

const WORD: usize = size_of::<u64>();
const MOST_PATH_BYTES: usize = 256;

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xC000_00B7;

/// How a system call is described.
#[derive(Clone, Copy)]
enum Kind {
    /// A path in this argument, and its flags in the next.
    Open(usize),
    /// `connect` and `bind`.
    Address,
    /// `socket`.
    Socket,
    /// Refused in the box.
    Child,
}

fn watched() -> Vec<(libc::c_long, &'static str, Kind)> {
    let mut calls = vec![
        (libc::SYS_openat, "open", Kind::Open(1)),
        (libc::SYS_openat2, "open", Kind::Open(1)),
        (libc::SYS_connect, "connect", Kind::Address),
        (libc::SYS_bind, "bind", Kind::Address),
        (libc::SYS_socket, "socket", Kind::Socket),
        (libc::SYS_execve, "exec", Kind::Child),
        (libc::SYS_execveat, "exec", Kind::Child),
        (libc::SYS_clone, "fork", Kind::Child),
    ];
    #[cfg(target_arch = "x86_64")]
    calls.extend([
        (libc::SYS_open, "open", Kind::Open(0)),
        (libc::SYS_creat, "open", Kind::Open(0)),
        (libc::SYS_fork, "fork", Kind::Child),
        (libc::SYS_vfork, "fork", Kind::Child),
    ]);
    calls
}

/// Begins to watch the calling thread and every thread that it will start.
pub(super) fn begin(lab: &'static Lab) -> io::Result<()> {
    let (sender, listener) = sync_channel(1);
    std::thread::Builder::new().name("check-watch".to_owned()).spawn(move || {
        if let Ok(listener) = listener.recv() {
            attend(listener, lab);
        }
    })?;
    sender.send(install()?).map_err(io::Error::other)
}

fn filter() -> Vec<libc::sock_filter> {
    let load = |at: usize| statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, u32::try_from(at).unwrap_or_default());
    let answer = |with: u32| statement(libc::BPF_RET | libc::BPF_K, with);
    let unless = |code: u32, value: u32, skip: u8| libc::sock_filter {
        code: u16::try_from(libc::BPF_JMP | code | libc::BPF_K).unwrap_or_default(),
        jt: 0,
        jf: skip,
        k: value,
    };
    // `struct seccomp_data`: nr, arch, instruction pointer, six arguments.
    let mut program = vec![load(4), unless(libc::BPF_JEQ, ARCHITECTURE, 0), answer(libc::SECCOMP_RET_ALLOW), load(0)];
    // The other way round: over the answer when it is ours.
    program[1].jt = 1;
    let number = |call: libc::c_long| u32::try_from(call).unwrap_or(u32::MAX);
    // A thread is no child; glibc falls back to clone when clone3 is not there, and only clone shows its flags here.
    let thread = u32::try_from(libc::CLONE_THREAD).unwrap_or_default();
    program.extend([
        unless(libc::BPF_JEQ, number(libc::SYS_clone3), 1),
        answer(libc::SECCOMP_RET_ERRNO | u32::try_from(libc::ENOSYS).unwrap_or_default()),
        unless(libc::BPF_JEQ, number(libc::SYS_clone), 4),
        load(16),
        unless(libc::BPF_JSET, thread, 1),
        answer(libc::SECCOMP_RET_ALLOW),
        answer(libc::SECCOMP_RET_USER_NOTIF),
    ]);
    for (call, _, _) in watched() {
        program.extend([unless(libc::BPF_JEQ, number(call), 1), answer(libc::SECCOMP_RET_USER_NOTIF)]);
    }
    program.push(answer(libc::SECCOMP_RET_ALLOW));
    program
}

fn statement(code: u32, k: u32) -> libc::sock_filter {
    libc::sock_filter { code: u16::try_from(code).unwrap_or_default(), jt: 0, jf: 0, k }
}

fn install() -> io::Result<i32> {
    let mut program = filter();
    let length = u16::try_from(program.len()).map_err(io::Error::other)?;
    let program = libc::sock_fprog { len: length, filter: program.as_mut_ptr() };
    // SAFETY: the program lives until the kernel has copied it; privileges were given up in `confine`.
    let listener = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::c_long::from(libc::SECCOMP_SET_MODE_FILTER),
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
            &raw const program,
        )
    };
    i32::try_from(listener).ok().filter(|listener| *listener >= 0).ok_or_else(io::Error::last_os_error)
}

/// Answers the kernel's questions until the process ends.
fn attend(listener: i32, lab: &Lab) {
    let watched = watched();
    loop {
        // SAFETY: plain data, for which zeros are a value; the kernel asks for zeros.
        let mut question: libc::seccomp_notif = unsafe { zeroed() };
        // SAFETY: the descriptor is the filter's listener, and the place is writable.
        if unsafe { libc::ioctl(listener, libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut question) } < 0 {
            // A thread that asked and was killed meanwhile; anything else would repeat for ever.
            if io::Error::last_os_error().raw_os_error() == Some(libc::EINTR) {
                continue;
            }
            return;
        }
        let number = libc::c_long::from(question.data.nr);
        let known = watched.iter().find(|(call, _, _)| *call == number);
        // SAFETY: as above.
        let mut answer: libc::seccomp_notif_resp = unsafe { zeroed() };
        answer.id = question.id;
        answer.flags = u32::try_from(libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE).unwrap_or(1);
        if let Some((_, call, kind)) = known {
            let what = describe(*kind, &question.data.args);
            lab.tell(Record::System { call: (*call).to_owned(), what });
            if matches!(kind, Kind::Child) {
                (answer.flags, answer.error) = (0, -libc::EPERM);
            }
        }
        // SAFETY: as above; a question whose thread has gone is answered with an error that changes nothing.
        unsafe { libc::ioctl(listener, libc::SECCOMP_IOCTL_NOTIF_SEND, &raw mut answer) };
    }
}

fn describe(kind: Kind, args: &[u64; 6]) -> String {
    match kind {
        Kind::Open(path) => {
            let bytes = peek(args[path], MOST_PATH_BYTES);
            let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
            String::from_utf8_lossy(&bytes[..end]).into_owned()
        }
        Kind::Address => address(&peek(args[1], usize::try_from(args[2]).unwrap_or_default().min(128))),
        Kind::Socket => match i32::try_from(args[0]) {
            Ok(libc::AF_INET | libc::AF_INET6) => "internet".to_owned(),
            Ok(libc::AF_UNIX) => "unix".to_owned(),
            Ok(libc::AF_NETLINK) => "netlink".to_owned(),
            _ => format!("family {}", args[0]),
        },
        Kind::Child => String::new(),
    }
}

fn address(bytes: &[u8]) -> String {
    let port = bytes.get(2..4).map_or(0, |port| u16::from_be_bytes([port[0], port[1]]));
    match bytes.first_chunk::<2>().map(|family| i32::from(u16::from_ne_bytes(*family))) {
        Some(libc::AF_INET) if bytes.len() >= 8 => {
            format!("{}.{}.{}.{}:{port}", bytes[4], bytes[5], bytes[6], bytes[7])
        }
        Some(libc::AF_INET6) => format!("an IPv6 address, port {port}"),
        Some(libc::AF_UNIX) => "a Unix socket".to_owned(),
        _ => "another kind of address".to_owned(),
    }
}

/// Reads this process's own memory at an address that a driver gave; less than asked for where it ends.
fn peek(address: u64, most: usize) -> Vec<u8> {
    let mut bytes = vec![0; most];
    let mut read = 0;
    // By words, since a path may end just before memory that is not there.
    while read < most {
        let length = WORD.min(most - read);
        let from = libc::iovec {
            iov_base: std::ptr::with_exposed_provenance_mut(usize::try_from(address).unwrap_or_default() + read),
            iov_len: length,
        };
        let to = libc::iovec { iov_base: bytes[read..].as_mut_ptr().cast(), iov_len: length };
        // SAFETY: `to` is ours; the kernel checks `from` instead of faulting.
        let got = unsafe { libc::process_vm_readv(libc::getpid(), &raw const to, 1, &raw const from, 1, 0) };
        match usize::try_from(got) {
            Ok(got) if got > 0 => read += got,
            _ => break,
        }
        if bytes[..read].contains(&0) {
            break;
        }
    }
    bytes.truncate(read);
    bytes
}
