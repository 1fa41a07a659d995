//! Feature maps moved by hand: surrounded by zeros, stretched, thinned out, cut.

use testkit::Draw;

/// `[n, c, h, w]`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Map {
    pub(crate) dims: [usize; 4],
    pub(crate) data: Vec<f32>,
}

impl Map {
    /// Integers.
    pub(crate) fn drawn(draw: &mut Draw, dims: [usize; 4]) -> Self {
        let data = draw.integers(dims.iter().product());
        Self { dims, data }
    }

    pub(crate) fn size(&self) -> [usize; 2] {
        [self.dims[2], self.dims[3]]
    }

    /// A map of another size whose elements are those that stand where `source` says, or zeros.
    fn from(&self, size: [usize; 2], source: impl Fn([usize; 2]) -> Option<[usize; 2]>) -> Self {
        let [n, c, h, w] = self.dims;
        let mut data = Vec::with_capacity(n * c * size[0] * size[1]);
        for plane in self.data.chunks_exact((h * w).max(1)) {
            for row in 0..size[0] {
                for column in 0..size[1] {
                    let place = source([row, column]).filter(|at| at[0] < h && at[1] < w);
                    data.push(place.map_or(0.0, |[row, column]| plane[row * w + column]));
                }
            }
        }
        Self {
            dims: [n, c, size[0], size[1]],
            data,
        }
    }

    /// With zeros before and behind every axis.
    pub(crate) fn surrounded(&self, before: [usize; 2], after: [usize; 2]) -> Self {
        let size = [0, 1].map(|axis| before[axis] + self.size()[axis] + after[axis]);
        self.from(size, |[row, column]| {
            Some([row.checked_sub(before[0])?, column.checked_sub(before[1])?])
        })
    }

    /// With so many zeros between neighbours.
    pub(crate) fn stretched(&self, zeros: [usize; 2]) -> Self {
        let size = [0, 1].map(|axis| (self.size()[axis] - 1) * (zeros[axis] + 1) + 1);
        self.from(size, |at| {
            let stands = (0..2).all(|axis| at[axis].is_multiple_of(zeros[axis] + 1));
            stands.then(|| [0, 1].map(|axis| at[axis] / (zeros[axis] + 1)))
        })
    }

    /// The first of every `stride` elements.
    pub(crate) fn thinned(&self, stride: [usize; 2]) -> Self {
        let size = [0, 1].map(|axis| self.size()[axis].div_ceil(stride[axis]));
        self.from(size, |at| Some([0, 1].map(|axis| at[axis] * stride[axis])))
    }

    /// A part.
    pub(crate) fn part(&self, first: [usize; 2], size: [usize; 2]) -> Self {
        self.from(size, |at| Some([0, 1].map(|axis| first[axis] + at[axis])))
    }

    /// Weights `[a, b, kh, kw]` of a convolution turned round, as `[b, a, kh, kw]`.
    pub(crate) fn turned(&self) -> Self {
        let [a, b, h, w] = self.dims;
        let mut data = Vec::with_capacity(self.data.len());
        for (inner, outer) in (0..b).flat_map(|inner| (0..a).map(move |outer| (inner, outer))) {
            let taps = &self.data[(outer * b + inner) * h * w..][..h * w];
            data.extend(taps.iter().rev());
        }
        Self {
            dims: [b, a, h, w],
            data,
        }
    }
}
