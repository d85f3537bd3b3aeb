//! The child: confines itself, loads one library, and hands the parent's commands to it on one control thread.
//!
//! It owns the order of calls that the header promises a driver. It ends when its socket closes, whatever the driver does.
#![allow(unsafe_code)]

use std::ffi::{OsStr, c_void};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::ptr;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use serde_json::value::RawValue;
use tollhouse_abi::{Status, Text};

use super::confine::{confine, exit_now};
use super::frame::{self, FrameError, FromChild, ToChild};
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
    match confine() {
        Ok(socket) => exit_now(serve(socket)),
        Err(fault) => {
            eprintln!("this is started by the box for its drivers, not by hand: {fault}");
            exit_now(2);
        }
    }
}

/// What the reading thread passes to the control thread.
enum Order {
    Command { cmd_id: String, name: String, args: Box<RawValue>, deadline_ms: u64 },
    Ping { number: u64 },
    Stop,
}

fn serve(mut socket: UnixStream) -> i32 {
    let Ok((ToChild::Load { library, config }, _)) = frame::read(&mut socket) else { return 2 };
    let Ok(writer) = socket.try_clone() else { return 2 };
    let guest = Guest::install(writer);
    let (orders, orders_in) = sync_channel(MOST_WAITING);
    let reading = std::thread::Builder::new().name("host-frames".to_owned());
    if reading.spawn(move || read_orders(&mut socket, guest, &orders)).is_err() {
        return 2;
    }
    match Running::begin(guest, Path::new(&library), &config) {
        Ok(running) => {
            running.serve(&orders_in);
            0
        }
        Err(reason) => {
            // A reason is far shorter than a frame, and a parent that is gone needs none.
            let _ = guest.send(&FromChild::Failed { reason }, &[]);
            1
        }
    }
}

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
    fn begin(guest: &'static Guest, library: &Path, config: &RawValue) -> Result<Self, String> {
        let driver = library::load(library).map_err(|fault| fault.to_string())?;
        let refused = |what: &str, code: i32| {
            let words = guest.last_error().unwrap_or_else(|| Status::from_code(code).words().to_owned());
            format!("the driver's {what} refuses: {words}")
        };
        fits(&driver, config)?;
        let mut instance = ptr::null_mut();
        let create = driver.table.create.expect("checked when the library was loaded");
        // SAFETY: the table was checked; host table and config outlive the call, `instance` is writable.
        let code = unsafe { create(Guest::table(), Text::of(config.get()), &raw mut instance) };
        if code != Status::Ok.code() {
            return Err(refused("create", code));
        }
        let start = driver.table.start.expect("checked when the library was loaded");
        // SAFETY: the instance is the one that create has just made; this is the control thread.
        let code = unsafe { start(instance) };
        if code != Status::Ok.code() {
            return Err(refused("start", code));
        }
        let short = |text: &str| text.chars().take(64).collect();
        let (driver_id, version) = (short(&driver.descriptor.id), short(&driver.descriptor.version));
        // Two short names always fit into a frame.
        let _ = guest.send(&FromChild::Ready { driver_id, version }, &[]);
        Ok(Self { guest, driver, instance })
    }

    fn serve(self, orders: &Receiver<Order>) {
        for order in orders {
            match order {
                Order::Command { cmd_id, name, args, deadline_ms } => self.command(cmd_id, &name, &args, deadline_ms),
                Order::Ping { number } => {
                    // A pong always fits into a frame.
                    let _ = self.guest.send(&FromChild::Pong { number }, &[]);
                }
                Order::Stop => break,
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

/// Whether the configuration fits the descriptor's schema.
fn fits(driver: &library::Driver, config: &RawValue) -> Result<(), String> {
    let Some(schema) = &driver.descriptor.config else { return Ok(()) };
    let config =
        serde_json::from_str(config.get()).map_err(|fault| format!("the configuration is no JSON: {fault}"))?;
    schema::check(schema, &config).map_err(|faults| format!("the configuration does not fit: {}", faults.join("; ")))
}
