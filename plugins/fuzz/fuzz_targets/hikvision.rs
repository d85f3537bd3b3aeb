//! Arbitrary bytes as an alert stream: whatever parts come out are read as alerts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollhouse_driver_hikvision::fuzzing::{MAX_PART_BYTES, Multipart, read};

fuzz_target!(|pieces: Vec<Vec<u8>>| {
    for boundary in ["b", "--b"] {
        let mut multipart = Multipart::of(&format!("multipart/mixed; boundary={boundary}")).expect("multipart");
        for piece in &pieces {
            for part in multipart.push(piece) {
                assert!(part.body.len() <= MAX_PART_BYTES);
                read(&part.body);
            }
        }
    }
});
