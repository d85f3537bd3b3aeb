//! Statements of both providers, packed or not: the readers may refuse the fuzzer's bytes, never panic.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| tollhouse_providers::fuzz::statement(body));
