//! Arbitrary bytes as a request and as an answer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollhouse_field::http::{MessageKind, fuzz_message};

fuzz_target!(|bytes: &[u8]| {
    for kind in [MessageKind::Request, MessageKind::Answer] {
        if let Some((_, body)) = fuzz_message(bytes, kind, 1000) {
            assert!(body.len() <= 1000);
        }
    }
});
