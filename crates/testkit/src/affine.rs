//! Affine grids: every point of a regular grid, carried by a matrix.

/// One problem: a grid of points for each of `batch` matrices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AffineCase {
    /// Matrices; 0 is legal.
    pub batch: usize,
    /// Points along height and width, or depth, height and width.
    pub size: Vec<usize>,
    /// −1 and 1 are the first and the last point, not the outer edges of their cells.
    pub align_corners: bool,
}

impl AffineCase {
    /// Elements of the matrices `[batch, axes, axes + 1]`.
    #[must_use]
    pub fn theta_len(&self) -> usize {
        self.batch * self.size.len() * (self.size.len() + 1)
    }

    /// Elements of the grid `[batch, …size, axes]`.
    #[must_use]
    pub fn grid_len(&self) -> usize {
        self.batch * self.size.iter().product::<usize>() * self.size.len()
    }

    /// Where every point goes: `theta · (x, y, [z,] 1)`, `x` along the last axis.
    #[must_use]
    pub fn forward(&self, theta: &[f64]) -> Vec<f64> {
        let mut grid = vec![0.0; self.grid_len()];
        self.each_product(|grid_at, theta_at, base| grid[grid_at] += theta[theta_at] * base);
        grid
    }

    /// The gradient of the matrices.
    #[must_use]
    pub fn backward(&self, dgrid: &[f64]) -> Vec<f64> {
        let mut dtheta = vec![0.0; self.theta_len()];
        self.each_product(|grid_at, theta_at, base| dtheta[theta_at] += dgrid[grid_at] * base);
        dtheta
    }

    /// Calls `visit(index in the grid, index in theta, number it is multiplied by)`.
    fn each_product(&self, mut visit: impl FnMut(usize, usize, f64)) {
        let axes = self.size.len();
        let points: usize = self.size.iter().product();
        for image in 0..self.batch {
            for point in 0..points {
                // The last axis is x and comes first.
                let mut base = Vec::new();
                let mut left = point;
                for &size in self.size.iter().rev() {
                    base.push(self.along(left % size, size));
                    left /= size;
                }
                base.push(1.0);
                for row in 0..axes {
                    for (column, &base) in base.iter().enumerate() {
                        let theta = (image * axes + row) * (axes + 1) + column;
                        visit((image * points + point) * axes + row, theta, base);
                    }
                }
            }
        }
    }

    /// Coordinate of the point at `index`: steps of equal width from one end to the other.
    fn along(&self, index: usize, size: usize) -> f64 {
        if size == 1 {
            return 0.0;
        }
        let (first, step) = if self.align_corners {
            (-1.0, 2.0 / (size - 1) as f64)
        } else {
            (-1.0 + 1.0 / size as f64, 2.0 / size as f64)
        };
        first + step * index as f64
    }
}
