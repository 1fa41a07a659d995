//! Exactly which pixels a neuron sees.
//!
//! A set of elements is walked back from the neuron to the input, operator by operator
//! ([`geometry::Reads`], [`Region`]): with the holes of dilation, cut off at borders, and of every
//! branch as it lies.

use geometry::names::suggestion_or;
use geometry::{GeometryError, IndexSet, Region};

use crate::axis_roles::{AxisRoleError, AxisRoles};
use crate::reads::sources;
use crate::receptive_field::dependents;
use crate::{Graph, ValueId};

/// The pixels that a neuron sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neuron {
    /// The layer, by its name.
    pub layer: String,
    /// Its place in the layer's map, outermost axis first; the neurons of all channels there are meant.
    pub at: Vec<usize>,
    /// Extents of the layer's map: along its axes of space, wherever those lie ([`AxisRoles`]).
    pub map: Vec<usize>,
    /// Extents of the input along its own.
    pub input: Vec<usize>,
    /// The pixels, along the axes of space of the input.
    pub pixels: Region,
}

/// A neuron that there is not, or whose pixels cannot be counted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NeuronError {
    /// No layer has this name.
    #[error(
        "there is no layer '{name}'{}",
        suggestion_or(nearest, "convolve summary MODEL --wide")
    )]
    NoLayer {
        /// The name.
        name: String,
        /// Those most like it.
        nearest: Vec<String>,
    },
    /// A place outside the map.
    #[error("{layer} has no neuron at {at:?}: its map is {map:?}")]
    Outside {
        /// The layer.
        layer: String,
        /// The place.
        at: Vec<usize>,
        /// Extents of its map.
        map: Vec<usize>,
    },
    /// A layer that does not depend on the input.
    #[error("{layer} does not depend on the input '{input}'")]
    Independent {
        /// The layer.
        layer: String,
        /// The input.
        input: String,
    },
    /// No input at that place, or one whose axes of space are not known.
    #[error(transparent)]
    Axes(#[from] AxisRoleError),
    /// A set of more pieces than can be kept.
    #[error("{layer}: {source}")]
    TooLarge {
        /// The layer.
        layer: String,
        /// What was counted.
        source: GeometryError,
    },
}

impl Neuron {
    /// Walks back from the neuron at `at` of the layer `layer`, or from the middle one where `at` is
    /// empty, to the input at place `input` of [`Graph::inputs`].
    ///
    /// Where several nodes make up a layer, its last one is meant.
    ///
    /// ```
    /// use geometry::ConvDesc;
    /// use graph::{NetworkBuilder, Neuron};
    ///
    /// let mut network = NetworkBuilder::new("dilated", [1, 1, 9, 9]);
    /// let x = network.input();
    /// let y = network.conv("conv1", x, ConvDesc::new(1, 3).dilation(2).padding(2), false)?;
    /// let network = network.finish(y)?;
    /// let neuron = Neuron::trace(&network, "conv1", &[0, 4], 0)?;
    /// // Two rows, for the first lies in the padding, of three columns each.
    /// assert_eq!(neuron.pixels.len(), 6);
    /// assert!(neuron.pixels.contains(&[2, 6]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// See [`NeuronError`].
    pub fn trace(
        network: &Graph,
        layer: &str,
        at: &[usize],
        input: usize,
    ) -> Result<Self, NeuronError> {
        let node = network.nodes.iter().rev().find(|node| node.layer == layer);
        match node.and_then(|node| node.outputs.first()) {
            Some(&value) => Self::of(network, value, at, input),
            None => Err(NeuronError::NoLayer {
                name: layer.to_owned(),
                nearest: network.layers_like(layer),
            }),
        }
    }

    /// As [`Neuron::trace`], of any value that a layer makes.
    ///
    /// # Errors
    /// As there.
    pub fn of(
        network: &Graph,
        value: ValueId,
        at: &[usize],
        input: usize,
    ) -> Result<Self, NeuronError> {
        let roles = AxisRoles::of(network, input)?;
        let image = network.inputs[input];
        let maker = network
            .nodes
            .iter()
            .find(|node| node.outputs.contains(&value));
        let layer = maker.map_or(&network.value(value).name, |node| &node.layer);
        let shape = &network.value(value).shape;
        let space = [value, image].map(|id| roles.space(network, id));
        let along = |id: ValueId, axes: &[usize]| -> Vec<usize> {
            axes.iter()
                .map(|&axis| network.value(id).shape[axis])
                .collect()
        };
        let map = along(value, &space[0]);
        let place = match at {
            [] => map.iter().map(|extent| extent / 2).collect(),
            at => at.to_vec(),
        };
        let inside = || place.iter().zip(&map).all(|(at, extent)| at < extent);
        if place.len() != map.len() || !inside() {
            return Err(NeuronError::Outside {
                layer: layer.clone(),
                at: place,
                map,
            });
        }
        let depends = dependents(network, image);
        if !depends[value.index()] {
            return Err(NeuronError::Independent {
                layer: layer.clone(),
                input: network.value(image).name.clone(),
            });
        }
        let mut start: Vec<IndexSet> = shape.iter().map(|&extent| (0..extent).into()).collect();
        for (&axis, &at) in space[0].iter().zip(&place) {
            start[axis] = (at..at + 1).into();
        }
        let pixels = Region::product(&start)
            .and_then(|start| elements_read(network, value, start, image, &depends))
            // Of every image, and of every channel.
            .and_then(|elements| elements.onto(&space[1]));
        Ok(Self {
            layer: layer.clone(),
            at: place,
            map,
            input: along(image, &space[1]),
            pixels: pixels.map_err(|source| NeuronError::TooLarge {
                layer: layer.clone(),
                source,
            })?,
        })
    }
}

/// The elements of `image` that some elements of `value` are made of, by way of what depends on it.
fn elements_read(
    network: &Graph,
    value: ValueId,
    start: Region,
    image: ValueId,
    depends: &[bool],
) -> Result<Region, GeometryError> {
    let mut wanted: Vec<Option<Region>> = vec![None; network.values().len()];
    wanted[value.index()] = Some(start);
    for node in network.nodes.iter().rev() {
        for (made, output) in node.outputs.iter().enumerate() {
            let Some(region) = wanted[output.index()].take() else {
                continue;
            };
            for (input, ways) in sources(network, node, made, |id| depends[id.index()]) {
                let shape = &network.value(input).shape;
                for way in ways {
                    let new = way.image(&region, shape)?;
                    let all = match wanted[input.index()].take() {
                        Some(before) => before.union(new)?,
                        None => new,
                    };
                    wanted[input.index()] = Some(all);
                }
            }
        }
    }
    Ok(wanted[image.index()].take().unwrap_or_else(Region::empty))
}
