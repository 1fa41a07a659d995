//! What a verb that takes `MODEL` may be given: a network by name, weights that say of which network they are, or an
//! ONNX file.

use std::collections::HashSet;
use std::path::Path;

use anyhow::anyhow;
use formats::onnx::{Bindings, Extent, Import, Model, OnnxError};
use graph::Graph;
use runtime::{Program, initialise, initialise_where};
use train::Architecture;
use zoo::BuildOptions;

use super::failure::usage;
use super::input_shape::InputShape;
use super::output::Messages;
use super::weights::{Asked, Network};

/// A network with what it is made of.
pub(crate) struct Subject {
    /// The network, as its author builds it.
    pub(crate) network: Graph,
    /// Extents of an image.
    pub(crate) image: Vec<usize>,
    /// Classes it tells apart.
    pub(crate) classes: usize,
    pub(crate) origin: Origin,
}

/// Where a network comes from.
pub(crate) enum Origin {
    /// The zoo, with weights where there are any.
    Named(Network),
    /// A file, which holds its weights, and what it says of itself besides.
    Onnx(Import, Vec<(String, String)>),
}

impl Subject {
    /// Opens what was asked for, for batches of `batch`.
    ///
    /// # Errors
    /// As [`Network::open`] and [`for_batch`]; weights or classes asked of an ONNX file.
    pub(crate) fn open(
        asked: &Asked<'_>,
        batch: usize,
        messages: Messages,
    ) -> anyhow::Result<Self> {
        let path = Path::new(asked.model);
        if is_onnx(path) {
            if asked.weights.is_some() || asked.classes.is_some() {
                return Err(usage("an ONNX file has weights and classes of its own"));
            }
            let (mut import, metadata) = for_batch(path, batch, asked.input)?;
            let classes = import.outputs.first().and_then(|edge| edge.shape.last());
            let image = import.inputs.first().and_then(|edge| edge.shape.get(1..));
            return Ok(Self {
                classes: classes.copied().unwrap_or(1).max(1),
                image: image.unwrap_or_default().to_vec(),
                network: std::mem::take(&mut import.graph),
                origin: Origin::Onnx(import, metadata),
            });
        }
        let named = Network::open(asked, messages)?;
        let options = BuildOptions {
            batch,
            ..named.options.clone()
        };
        Ok(Self {
            network: named.architecture.build(&options)?,
            image: vec![options.channels, options.height, options.width],
            classes: options.classes,
            origin: Origin::Named(named),
        })
    }

    /// Refuses a network of the zoo that is no classifier.
    pub(crate) fn must_classify(&self) -> anyhow::Result<()> {
        if let Origin::Named(named) = &self.origin {
            named.architecture.clone().classifier()?;
        }
        Ok(())
    }

    /// Gives a program the weights there are. A head of other classes, and a network without weights, get drawn
    /// ones.
    ///
    /// # Errors
    /// Weights that do not fit.
    pub(crate) fn fill(&mut self, program: &mut Program) -> anyhow::Result<()> {
        match &mut self.origin {
            Origin::Named(named) => match &mut named.weights {
                Some(weights) => drop(weights.restore_or_initialise(program, 0)?),
                None => initialise(program, 0),
            },
            Origin::Onnx(import, _) => {
                let given = import.elements.iter().map(|(name, _)| name.as_str());
                let given: HashSet<_> = given.collect();
                initialise_where(program, 0, |name| !given.contains(name));
                load(import, program)?;
            }
        }
        Ok(())
    }
}

/// Whether a path is meant as an ONNX file.
pub(crate) fn is_onnx(path: &Path) -> bool {
    Architecture::is_onnx(path)
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
) -> anyhow::Result<(Import, Vec<(String, String)>)> {
    let model = open(path)?;
    let mut bindings = Bindings::batch(batch);
    if let (Some(images), Some(InputShape([channels, height, width]))) =
        (model.inputs().first(), input)
    {
        let shape = match has_channels_last(images.shape.as_deref(), channels) {
            true => vec![batch, height, width, channels],
            false => vec![batch, channels, height, width],
        };
        bindings.shapes.insert(images.name.clone(), shape);
    }
    let import = match model.import(&bindings) {
        // The extents are those that were typed.
        Err(error @ OnnxError::Input { .. }) if input.is_some() => {
            return Err(usage(format!("{}: {error}", path.display())));
        }
        import => import.map_err(|error| named(path, error))?,
    };
    let first = import.inputs.first().and_then(|edge| edge.shape.first());
    match first {
        Some(&fixed) if fixed != batch && batch > 1 => Err(usage(format!(
            "{}: the model is made for batches of {fixed}",
            path.display()
        ))),
        _ => Ok((import, model.metadata().to_vec())),
    }
}

/// Whether a model says that it reads so many channels behind rows and columns.
fn has_channels_last(declared: Option<&[Extent]>, channels: usize) -> bool {
    let is = |extent: &Extent| matches!(extent, Extent::Known(known) if *known == channels);
    matches!(declared, Some([_, first, _, last]) if is(last) && !is(first))
}

/// Gives a program the parameters and states of a model, read straight to their places.
///
/// # Errors
/// Integers that 32-bit floats cannot hold; a file that cannot be read any more.
pub(crate) fn load(import: &Import, program: &mut Program) -> Result<(), OnnxError> {
    let elements: std::collections::HashMap<_, _> = import
        .elements
        .iter()
        .map(|(name, elements)| (name.as_str(), elements))
        .collect();
    for slot in program.slots().to_vec() {
        if let Some(elements) = elements.get(slot.name.as_str()) {
            elements.write_f32(&mut program.parameters_mut()[slot.range])?;
        }
    }
    for slot in program.states().to_vec() {
        if let Some(elements) = elements.get(slot.name.as_str()) {
            elements.write_f32(&mut program.state_mut()[slot.range])?;
        }
    }
    Ok(())
}

/// An error with its file; one of the system names the file itself.
pub(crate) fn named(path: &Path, error: OnnxError) -> anyhow::Error {
    match error {
        OnnxError::Io { .. } => error.into(),
        OnnxError::OpenExtent { .. } => usage(format!(
            "{}: {error} with --input CxHxW, as in 3x224x224",
            path.display()
        )),
        error => anyhow!("{}: {error}", path.display()),
    }
}
