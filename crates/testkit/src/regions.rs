//! Pooling over regions: RoI align, deformable RoI pooling, RoI max and position-sensitive averages.
//!
//! Each is written as its definition reads, element by element: the means as sums of shares of pixels, whose
//! gradients are scatterings; between pixels the shares are products of tents (see
//! [`deformable`](crate::deformable)), on a map that goes on as its border pixels do.

/// One problem of pooling over regions.
#[derive(Clone, Debug, PartialEq)]
pub struct RegionsCase {
    /// Images.
    pub batch: usize,
    /// Channels of the input.
    pub channels: usize,
    /// Rows and columns of the input.
    pub input: [usize; 2],
    /// Bins of a region, down and across.
    pub bins: [usize; 2],
    /// Bin `b` of output channel `o` reads input channel `o · bins + b`.
    pub position_sensitive: bool,
    /// `(image, x1, y1, x2, y2)`
    pub regions: Vec<[f64; 5]>,
    /// Pixels for a unit of the regions' coordinates.
    pub scale: f64,
}

/// How sampling points are laid out (see torchvision's `roi_align`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// Points down and across a bin; 0 is its extent rounded up.
    pub points: usize,
    /// The half-pixel shift, and no least extent.
    pub aligned: bool,
}

/// Offsets `[regions, 2, …bins]`, across before down, and what they are multiplied by.
pub type Moves<'a> = (&'a [f64], f64);

/// A share of a pixel in an output element, and how it changes as the bin moves down and across by a pixel.
struct Share {
    output: usize,
    input: usize,
    share: f64,
    down: f64,
    across: f64,
    /// Of the offset across; that down lies one set of bins further.
    offset: usize,
    /// Extents of the region times the factor of the offsets, down and across.
    factor: [f64; 2],
}

/// The maxima and their places in the planes of their channels.
#[derive(Clone, Debug, PartialEq)]
pub struct RegionMaxima {
    /// `[regions, channels, …bins]`
    pub values: Vec<f64>,
    /// Row-major places; none for a bin without pixels.
    pub indices: Vec<Option<usize>>,
}

impl RegionsCase {
    /// Elements of the input.
    #[must_use]
    pub fn input_len(&self) -> usize {
        self.batch * self.channels * self.input[0] * self.input[1]
    }

    /// Elements of the output.
    #[must_use]
    pub fn output_len(&self) -> usize {
        self.regions.len() * self.out_channels() * self.bin_count()
    }

    /// Elements of the offsets of deformable pooling.
    #[must_use]
    pub fn offset_len(&self) -> usize {
        self.regions.len() * 2 * self.bin_count()
    }

    /// Channels of the output.
    #[must_use]
    pub fn out_channels(&self) -> usize {
        if self.position_sensitive {
            self.channels / self.bin_count()
        } else {
            self.channels
        }
    }

    /// The regions in a row, as f32.
    #[must_use]
    pub fn list(&self) -> Vec<f32> {
        self.regions.iter().flatten().map(|&v| v as f32).collect()
    }

    /// The mean over the sampling points of each bin.
    #[must_use]
    pub fn align(&self, x: &[f64], sampling: Sampling, moves: Option<Moves<'_>>) -> Vec<f64> {
        let mut y = vec![0.0; self.output_len()];
        self.each_share(sampling, moves, |s| y[s.output] += s.share * x[s.input]);
        y
    }

    /// The gradient of the input of [`align`](Self::align).
    #[must_use]
    pub fn align_backward(
        &self,
        dy: &[f64],
        sampling: Sampling,
        moves: Option<Moves<'_>>,
    ) -> Vec<f64> {
        let mut dx = vec![0.0; self.input_len()];
        self.each_share(sampling, moves, |s| dx[s.input] += s.share * dy[s.output]);
        dx
    }

    /// The gradient of the offsets of [`align`](Self::align).
    #[must_use]
    pub fn align_backward_offset(
        &self,
        x: &[f64],
        dy: &[f64],
        sampling: Sampling,
        moves: Moves<'_>,
    ) -> Vec<f64> {
        let mut doffset = vec![0.0; self.offset_len()];
        self.each_share(sampling, Some(moves), |s| {
            let gain = dy[s.output] * x[s.input];
            doffset[s.offset] += s.across * s.factor[1] * gain;
            doffset[s.offset + self.bin_count()] += s.down * s.factor[0] * gain;
        });
        doffset
    }

    /// The largest pixel of each bin; the first of equal ones, never a NaN, 0 for a bin without pixels, the
    /// lowest f32 for one with nothing greater.
    #[must_use]
    pub fn max(&self, x: &[f64]) -> RegionMaxima {
        let mut values = vec![0.0; self.output_len()];
        let mut indices = vec![None; self.output_len()];
        let area = self.input[0] * self.input[1];
        let mut seen = vec![false; self.output_len()];
        self.each_pixel(1, 0, |output, input, _| {
            if !seen[output] {
                (seen[output], values[output]) = (true, f64::from(f32::MIN));
            }
            if x[input] > values[output] {
                (values[output], indices[output]) = (x[input], Some(input % area));
            }
        });
        RegionMaxima { values, indices }
    }

    /// The gradient of the input of [`max`](Self::max).
    #[must_use]
    pub fn max_backward(&self, x: &[f64], dy: &[f64]) -> Vec<f64> {
        let indices = self.max(x).indices;
        let area = self.input[0] * self.input[1];
        let mut dx = vec![0.0; self.input_len()];
        self.each_pixel(1, 0, |output, input, _| {
            if indices[output] == Some(input % area) {
                dx[input] += dy[output];
            }
        });
        dx
    }

    /// The mean over the pixels of each bin, as torchvision's `ps_roi_pool` cuts them.
    #[must_use]
    pub fn average(&self, x: &[f64]) -> Vec<f64> {
        let mut y = vec![0.0; self.output_len()];
        self.each_pixel(0, 1, |output, input, pixels| {
            y[output] += x[input] / pixels as f64
        });
        y
    }

    /// The gradient of the input of [`average`](Self::average).
    #[must_use]
    pub fn average_backward(&self, dy: &[f64]) -> Vec<f64> {
        let mut dx = vec![0.0; self.input_len()];
        self.each_pixel(0, 1, |output, input, pixels| {
            dx[input] += dy[output] / pixels as f64
        });
        dx
    }

    fn bin_count(&self) -> usize {
        self.bins[0] * self.bins[1]
    }

    /// Calls `visit(region, its numbers, bin, output, first input)` for every output element of a region
    /// that lies on an image.
    fn each_output(&self, mut visit: impl FnMut(usize, &[f64; 5], [usize; 2], usize, usize)) {
        for (index, region) in self.regions.iter().enumerate() {
            if region.iter().any(|v| v.is_nan())
                || region[0] < 0.0
                || region[0] >= self.batch as f64
            {
                continue;
            }
            for o in 0..self.out_channels() {
                for row in 0..self.bins[0] {
                    for column in 0..self.bins[1] {
                        let bin = row * self.bins[1] + column;
                        let channel = if self.position_sensitive {
                            o * self.bin_count() + bin
                        } else {
                            o
                        };
                        let output = (index * self.out_channels() + o) * self.bin_count() + bin;
                        let plane = region[0] as usize * self.channels + channel;
                        let input = plane * self.input[0] * self.input[1];
                        visit(index, region, [row, column], output, input);
                    }
                }
            }
        }
    }

    fn each_share(
        &self,
        sampling: Sampling,
        moves: Option<Moves<'_>>,
        mut visit: impl FnMut(Share),
    ) {
        let half = if sampling.aligned { 0.5 } else { 0.0 };
        self.each_output(|index, region, bin, output, input| {
            let offset = index * 2 * self.bin_count() + bin[0] * self.bins[1] + bin[1];
            // Down, then across.
            let grid = [0, 1].map(|axis| {
                let [first, last] = [region[2 - axis], region[4 - axis]];
                let start = first * self.scale - half;
                let mut length = last * self.scale - half - start;
                if !sampling.aligned {
                    length = length.max(1.0);
                }
                let extent = length / self.bins[axis] as f64;
                let points = match sampling.points {
                    0 => extent.ceil().max(0.0) as usize,
                    points => points,
                };
                let moved = moves.map_or(0.0, |(offsets, gamma)| {
                    gamma * length * offsets[offset + (1 - axis) * self.bin_count()]
                });
                let places: Vec<f64> = (0..points)
                    .map(|point| {
                        let within = (point as f64 + 0.5) * extent / points as f64;
                        start + moved + bin[axis] as f64 * extent + within
                    })
                    .collect();
                (length, places)
            });
            let count = (grid[0].1.len() * grid[1].1.len()).max(1) as f64;
            let factor = [0, 1].map(|axis| moves.map_or(0.0, |(_, gamma)| gamma * grid[axis].0));
            for &y in &grid[0].1 {
                for &x in &grid[1].1 {
                    for (row, row_share, row_slope) in shares(y, self.input[0]) {
                        for (column, column_share, column_slope) in shares(x, self.input[1]) {
                            visit(Share {
                                output,
                                input: input + row * self.input[1] + column,
                                share: row_share * column_share / count,
                                down: row_slope * column_share / count,
                                across: row_share * column_slope / count,
                                offset,
                                factor,
                            });
                        }
                    }
                }
            }
        });
    }

    /// Calls `visit(output, input, pixels of the bin)` for every pixel of every bin. A region ends
    /// `included` pixels after its last one, and the map `short` pixels before its last one.
    fn each_pixel(&self, included: i64, short: usize, mut visit: impl FnMut(usize, usize, usize)) {
        self.each_output(|_, region, bin, output, input| {
            let pixels = [0, 1].map(|axis| {
                let round = |at: f64| (at * self.scale).round() as i64;
                let (first, last) = (round(region[2 - axis]), round(region[4 - axis]));
                let extent = (last - first + included).max(1) as f64 / self.bins[axis] as f64;
                let from = first + (bin[axis] as f64 * extent).floor() as i64;
                let to = first + ((bin[axis] + 1) as f64 * extent).ceil() as i64;
                let inside =
                    (0..self.input[axis] - short).filter(|&p| (from..to).contains(&(p as i64)));
                inside.collect::<Vec<usize>>()
            });
            for row in &pixels[0] {
                for column in &pixels[1] {
                    let pixel = row * self.input[1] + column;
                    visit(output, input + pixel, pixels[0].len() * pixels[1].len());
                }
            }
        });
    }
}

/// Pixels with a share in the value at a place, that share, and how it changes with the place: on the axis
/// and up to a pixel off it, where it goes on as its first and last pixel. At a pixel the change is that
/// beyond it.
fn shares(place: f64, pixels: usize) -> Vec<(usize, f64, f64)> {
    let last = (pixels - 1) as f64;
    if !(-1.0..=pixels as f64).contains(&place) {
        return Vec::new();
    }
    if place < 0.0 {
        return vec![(0, 1.0, 0.0)];
    }
    if place >= last {
        return vec![(pixels - 1, 1.0, 0.0)];
    }
    (0..pixels)
        .filter_map(|pixel| {
            let distance = place - pixel as f64;
            let slope = if distance < 0.0 { 1.0 } else { -1.0 };
            let near = (-1.0..1.0).contains(&distance);
            near.then(|| (pixel, 1.0 - distance.abs(), slope))
        })
        .collect()
}
