//! Arbitrary bytes as a board's answer, in both framings.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollhouse_driver_modbus::fuzzing::{Level, Request, read_answer};

fuzz_target!(|bytes: &[u8]| {
    for request in [
        Request::ReadInputs { first: 0, count: 16 },
        Request::ReadCoils { first: 3, count: 2000 },
        Request::WriteCoil { coil: 1, level: Level::On },
        Request::WriteRegisters { first: 3, values: vec![4, 5] },
    ] {
        read_answer(&request, bytes);
    }
});
