//! Transposed convolution, computed twice: by its definition, and as a direct convolution.
//!
//! By definition every input cell lays a copy of the kernel, times itself, on a canvas, and copies that
//! overlap add up; then padding is *taken off*. `o' = (i' − 1)s + d(k − 1) + 1 + a − before − after`. Output
//! padding `a` enlarges the canvas at its far end.
//!
//! Seen as a direct convolution, the input is stretched by `s − 1` zeros between neighbours and walked over with
//! stride one by the kernel turned round (Dumoulin & Visin 2016, §4). Both are here so that one can be held
//! against the other.

use crate::ConvCase;

/// One transposed convolution of 1–3 spatial axes; lists go outermost axis first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransposedCase {
    /// Images.
    pub batch: usize,
    /// Channels of the layer's input, over all groups.
    pub in_channels: usize,
    /// Channels of the layer's output, over all groups.
    pub out_channels: usize,
    /// Groups; divides both channel counts.
    pub groups: usize,
    /// Spatial size of the layer's input.
    pub input: Vec<usize>,
    /// Taps per axis.
    pub kernel: Vec<usize>,
    /// Cells of the canvas between the copies of neighbouring input cells.
    pub stride: Vec<usize>,
    /// Dilation per axis; 1 = dense.
    pub dilation: Vec<usize>,
    /// Cells taken off the near end of each axis.
    pub before: Vec<usize>,
    /// Cells taken off the far end of each axis.
    pub after: Vec<usize>,
    /// Cells added to the far end of each axis.
    pub output_padding: Vec<usize>,
}

/// Flat indices of one product `x[input] · w[weight]`, a term of `y[output]`.
struct Product {
    output: usize,
    input: usize,
    weight: usize,
}

impl TransposedCase {
    /// Spatial size of the output.
    ///
    /// # Panics
    /// If padding takes off more than there is.
    #[must_use]
    pub fn output_size(&self) -> Vec<usize> {
        (0..self.input.len())
            .map(|axis| self.canvas(axis) - self.before[axis] - self.after[axis])
            .collect()
    }

    /// Cells of an axis before padding is taken off.
    #[must_use]
    pub fn canvas(&self, axis: usize) -> usize {
        let last = (self.input[axis] - 1) * self.stride[axis];
        last + self.reach(axis) + 1 + self.output_padding[axis]
    }

    /// Elements of the input `[batch, in_channels, …input]`.
    #[must_use]
    pub fn input_len(&self) -> usize {
        self.batch * self.in_channels * self.input.iter().product::<usize>()
    }

    /// Elements of the weights `[in_channels, out_channels / groups, …kernel]`.
    #[must_use]
    pub fn weight_len(&self) -> usize {
        let taps: usize = self.kernel.iter().product();
        self.in_channels * (self.out_channels / self.groups) * taps
    }

    /// Elements of the output `[batch, out_channels, …output_size]`.
    #[must_use]
    pub fn output_len(&self) -> usize {
        self.batch * self.out_channels * self.output_size().iter().product::<usize>()
    }

    /// The output, by the definition.
    #[must_use]
    pub fn forward(&self, x: &[f64], w: &[f64], bias: Option<&[f64]>) -> Vec<f64> {
        assert_eq!(x.len(), self.input_len(), "{self}: length of x");
        assert_eq!(w.len(), self.weight_len(), "{self}: length of w");
        let map: usize = self.output_size().iter().product();
        let mut y = vec![0.0; self.output_len()];
        if let Some(bias) = bias {
            for (index, value) in y.iter_mut().enumerate() {
                *value = bias[index / map % self.out_channels];
            }
        }
        self.each_product(|p| y[p.output] += x[p.input] * w[p.weight]);
        y
    }

    /// The gradient of the input, given that of the output.
    #[must_use]
    pub fn backward_data(&self, dy: &[f64], w: &[f64]) -> Vec<f64> {
        assert_eq!(dy.len(), self.output_len(), "{self}: length of dy");
        assert_eq!(w.len(), self.weight_len(), "{self}: length of w");
        let mut dx = vec![0.0; self.input_len()];
        self.each_product(|p| dx[p.input] += dy[p.output] * w[p.weight]);
        dx
    }

    /// The gradient of the weights, given that of the output.
    #[must_use]
    pub fn backward_weights(&self, x: &[f64], dy: &[f64]) -> Vec<f64> {
        assert_eq!(x.len(), self.input_len(), "{self}: length of x");
        assert_eq!(dy.len(), self.output_len(), "{self}: length of dy");
        let mut dw = vec![0.0; self.weight_len()];
        self.each_product(|p| dw[p.weight] += dy[p.output] * x[p.input]);
        dw
    }

    /// The gradient of the bias, given that of the output.
    #[must_use]
    pub fn backward_bias(&self, dy: &[f64]) -> Vec<f64> {
        assert_eq!(dy.len(), self.output_len(), "{self}: length of dy");
        let map: usize = self.output_size().iter().product();
        let mut db = vec![0.0; self.out_channels];
        for (index, value) in dy.iter().enumerate() {
            db[index / map % self.out_channels] += value;
        }
        db
    }

    /// Every copy of the kernel that an input cell lays on the canvas, tap by tap.
    fn each_product(&self, mut product: impl FnMut(Product)) {
        let output = self.output_size();
        let map: usize = output.iter().product();
        let taps: usize = self.kernel.iter().product();
        let cells: usize = self.input.iter().product();
        let (inputs, outputs) = (
            self.in_channels / self.groups,
            self.out_channels / self.groups,
        );
        for (cell, tap) in (0..cells).flat_map(|c| (0..taps).map(move |t| (c, t))) {
            let place = places(cell, &self.input)
                .into_iter()
                .zip(places(tap, &self.kernel))
                .enumerate()
                .map(|(axis, (i, t))| {
                    let canvas = i * self.stride[axis] + t * self.dilation[axis];
                    let place = canvas.checked_sub(self.before[axis])?;
                    Some(place).filter(|&place| place < output[axis])
                })
                .collect::<Option<Vec<_>>>();
            let Some(place) = place else { continue };
            let at = index(&place, &output);
            for n in 0..self.batch {
                for i in 0..self.in_channels {
                    for o in 0..outputs {
                        let channel = i / inputs * outputs + o;
                        product(Product {
                            output: (n * self.out_channels + channel) * map + at,
                            input: (n * self.in_channels + i) * cells + cell,
                            weight: (i * outputs + o) * taps + tap,
                        });
                    }
                }
            }
        }
    }

    /// The output, as a direct convolution of stride one over the stretched input.
    #[must_use]
    pub fn through_stretching(&self, x: &[f64], w: &[f64], bias: Option<&[f64]>) -> Vec<f64> {
        let output = self.output_size();
        let rank = self.input.len();
        // A direct convolution of this many cells gives the output.
        let padded: Vec<usize> = (0..rank).map(|a| output[a] + self.reach(a)).collect();
        let (cells, room): (usize, usize) = (self.input.iter().product(), padded.iter().product());
        let mut stretched = vec![0.0; self.batch * self.in_channels * room];
        for cell in 0..cells {
            let place = places(cell, &self.input)
                .into_iter()
                .enumerate()
                .map(|(axis, i)| {
                    // Zeros before the first cell: k' − p − 1, and cells cut off where that is negative.
                    let place = i * self.stride[axis] + self.reach(axis);
                    let place = place.checked_sub(self.before[axis])?;
                    Some(place).filter(|&place| place < padded[axis])
                })
                .collect::<Option<Vec<_>>>();
            let Some(place) = place else { continue };
            for map in 0..self.batch * self.in_channels {
                stretched[map * room + index(&place, &padded)] = x[map * cells + cell];
            }
        }
        let direct = ConvCase::new(
            self.batch,
            self.in_channels,
            self.out_channels,
            padded,
            self.kernel.clone(),
        )
        .dilation(self.dilation.clone())
        .groups(self.groups);
        direct.forward(&stretched, &self.turned(w), bias)
    }

    /// Weights `[in_channels, out_channels / groups, …kernel]` with the channels of each group exchanged and
    /// every axis turned round: `[out_channels, in_channels / groups, …kernel]`.
    #[must_use]
    pub fn turned<T: Copy>(&self, w: &[T]) -> Vec<T> {
        let taps: usize = self.kernel.iter().product();
        let (inputs, outputs) = (
            self.in_channels / self.groups,
            self.out_channels / self.groups,
        );
        let mut turned = Vec::with_capacity(w.len());
        for channel in 0..self.out_channels {
            let (group, o) = (channel / outputs, channel % outputs);
            for i in group * inputs..(group + 1) * inputs {
                // All axes turned round: the taps from last to first.
                turned.extend((0..taps).rev().map(|tap| w[(i * outputs + o) * taps + tap]));
            }
        }
        turned
    }

    /// Cells from the first to the last tap.
    fn reach(&self, axis: usize) -> usize {
        (self.kernel[axis] - 1) * self.dilation[axis]
    }
}

/// A row-major index as a place on every axis.
fn places(mut index: usize, sizes: &[usize]) -> Vec<usize> {
    let mut places = vec![0; sizes.len()];
    for (place, size) in places.iter_mut().zip(sizes).rev() {
        (*place, index) = (index % size, index / size);
    }
    places
}

/// A place on every axis as a row-major index.
fn index(places: &[usize], sizes: &[usize]) -> usize {
    let pairs = places.iter().zip(sizes);
    pairs.fold(0, |index, (place, size)| index * size + place)
}
