//! The fuzzer's bytes go to the very function that the tests call with theirs.

#![no_main]

#[path = "../entry.rs"]
mod entry;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let _ = entry::tariff(body);
});
