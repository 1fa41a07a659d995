//! An ONNX file of random bytes is a model or an error.
#![no_main]

use formats::onnx::{Bindings, Model};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(model) = Model::from_bytes(bytes.to_vec(), "fuzz") {
        let _ = model.import(&Bindings::batch(1));
    }
});
