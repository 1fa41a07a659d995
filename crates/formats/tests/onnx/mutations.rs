//! Real models with bytes changed at random: whatever comes of it, it is no panic.

use std::path::Path;

use convolve_formats::onnx::{Bindings, Model};
use safetensors::SafeTensors;

use crate::encode::small;

/// Numbers by Marsaglia's xorshift, the same in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// The models of the ONNX project's own tests that the program is tested with.
fn models() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../convolve/tests/onnx");
    let mut models = vec![small()];
    for suite in ["node.safetensors", "converted.safetensors"] {
        let bytes = std::fs::read(folder.join(suite)).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let mut names: Vec<_> = file.names().into_iter().collect();
        names.retain(|name| name.ends_with(".model"));
        names.sort();
        models.extend(
            names
                .iter()
                .map(|name| file.tensor(name).unwrap().data().to_vec()),
        );
    }
    models
}

#[test]
fn changed_bytes() {
    let mut draw = Draw(7);
    let models = models();
    assert!(models.len() > 300, "{} models", models.len());
    let (mut read, mut imported) = (0, 0);
    for bytes in &models {
        for _ in 0..40 {
            let mut bytes = bytes.clone();
            for _ in 0..=draw.below(4) {
                let at = draw.below(bytes.len());
                match draw.below(4) {
                    0 => bytes.truncate(at.max(1)),
                    1 => bytes[at] = draw.below(256) as u8,
                    2 => bytes[at] ^= 1 << draw.below(8),
                    _ => {
                        let end = (at + draw.below(9)).min(bytes.len());
                        bytes.drain(at.min(bytes.len() - 1)..end.max(at));
                        bytes.push(0);
                    }
                }
            }
            let Ok(model) = Model::from_bytes(bytes, "changed") else {
                continue;
            };
            read += 1;
            imported += usize::from(model.import(&Bindings::batch(1)).is_ok());
        }
    }
    // Some changes do no harm, so the importer was reached.
    assert!(
        read > 1000 && imported > 200,
        "{read} read, {imported} imported"
    );
}
