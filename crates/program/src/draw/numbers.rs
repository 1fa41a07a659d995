//! The numbers of a picture: arrays that were given, or small whole ones.

use std::path::{Path, PathBuf};

use clap::Args;
use figures::arithmetic::Excerpt;
use geometry::Problem;
use tensor::{NpyFile, Tensor};

use crate::failure::usage;
use crate::op::Array;

/// Files of arrays.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Files {
    /// The input x; small whole numbers by default, as for all other arrays
    #[arg(long, value_name = "X.npy")]
    input: Option<PathBuf>,
    /// The weight w
    #[arg(long, value_name = "W.npy")]
    weight: Option<PathBuf>,
    /// The pointwise weight of a separable convolution
    #[arg(long, value_name = "P.npy")]
    pointwise: Option<PathBuf>,
    /// A bias; none by default
    #[arg(long, value_name = "B.npy")]
    bias: Option<PathBuf>,
    /// The offsets of a deformable convolution
    #[arg(long, value_name = "O.npy")]
    offset: Option<PathBuf>,
    /// The mask of a modulated deformable convolution
    #[arg(long, value_name = "M.npy")]
    mask: Option<PathBuf>,
    /// The gradient of a pool's output
    #[arg(long, value_name = "DY.npy")]
    grad: Option<PathBuf>,
    /// Arrays that are known without a file.
    #[arg(skip)]
    pub(super) known: Option<Known>,
}

/// The arrays of a layer.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// Which layer, of which network, on what.
    pub(super) of: String,
    pub(super) arrays: Vec<(Array, Tensor<f64>)>,
    /// What is drawn instead of the whole layer. The arrays are its own then.
    pub(super) part: Option<Shown>,
}

/// A part of a layer, and what it is in words.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) problem: Problem,
    /// What stands behind the name of the layer.
    pub(super) heading: String,
    /// What stands below.
    pub(super) remark: String,
    /// What is told of it.
    pub(super) told: String,
    /// The frame of the neuron that was asked for.
    pub(super) still: usize,
    /// Where it lies in the layer.
    pub(super) excerpt: Excerpt,
}

impl Files {
    pub(super) fn of(&self, array: Array) -> Option<&Path> {
        let file = match array {
            Array::Input => &self.input,
            Array::Weight => &self.weight,
            Array::Pointwise => &self.pointwise,
            Array::Bias => &self.bias,
            Array::Offset => &self.offset,
            Array::Mask => &self.mask,
            Array::Grad => &self.grad,
            Array::Indices => return None,
        };
        file.as_deref()
    }

    fn known(&self, array: Array) -> Option<&Tensor<f64>> {
        let mut arrays = self.known.as_ref()?.arrays.iter();
        let (_, numbers) = arrays.find(|(of, _)| *of == array)?;
        Some(numbers)
    }

    /// The part that is drawn of a layer too large for a page.
    pub(super) fn part(&self) -> Option<&Shown> {
        self.known.as_ref()?.part.as_ref()
    }

    /// Whether the numbers are those of a layer, of which none is made up.
    pub(super) fn are_of_layer(&self) -> bool {
        self.known.is_some()
    }

    /// Whether an array is not made up.
    pub(super) fn has(&self, array: Array) -> bool {
        self.of(array).is_some() || self.known(array).is_some()
    }

    /// Refuses arrays where no numbers are drawn.
    pub(super) fn must_be_none(&self, subject: &str) -> anyhow::Result<()> {
        let given = Array::ALL
            .into_iter()
            .find(|&array| self.of(array).is_some());
        match given {
            Some(array) => Err(usage(format!(
                "{array}: there are no numbers in the picture of {subject}"
            ))),
            None => Ok(()),
        }
    }

    /// The array of a drawn problem: read where there is a file, whose extents are those of the problem as it was
    /// asked for; of a smaller picture, its first corner.
    ///
    /// # Errors
    /// A file that cannot be read, or has other extents.
    pub(super) fn array(
        &self,
        array: Array,
        asked: &[usize],
        drawn: &[usize],
    ) -> anyhow::Result<Tensor<f64>> {
        if let Some(known) = self.known(array) {
            return corner(known, drawn);
        }
        let Some(path) = self.of(array) else {
            return made_up(array, drawn);
        };
        let file = NpyFile::open(path)?;
        if file.dims() != asked {
            anyhow::bail!(
                "{}: {array} has shape {:?}, the problem wants {asked:?}",
                path.display(),
                file.dims()
            );
        }
        corner(&file.read()?, drawn)
    }
}

/// The first elements along every axis.
fn corner(tensor: &Tensor<f64>, extents: &[usize]) -> anyhow::Result<Tensor<f64>> {
    if tensor.dims() == extents {
        return Ok(tensor.clone());
    }
    let mut part = Tensor::zeros(extents)?;
    let whole = tensor.dims().to_vec();
    for (place, element) in part.data_mut().iter_mut().enumerate() {
        let (mut rest, mut from, mut step) = (place, 0, 1);
        for (&extent, &whole) in extents.iter().zip(&whole).rev() {
            from += rest % extent * step;
            rest /= extent;
            step *= whole;
        }
        *element = tensor.data()[from];
    }
    Ok(part)
}

/// Numbers that are easily followed; the same every time.
fn made_up(array: Array, extents: &[usize]) -> anyhow::Result<Tensor<f64>> {
    let mut tensor = Tensor::zeros(extents)?;
    // Fibonacci hashing spreads the places, and nothing more is asked of it.
    let spread = |place: usize, below: usize| {
        let hash = (place as u64 + 11).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((hash >> 40) % below as u64) as f64
    };
    for (place, element) in tensor.data_mut().iter_mut().enumerate() {
        *element = match array {
            Array::Input => spread(place, 6),
            Array::Weight | Array::Pointwise => spread(place + 5, 4) - 1.0,
            Array::Bias => spread(place, 3),
            Array::Grad => spread(place, 5) + 1.0,
            Array::Mask => 0.25 + 0.25 * spread(place, 4),
            // Up to a pixel away, a quarter at a time.
            Array::Offset => (spread(place + 3, 9) - 4.0) / 4.0,
            Array::Indices => 0.0,
        };
    }
    Ok(tensor)
}
