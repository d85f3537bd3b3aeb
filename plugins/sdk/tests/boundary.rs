//! A driver through its exported table, as a host calls it: panics stay inside, and each command is answered once.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr;
use std::sync::Mutex;

use serde::Deserialize;
use serde_json::json;
use tollhouse_abi::{
    ABI_MAJOR, Bytes, DriverTable, HOST_TABLE_SIZE, HostTable, Status, Text, WHITELIST, WHITELIST_TABLE_SIZE,
    WhitelistTable,
};
use tollhouse_sdk::{Command, Completion, Driver, Host, Pending, Refusal, Reply, Whitelist, WhitelistPart};

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
    host: Host,
    kept: Vec<Pending>,
}

#[derive(Deserialize)]
struct Config {
    mood: String,
}

impl Driver for Moody {
    const DESCRIPTOR: &'static str = r#"{"id":"test.moody","version":"0"}"#;
    type Config = Config;

    fn create(host: Host, config: Config) -> Result<Self, Refusal> {
        match config.mood.as_str() {
            "panic" => panic!("in create"),
            "refuse" => Err(Refusal::new(Status::Offline, "no camera there")),
            _ => Ok(Self { host, kept: Vec::new() }),
        }
    }

    fn start(&mut self) -> Result<(), Refusal> {
        Ok(())
    }

    fn command(&mut self, command: Command, pending: Pending) {
        match command.name.as_str() {
            "read" => {
                let reply = Reply { token: "r-1", by_ms: 500, opens: Some("gate-in-2") };
                let sent = self.host.emit_for_reply("cam-in-2", "event/plate", &json!({"plate": "A1"}), &[], reply);
                assert_eq!(sent, Ok(()));
            }
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

impl Whitelist for Moody {
    fn replace(&mut self, part: WhitelistPart, pending: Pending) {
        assert_eq!((part.part, part.parts, part.plates.len()), (1, 1, 1), "or it panics");
        assert_eq!(part.plates[0].until.as_deref(), Some("2027-03-01T00:00:00+08:00"));
        pending.complete(Completion::Confirmed);
    }

    fn capacity(&self, device: &str) -> Option<u64> {
        (device == "cam-in-2").then_some(500)
    }
}

const TABLE: DriverTable = tollhouse_sdk::table::<Moody>();
const LISTING: DriverTable = tollhouse_sdk::table_with_whitelist::<Moody>();

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

#[test]
fn an_event_whose_answer_is_the_command_carries_its_token() {
    let _turn = TURN.lock().expect("not poisoned");
    let (_, instance) = create(r#"{"mood":"good"}"#);
    told();
    command(instance, "read", r#"{"device":"cam-in-2"}"#);
    let event = r#"emit {"body":{"plate":"A1"},"device":"cam-in-2","reply_by_ms":500,"reply_for":"gate-in-2","reply_token":"r-1","topic":"event/plate"}"#;
    assert_eq!(told().first().map(String::as_str), Some(event));
    destroy(instance);
}

#[test]
fn a_driver_with_a_whitelist_offers_it_by_its_id_and_one_without_offers_nothing() {
    let _turn = TURN.lock().expect("not poisoned");
    let (find, none) = (LISTING.extension.expect("full"), TABLE.extension.expect("full"));
    // SAFETY: the texts live for the call.
    let (found, other, without) =
        unsafe { (find(Text::of(WHITELIST)), find(Text::of("tollhouse.whitelist/2")), none(Text::of(WHITELIST))) };
    assert!(other.is_null() && without.is_null());
    // SAFETY: the option's id says what it is; it is static.
    let option = unsafe { &*found.cast::<WhitelistTable>() };
    assert_eq!((option.struct_size, option.reserved), (WHITELIST_TABLE_SIZE, 0));

    let (_, instance) = create(r#"{"mood":"good"}"#);
    told();
    let replace = |part: &str| {
        let replace = option.replace.expect("full");
        // SAFETY: as the header asks.
        unsafe { replace(instance, Text::of("w1"), 10, Text::of(part)) }
    };
    let plates = r#"[{"plate":"A1","until":"2027-03-01T00:00:00+08:00"}]"#;
    let part = format!(r#"{{"device":"cam-in-2","revision":"7","part":1,"parts":1,"plates":{plates}}}"#);
    assert_eq!(replace(&part), Status::Ok.code());
    assert_eq!(told(), [r#"complete w1 0 {"state":"confirmed"}"#]);
    assert_eq!(replace(r#"{"device":"cam-in-2"}"#), Status::Invalid.code());
    assert!(told().is_empty(), "not taken, so not completed");
    assert_eq!(replace(&part.replace(r#""parts":1"#, r#""parts":2"#)), Status::Ok.code());
    assert_eq!(told().len(), 2, "a panic is logged and its command answered once");
    let capacity = |device: &str| {
        let capacity = option.capacity.expect("full");
        // SAFETY: as the header asks.
        unsafe { capacity(instance, Text::of(device)) }
    };
    assert_eq!((capacity("cam-in-2"), capacity("cam-in-9")), (500, 0));
    destroy(instance);
}
