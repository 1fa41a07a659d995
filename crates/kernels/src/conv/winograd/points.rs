//! The points at which a short convolution is evaluated, and the three transforms they give.
//!
//! `m` neighbouring outputs of a kernel of `r` taps read `t = m + r − 1` inputs. Take the taps for
//! the coefficients of a polynomial: a product of polynomials is known by its values at `t` points,
//! and there it is a product of numbers. Read backwards (the transposition principle) this makes
//! the `m` outputs of `t` products in place of `m·r`:
//!
//! ```text
//! y = Aᵀ [ (G g) ⊙ (Bᵀ d) ]        g: r taps, d: t inputs, y: m outputs
//! ```
//!
//! The points are 0, pairs ±p, and infinity (the leading coefficient). With `Q(x) = Π (x² − p²)`:
//!
//! - `Bᵀ` has the coefficients of `x·Q(x) / (x − a)`, divided by the next factor: for 0 those of `Q`,
//!   for ±p those of `x·(x ± p)·Π over the other pairs`, for infinity those of `x·Q`. All but one
//!   step of a pair is shared by its two rows, so a pair costs little more than a single point.
//! - `G` has the powers of the points, each row divided by `Π (a − b)` over the other points `b`.
//! - `Aᵀ` has the powers of the points.
//!
//! Errors grow with the size of the powers, and small points spoil `G` as large ones spoil `Aᵀ`. All
//! points here are small fractions of powers of two, so that `Bᵀ` and `Aᵀ` hold exact numbers; ±1
//! alone keeps even `G` exact for small integers.
//!
//! Sources: Toom 1963 and Cook 1966 for products of polynomials; Winograd, *Arithmetic Complexity
//! of Computations*, 1980; Lavin and Gray, *Fast Algorithms for Convolutional Neural Networks*, 2015.

/// Most pairs of points: eight inputs a line.
pub(super) const MOST_PAIRS: usize = 3;
/// Most inputs of a line.
pub(super) const MOST_INPUTS: usize = 2 * MOST_PAIRS + 2;

/// Most taps of a line.
pub(super) const MOST_TAPS: usize = 7;
/// Most outputs of a line.
pub(super) const MOST_OUTPUTS: usize = 4;

/// The transforms of one axis: `outputs` of a kernel of `taps`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) taps: usize,
    pub(super) outputs: usize,
    /// Pairs of points; with none the line is a single element, left as it is.
    pub(super) pairs: usize,
    /// The powers of the positive point of each pair, from 1 on.
    pub(super) powers: [[f32; MOST_OUTPUTS]; MOST_PAIRS],
    /// The coefficients of `Q` in powers of `x²`, without the leading 1.
    pub(super) all: [f32; MOST_PAIRS],
    /// Of each pair the coefficients of `Q` without its own factor, without the leading 1.
    pub(super) others: [[f32; MOST_PAIRS]; MOST_PAIRS],
    /// The rows of `G`, in the order 0, p, −p, …, infinity.
    pub(super) kernel: [[f32; MOST_INPUTS]; MOST_INPUTS],
}

impl Line {
    /// `outputs` at a time of a kernel of `taps`, if `outputs + taps` is even; of a single tap one.
    pub(super) fn new(outputs: usize, taps: usize) -> Option<Self> {
        if taps == 1 {
            return Some(Self::of_points(1, 1, &[]));
        }
        let points: &[f64] = match outputs + taps - 1 {
            4 => &[1.0],
            6 => &[0.75, 1.5],
            8 => &[0.5, 1.0, 2.0],
            _ => return None,
        };
        Some(Self::of_points(outputs, taps, points))
    }

    fn of_points(outputs: usize, taps: usize, pairs: &[f64]) -> Self {
        let mut line = Self {
            taps,
            outputs,
            pairs: pairs.len(),
            powers: [[0.0; MOST_OUTPUTS]; MOST_PAIRS],
            all: [0.0; MOST_PAIRS],
            others: [[0.0; MOST_PAIRS]; MOST_PAIRS],
            kernel: [[0.0; MOST_INPUTS]; MOST_INPUTS],
        };
        line.all = product(pairs.iter().copied());
        let mut points = vec![0.0];
        for (index, &point) in pairs.iter().enumerate() {
            let others = pairs.iter().copied().filter(|&other| other != point);
            line.powers[index] = std::array::from_fn(|power| point.powi(power as i32) as f32);
            line.others[index] = product(others);
            points.extend([point, -point]);
        }
        for (row, &point) in line.kernel.iter_mut().zip(&points) {
            let others = points.iter().filter(|&&other| other != point);
            let divisor: f64 = others.map(|other| point - other).product();
            for (power, element) in row[..taps].iter_mut().enumerate() {
                *element = (point.powi(power as i32) / divisor) as f32;
            }
        }
        if !pairs.is_empty() {
            line.kernel[points.len()][taps - 1] = 1.0;
        }
        line
    }

    /// Inputs that the outputs read.
    pub(super) fn inputs(&self) -> usize {
        self.outputs + self.taps - 1
    }
}

/// `Π (x² − p²)` in powers of `x²`, without the leading 1.
fn product(pairs: impl Iterator<Item = f64>) -> [f32; MOST_PAIRS] {
    let mut coefficients = vec![1.0];
    for pair in pairs {
        let mut next = vec![0.0; coefficients.len() + 1];
        for (power, coefficient) in coefficients.iter().enumerate() {
            next[power + 1] += coefficient;
            next[power] -= coefficient * pair * pair;
        }
        coefficients = next;
    }
    coefficients.pop();
    let mut all = [0.0; MOST_PAIRS];
    for (all, coefficient) in all.iter_mut().zip(coefficients) {
        *all = coefficient as f32;
    }
    all
}
