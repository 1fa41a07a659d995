//! ONNX files as networks of the program.

use std::path::Path;

use anyhow::anyhow;
use formats::onnx::{Bindings, Import, Model, OnnxError};
use runtime::Program;

use super::failure::usage;
use super::input_shape::InputShape;

/// Whether a path is meant as an ONNX file.
pub(crate) fn is_onnx(path: &Path) -> bool {
    let extension = path.extension();
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"))
}

/// Reads an ONNX file.
///
/// # Errors
/// One line that names the file.
pub(crate) fn open(path: &Path) -> anyhow::Result<Model> {
    Model::open(path).map_err(|error| named(path, error))
}

/// Makes a model a graph.
///
/// # Errors
/// One line that names the file.
pub(crate) fn import(path: &Path, model: &Model, bindings: &Bindings) -> anyhow::Result<Import> {
    model.import(bindings).map_err(|error| named(path, error))
}

/// A model for batches of `batch`; `input` are the extents of its images where it leaves them open.
///
/// # Errors
/// As [`open`] and [`import`]; a model that is made for another batch.
pub(crate) fn for_batch(
    path: &Path,
    batch: usize,
    input: Option<InputShape>,
) -> anyhow::Result<Import> {
    let model = open(path)?;
    let mut bindings = Bindings::batch(batch);
    if let (Some(images), Some(InputShape([channels, height, width]))) =
        (model.inputs().first(), input)
    {
        let shape = vec![batch, channels, height, width];
        bindings.shapes.insert(images.name.clone(), shape);
    }
    let import = import(path, &model, &bindings)?;
    let first = import.inputs.first().and_then(|edge| edge.shape.first());
    match first {
        Some(&fixed) if fixed != batch && batch > 1 => Err(usage(format!(
            "{}: the model is made for batches of {fixed}",
            path.display()
        ))),
        _ => Ok(import),
    }
}

/// Gives a program the parameters and states of a model.
///
/// # Errors
/// Integers that 32-bit floats cannot hold.
pub(crate) fn load(import: &Import, program: &mut Program) -> Result<(), OnnxError> {
    let elements: std::collections::HashMap<_, _> = import
        .elements
        .iter()
        .map(|(name, array)| (name.as_str(), array))
        .collect();
    for slot in program.slots().to_vec() {
        if let Some(array) = elements.get(slot.name.as_str()) {
            array.write_f32(&mut program.parameters_mut()[slot.range])?;
        }
    }
    for slot in program.states().to_vec() {
        if let Some(array) = elements.get(slot.name.as_str()) {
            array.write_f32(&mut program.state_mut()[slot.range])?;
        }
    }
    Ok(())
}

/// An error with its file; one of the system names the file itself.
pub(crate) fn named(path: &Path, error: OnnxError) -> anyhow::Error {
    match error {
        OnnxError::Io { .. } => error.into(),
        OnnxError::OpenExtent { .. } => usage(format!("{}: {error}", path.display())),
        error => anyhow!("{}: {error}", path.display()),
    }
}
