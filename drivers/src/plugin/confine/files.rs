//! Landlock: which files the child may open. Everything that is not named here is refused by the kernel.
#![allow(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetError, Scope,
};

use super::Allowance;

/// The newest version whose rules are known here; an older kernel enforces what it has of them.
const KNOWN: ABI = ABI::V9;

/// What any program needs of a system: the loader's libraries, names, users' time zones, certificates, chance.
const FOR_EVERYBODY: [&str; 27] = [
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/etc/ld.so.cache",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/certs",
    "/etc/ca-certificates",
    "/usr/share/zoneinfo",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/sys/devices/system/cpu",
    "/proc/self",
    "/dev/urandom",
    "/dev/random",
    "/dev/zero",
];

/// How far the kernel walls drivers off from files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileWall {
    /// Landlock in this version.
    Landlock(u32),
    /// The kernel has no landlock, or it is switched off: a driver reads and writes whatever the box may.
    Missing,
}

/// Asks the kernel how far it walls drivers off from files.
pub fn file_wall() -> FileWall {
    match landlock_version() {
        Some(version) => FileWall::Landlock(version),
        None => FileWall::Missing,
    }
}

fn landlock_version() -> Option<u32> {
    const ASK_VERSION: libc::c_ulong = 1;
    // SAFETY: with this flag the kernel reads nothing and answers with its version (landlock_create_ruleset(2)).
    let answer = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0 as libc::c_ulong, ASK_VERSION)
    };
    u32::try_from(answer).ok().filter(|version| *version > 0)
}

/// Walls this process off from all files but those that drivers need and the allowance names.
pub(super) fn restrict(allowance: &Allowance) -> Result<(), String> {
    let failed = |fault: RulesetError| format!("its files cannot be walled off: {fault}");
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let use_device = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev;
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN))
        .and_then(|rules| rules.scope(Scope::from_all(KNOWN)))
        .and_then(Ruleset::create)
        .map_err(failed)?;
    for path in FOR_EVERYBODY.map(PathBuf::from).into_iter().chain(resolver_folder()) {
        rules = allow(rules, &path, read).map_err(failed)?;
    }
    rules = allow(rules, Path::new("/dev/null"), use_device).map_err(failed)?;
    for path in &allowance.read {
        rules = allow(rules, path, read).map_err(failed)?;
    }
    for path in &allowance.devices {
        rules = allow(rules, path, use_device).map_err(failed)?;
    }
    rules.restrict_self().map(|_| ()).map_err(failed)
}

/// What is not there needs no rule.
fn allow(rules: RulesetCreated, path: &Path, access: BitFlags<AccessFs>) -> Result<RulesetCreated, RulesetError> {
    let Ok(opened) = PathFd::new(path) else { return Ok(rules) };
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(KNOWN) };
    rules.add_rule(PathBeneath::new(opened, access))
}

/// `/etc/resolv.conf` is often a link to a file that its owner replaces again and again, so its folder is opened.
fn resolver_folder() -> Option<PathBuf> {
    let link = Path::new("/etc/resolv.conf");
    fs::symlink_metadata(link).ok().filter(fs::Metadata::is_symlink)?;
    fs::canonicalize(link).ok()?.parent().filter(|folder| folder.starts_with("/run")).map(Path::to_owned)
}
