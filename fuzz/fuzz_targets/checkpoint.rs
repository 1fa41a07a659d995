//! A checkpoint of random bytes is a trained network or an error.
#![no_main]

use train::Checkpoint;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = Checkpoint::from_bytes(bytes, "fuzz");
});
