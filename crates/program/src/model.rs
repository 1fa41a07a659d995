//! What a verb that takes `MODEL` may be given: a network by name, weights that say of which network they are, or an
//! ONNX file.

use std::collections::HashSet;
use std::path::Path;

use anyhow::anyhow;
use formats::onnx::{Bindings, Declared, Extent, Import, Model, OnnxError};
use graph::{AxisRoles, Graph, PerImage};
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
            let input = import.graph.inputs.get(AxisRoles::image(&import.graph));
            let image = input.map(|&input| PerImage::of(&import.graph).shape(&import.graph, input));
            return Ok(Self {
                classes: classes.copied().unwrap_or(1).max(1),
                image: image.unwrap_or_default(),
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
    if let (Some(images), Some(input)) = (model.inputs().first(), input) {
        let shape = in_order_of(images.shape.as_deref(), batch, input);
        bindings.shapes.insert(images.name.clone(), shape);
    }
    let import = match model.import(&bindings) {
        // The extents are those that were typed.
        Err(error @ OnnxError::Input { .. }) if input.is_some() => {
            return Err(usage(format!("{}: {error}", path.display())));
        }
        import => import.map_err(|error| named(path, error))?,
    };
    let refused = |why: String| Err(usage(format!("{}: {why}", path.display())));
    let first = import.inputs.first().and_then(|edge| edge.shape.first());
    match first {
        _ if has_no_batch(&import.graph) && batch > 1 => {
            return refused("the model reads a single image".to_owned());
        }
        Some(&fixed) if fixed != batch && batch > 1 => {
            return refused(format!("the model is made for batches of {fixed}"));
        }
        _ => {}
    }
    if let Some(images) = model.inputs().first().filter(|_| input.is_none())
        && takes_rows_for_a_batch(&model, images)
    {
        let (input, shape) = (images.name.clone(), images.extents());
        return Err(named(path, OnnxError::OpenExtent { input, shape }));
    }
    Ok((import, model.metadata().to_vec()))
}

/// Whether the open first axis of an input is none of a batch, though it would be bound as one. A single row could be
/// anything, so this is tried with many.
fn takes_rows_for_a_batch(model: &Model, images: &Declared) -> bool {
    const MANY: usize = 64;
    match images.shape.as_deref() {
        Some([Extent::Open(_), _] | [Extent::Open(_), _, _]) => {
            let tried = model.import(&Bindings::batch(MANY));
            tried.is_ok_and(|import| has_no_batch(&import.graph))
        }
        _ => false,
    }
}

/// Whether a network reads rows or channels where others have the batch.
fn has_no_batch(network: &Graph) -> bool {
    let Ok(roles) = AxisRoles::of(network, 0) else {
        return false;
    };
    let input = network.inputs[0];
    roles.channels(network, input) == Some(0) || roles.space(network, input).contains(&0)
}

/// The extents of an input in the order in which a model has them, as far as what it declares tells that: channels may come
/// last, and an input may be without a batch or, of one channel, without channels.
fn in_order_of(
    declared: Option<&[Extent]>,
    batch: usize,
    InputShape([channels, height, width]): InputShape,
) -> Vec<usize> {
    let is = |extent: &Extent| matches!(extent, Extent::Known(known) if *known == channels);
    match declared {
        Some([_, first, _, last]) if is(last) && !is(first) => vec![batch, height, width, channels],
        Some([_, _]) if channels == 1 => vec![height, width],
        Some([first, _, last]) if is(last) && !is(first) => vec![height, width, channels],
        Some([_, _, _]) if channels == 1 => vec![batch, height, width],
        Some([_, _, _]) => vec![channels, height, width],
        _ => vec![batch, channels, height, width],
    }
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
    program.fill_kept(|name, to| match elements.get(name) {
        Some(elements) => elements.write_f32(to),
        None => Ok(()),
    })
}

/// An error with its file; one of the system names the file itself.
pub(crate) fn named(path: &Path, error: OnnxError) -> anyhow::Error {
    match error {
        OnnxError::Io { .. } => error.into(),
        OnnxError::OpenExtent { .. } => usage(format!(
            "{}: {error} with --input CxHxW (of draw: --image CxHxW), as in 3x224x224",
            path.display()
        )),
        error => anyhow!("{}: {error}", path.display()),
    }
}
