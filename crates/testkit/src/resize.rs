//! Resizing, as ONNX Resize-19 and PyTorch `interpolate` define it: along each axis a dense matrix of
//! weights, most of them zero.

/// How a position between two elements becomes one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// The nearer one, of two the lower.
    HalfDown,
    /// The nearer one, of two the upper.
    HalfUp,
    /// The lower.
    Floor,
    /// The upper.
    Ceil,
}

/// What an output element is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Filter {
    /// One element.
    Nearest(Rounding),
    /// Those less than one away, by a tent.
    Linear,
    /// Those less than two away, by Keys' cubic convolution with this coefficient.
    Cubic(f64),
}

/// Where an output element lies on the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coordinates {
    /// `(o + ½)/s − ½`
    HalfPixel,
    /// The same, centred where the scaled length is not whole.
    HalfPixelSymmetric,
    /// The same, but 0 for a single output element.
    PytorchHalfPixel,
    /// First on first, last on last.
    AlignCorners,
    /// `o/s`
    Asymmetric,
}

/// One problem; lists go outermost axis first.
#[derive(Clone, Debug, PartialEq)]
pub struct ResizeCase {
    /// Images; 0 is legal.
    pub batch: usize,
    /// Channels, each resized by itself.
    pub channels: usize,
    /// Spatial size of the input.
    pub input: Vec<usize>,
    /// Spatial size of the output.
    pub output: Vec<usize>,
    /// Scales, where they do not follow from the sizes.
    pub scales: Option<Vec<f64>>,
    /// What an output element is made of.
    pub filter: Filter,
    /// Where it lies.
    pub coordinates: Coordinates,
    /// The filter is stretched where an axis shrinks.
    pub antialias: bool,
    /// Elements outside the image do not count; otherwise the edge is repeated.
    pub exclude_outside: bool,
}

impl ResizeCase {
    /// Elements of `[batch, channels, …input]`.
    #[must_use]
    pub fn input_len(&self) -> usize {
        self.batch * self.channels * self.input.iter().product::<usize>()
    }

    /// Elements of `[batch, channels, …output]`.
    #[must_use]
    pub fn output_len(&self) -> usize {
        self.batch * self.channels * self.output.iter().product::<usize>()
    }

    /// The map, resized.
    #[must_use]
    pub fn forward(&self, x: &[f64]) -> Vec<f64> {
        let mut y = vec![0.0; self.output_len()];
        self.each_product(|from, to, weight| y[to] += weight * x[from]);
        y
    }

    /// The gradient of the map.
    #[must_use]
    pub fn backward(&self, dy: &[f64]) -> Vec<f64> {
        let mut dx = vec![0.0; self.input_len()];
        self.each_product(|from, to, weight| dx[from] += weight * dy[to]);
        dx
    }

    /// The forward pass with every weight made positive, for bounds on rounding.
    #[must_use]
    pub fn magnitude(&self, x: &[f64]) -> Vec<f64> {
        let mut y = vec![0.0; self.output_len()];
        self.each_product(|from, to, weight| y[to] += weight.abs() * x[from].abs());
        y
    }

    /// The backward pass with every weight made positive.
    #[must_use]
    pub fn backward_magnitude(&self, dy: &[f64]) -> Vec<f64> {
        let mut dx = vec![0.0; self.input_len()];
        self.each_product(|from, to, weight| dx[from] += weight.abs() * dy[to].abs());
        dx
    }

    /// Calls `visit(index in x, index in y, weight)` for every product of the operator.
    fn each_product(&self, mut visit: impl FnMut(usize, usize, f64)) {
        let mut pairs = vec![(0, 0, 1.0)];
        for axis in 0..self.input.len() {
            let (n, m) = (self.input[axis], self.output[axis]);
            let matrix = self.matrix(axis);
            let mut further = Vec::new();
            for &(from, to, weight) in &pairs {
                for (o, row) in matrix.iter().enumerate() {
                    for (i, &along) in row.iter().enumerate() {
                        // What has no weight is not read.
                        if along != 0.0 {
                            further.push((from * n + i, to * m + o, weight * along));
                        }
                    }
                }
            }
            pairs = further;
        }
        let image: usize = self.input.iter().product();
        let map: usize = self.output.iter().product();
        for plane in 0..self.batch * self.channels {
            for &(from, to, weight) in &pairs {
                visit(plane * image + from, plane * map + to, weight);
            }
        }
    }

    /// `[output, input]` weights of one axis.
    fn matrix(&self, axis: usize) -> Vec<Vec<f64>> {
        let (n, m) = (self.input[axis] as i64, self.output[axis]);
        let step = match &self.scales {
            Some(scales) => 1.0 / scales[axis],
            None => n as f64 / m as f64,
        };
        let stretch = if self.antialias { step.max(1.0) } else { 1.0 };
        (0..m)
            .map(|o| {
                let position = self.position(axis, o);
                let mut row = vec![0.0; n as usize];
                if let Filter::Nearest(rounding) = self.filter {
                    row[round(rounding, position).clamp(0, n - 1) as usize] = 1.0;
                    return row;
                }
                // Wide enough for any filter that is not stretched by more than the image.
                for i in -3 * n - 4..=4 * n + 4 {
                    let weight = self.weight((position - i as f64) / stretch);
                    let inside = i.clamp(0, n - 1);
                    if inside == i || !self.exclude_outside {
                        row[inside as usize] += weight;
                    }
                }
                let sum: f64 = row.iter().sum();
                if self.antialias || self.exclude_outside {
                    row.iter_mut().for_each(|weight| *weight /= sum);
                }
                row
            })
            .collect()
    }

    fn weight(&self, distance: f64) -> f64 {
        let d = distance.abs();
        match self.filter {
            Filter::Nearest(_) => unreachable!("handled apart"),
            Filter::Linear => (1.0 - d).max(0.0),
            Filter::Cubic(a) if d < 1.0 => (a + 2.0) * d.powi(3) - (a + 3.0) * d.powi(2) + 1.0,
            Filter::Cubic(a) if d < 2.0 => a * (d.powi(3) - 5.0 * d.powi(2) + 8.0 * d - 4.0),
            Filter::Cubic(_) => 0.0,
        }
    }

    /// As a fraction where it is one: then halves are exact.
    fn position(&self, axis: usize, o: usize) -> f64 {
        let (n, m) = (self.input[axis] as f64, self.output[axis] as f64);
        let o = o as f64;
        let Some(scales) = &self.scales else {
            let (numerator, denominator) = match self.coordinates {
                Coordinates::PytorchHalfPixel if m == 1.0 => (0.0, 1.0),
                Coordinates::HalfPixel
                | Coordinates::HalfPixelSymmetric
                | Coordinates::PytorchHalfPixel => ((2.0 * o + 1.0) * n - m, 2.0 * m),
                Coordinates::AlignCorners if m == 1.0 => (0.0, 1.0),
                Coordinates::AlignCorners => (o * (n - 1.0), m - 1.0),
                Coordinates::Asymmetric => (o * n, m),
            };
            return numerator / denominator;
        };
        let s = scales[axis];
        let half_pixel = (o + 0.5) / s - 0.5;
        match self.coordinates {
            Coordinates::HalfPixel => half_pixel,
            Coordinates::HalfPixelSymmetric => {
                // The middle of the output lies on the middle of the input.
                (o + 0.5 - m / 2.0) / s + n / 2.0 - 0.5
            }
            Coordinates::PytorchHalfPixel if m == 1.0 => 0.0,
            Coordinates::PytorchHalfPixel => half_pixel,
            Coordinates::AlignCorners if o == 0.0 => 0.0,
            Coordinates::AlignCorners => o * (n - 1.0) / (n * s - 1.0),
            Coordinates::Asymmetric => o / s,
        }
    }
}

fn round(rounding: Rounding, position: f64) -> i64 {
    let below = position.floor();
    let up = match rounding {
        Rounding::HalfDown => position - below > 0.5,
        Rounding::HalfUp => position - below >= 0.5,
        Rounding::Floor => false,
        Rounding::Ceil => position > below,
    };
    below as i64 + i64::from(up)
}
