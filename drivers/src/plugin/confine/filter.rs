//! Seccomp: which system calls the child may not make. They fail with EPERM and the driver goes on.
//!
//! A list of what is refused, not of what is allowed: nobody knows what vendors' libraries call. It keeps drivers from
//! starting programs, from other processes (the box's user is theirs), from the box's own sockets, and from the kernel's
//! corners that no driver needs. The files are landlock's; what landlock does not see (owners, modes, times) is here.
#![allow(unsafe_code)]

use std::io;

use libc::{SYS_clone, c_long, sock_filter};

use super::checked;

/// One rule of the list.
enum Rule {
    /// Never.
    Refused(c_long),
    /// As if the kernel did not know it, so that the caller falls back.
    Unknown(c_long),
    /// Only when this argument, masked, is one of these.
    Only(c_long, Argument, u32, &'static [u32]),
    /// Only when this argument is the process itself, or, where the second says so, 0.
    OnlyOwn(c_long, Zero),
    /// Not when this argument is one of these.
    Not(c_long, Argument, &'static [u32]),
}

/// The place of an argument. Only the lower half is looked at: the kernel itself reads these as 32 bits.
#[derive(Clone, Copy)]
struct Argument(u32);

/// Whether 0 stands for the process itself.
enum Zero {
    IsOwn,
    IsOther,
}

const ALL_BITS: u32 = u32::MAX;
const TYPE_OF_SOCKET: u32 = 0xf;

use Rule::{Not, Only, OnlyOwn, Refused, Unknown};

/// Starting programs and processes. A thread is a clone that shares its thread group.
const PROCESSES: &[Rule] = &[
    Unknown(libc::SYS_clone3),
    Only(SYS_clone, Argument(0), libc::CLONE_THREAD as u32, &[libc::CLONE_THREAD as u32]),
    Refused(libc::SYS_execve),
    Refused(libc::SYS_execveat),
    Refused(libc::SYS_unshare),
    Refused(libc::SYS_setns),
    Refused(libc::SYS_personality),
];

/// Reaching into other processes: the box, and the drivers beside this one.
const OTHERS: &[Rule] = &[
    OnlyOwn(libc::SYS_kill, Zero::IsOther),
    OnlyOwn(libc::SYS_tgkill, Zero::IsOther),
    OnlyOwn(libc::SYS_rt_sigqueueinfo, Zero::IsOther),
    OnlyOwn(libc::SYS_rt_tgsigqueueinfo, Zero::IsOther),
    OnlyOwn(libc::SYS_prlimit64, Zero::IsOwn),
    Refused(libc::SYS_tkill),
    Refused(libc::SYS_ptrace),
    Refused(libc::SYS_process_vm_readv),
    Refused(libc::SYS_process_vm_writev),
    Refused(libc::SYS_process_madvise),
    Refused(libc::SYS_process_mrelease),
    Refused(libc::SYS_pidfd_open),
    Refused(libc::SYS_pidfd_getfd),
    Refused(libc::SYS_pidfd_send_signal),
    Refused(libc::SYS_kcmp),
    Refused(libc::SYS_migrate_pages),
    Refused(libc::SYS_move_pages),
    Refused(libc::SYS_setpriority),
    Refused(libc::SYS_ioprio_set),
    Refused(libc::SYS_sched_setscheduler),
    Refused(libc::SYS_sched_setparam),
    Refused(libc::SYS_sched_setattr),
    Refused(libc::SYS_sched_setaffinity),
    // Signals by the back door: the owner of a descriptor. And the end that comes with the box's.
    Not(libc::SYS_fcntl, Argument(1), &[F_SETOWN, F_SETOWN_EX]),
    Not(libc::SYS_ioctl, Argument(1), &[FIOSETOWN, SIOCSPGRP, TIOCSTI, TIOCLINUX]),
    Not(libc::SYS_prctl, Argument(0), &[libc::PR_SET_PDEATHSIG as u32]),
];

const F_SETOWN: u32 = 8;
const F_SETOWN_EX: u32 = 15;
const FIOSETOWN: u32 = 0x8901;
const SIOCSPGRP: u32 = 0x8902;
const TIOCSTI: u32 = 0x5412;
const TIOCLINUX: u32 = 0x541c;

/// Sockets of the machine itself: the box's control socket, the system's bus and log. A pair of streams, to wake a thread
/// up, leads nowhere else. Netlink is for routes alone, which the resolver asks for (protocol 0).
const SOCKETS: &[Rule] = &[
    Only(
        libc::SYS_socket,
        Argument(0),
        ALL_BITS,
        &[libc::AF_INET as u32, libc::AF_INET6 as u32, libc::AF_NETLINK as u32],
    ),
    Only(
        libc::SYS_socket,
        Argument(2),
        ALL_BITS,
        &[
            0,
            libc::IPPROTO_TCP as u32,
            libc::IPPROTO_UDP as u32,
            libc::IPPROTO_ICMP as u32,
            libc::IPPROTO_ICMPV6 as u32,
        ],
    ),
    Only(libc::SYS_socketpair, Argument(1), TYPE_OF_SOCKET, &[libc::SOCK_STREAM as u32, libc::SOCK_SEQPACKET as u32]),
];

/// What outlives the process, and what landlock does not see of files.
const TRACES: &[Rule] = &[
    Refused(libc::SYS_shmget),
    Refused(libc::SYS_semget),
    Refused(libc::SYS_msgget),
    Refused(libc::SYS_mq_open),
    Refused(libc::SYS_fchmod),
    Refused(libc::SYS_fchmodat),
    Refused(SYS_FCHMODAT2),
    Refused(libc::SYS_fchown),
    Refused(libc::SYS_fchownat),
    Refused(libc::SYS_utimensat),
    Refused(libc::SYS_setxattr),
    Refused(libc::SYS_lsetxattr),
    Refused(libc::SYS_fsetxattr),
    Refused(libc::SYS_removexattr),
    Refused(libc::SYS_lremovexattr),
    Refused(libc::SYS_fremovexattr),
    Refused(SYS_SETXATTRAT),
    Refused(SYS_REMOVEXATTRAT),
    Refused(libc::SYS_truncate),
    Refused(libc::SYS_mknodat),
    Refused(libc::SYS_name_to_handle_at),
    Refused(libc::SYS_open_by_handle_at),
    Refused(libc::SYS_fanotify_init),
    Refused(libc::SYS_inotify_add_watch),
];

// Younger than the library that knows the others; the same number on every machine.
const SYS_FCHMODAT2: c_long = 452;
const SYS_SETXATTRAT: c_long = 463;
const SYS_REMOVEXATTRAT: c_long = 466;

/// The machine itself, and the corners of the kernel where most of its holes were found.
const MACHINE: &[Rule] = &[
    Refused(libc::SYS_mount),
    Refused(libc::SYS_umount2),
    Refused(libc::SYS_mount_setattr),
    Refused(libc::SYS_open_tree),
    Refused(libc::SYS_move_mount),
    Refused(libc::SYS_fsopen),
    Refused(libc::SYS_fsconfig),
    Refused(libc::SYS_fsmount),
    Refused(libc::SYS_fspick),
    Refused(libc::SYS_pivot_root),
    Refused(libc::SYS_chroot),
    Refused(libc::SYS_swapon),
    Refused(libc::SYS_swapoff),
    Refused(libc::SYS_reboot),
    Refused(libc::SYS_kexec_load),
    Refused(libc::SYS_init_module),
    Refused(libc::SYS_finit_module),
    Refused(libc::SYS_delete_module),
    Refused(libc::SYS_settimeofday),
    Refused(libc::SYS_clock_settime),
    Refused(libc::SYS_clock_adjtime),
    Refused(libc::SYS_adjtimex),
    Refused(libc::SYS_sethostname),
    Refused(libc::SYS_setdomainname),
    Refused(libc::SYS_acct),
    Refused(libc::SYS_quotactl),
    Refused(libc::SYS_quotactl_fd),
    Refused(libc::SYS_syslog),
    Refused(libc::SYS_vhangup),
    Refused(libc::SYS_add_key),
    Refused(libc::SYS_request_key),
    Refused(libc::SYS_keyctl),
    Refused(libc::SYS_bpf),
    Refused(libc::SYS_perf_event_open),
    Refused(libc::SYS_userfaultfd),
    // Its operations would pass by this filter.
    Refused(libc::SYS_io_uring_setup),
    Refused(libc::SYS_io_uring_enter),
    Refused(libc::SYS_io_uring_register),
];

/// The older calls that only this machine has beside the newer ones above.
#[cfg(target_arch = "x86_64")]
const OLD_CALLS: &[Rule] = &[
    Refused(libc::SYS_fork),
    Refused(libc::SYS_vfork),
    Refused(libc::SYS_chmod),
    Refused(libc::SYS_chown),
    Refused(libc::SYS_lchown),
    Refused(libc::SYS_utime),
    Refused(libc::SYS_utimes),
    Refused(libc::SYS_futimesat),
    Refused(libc::SYS_mknod),
    Refused(libc::SYS_iopl),
    Refused(libc::SYS_ioperm),
    Refused(libc::SYS_modify_ldt),
    Refused(libc::SYS_kexec_file_load),
];
#[cfg(not(target_arch = "x86_64"))]
const OLD_CALLS: &[Rule] = &[];

// The kernel's classic BPF as seccomp reads it (linux/filter.h, linux/seccomp.h).
const LOAD_WORD: u16 = 0x20;
const AND: u16 = 0x54;
const JUMP_EQUAL: u16 = 0x15;
const JUMP_AT_LEAST: u16 = 0x35;
const JUMP: u16 = 0x05;
const RETURN: u16 = 0x06;
const NUMBER_AT: u32 = 0;
const MACHINE_AT: u32 = 4;
const ARGUMENTS_AT: u32 = 16;
const ALLOW: u32 = 0x7fff_0000;
const ERROR: u32 = 0x0005_0000;
const KILL: u32 = 0x8000_0000;
/// Numbers from here on are the x32 way into the same calls.
const X32: u32 = 0x4000_0000;
const THIS_MACHINE: u32 = if cfg!(target_arch = "aarch64") { 0xc000_00b7 } else { 0xc000_003e };

const fn instruction(code: u16, if_true: u8, if_false: u8, k: u32) -> sock_filter {
    sock_filter { code, jt: if_true, jf: if_false, k }
}

const REFUSE: sock_filter = instruction(RETURN, 0, 0, ERROR | libc::EPERM as u32);

/// The whole program, for the process of this number.
fn program(own: u32) -> Vec<sock_filter> {
    let mut program = vec![
        instruction(LOAD_WORD, 0, 0, MACHINE_AT),
        instruction(JUMP_EQUAL, 1, 0, THIS_MACHINE),
        // Nobody enters the kernel by another machine's door by mistake.
        instruction(RETURN, 0, 0, KILL),
        instruction(LOAD_WORD, 0, 0, NUMBER_AT),
        instruction(JUMP_AT_LEAST, 0, 1, X32),
        REFUSE,
    ];
    for rule in [PROCESSES, OTHERS, SOCKETS, TRACES, MACHINE, OLD_CALLS].into_iter().flatten() {
        append(&mut program, rule, own);
    }
    program.push(instruction(RETURN, 0, 0, ALLOW));
    program
}

fn append(program: &mut Vec<sock_filter>, rule: &Rule, own: u32) {
    let (call, body) = match rule {
        Refused(call) => (*call, vec![REFUSE]),
        Unknown(call) => (*call, vec![instruction(RETURN, 0, 0, ERROR | libc::ENOSYS as u32)]),
        Only(call, argument, mask, good) => (*call, only(*argument, *mask, good)),
        OnlyOwn(call, Zero::IsOwn) => (*call, only(Argument(0), ALL_BITS, &[own, 0])),
        OnlyOwn(call, Zero::IsOther) => (*call, only(Argument(0), ALL_BITS, &[own])),
        Not(call, argument, bad) => (*call, not(*argument, bad)),
    };
    let number = u32::try_from(call).expect("system calls have small numbers");
    let length = u8::try_from(body.len()).expect("a rule is a few instructions");
    program.push(instruction(JUMP_EQUAL, 0, length, number));
    program.extend(body);
}

/// Goes on behind these instructions, with the call's number loaded again, when the argument is good; refuses otherwise.
fn only(Argument(place): Argument, mask: u32, good: &[u32]) -> Vec<sock_filter> {
    let mut body = vec![instruction(LOAD_WORD, 0, 0, ARGUMENTS_AT + 8 * place), instruction(AND, 0, 0, mask)];
    for (index, value) in good.iter().enumerate() {
        let to_the_end = u8::try_from(good.len() - index).expect("a few values");
        body.push(instruction(JUMP_EQUAL, to_the_end, 0, *value));
    }
    body.push(REFUSE);
    body.push(instruction(LOAD_WORD, 0, 0, NUMBER_AT));
    body
}

fn not(Argument(place): Argument, bad: &[u32]) -> Vec<sock_filter> {
    let mut body = vec![instruction(LOAD_WORD, 0, 0, ARGUMENTS_AT + 8 * place)];
    for (index, value) in bad.iter().enumerate() {
        let to_refusal = u8::try_from(bad.len() - index).expect("a few values");
        body.push(instruction(JUMP_EQUAL, to_refusal, 0, *value));
    }
    body.push(instruction(JUMP, 0, 0, 1));
    body.push(REFUSE);
    body.push(instruction(LOAD_WORD, 0, 0, NUMBER_AT));
    body
}

/// Puts the filter over this thread and all that it starts. `no_new_privs` has to be set.
pub(super) fn install() -> io::Result<()> {
    let mut program = program(std::process::id());
    let length = u16::try_from(program.len()).expect("seccomp takes 4096 instructions, and these are some hundreds");
    let filter = libc::sock_fprog { len: length, filter: program.as_mut_ptr() };
    let mode = libc::c_ulong::from(libc::SECCOMP_MODE_FILTER);
    // SAFETY: the kernel copies the program during the call.
    unsafe { checked(libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const filter)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: u32 = 4711;

    /// What the kernel would do: the few instructions that are used here, and no others.
    fn verdict(machine: u32, number: u32, arguments: [u32; 3]) -> u32 {
        let program = program(OWN);
        let word = |at: u32| match at {
            NUMBER_AT => number,
            MACHINE_AT => machine,
            _ => arguments[((at - ARGUMENTS_AT) / 8) as usize],
        };
        let (mut place, mut value) = (0, 0);
        loop {
            let step = program[place];
            place += 1;
            let jump = |yes: bool| if yes { step.jt as usize } else { step.jf as usize };
            match step.code {
                LOAD_WORD => value = word(step.k),
                AND => value &= step.k,
                JUMP_EQUAL => place += jump(value == step.k),
                JUMP_AT_LEAST => place += jump(value >= step.k),
                JUMP => place += step.k as usize,
                RETURN => return step.k,
                other => panic!("an instruction {other:#x} that the filter does not use"),
            }
        }
    }

    fn of(call: c_long, arguments: [u32; 3]) -> u32 {
        verdict(THIS_MACHINE, u32::try_from(call).expect("a number"), arguments)
    }

    #[test]
    fn each_call_gets_its_verdict() {
        let refused = ERROR | libc::EPERM as u32;
        let cases = [
            ("read", libc::SYS_read, [0; 3], ALLOW),
            ("openat", libc::SYS_openat, [0; 3], ALLOW),
            ("execve", libc::SYS_execve, [0; 3], refused),
            ("clone3", libc::SYS_clone3, [0; 3], ERROR | libc::ENOSYS as u32),
            ("a thread", SYS_clone, [0x003d_0f00, 0, 0], ALLOW),
            ("a process", SYS_clone, [0x0120_0011, 0, 0], refused),
            ("kill itself", libc::SYS_kill, [OWN, 9, 0], ALLOW),
            ("kill the box", libc::SYS_kill, [OWN - 1, 9, 0], refused),
            ("kill everybody", libc::SYS_kill, [u32::MAX, 9, 0], refused),
            ("abort", libc::SYS_tgkill, [OWN, OWN + 1, 6], ALLOW),
            ("another's thread", libc::SYS_tgkill, [OWN + 1, OWN + 1, 6], refused),
            ("own limits", libc::SYS_prlimit64, [0; 3], ALLOW),
            ("the box's limits", libc::SYS_prlimit64, [OWN - 1, 0, 0], refused),
            ("TCP", libc::SYS_socket, [2, 1, 6], ALLOW),
            ("UDP over IPv6", libc::SYS_socket, [10, 2, 0], ALLOW),
            ("routes", libc::SYS_socket, [16, 3, 0], ALLOW),
            ("kernel events", libc::SYS_socket, [16, 3, 15], refused),
            ("a socket of the machine", libc::SYS_socket, [1, 1, 0], refused),
            ("raw packets", libc::SYS_socket, [17, 3, 0], refused),
            ("a pair of streams", libc::SYS_socketpair, [1, 0x0008_0001, 0], ALLOW),
            ("a pair of datagrams", libc::SYS_socketpair, [1, 2, 0], refused),
            ("non-blocking", libc::SYS_fcntl, [5, 4, 0], ALLOW),
            ("a descriptor's owner", libc::SYS_fcntl, [5, 8, 0], refused),
            ("a serial port's speed", libc::SYS_ioctl, [5, 0x5402, 0], ALLOW),
            ("typing at a terminal", libc::SYS_ioctl, [5, 0x5412, 0], refused),
            ("a thread's name", libc::SYS_prctl, [15, 0, 0], ALLOW),
            ("to outlive the box", libc::SYS_prctl, [1, 0, 0], refused),
            ("a file's mode", libc::SYS_fchmodat, [0; 3], refused),
            ("io_uring", libc::SYS_io_uring_setup, [0; 3], refused),
            ("the last of the list", libc::SYS_io_uring_register, [0; 3], refused),
        ];
        for (what, call, arguments, wanted) in cases {
            assert_eq!(of(call, arguments), wanted, "{what}");
        }
    }

    #[test]
    fn there_is_no_other_door() {
        assert_eq!(verdict(0x4000_0003, 2, [0; 3]), KILL, "the calls of 32 bits");
        assert_eq!(verdict(THIS_MACHINE, X32 + 57, [0; 3]), ERROR | libc::EPERM as u32, "x32");
    }

    #[test]
    fn the_filter_fits_into_the_kernel() {
        assert!(program(OWN).len() < 4096);
    }
}
