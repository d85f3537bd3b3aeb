//! The checker's child: loads one driver, carries a script out on it, and tells everything that happens.
//!
//! It stands beside [`super::child`], shares its confinement and its loading, and gives the driver a host that records
//! instead of one that passes on. It owns the order of the script's steps. It must not judge.
#![allow(unsafe_code)]

mod lab;
mod table;
mod watch;

use std::ffi::{CStr, OsStr, c_void};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::ptr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tollhouse_abi::{DriverTable, Status, Text};

use super::confine::{Allowance, exit_now, lock, undress_to_socket};
use super::sealed::{LibraryError, SealedLibrary};
use super::trust::Trust;
use super::{library, whitelist};
use crate::check::script::{Call, Order, Phase, Record, Script, Step};
use lab::Lab;

/// The hidden first argument under which the executable is the checker's child.
pub const PROBE_ARGUMENT: &str = "__driver-check";

static LAB: OnceLock<Lab> = OnceLock::new();

/// Turns this process into the checker's child if it was started as one, and then never returns. To be called first
/// thing in `main`, beside [`super::child_main`].
pub fn probe_main() {
    if std::env::args_os().nth(1).as_deref() != Some(OsStr::new(PROBE_ARGUMENT)) {
        return;
    }
    match undress_to_socket() {
        Ok(socket) => exit_now(run(socket)),
        Err(fault) => {
            eprintln!("this is started by `tollhouse driver check`, not by hand: {fault}");
            exit_now(2);
        }
    }
}

fn run(socket: UnixStream) -> i32 {
    let Ok(writer) = socket.try_clone() else { return 2 };
    let mut socket = BufReader::new(socket);
    let mut line = String::new();
    if socket.read_line(&mut line).is_err() {
        return 2;
    }
    let Ok(script) = serde_json::from_str::<Script>(&line) else { return 2 };
    drop(line);
    let lab = LAB.get_or_init(|| Lab::new(writer, script.host_takes_ms));
    // As the box does it: taken in before the process is locked up. What is watched instead of refused are system calls.
    let taken = SealedLibrary::take(Path::new(&script.library), &Trust::unsigned());
    if let Err(fault) = lock(&Allowance::default()) {
        eprintln!("the driver's process cannot be locked up: {fault}");
        return 2;
    }
    if let Err(fault) = watch::begin(lab) {
        eprintln!("system calls cannot be watched: {fault}");
        return 2;
    }
    // One question before the loader's lock is held: answering the first one registers thread-locals, which wants that lock.
    drop(std::fs::File::open("/dev/null"));
    let mut subject = Subject { lab, socket, taken: Some(taken), driver: None, instance: ptr::null_mut() };
    for step in &script.steps {
        if subject.carry_out(step, &script.library).is_none() {
            break;
        }
    }
    lab.tell(Record::Done);
    0
}

/// The driver under examination.
struct Subject {
    lab: &'static Lab,
    socket: BufReader<UnixStream>,
    /// Until it is loaded.
    taken: Option<Result<SealedLibrary, LibraryError>>,
    driver: Option<DriverTable>,
    instance: *mut c_void,
}

impl Subject {
    /// `None` when the rest makes no sense any more.
    fn carry_out(&mut self, step: &Step, library: &str) -> Option<()> {
        match step {
            Step::Load => self.load(library)?,
            Step::Extension { id } => self.extension(id),
            Step::Create { config } => self.create(config)?,
            Step::Start => self.start()?,
            Step::Command(order) => self.command(order),
            Step::Replace(order) => self.replace(order),
            Step::Capacity { device } => self.capacity(device),
            Step::Repeat { orders, times, at_once, most_ms } => self.repeat(orders, *times, *at_once, *most_ms),
            Step::Settle { most_ms } => self.settle(*most_ms),
            Step::Wait { ms } => std::thread::sleep(Duration::from_millis(*ms)),
            Step::Measure { label } => self.measure(label)?,
            Step::Stop => self.stop(),
            Step::Destroy => self.destroy(),
        }
        Some(())
    }

    fn table(&self) -> DriverTable {
        self.driver.expect("a script loads first")
    }

    fn call(&self, call: Call, cmd_id: &str, body: impl FnOnce() -> i64) -> i64 {
        self.lab.tell(Record::Enter { call, cmd_id: cmd_id.to_owned() });
        let begun = Instant::now();
        let answer = body();
        let took_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.lab.tell(Record::Leave { call, cmd_id: cmd_id.to_owned(), answer, took_us });
        answer
    }

    fn load(&mut self, path: &str) -> Option<()> {
        self.lab.enter(Phase::Loading);
        let taken = self.taken.take()?;
        let mut loaded = None;
        self.call(Call::Load, "", || {
            let sealed = taken.map_err(|fault| fault.to_string());
            loaded = Some(sealed.and_then(|sealed| library::load(sealed.memory(), path)));
            0
        });
        self.lab.enter(Phase::Loaded);
        match loaded? {
            Ok(driver) => {
                let descriptor = driver.table.descriptor_json;
                // SAFETY: `load` has read the same text already.
                self.lab.tell(Record::Descriptor(unsafe { lab::said(descriptor) }));
                self.driver = Some(driver.table);
                Some(())
            }
            Err(fault) => {
                self.lab.tell(Record::Refused { reason: fault });
                None
            }
        }
    }

    fn extension(&self, id: &str) {
        let Some(extension) = self.table().extension else {
            return self.lab.tell(Record::Refused { reason: "its function extension is missing".to_owned() });
        };
        let answer = self.call(Call::Extension, id, || {
            // SAFETY: the text outlives the call; this is the control thread.
            i64::from(!unsafe { extension(Text::of(id)) }.is_null())
        });
        if answer == 1 && id == tollhouse_abi::WHITELIST {
            let (struct_size, functions) = whitelist::of(&self.table()).map_or((0, 0), |table| {
                (table.struct_size, u32::from(table.replace.is_some()) + u32::from(table.capacity.is_some()))
            });
            self.lab.tell(Record::Option { id: id.to_owned(), struct_size, functions });
        }
    }

    fn create(&mut self, config: &str) -> Option<()> {
        self.lab.enter(Phase::Creating);
        let create = self.table().create.expect("checked when the library was loaded");
        let mut instance = ptr::null_mut();
        let answer = self.call(Call::Create, "", || {
            // SAFETY: the table was checked; host table and config outlive the call, `instance` is writable.
            i64::from(unsafe { create(table::host(), Text::of(config), &raw mut instance) })
        });
        self.lab.enter(Phase::Created);
        self.instance = instance;
        (answer == 0).then_some(())
    }

    fn start(&mut self) -> Option<()> {
        self.lab.enter(Phase::Starting);
        let start = self.table().start.expect("checked when the library was loaded");
        // SAFETY: the instance is the one that create has made; this is the control thread.
        let answer = self.call(Call::Start, "", || i64::from(unsafe { start(self.instance) }));
        self.lab.enter(Phase::Running);
        if answer == 0 {
            return Some(());
        }
        self.destroy();
        None
    }

    fn command(&self, order: &Order) {
        let command = self.table().command.expect("checked when the library was loaded");
        self.hand_over(Call::Command, order, |deadline_ms| {
            let (id, name, args) = (Text::of(&order.cmd_id), Text::of(&order.name), Text::of(&order.args));
            // SAFETY: the instance is alive, the texts outlive the call; this is the control thread.
            unsafe { command(self.instance, id, deadline_ms, name, args) }
        });
    }

    fn replace(&self, order: &Order) {
        let Some(replace) = whitelist::of(&self.table()).and_then(|table| table.replace) else { return };
        self.hand_over(Call::Replace, order, |deadline_ms| {
            // SAFETY: the instance is alive, the texts outlive the call; this is the control thread.
            unsafe { replace(self.instance, Text::of(&order.cmd_id), deadline_ms, Text::of(&order.args)) }
        });
    }

    fn capacity(&self, device: &str) {
        let Some(capacity) = whitelist::of(&self.table()).and_then(|table| table.capacity) else { return };
        self.call(Call::Capacity, device, || {
            // SAFETY: the instance is alive, the text outlives the call; this is the control thread.
            i64::try_from(unsafe { capacity(self.instance, Text::of(device)) }).unwrap_or(i64::MAX)
        });
    }

    fn hand_over(&self, call: Call, order: &Order, body: impl FnOnce(u64) -> i32) {
        let deadline_ms = self.lab.opened(&order.cmd_id, order.within_ms);
        let answer = self.call(call, &order.cmd_id, || i64::from(body(deadline_ms)));
        if answer != i64::from(Status::Ok.code()) {
            self.lab.not_taken(&order.cmd_id);
        }
    }

    fn repeat(&self, orders: &[Order], times: u32, at_once: u32, most_ms: u64) {
        let until = Instant::now() + Duration::from_millis(most_ms);
        let mut done = 0;
        while done < times && Instant::now() < until {
            for order in orders.iter().cycle().skip(done as usize % orders.len().max(1)).take(at_once as usize) {
                done += 1;
                let cmd_id = format!("{}-{}-{done}", order.cmd_id, self.lab.now_us());
                self.command(&Order { cmd_id, ..order.clone() });
            }
            self.lab.settled(Duration::from_secs(3));
        }
        self.lab.tell(Record::Repeated { done });
    }

    fn settle(&self, most_ms: u64) {
        let still_open = self.lab.settled(Duration::from_millis(most_ms));
        self.lab.tell(Record::Settled { still_open });
    }

    fn measure(&mut self, label: &str) -> Option<()> {
        // SAFETY: reads the allocator's own counters.
        let heap = unsafe { libc::mallinfo2() };
        // SAFETY: asks for the locale; the text is static until the next call, and this is the only one.
        let locale = unsafe { libc::setlocale(libc::LC_ALL, ptr::null()) };
        // SAFETY: the C library's text, when there is one.
        let locale = if locale.is_null() { "C".into() } else { unsafe { CStr::from_ptr(locale) }.to_string_lossy() };
        let heap_bytes = u64::try_from(heap.uordblks + heap.hblkhd).unwrap_or(u64::MAX);
        self.lab.tell(Record::Measure { label: label.to_owned(), heap_bytes, locale: locale.into_owned() });
        // The other side looks at us now, and says when it has seen enough.
        self.socket.read_exact(&mut [0]).ok()
    }

    fn stop(&self) {
        self.lab.enter(Phase::Stopping);
        let stop = self.table().stop.expect("checked when the library was loaded");
        // SAFETY: the instance is alive; this is the control thread.
        self.call(Call::Stop, "", || i64::from(unsafe { stop(self.instance) }));
        self.lab.enter(Phase::Stopped);
    }

    fn destroy(&mut self) {
        self.lab.enter(Phase::Destroying);
        let destroy = self.table().destroy.expect("checked when the library was loaded");
        self.call(Call::Destroy, "", || {
            // SAFETY: the instance is alive, and nothing is called after destroy.
            unsafe { destroy(self.instance) };
            0
        });
        self.lab.enter(Phase::Destroyed);
    }
}
