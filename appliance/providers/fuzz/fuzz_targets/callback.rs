//! Callback bodies and answers of both providers: the readers may refuse the fuzzer's bytes, never panic.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| tollhouse_providers::fuzz::callback(body));
