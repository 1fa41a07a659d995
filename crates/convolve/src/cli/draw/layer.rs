//! A layer of a real network, with its weights and what it reads of a picture.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use explain::{Computation, computation};
use formats::Picture;
use geometry::{InputShape, Problem};
use graph::{Op, TransposedOp};
use runtime::RuntimeOptions;
use tensor::Tensor;

use super::numbers::Known;
use crate::cli::answering::{self, Answering};
use crate::cli::explain::{Opened, prepared};
use crate::cli::failure::usage;
use crate::cli::op::Array;
use crate::cli::output::Messages;

/// Which layer, and of what.
#[derive(Args, Clone, Debug)]
pub(super) struct Asked {
    /// Draw what this layer does on a picture, with its real numbers: then the subjects are a network, as `predict`
    /// takes it or none, and a picture
    #[arg(long, value_name = "LAYER", conflicts_with_all = ["note", "blocks", "image"])]
    layer: Option<String>,
    /// The weights of the layer's network: a .safetensors or .onnx file, a run folder, or hf-hub:ORG/NAME
    #[arg(long, value_name = "FILE|RUN|hf-hub:ORG/NAME", requires = "layer")]
    weights: Option<String>,
}

impl Asked {
    /// Whether a layer is asked for.
    pub(super) fn is_some(&self) -> bool {
        self.layer.is_some()
    }

    /// The layer's problem and its numbers, of a network and a picture.
    ///
    /// # Errors
    /// As `explain`; a layer that is no convolution or pool.
    pub(super) fn known(
        &self,
        paths: &[PathBuf],
        messages: Messages,
    ) -> anyhow::Result<(Problem, Known)> {
        let layer = self.layer.as_deref().unwrap_or_default();
        let (answering, images) = Answering::among(paths, self.weights.as_deref())?;
        let image = answering::the_picture(images)?;
        let opened = Opened::new(&answering, &RuntimeOptions::default(), messages)?;
        let picture = Picture::open(image)?;
        let read = prepared(&picture, &opened.card.preprocess)
            .map_err(|error| anyhow!("{}: {error}", image.display()))?;
        let computation = computation(&opened.subject, &read, layer)?;
        let problem = problem(&computation)?;
        let picture = image.file_name().unwrap_or_default().to_string_lossy();
        let of = format!("{layer} of {} on {picture}", opened.subject.network().name);
        let names = [Array::Weight, Array::Bias];
        let mut arrays = vec![(Array::Input, widened(&computation.input)?)];
        for (array, numbers) in names.into_iter().zip(&computation.parameters) {
            arrays.push((array, widened(numbers)?));
        }
        Ok((problem, Known { of, arrays }))
    }
}

/// What a layer computes, as a problem.
fn problem(
    Computation {
        layer, op, input, ..
    }: &Computation,
) -> anyhow::Result<Problem> {
    let shape = InputShape::new(input.dims())?;
    match op {
        Op::Conv { desc, .. } => Ok(Problem::Conv(shape, desc.clone())),
        Op::Transposed(TransposedOp::Conv { desc, .. }) => {
            Ok(Problem::ConvTransposed(shape, desc.clone()))
        }
        Op::Pool { desc, .. } => Ok(Problem::Pool(shape, desc.clone())),
        other => Err(usage(format!(
            "layer '{layer}' is a {}: convolutions and pools are drawn with their numbers",
            other.name()
        ))),
    }
}

fn widened(numbers: &Tensor) -> anyhow::Result<Tensor<f64>> {
    let mut wide = Tensor::zeros(numbers.dims())?;
    for (to, &from) in wide.data_mut().iter_mut().zip(numbers.data()) {
        *to = from.into();
    }
    Ok(wide)
}
