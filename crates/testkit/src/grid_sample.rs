//! Sampling of feature maps along grids, as PyTorch `grid_sample` defines it.

/// Which elements around a point count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Around {
    /// The nearest; of two, the even one.
    Nearest,
    /// Those less than one away, by a tent.
    Linear,
    /// Those less than two away, by Keys' cubic convolution with −0.75; two axes only.
    Cubic,
}

/// What lies outside the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// Zeros.
    Zeros,
    /// The edge, repeated.
    Border,
    /// The image, mirrored.
    Reflection,
}

/// One problem of two or three spatial axes; lists go outermost axis first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GridSampleCase {
    /// Images, each with its own grid; 0 is legal.
    pub batch: usize,
    /// Channels, all sampled at the same points.
    pub channels: usize,
    /// Spatial size of the image.
    pub input: Vec<usize>,
    /// Spatial size of the grid.
    pub output: Vec<usize>,
    /// Which elements count.
    pub around: Around,
    /// What lies outside.
    pub beyond: Beyond,
    /// −1 and 1 are the middles of the edge elements, not their outer edges.
    pub align_corners: bool,
}

/// An element that a point reads along one axis.
#[derive(Clone, Copy)]
struct Read {
    element: Option<usize>,
    weight: f64,
    /// Slope of the weight by the coordinate in the grid.
    slope: f64,
}

/// A product of the reads along all axes: one element of a channel's image.
struct Visit {
    /// Index of the point, counted through the images.
    point: usize,
    /// Index of the element in its image.
    element: usize,
    weight: f64,
    /// Slopes of the weight by x, y (and z).
    slopes: Vec<f64>,
}

impl GridSampleCase {
    /// Elements of `[batch, channels, …input]`.
    #[must_use]
    pub fn input_len(&self) -> usize {
        self.batch * self.channels * self.image()
    }

    /// Elements of `[batch, channels, …output]`.
    #[must_use]
    pub fn output_len(&self) -> usize {
        self.batch * self.channels * self.points()
    }

    /// Elements of `[batch, …output, axes]`.
    #[must_use]
    pub fn grid_len(&self) -> usize {
        self.batch * self.points() * self.input.len()
    }

    fn image(&self) -> usize {
        self.input.iter().product()
    }

    fn points(&self) -> usize {
        self.output.iter().product()
    }

    /// The map, sampled.
    #[must_use]
    pub fn forward(&self, x: &[f64], grid: &[f64]) -> Vec<f64> {
        let mut y = vec![0.0; self.output_len()];
        self.each_pair(grid, |visit, from, to| y[to] += visit.weight * x[from]);
        y
    }

    /// The gradient of the map.
    #[must_use]
    pub fn backward_input(&self, grid: &[f64], dy: &[f64]) -> Vec<f64> {
        let mut dx = vec![0.0; self.input_len()];
        self.each_pair(grid, |visit, from, to| dx[from] += visit.weight * dy[to]);
        dx
    }

    /// The gradient of the grid. Where an element is read exactly, its slope is that of the side after
    /// it; where padding holds a coordinate fast, it is 0.
    #[must_use]
    pub fn backward_grid(&self, x: &[f64], grid: &[f64], dy: &[f64]) -> Vec<f64> {
        let axes = self.input.len();
        let mut dgrid = vec![0.0; self.grid_len()];
        self.each_pair(grid, |visit, from, to| {
            for (axis, slope) in visit.slopes.iter().enumerate() {
                dgrid[visit.point * axes + axis] += slope * x[from] * dy[to];
            }
        });
        dgrid
    }

    /// Calls `visit(read, index in x, index in y)` for every product of the operator.
    fn each_pair(&self, grid: &[f64], mut visit: impl FnMut(&Visit, usize, usize)) {
        assert_eq!(grid.len(), self.grid_len(), "length of the grid");
        let (image, points) = (self.image(), self.points());
        for one in self.visits(grid) {
            let (n, point) = (one.point / points, one.point % points);
            for channel in 0..self.channels {
                let plane = n * self.channels + channel;
                visit(&one, plane * image + one.element, plane * points + point);
            }
        }
    }

    fn visits(&self, grid: &[f64]) -> Vec<Visit> {
        let axes = self.input.len();
        let mut visits = Vec::new();
        for (point, coordinates) in grid.chunks_exact(axes).enumerate() {
            let mut sofar = vec![Visit {
                point,
                element: 0,
                weight: 1.0,
                slopes: vec![1.0; axes],
            }];
            for (axis, &size) in self.input.iter().enumerate() {
                // x goes with the last axis.
                let place = axes - 1 - axis;
                let reads = self.reads(coordinates[place], size);
                let mut further = Vec::new();
                for outer in &sofar {
                    for read in &reads {
                        let Some(element) = read.element else {
                            continue;
                        };
                        let mut slopes = outer.slopes.clone();
                        for (other, slope) in slopes.iter_mut().enumerate() {
                            *slope *= if other == place {
                                read.slope
                            } else {
                                read.weight
                            };
                        }
                        further.push(Visit {
                            point,
                            element: outer.element * size + element,
                            weight: outer.weight * read.weight,
                            slopes,
                        });
                    }
                }
                sofar = further;
            }
            visits.extend(sofar);
        }
        visits
    }

    /// What a coordinate reads of an axis.
    fn reads(&self, coordinate: f64, size: usize) -> Vec<Read> {
        let n = size as f64;
        // −1 … 1 over the elements' middles, or over their areas.
        let (position, stretch) = if self.align_corners {
            let stretch = (n - 1.0) / 2.0;
            (stretch * (coordinate + 1.0), stretch)
        } else {
            let stretch = n / 2.0;
            (stretch * (coordinate + 1.0) - 0.5, stretch)
        };
        let (held, sense) = self.hold(position, n);
        match self.around {
            Around::Nearest => vec![Read {
                element: on_image(held.round_ties_even(), n),
                weight: 1.0,
                slope: 0.0,
            }],
            Around::Linear => {
                let before = held.floor();
                let slope = sense * stretch;
                [(before, -slope), (before + 1.0, slope)]
                    .map(|(at, slope)| Read {
                        element: on_image(at, n),
                        weight: 1.0 - (held - at).abs(),
                        slope,
                    })
                    .to_vec()
            }
            // Padding works on each element read; one that is infinite reads just one.
            Around::Cubic if !position.is_finite() => vec![Read {
                element: on_image(held, n),
                weight: 1.0,
                slope: 0.0,
            }],
            Around::Cubic => (-1..=2)
                .map(|offset| {
                    // From the part, for far away `at` is no longer exact.
                    let distance = position - position.floor() - f64::from(offset);
                    let at = position.floor() + f64::from(offset);
                    Read {
                        element: on_image(self.hold(at, n).0, n),
                        weight: keys(distance),
                        slope: keys_slope(distance) * stretch,
                    }
                })
                .collect(),
        }
    }

    /// The position that is read in place of one outside, and by how much it moves with it.
    fn hold(&self, position: f64, n: f64) -> (f64, f64) {
        let (mut position, mut sense) = (position, 1.0);
        if self.beyond == Beyond::Zeros {
            return (position, sense);
        }
        if self.beyond == Beyond::Reflection {
            let (low, high) = if self.align_corners {
                (0.0, n - 1.0)
            } else {
                (-0.5, n - 0.5)
            };
            if high <= low || position.is_infinite() {
                return (0.0, 0.0);
            }
            while position < low || position > high {
                position = if position < low {
                    2.0 * low - position
                } else {
                    2.0 * high - position
                };
                sense = -sense;
            }
        }
        if position.is_nan() || position <= 0.0 {
            (0.0, 0.0)
        } else if position >= n - 1.0 {
            (n - 1.0, 0.0)
        } else {
            (position, sense)
        }
    }
}

fn on_image(at: f64, n: f64) -> Option<usize> {
    (0.0..n).contains(&at).then_some(at as usize)
}

/// The cubic convolution kernel with −0.75, its two pieces written out.
fn keys(distance: f64) -> f64 {
    let d = distance.abs();
    if d < 1.0 {
        1.25 * d.powi(3) - 2.25 * d.powi(2) + 1.0
    } else if d < 2.0 {
        -0.75 * d.powi(3) + 3.75 * d.powi(2) - 6.0 * d + 3.0
    } else {
        0.0
    }
}

fn keys_slope(distance: f64) -> f64 {
    let d = distance.abs();
    let slope = if d < 1.0 {
        3.75 * d.powi(2) - 4.5 * d
    } else if d < 2.0 {
        -2.25 * d.powi(2) + 7.5 * d - 6.0
    } else {
        0.0
    };
    slope * distance.signum()
}
