//! The child: confines itself, loads one library, and hands the parent's commands to it on one control thread.
//!
//! It owns the order of calls that the header promises a driver. It ends when its socket closes, whatever the driver does.
#![allow(unsafe_code)]

use std::ffi::{OsStr, c_void};
use std::fs::File;
use std::os::unix::net::UnixStream;
use std::ptr;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use serde_json::value::RawValue;
use tollhouse_abi::{Status, Text};

use super::confine::{Inherited, deny_calls, exit_now, lock, undress};
use super::frame::{self, Again, FrameError, FromChild, ToChild};
use super::guest::Guest;
use super::{CHILD_ARGUMENT, library, schema, whitelist};

/// At most so many messages wait for the control thread.
const MOST_WAITING: usize = 1024;
/// How long a driver may take to stop after the parent has gone.
const LAST_GRACE: Duration = Duration::from_secs(2);

/// Turns this process into a plugin host's child if it was started as one, and then never returns. To be called first
/// thing in `main`, before any thread or runtime.
pub fn child_main() {
    if std::env::args_os().nth(1).as_deref() != Some(OsStr::new(CHILD_ARGUMENT)) {
        return;
    }
    match undress() {
        Ok(inherited) => exit_now(serve(inherited)),
        Err(fault) => {
            eprintln!("this is started by the box for its drivers, not by hand: {fault}");
            exit_now(2);
        }
    }
}

/// What the reading thread passes to the control thread.
enum Order {
    Create { config: Box<RawValue> },
    Command { cmd_id: String, name: String, args: Box<RawValue>, deadline_ms: u64 },
    Ping { number: u64 },
    Stop,
}

/// Why there is no driver at work.
struct Failure {
    reason: String,
    again: Again,
}

impl Failure {
    fn for_good(reason: String) -> Self {
        Self { reason, again: Again::Useless }
    }
}

fn serve(Inherited { mut socket, library }: Inherited) -> i32 {
    let Ok((ToChild::Load { library: shown, allowance }, _)) = frame::read(&mut socket) else { return 2 };
    let Ok(writer) = socket.try_clone() else { return 2 };
    let guest = Guest::install(writer);
    let locked = lock(&allowance).and_then(|()| deny_calls()).map_err(Failure::for_good);
    let (orders, orders_in) = sync_channel(MOST_WAITING);
    let reading = std::thread::Builder::new().name("host-frames".to_owned());
    if reading.spawn(move || read_orders(&mut socket, guest, &orders)).is_err() {
        return 2;
    }
    match locked.and_then(|()| Running::begin(guest, library, &shown, &orders_in)) {
        Ok(Some(running)) => {
            running.serve(&orders_in);
            0
        }
        Ok(None) => 0,
        Err(Failure { reason, again }) => {
            let reason = reason.chars().take(MOST_REASON_CHARS).collect();
            // Such a reason is far shorter than a frame, and a parent that is gone needs none.
            let _ = guest.send(&FromChild::Failed { reason, again }, &[]);
            1
        }
    }
}

/// Longer complaints are the driver's, not the reader's.
const MOST_REASON_CHARS: usize = 1000;

/// Reads until the parent goes or talks nonsense; then the process ends, by `stop` or without it.
fn read_orders(socket: &mut UnixStream, guest: &'static Guest, orders: &SyncSender<Order>) {
    while let Ok(order) = read_order(socket, guest) {
        if orders.send(order).is_err() {
            break;
        }
    }
    let _ = orders.try_send(Order::Stop);
    std::thread::sleep(LAST_GRACE);
    exit_now(1);
}

fn read_order(socket: &mut UnixStream, guest: &Guest) -> Result<Order, FrameError> {
    let (message, _) = frame::read(socket)?;
    Ok(match message {
        ToChild::Command { cmd_id, name, args, remaining_ms } => {
            Order::Command { cmd_id, name, args, deadline_ms: guest.now_ms().saturating_add(remaining_ms) }
        }
        ToChild::Create { config } => Order::Create { config },
        ToChild::Ping { number } => Order::Ping { number },
        ToChild::Stop | ToChild::Load { .. } => Order::Stop,
    })
}

/// A driver that has been created and started.
struct Running {
    guest: &'static Guest,
    driver: library::Driver,
    instance: *mut c_void,
}

impl Running {
    /// Loads the library, says who it is, and creates it when the host agrees; `None` when the host wanted no more.
    fn begin(
        guest: &'static Guest,
        sealed: File,
        shown: &str,
        orders: &Receiver<Order>,
    ) -> Result<Option<Self>, Failure> {
        let driver = library::load(&sealed, shown).map_err(Failure::for_good)?;
        drop(sealed);
        let described = FromChild::Described { descriptor: driver.descriptor.clone() };
        guest.send(&described, &[]).map_err(|fault| Failure::for_good(format!("its descriptor: {fault}")))?;
        let Ok(Order::Create { config }) = orders.recv() else { return Ok(None) };
        let refused = |what: &str, code: i32| {
            let words = guest.last_error().unwrap_or_else(|| Status::from_code(code).words().to_owned());
            Failure { reason: format!("the driver's {what} refuses: {words}"), again: Again::Perhaps }
        };
        fits(&driver, &config)?;
        let mut instance = ptr::null_mut();
        let create = driver.table.create.expect("checked when the library was loaded");
        // SAFETY: the table was checked; host table and config outlive the call, `instance` is writable.
        let code = unsafe { create(Guest::table(), Text::of(config.get()), &raw mut instance) };
        if code != Status::Ok.code() {
            return Err(refused("create", code));
        }
        // Two short messages always fit into frames.
        let _ = guest.send(&FromChild::Created, &[]);
        let start = driver.table.start.expect("checked when the library was loaded");
        // SAFETY: the instance is the one that create has just made; this is the control thread.
        let code = unsafe { start(instance) };
        if code != Status::Ok.code() {
            return Err(refused("start", code));
        }
        let _ = guest.send(&FromChild::Ready, &[]);
        Ok(Some(Self { guest, driver, instance }))
    }

    fn serve(self, orders: &Receiver<Order>) {
        for order in orders {
            match order {
                Order::Command { cmd_id, name, args, deadline_ms } => self.command(cmd_id, &name, &args, deadline_ms),
                Order::Ping { number } => {
                    // A pong always fits into a frame.
                    let _ = self.guest.send(&FromChild::Pong { number }, &[]);
                }
                // Created once; a host that asks twice wants something that is not here.
                Order::Stop | Order::Create { .. } => break,
            }
        }
        self.end();
    }

    fn command(&self, cmd_id: String, name: &str, args: &RawValue, deadline_ms: u64) {
        let status = if self.guest.now_ms() >= deadline_ms {
            Status::Timeout.code()
        } else {
            self.hand_over(&cmd_id, name, args, deadline_ms)
        };
        if status != Status::Ok.code() {
            // The id came in a frame, so it fits into one.
            let _ = self.guest.send(&FromChild::Completed { cmd_id, status, json: String::new() }, &[]);
        }
    }

    /// As the header says: an `open` for which a plate waits is its `reply`, and a whitelist goes to the option's table.
    fn hand_over(&self, cmd_id: &str, name: &str, args: &RawValue, deadline_ms: u64) -> i32 {
        let id = Text::of(cmd_id);
        if name == "whitelist" {
            let Some(replace) = whitelist::of(&self.driver.table).and_then(|table| table.replace) else {
                return Status::Unsupported.code();
            };
            let Some(part) = whitelist::part(args) else { return Status::Invalid.code() };
            // SAFETY: the instance is alive, the texts outlive the call; this is the control thread.
            return unsafe { replace(self.instance, id, deadline_ms, Text::of(&part)) };
        }
        let reply = if name == "open" { self.reply(args) } else { None };
        let (name, args) = reply.as_ref().map_or((name, args), |reply| ("reply", reply.as_ref()));
        let command = self.driver.table.command.expect("checked when the library was loaded");
        // SAFETY: as above.
        unsafe { command(self.instance, id, deadline_ms, Text::of(name), Text::of(args.get())) }
    }

    fn reply(&self, args: &RawValue) -> Option<Box<RawValue>> {
        #[derive(serde::Deserialize)]
        struct Addressed {
            device: String,
        }
        let Addressed { device } = serde_json::from_str(args.get()).ok()?;
        let now_ms = self.guest.now_ms();
        self.guest.replies().take(&device, now_ms)
    }

    fn end(self) {
        let stop = self.driver.table.stop.expect("checked when the library was loaded");
        let destroy = self.driver.table.destroy.expect("checked when the library was loaded");
        // SAFETY: the instance is alive; this is the control thread, and nothing is called after destroy.
        unsafe {
            stop(self.instance);
            self.guest.hush();
            destroy(self.instance);
        }
    }
}

/// Whether the configuration fits the descriptor's schema; without one everything fits.
fn fits(driver: &library::Driver, config: &RawValue) -> Result<(), Failure> {
    #[derive(serde::Deserialize)]
    struct Schema {
        config: Option<serde_json::Value>,
    }
    let wrong = |words: String| Failure::for_good(format!("the configuration does not fit: {words}"));
    let Ok(Schema { config: Some(schema) }) = serde_json::from_str(driver.descriptor.get()) else { return Ok(()) };
    let config = serde_json::from_str(config.get()).map_err(|fault| wrong(fault.to_string()))?;
    schema::check(&schema, &config).map_err(|faults| wrong(faults.join("; ")))
}
