//! The files of cases; `recording.py` says what is in them.

use std::path::{Path, PathBuf};

use half::f16;
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// An operator, its operands and what should come of them.
pub(crate) struct Case {
    /// The family and the place in it, for messages.
    pub(crate) name: String,
    pub(crate) op: String,
    pub(crate) settings: Settings,
    pub(crate) operands: Vec<Array>,
    /// The first results of the operator.
    pub(crate) results: Vec<Array>,
    /// A gradient of the first result; none where no gradient is wanted.
    pub(crate) dy: Option<Array>,
    /// The operands whose gradients are known, and these.
    pub(crate) wanted: Vec<usize>,
    pub(crate) gradients: Vec<Array>,
    /// The errors allowed to results and gradients, in units of the last place of 1.
    pub(crate) bounds: Vec<f64>,
    /// A setting has no exact form in 32 bits.
    pub(crate) single: bool,
}

/// A tensor, channels first.
#[derive(Clone)]
pub(crate) struct Array {
    pub(crate) dims: Vec<usize>,
    pub(crate) elements: Elements,
}

#[derive(Clone)]
pub(crate) enum Elements {
    Real(Vec<f64>),
    Index(Vec<u32>),
}

/// The settings of an operator by name.
pub(crate) struct Settings(Value);

impl Settings {
    /// A setting, in the type that the caller needs.
    pub(crate) fn get<T: DeserializeOwned>(&self, name: &str) -> T {
        let value = self.0[name].clone();
        serde_json::from_value(value).unwrap_or_else(|error| panic!("'{name}': {error}"))
    }

    /// Whether there are any.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.as_object().unwrap().is_empty()
    }
}

impl std::fmt::Display for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// An entry of the list of cases.
#[derive(Deserialize)]
struct Entry {
    op: String,
    settings: Value,
    inputs: usize,
    outputs: usize,
    wanted: Vec<usize>,
    bounds: Vec<f64>,
    #[serde(default)]
    single: bool,
}

/// Where the files lie.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference")
}

/// All cases of a family.
pub(crate) fn read(family: &str) -> Vec<Case> {
    let path = folder().join(format!("{family}.safetensors"));
    let bytes = std::fs::read(path).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let list = &header.metadata().as_ref().unwrap()["cases"];
    let entries: Vec<Entry> = serde_json::from_str(list).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let numbered = entries.into_iter().enumerate();
    numbered
        .map(|(number, entry)| entry.case(family, number, &file))
        .collect()
}

impl Entry {
    fn case(self, family: &str, number: usize, file: &SafeTensors<'_>) -> Case {
        let array = |part: &str| array(file, &format!("{number}.{part}"));
        let arrays = |part: &str, count: usize| -> Vec<_> {
            (0..count)
                .map(|place| array(&format!("{part}.{place}")))
                .collect()
        };
        Case {
            operands: arrays("in", self.inputs),
            results: arrays("out", self.outputs),
            dy: (!self.wanted.is_empty()).then(|| array("dy")),
            gradients: arrays("grad", self.wanted.len()),
            name: format!("{family} {number}: {} {}", self.op, self.settings),
            op: self.op,
            settings: Settings(self.settings),
            wanted: self.wanted,
            bounds: self.bounds,
            single: self.single,
        }
    }
}

fn array(file: &SafeTensors<'_>, name: &str) -> Array {
    let view = file.tensor(name).unwrap();
    let bytes = view.data();
    let elements = match view.dtype() {
        Dtype::F16 => Elements::Real(numbers(bytes, |b| f16::from_le_bytes(b).into())),
        Dtype::F32 => Elements::Real(numbers(bytes, |b| f32::from_le_bytes(b).into())),
        Dtype::F64 => Elements::Real(numbers(bytes, f64::from_le_bytes)),
        // No place is −1 there, and the largest number here.
        Dtype::I16 => Elements::Index(numbers(bytes, |b| i16::from_le_bytes(b) as u32)),
        other => panic!("{name} holds {other:?}"),
    };
    let dims = view.shape().to_vec();
    Array { dims, elements }
}

fn numbers<const N: usize, T>(bytes: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (chunks, rest) = bytes.as_chunks();
    assert!(rest.is_empty());
    chunks.iter().map(|&chunk| number(chunk)).collect()
}
