//! A safetensors file of random bytes is a set of tensors or an error.
#![no_main]

use formats::weights::TensorFile;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = TensorFile::from_bytes(bytes, "fuzz");
});
