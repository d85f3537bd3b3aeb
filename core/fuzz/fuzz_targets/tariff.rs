//! The parser of tariffs and of stays reads the fuzzer's text; it may refuse, never panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tollhouse_core::tariff::parse::{parse, parse_stay};

fuzz_target!(|body: &[u8]| {
    let Ok(text) = std::str::from_utf8(body) else { return };
    match parse(text) {
        Ok(tariff) => {
            let _ = parse_stay(text, &tariff);
        }
        Err(faults) => assert!(!faults.is_empty(), "refused without a reason"),
    }
});
