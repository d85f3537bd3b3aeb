//! A driver through its exported table, as a host calls it: panics stay inside, and each command is answered once.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr;
use std::sync::Mutex;

use serde::Deserialize;
use tollhouse_abi::{ABI_MAJOR, Bytes, DriverTable, HOST_TABLE_SIZE, HostTable, Status, Text};
use tollhouse_sdk::{Command, Completion, Driver, Host, Pending, Refusal};

/// What the host was told: `complete ID STATUS JSON` or `emit JSON`. Tests take turns, since the ABI has one host.
static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());
static TURN: Mutex<()> = Mutex::new(());

fn told() -> Vec<String> {
    std::mem::take(&mut *TOLD.lock().expect("not poisoned"))
}

unsafe fn read(text: Text) -> String {
    if text.length == 0 {
        return String::new();
    }
    let length = usize::try_from(text.length).expect("short");
    // SAFETY: the SDK lends a text of that length.
    let bytes = unsafe { std::slice::from_raw_parts(text.data, length) };
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

unsafe extern "C" fn log(_host: *const HostTable, _level: i32, message: Text) {
    // SAFETY: the SDK lends a text for the call.
    let line = format!("log {}", unsafe { read(message) });
    TOLD.lock().expect("not poisoned").push(line);
}

unsafe extern "C" fn emit(_host: *const HostTable, event: Text, _picture: Bytes) -> i32 {
    // SAFETY: the SDK lends a text for the call.
    let line = format!("emit {}", unsafe { read(event) });
    TOLD.lock().expect("not poisoned").push(line);
    Status::Ok.code()
}

unsafe extern "C" fn complete(_host: *const HostTable, cmd_id: Text, status: i32, json: Text) -> i32 {
    // SAFETY: the SDK lends texts for the call.
    let line = unsafe { format!("complete {} {status} {}", read(cmd_id), read(json)) };
    TOLD.lock().expect("not poisoned").push(line);
    Status::Ok.code()
}

unsafe extern "C" fn now_ms(_host: *const HostTable) -> u64 {
    5
}

struct Shared(HostTable);
// SAFETY: constant, and its functions may be called from any thread.
unsafe impl Sync for Shared {}

static HOST: Shared = Shared(HostTable {
    struct_size: HOST_TABLE_SIZE,
    abi_major: ABI_MAJOR,
    abi_minor: 0,
    reserved: 0,
    context: ptr::null(),
    log: Some(log),
    emit: Some(emit),
    complete: Some(complete),
    now_ms: Some(now_ms),
    extension: None,
});

/// A driver that does what the command is called.
struct Moody {
    kept: Vec<Pending>,
}

#[derive(Deserialize)]
struct Config {
    mood: String,
}

impl Driver for Moody {
    const DESCRIPTOR: &'static str = r#"{"id":"test.moody","version":"0"}"#;
    type Config = Config;

    fn create(_host: Host, config: Config) -> Result<Self, Refusal> {
        match config.mood.as_str() {
            "panic" => panic!("in create"),
            "refuse" => Err(Refusal::new(Status::Offline, "no camera there")),
            _ => Ok(Self { kept: Vec::new() }),
        }
    }

    fn start(&mut self) -> Result<(), Refusal> {
        Ok(())
    }

    fn command(&mut self, command: Command, pending: Pending) {
        match command.name.as_str() {
            "panic" => panic!("in command"),
            "forget" => drop(pending),
            "keep" => self.kept.push(pending),
            "refuse" => pending.refuse(&Refusal::new(Status::Busy, "later")),
            "accept" => pending.accept(&command.device).confirm(),
            _ => pending.complete(Completion::Confirmed),
        }
    }

    fn stop(&mut self) {
        panic!("in stop");
    }
}

const TABLE: DriverTable = tollhouse_sdk::table::<Moody>();

fn create(config: &str) -> (i32, *mut c_void) {
    let mut instance = ptr::null_mut();
    let create = TABLE.create.expect("a table of the SDK is full");
    // SAFETY: as the header asks.
    let status = unsafe { create(&raw const HOST.0, Text::of(config), &raw mut instance) };
    (status, instance)
}

fn command(instance: *mut c_void, name: &str, args: &str) -> i32 {
    let command = TABLE.command.expect("a table of the SDK is full");
    // SAFETY: as the header asks; each test has an instance of its own.
    unsafe { command(instance, Text::of("c1"), 10, Text::of(name), Text::of(args)) }
}

fn destroy(instance: *mut c_void) {
    let destroy = TABLE.destroy.expect("a table of the SDK is full");
    // SAFETY: as the header asks, once.
    unsafe { destroy(instance) };
}

#[test]
fn every_command_is_answered_exactly_once_whatever_the_driver_does() {
    let _turn = TURN.lock().expect("not poisoned");
    let (status, instance) = create(r#"{"mood":"good"}"#);
    assert_eq!(status, Status::Ok.code());
    let args = r#"{"device":"gate-in-2","args":{"lines":[]}}"#;
    let dropped = r#"complete c1 7 {"reason":"the driver dropped the command"}"#;
    let confirmed = r#"emit {"body":{"state":"confirmed"},"device":"gate-in-2","topic":"ack/c1"}"#;
    let cases: [(&str, &[&str]); 5] = [
        ("open", &[r#"complete c1 0 {"state":"confirmed"}"#]),
        ("refuse", &[r#"complete c1 3 {"reason":"later"}"#]),
        ("accept", &["complete c1 0 ", confirmed]),
        ("forget", &[dropped]),
        ("panic", &[dropped, "log the driver panicked in command: in command"]),
    ];
    told();
    for (name, answers) in cases {
        assert_eq!(command(instance, name, args), Status::Ok.code(), "{name}");
        assert_eq!(told(), answers, "{name}");
    }
    assert_eq!(command(instance, "keep", args), Status::Ok.code());
    assert!(told().is_empty(), "not yet");
    destroy(instance);
    assert_eq!(told(), [dropped], "what was kept is answered when the driver goes");
}

#[test]
fn a_command_that_is_no_json_is_not_taken_and_not_answered() {
    let _turn = TURN.lock().expect("not poisoned");
    let (_, instance) = create(r#"{"mood":"good"}"#);
    told();
    for args in ["", "{", r#"{"args":{}}"#] {
        assert_eq!(command(instance, "open", args), Status::Invalid.code(), "{args}");
    }
    assert!(told().is_empty());
    destroy(instance);
}

#[test]
fn a_panic_or_refusal_in_create_and_stop_is_a_status_with_words() {
    let _turn = TURN.lock().expect("not poisoned");
    told();
    let cases = [
        (r#"{"mood":"panic"}"#, Status::Internal, "in create"),
        (r#"{"mood":"refuse"}"#, Status::Offline, "no camera there"),
        (r#"{"mod":"typo"}"#, Status::Invalid, "does not fit"),
        ("", Status::Invalid, "does not fit"),
    ];
    for (config, status, words) in cases {
        assert_eq!(create(config), (status.code(), ptr::null_mut()), "{config}");
        assert!(told().concat().contains(words), "{config}");
    }
    let (_, instance) = create(r#"{"mood":"good"}"#);
    let stop = TABLE.stop.expect("a table of the SDK is full");
    // SAFETY: as the header asks.
    assert_eq!(unsafe { stop(instance) }, Status::Internal.code());
    assert!(told().concat().contains("in stop"));
    destroy(instance);
}
