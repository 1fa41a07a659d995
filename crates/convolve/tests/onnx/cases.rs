//! Cases out of a file of `make.py`, each written to a folder and run by the program.

use std::path::{Path, PathBuf};
use std::process::Command;

use formats::onnx::{Array, Element};
use safetensors::SafeTensors;
use serde_json::Value;
use tensor::{NpyFile, write_npy_bytes};

/// The suite's own tolerance.
const RELATIVE: f64 = 1e-3;

/// Where this test lies.
pub(crate) fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/onnx")
}

/// The file of a suite.
pub(crate) fn bytes_of(suite: &str) -> Vec<u8> {
    std::fs::read(here().join(suite).with_extension("safetensors")).unwrap()
}

/// Its list of cases.
pub(crate) fn listed(bytes: &[u8]) -> Vec<Value> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).unwrap();
    let cases = &metadata.metadata().as_ref().unwrap()["cases"];
    serde_json::from_str(cases).unwrap()
}

/// Runs all cases of a suite; those that fail are listed together.
pub(crate) fn replay(suite: &str) {
    let bytes = bytes_of(suite);
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let cases = listed(&bytes);
    assert!(cases.len() > 100, "{} cases", cases.len());
    let failed: Vec<String> = cases
        .iter()
        .enumerate()
        .filter_map(|(at, case)| {
            let folder = tempfile::tempdir().unwrap();
            let fault = Case {
                at,
                case,
                file: &file,
            }
            .run(folder.path())
            .err()?;
            Some(format!("{}: {fault}", case[0]))
        })
        .collect();
    assert!(
        failed.is_empty(),
        "{} of {} cases fail:\n{}",
        failed.len(),
        cases.len(),
        failed.join("\n")
    );
}

pub(crate) struct Case<'a> {
    pub(crate) at: usize,
    pub(crate) case: &'a Value,
    pub(crate) file: &'a SafeTensors<'a>,
}

impl Case<'_> {
    pub(crate) fn bytes(&self, part: &str) -> &[u8] {
        self.file
            .tensor(&format!("{}.{part}", self.at))
            .unwrap()
            .data()
    }

    /// An input or output: `list` is its place in the list of cases, `part` its name among the tensors.
    fn array(&self, list: usize, part: &str, index: usize) -> Array {
        let about = &self.case[list][index];
        let element = Element::from_npy(about[0].as_str().unwrap()).unwrap();
        let shape: Vec<usize> = serde_json::from_value(about[1].clone()).unwrap();
        let bytes = self.bytes(&format!("{part}.{index}")).to_vec();
        Array::from_bytes(element, &shape, bytes).unwrap()
    }

    pub(crate) fn inputs(&self) -> Vec<Array> {
        let count = self.case[1].as_array().unwrap().len();
        (0..count).map(|index| self.array(1, "in", index)).collect()
    }

    fn run(&self, folder: &Path) -> Result<(), String> {
        let model = folder.join("model.onnx");
        std::fs::write(&model, self.bytes("model")).unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_convolve"));
        program
            .arg("run")
            .arg(&model)
            .arg("--output")
            .arg(folder.join("out"));
        for (index, x) in self.inputs().into_iter().enumerate() {
            let path = folder.join(format!("{index}.npy"));
            write_npy_bytes(&path, x.element().npy(), x.shape(), x.bytes()).unwrap();
            program.arg("--input").arg(path);
        }
        let answer = program.args(["-j", "1"]).output().unwrap();
        if !answer.status.success() {
            return Err(String::from_utf8_lossy(&answer.stderr).trim().to_owned());
        }
        let absolute = self.case[3].as_f64().unwrap();
        for index in 0..self.case[2].as_array().unwrap().len() {
            let wanted = self.array(2, "out", index);
            let file = NpyFile::open(&folder.join(format!("out/{index}.npy"))).unwrap();
            let shape = file.dims().to_vec();
            let element = Element::from_npy(file.descr()).unwrap();
            if (element, &*shape) != (wanted.element(), wanted.shape()) {
                return Err(format!(
                    "output {index} is {element} {shape:?}, not {} {:?}",
                    wanted.element(),
                    wanted.shape()
                ));
            }
            let bytes = file.read_bytes(element.size()).unwrap();
            let made = Array::from_bytes(element, &shape, bytes).unwrap();
            for (at, (made, wanted)) in made.reals().zip(wanted.reals()).enumerate() {
                let near = (made - wanted).abs() <= absolute + RELATIVE * wanted.abs();
                if !(near || made == wanted || (made.is_nan() && wanted.is_nan())) {
                    return Err(format!("output {index} at {at}: {made}, not {wanted}"));
                }
            }
        }
        Ok(())
    }
}
