//! Arbitrary bytes as what a camera posts or publishes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollhouse_driver_vzenith::fuzzing::{License, read};

fuzz_target!(|bytes: &[u8]| {
    for license in [License::Plain, License::Base64] {
        read(bytes, license, "serial");
    }
});
