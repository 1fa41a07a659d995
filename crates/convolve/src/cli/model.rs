//! ONNX files as networks of the program.

use std::path::Path;

use anyhow::anyhow;
use formats::onnx::{Bindings, Extent, Import, Model, OnnxError};
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

/// A model that reads images alone, for batches of `batch`; `input` in place of extents that it leaves open.
///
/// # Errors
/// As [`open`] and [`import`]; a model of several inputs.
pub(crate) fn of_images(
    path: &Path,
    batch: usize,
    input: Option<InputShape>,
) -> anyhow::Result<Import> {
    let model = open(path)?;
    let [images] = model.inputs() else {
        return Err(usage(format!(
            "{}: a model of {} inputs; one of images is wanted",
            path.display(),
            model.inputs().len()
        )));
    };
    let mut bindings = Bindings::batch(batch);
    if let Some(InputShape([channels, height, width])) = input {
        let shape = vec![batch, channels, height, width];
        bindings.shapes.insert(images.name.clone(), shape);
    } else if let Some([Extent::Known(fixed), ..]) = images.shape.as_deref()
        && *fixed != batch
        && batch > 1
    {
        return Err(usage(format!(
            "{}: the model is made for batches of {fixed}",
            path.display()
        )));
    }
    import(path, &model, &bindings)
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
