//! The hostile drivers, and what has to come of each.

use std::path::Path;
use std::process::{Child, Command};

use crate::ward::Course;

/// A hostile driver.
pub(crate) struct Case {
    /// Its file in plugins/hostile, without `.c` or `.cpp`.
    pub(crate) file: &'static str,
    /// What it does, for the page.
    pub(crate) does: &'static str,
    /// What the box does about it.
    pub(crate) then: Then,
    /// What the box says, as far as it is always the same words; `|` between two of which one is said.
    pub(crate) words: &'static str,
}

/// What has to come of a hostile driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// Its command ends with an unknown outcome, it is started again by the backoff, and works until it is told to open.
    Falls,
    /// It is never ready: it is tried again by the backoff, and left alone in the end.
    NeverReady,
    /// It cannot be a driver: it is left alone at once.
    Refused,
    /// What it wanted was refused, and it lives on.
    KeptIn,
    /// It opens as it should; only its end is bad.
    Opens,
    /// It lives, and its command ends with an unknown outcome when its time is up.
    Expires,
    /// Nobody can say whether it keeps up with its own noise; the box must not care.
    Noise,
}

use Then::{Expires, Falls, KeptIn, NeverReady, Noise, Opens, Refused};

const fn case(file: &'static str, does: &'static str, then: Then, words: &'static str) -> Case {
    Case { file, does, then, words }
}

/// All of them, in the order of the page.
pub(crate) const CASES: &[Case] = &[
    case("segfault", "follows a wild pointer in `command`", Falls, "signal: 11"),
    case("abort", "calls `abort` in `command`", Falls, "signal: 6"),
    case("throw", "throws a C++ exception out of `command`", Falls, "signal: 6"),
    case("exit", "calls `exit(0)` in `command`", Falls, "it has ended"),
    case("stack_overflow", "calls itself without end in `command`", Falls, "has overflowed its stack"),
    case("spin_load", "spins in its constructor", NeverReady, "did not finish loading"),
    case("spin_create", "spins in `create`", NeverReady, "create did not return"),
    case("spin_start", "spins in `start`", NeverReady, "start did not return"),
    case("spin_command", "spins in `command`", Falls, "it hangs"),
    case("spin_stop", "spins in `stop`", Opens, ""),
    case("spin_destroy", "spins in `destroy`", Opens, ""),
    case("deadlock_stop", "waits in `stop` for a lock that never comes", Opens, ""),
    case("deaf", "ignores SIGTERM and every other signal, and never stops", Opens, ""),
    case("abort_load", "calls `abort` in its constructor, each time", NeverReady, "signal: 6"),
    case("abort_start", "calls `abort` in `start`, each time", NeverReady, "signal: 6"),
    case("memory_leak", "takes all the memory that it gets", KeptIn, ""),
    case("descriptor_leak", "opens a file 100,000 times", KeptIn, ""),
    case("thread_bomb", "starts 100,000 threads", KeptIn, ""),
    case("fork_bomb", "forks, clones, execs, calls `system`", KeptIn, ""),
    case("forbidden_files", "opens others' files in its constructor, creates files, changes modes", KeptIn, ""),
    case("other_processes", "kills and traces the box, sets its limits, opens Unix and raw sockets", KeptIn, ""),
    case("null_function", "has no `start`", Refused, "its function start is missing"),
    case("short_table", "a `struct_size` that ends before the functions", Refused, "its table has 40 bytes"),
    case("other_major", "another ABI major than its symbol", Refused, "version 2 of the driver ABI"),
    case("no_json_descriptor", "a descriptor that is no JSON", Refused, "its descriptor is no JSON"),
    case("wild_descriptor", "a descriptor where no memory is", NeverReady, "signal: 11"),
    case("bad_text", "emits bad UTF-8, bad JSON, JSON 32,000 levels deep", KeptIn, ""),
    case("oversized", "emits a picture of 3 MiB and an event of 64 KiB", KeptIn, ""),
    case("event_flood", "emits events without end from two threads", Noise, ""),
    case("picture_flood", "emits pictures of 2 MiB without end", Noise, ""),
    case("log_flood", "writes log lines and standard error without end", Noise, ""),
    case("double_completion", "completes each command three times", Opens, ""),
    case("unknown_completion", "completes strangers' commands, speaks for another lane's device", Opens, ""),
    case("silent", "never completes a command", Expires, ""),
    case("emit_after_stop", "goes on emitting after `stop` and `destroy`", Opens, ""),
    // It ends or hangs, as its threads happen to find their socket gone.
    case("closes_descriptors", "closes the descriptors 0 to 20", Falls, "it hangs|it has ended"),
    case("raw_garbage", "writes garbage to the host's socket", Falls, "it sends garbage"),
    case("half_frame", "promises a frame on the host's socket and never ends it", Falls, "it hangs"),
    case("forged_frames", "speaks the host's own language on its socket, out of turn", Opens, ""),
];

impl Case {
    /// Whether the driver's course was as it has to be.
    pub(crate) fn judge(&self, course: &Course) {
        let file = self.file;
        let answers: &[&str] = match self.then {
            Falls => &["OutcomeUnknown", "OutcomeUnknown", "OutcomeUnknown"],
            KeptIn => &["Rejected"],
            Opens => &["Confirmed"],
            Expires => &["OutcomeUnknown"],
            NeverReady | Refused => &["Failed"],
            Noise => &[],
        };
        if self.then != Noise {
            assert_eq!(course.answers, answers, "{file}: {course:?}");
        }
        let (failures, quarantined) = match self.then {
            Falls => (3, false),
            NeverReady => (crate::ward::MOST_FAILURES as usize, true),
            Refused => (1, true),
            KeptIn | Opens | Expires => (0, false),
            Noise => (course.waits.len(), course.quarantined),
        };
        assert_eq!((course.waits.len(), course.quarantined), (failures, quarantined), "{file}: {course:?}");
        let said = course.fault.as_deref().unwrap_or_default();
        assert!(
            self.words.split('|').any(|words| said.contains(words)),
            "{file}: {:?} is wanted, and there is {said:?}",
            self.words
        );
        if self.then != Noise {
            course.assert_backoff(file);
        }
    }
}

/// Builds all of them, and the healthy one, with the compilers called `cc` and `c++`.
pub(crate) fn build(folder: &Path) {
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins");
    let mut building: Vec<(String, Child)> = Vec::new();
    let sources = CASES.iter().map(|case| (case.file, plugins.join("hostile").join(case.file)));
    for (name, source) in sources.chain([("barrier", plugins.join("examples/c/barrier"))]) {
        let (compiler, standard, source) = match source.with_extension("cpp") {
            cpp if cpp.exists() => ("c++", "-std=c++17", cpp),
            _ => ("cc", "-std=gnu11", source.with_extension("c")),
        };
        let mut command = Command::new(compiler);
        command.args([standard, "-D_GNU_SOURCE", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-pthread"]);
        command.args(["-fvisibility=hidden", "-I"]).arg(plugins.join("abi"));
        command.arg("-o").args([&folder.join(format!("{name}.so")), &source]);
        // A few at a time: a small box has few cores.
        if building.len() >= 4 {
            finish(building.remove(0));
        }
        building.push((name.to_owned(), command.spawn().expect("compilers named cc and c++")));
    }
    building.into_iter().for_each(finish);
}

fn finish((name, mut compiler): (String, Child)) {
    assert!(compiler.wait().expect("the compiler ends").success(), "{name} does not compile");
}
