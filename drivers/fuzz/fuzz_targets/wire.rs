//! Everything that reads the wire format reads the fuzzer's bytes; none may panic.

#![no_main]

use chrono::DateTime;
use libfuzzer_sys::fuzz_target;
use tollhouse_drivers::wire::{
    EventKind, parse_ack, parse_availability, parse_emitted, parse_event, parse_meta, parse_state,
};

fuzz_target!(|body: &[u8]| {
    let received_at = DateTime::UNIX_EPOCH;
    for kind in [EventKind::Plate, EventKind::Passed, EventKind::Button, EventKind::Code, EventKind::Alarm] {
        let _ = parse_event(kind, body, received_at);
    }
    let _ = parse_emitted(body, received_at);
    let _ = parse_meta(body);
    let _ = parse_availability(body);
    let _ = parse_state(body);
    let _ = parse_ack("c", body);
});
