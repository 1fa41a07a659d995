//! A layer of a real network, with its weights and what it reads of a picture.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use explain::{Computation, FeatureMaps, Statistics, computation, feature_maps};
use figures::arithmetic::Excerpt;
use figures::short;
use formats::Picture;
use geometry::{AdaptiveDesc, AdaptiveKind, InputShape, PoolDesc, Problem};
use graph::{Op, PoolingOp, TransposedOp};
use runtime::eager::{Given, Made};
use runtime::{Eager, RuntimeOptions};
use tensor::Tensor;

use super::neuron::{self, Place};
use super::numbers::{Known, Shown};
use super::smaller::smaller;
use super::window::{self, Neuron, Part};
use crate::answering::{self, Answering};
use crate::explain::{Opened, prepared};
use crate::failure::usage;
use crate::op::{self, Array, Direction, Operator, refused};
use crate::output::Messages;

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
    /// The neuron of the layer around which its window is drawn, by row and column of its map, from 0,0 on; it has a
    /// frame in the picture [default: that of the largest magnitude in the map]
    #[arg(
        long,
        value_name = "y,x",
        requires = "layer",
        allow_hyphen_values = true
    )]
    at: Option<Place>,
    /// The map of the layer that is drawn, from 0 on [default: that of the largest magnitude at y,x; without --at that
    /// of the largest mean magnitude]
    #[arg(
        long,
        value_name = "MAP",
        requires = "layer",
        allow_hyphen_values = true
    )]
    channel: Option<i64>,
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
        eager: &Eager,
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
        let chosen = self.at.is_some() || self.channel.is_some();
        if !chosen && smaller(&problem) == problem {
            return Ok((
                problem,
                Known {
                    of,
                    arrays,
                    part: None,
                },
            ));
        }
        let maps = match one_place(&computation, &problem, eager)? {
            Some(maps) => maps,
            None => feature_maps(&opened.subject, &read, &[layer])?.remove(0),
        };
        let (neuron, why) = neuron::chosen(self.at, self.channel, &maps)?;
        match window::around(&problem, &arrays, neuron)? {
            Some(part) => {
                let value = neuron::value_of(&maps, neuron);
                let seen = neuron::seen(opened.subject.network(), layer, neuron.at);
                let (shown, arrays) = words(part, (neuron, value), (why, &seen), &problem);
                let part = Some(shown);
                Ok((problem, Known { of, arrays, part }))
            }
            None if chosen => Err(usage(format!(
                "layer '{layer}': --at and --channel are for convolutions and pools over planes"
            ))),
            None => Ok((
                problem,
                Known {
                    of,
                    arrays,
                    part: None,
                },
            )),
        }
    }
}

/// What is drawn of a layer, in words.
fn words(
    part: Part,
    (neuron, value): (Neuron, f32),
    (why, seen): (&str, &str),
    whole: &Problem,
) -> (Shown, Vec<(Array, Tensor<f64>)>) {
    let Neuron {
        channel,
        at: [y, x],
    } = neuron;
    let [rows, columns] = [("row", part.places[0]), ("column", part.places[1])]
        .map(|(axis, [first, count])| neuron::run_of(axis, first, count));
    let [[top, _], [left, across]] = part.places;
    let still = (y - top) * across + x - left;
    let (channels, of) = part.channels;
    let others = of - channels.len();
    let drawn: Vec<String> = channels.iter().map(usize::to_string).collect();
    let [mut remark, mut told] = [
        format!(
            "framed: neuron {y},{x}, {why}: {} · {rows}, {columns} of {whole}",
            short(value.into())
        ),
        format!("map {channel} around its neuron {y},{x}, {why}, of {whole}{seen}"),
    ];
    if others > 0 {
        remark.push_str(&format!(" · {others} of {of} input channels are summed"));
        told.push_str(&format!(
            "; of {of} input channels those that say most to it: {}; the other {others} are summed",
            drawn.join(", ")
        ));
    }
    let shown = Shown {
        told: format!("drawn as {}: {told}", part.problem),
        heading: format!("map {channel} around {y},{x}"),
        problem: part.problem,
        remark,
        still,
        excerpt: Excerpt {
            map: channel,
            first: [top, left],
            neuron: [y, x],
            channels,
            of,
            rest: part.rest,
        },
    };
    (shown, part.arrays)
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
        Op::GlobalAveragePool => {
            let desc = PoolDesc::average(shape.dims[2..].to_vec());
            Ok(Problem::Pool(shape, desc))
        }
        Op::Pooling(PoolingOp::Adaptive { desc, .. }) => match as_pool(desc, &shape)? {
            Some(desc) => Ok(Problem::Pool(shape, desc)),
            None => Err(usage(format!(
                "layer '{layer}': its windows differ in size, and no one window moves"
            ))),
        },
        other => Err(usage(format!(
            "layer '{layer}' computes {}: plain and transposed convolutions and pools are drawn with their numbers",
            other.name()
        ))),
    }
}

/// The maps of a pool that leaves one place of each plane, which are no feature maps to look at, but have a window.
fn one_place(
    computation: &Computation,
    problem: &Problem,
    eager: &Eager,
) -> anyhow::Result<Option<FeatureMaps>> {
    let Problem::Pool(shape, desc) = problem else {
        return Ok(None);
    };
    let geometry = desc.resolve(&shape.dims)?;
    let [channels, area] = [
        geometry.channels,
        geometry.output_shape()[2..].iter().product(),
    ];
    if area != 1 {
        return Ok(None);
    }
    let operator =
        Operator::new(problem, Direction::Forward, op::Asked::default()).map_err(usage)?;
    let input = widened(&computation.input)?;
    let given = [Some(Given::Real(&input))];
    let made = eager.run(operator.graph, &given).map_err(refused)?;
    let made = made.into_iter().next().map(Made::real);
    let made: Vec<f32> = made
        .iter()
        .flat_map(Tensor::data)
        .map(|&x| x as f32)
        .collect();
    Ok(Some(FeatureMaps {
        layer: computation.layer.clone(),
        statistics: made.chunks(1).map(Statistics::of).collect(),
        maps: Tensor::from_slice(&[channels, 1, 1], &made)?,
    }))
}

/// The pool with one window that an adaptive pool is where its bins are as large as each other.
fn as_pool(desc: &AdaptiveDesc, shape: &InputShape) -> anyhow::Result<Option<PoolDesc>> {
    let made = desc.resolve(&shape.dims)?.output_shape();
    let sides = shape.dims[2..].iter().zip(&made[2..]);
    let bins: Vec<usize> = sides.clone().map(|(input, bins)| input / bins).collect();
    if sides
        .clone()
        .any(|(input, bins)| !input.is_multiple_of(*bins))
    {
        return Ok(None);
    }
    let pool = match desc.kind {
        AdaptiveKind::Max => PoolDesc::max(bins.clone()),
        AdaptiveKind::Average => PoolDesc::average(bins.clone()),
        AdaptiveKind::Lp(order) => PoolDesc::lp(order, bins.clone()),
    };
    Ok(Some(pool.stride(bins)))
}

fn widened(numbers: &Tensor) -> anyhow::Result<Tensor<f64>> {
    let mut wide = Tensor::zeros(numbers.dims())?;
    for (to, &from) in wide.data_mut().iter_mut().zip(numbers.data()) {
        *to = from.into();
    }
    Ok(wide)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An adaptive pool has one window where its bins are alike, and none to draw where they are not.
    #[test]
    fn bins_that_are_alike_are_a_window() {
        let pool = |desc: AdaptiveDesc, dims: &[usize]| {
            let shape = InputShape::new(dims).unwrap();
            let pool = as_pool(&desc, &shape).unwrap();
            pool.map(|pool| Problem::Pool(shape, pool).to_string())
        };
        let found = pool(AdaptiveDesc::average([2, 2]), &[1, 3, 6, 4]);
        assert_eq!(found.as_deref(), Some("pool-avg:n1c3h6w4:k3x2s3x2"));
        let found = pool(AdaptiveDesc::max(1), &[1, 3, 5, 5]);
        assert_eq!(found.as_deref(), Some("pool-max:n1c3h5w5:k5s5"));
        assert_eq!(pool(AdaptiveDesc::average(2), &[1, 3, 5, 4]), None);
    }
}
