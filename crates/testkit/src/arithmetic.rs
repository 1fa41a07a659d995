//! Arithmetic of tensors whose shapes are broadcast, and reductions, element by element.

use crate::rearrange::{ravel, unravel};

/// An operation on two numbers, with its slopes.
#[derive(Clone, Copy)]
pub struct Operation {
    /// The value.
    pub value: fn(f64, f64) -> f64,
    /// The slope along the first number, as PyTorch defines it where there is a kink.
    pub left: fn(f64, f64) -> f64,
    /// The slope along the second.
    pub right: fn(f64, f64) -> f64,
}

/// `a + b`
pub const ADD: Operation = Operation {
    value: |a, b| a + b,
    left: |_, _| 1.0,
    right: |_, _| 1.0,
};
/// `a − b`
pub const SUB: Operation = Operation {
    value: |a, b| a - b,
    left: |_, _| 1.0,
    right: |_, _| -1.0,
};
/// `a · b`
pub const MUL: Operation = Operation {
    value: |a, b| a * b,
    left: |_, b| b,
    right: |a, _| a,
};
/// `a / b`
pub const DIV: Operation = Operation {
    value: |a, b| a / b,
    left: |_, b| 1.0 / b,
    right: |a, b| -a / (b * b),
};
/// The smaller number; NaN if either is. Equal numbers share the slope.
pub const MIN: Operation = Operation {
    value: |a, b| {
        if a.is_nan() || b.is_nan() {
            f64::NAN
        } else {
            a.min(b)
        }
    },
    left: |a, b| wins(b - a),
    right: |a, b| wins(a - b),
};
/// The larger number; NaN if either is. Equal numbers share the slope.
pub const MAX: Operation = Operation {
    value: |a, b| {
        if a.is_nan() || b.is_nan() {
            f64::NAN
        } else {
            a.max(b)
        }
    },
    left: |a, b| wins(a - b),
    right: |a, b| wins(b - a),
};
/// `aᵇ`; the slope along the exponent is 0 at `0ᵇ` with `b ≥ 0`.
pub const POW: Operation = Operation {
    value: f64::powf,
    left: |a, b| if b == 0.0 { 0.0 } else { b * a.powf(b - 1.0) },
    right: |a, b| {
        if a == 0.0 && b >= 0.0 {
            0.0
        } else {
            a.powf(b) * a.ln()
        }
    },
};

/// 1, ½ or 0 for a lead that is positive, none or negative.
fn wins(lead: f64) -> f64 {
    match lead.partial_cmp(&0.0) {
        Some(std::cmp::Ordering::Less) => 0.0,
        Some(std::cmp::Ordering::Equal) => 0.5,
        _ => 1.0,
    }
}

/// The shape two shapes broadcast to, aligned at their last axes.
#[must_use]
pub fn broadcast_shape(left: &[usize], right: &[usize]) -> Vec<usize> {
    let rank = left.len().max(right.len());
    let padded = |shape: &[usize]| [vec![1; rank - shape.len()], shape.to_vec()].concat();
    let pairs = padded(left).into_iter().zip(padded(right));
    pairs
        .map(|(a, b)| match (a, b) {
            (1, other) | (other, 1) => other,
            (a, b) => {
                assert_eq!(a, b, "{left:?} and {right:?} do not broadcast");
                a
            }
        })
        .collect()
}

/// For each element of `shape`, the element of an operand of shape `operand` that is repeated there.
#[must_use]
pub fn repeated(operand: &[usize], shape: &[usize]) -> Vec<usize> {
    let missing = shape.len() - operand.len();
    let len: usize = shape.iter().product();
    (0..len)
        .map(|element| {
            let place = &unravel(element, shape)[missing..];
            let own = place.iter().zip(operand);
            let own: Vec<usize> = own.map(|(&at, &n)| if n == 1 { 0 } else { at }).collect();
            ravel(&own, operand)
        })
        .collect()
}

/// An operand: its shape and its values.
pub type Operand<'a> = (&'a [usize], &'a [f64]);

impl Operation {
    /// The operation on operands that are broadcast against each other.
    #[must_use]
    pub fn forward(&self, left: Operand, right: Operand) -> Vec<f64> {
        self.pairs(left, right)
            .map(|(a, b)| (self.value)(left.1[a], right.1[b]))
            .collect()
    }

    /// The gradients of both operands, given that of the result.
    #[must_use]
    pub fn backward(&self, left: Operand, right: Operand, dy: &[f64]) -> [Vec<f64>; 2] {
        let (mut da, mut db) = (vec![0.0; left.1.len()], vec![0.0; right.1.len()]);
        for ((a, b), dy) in self.pairs(left, right).zip(dy) {
            da[a] += dy * (self.left)(left.1[a], right.1[b]);
            db[b] += dy * (self.right)(left.1[a], right.1[b]);
        }
        [da, db]
    }

    /// The elements of both operands that meet in each element of the result.
    fn pairs(&self, left: Operand, right: Operand) -> impl Iterator<Item = (usize, usize)> + use<> {
        let shape = broadcast_shape(left.0, right.0);
        let (a, b) = (repeated(left.0, &shape), repeated(right.0, &shape));
        a.into_iter().zip(b)
    }
}

/// A reduction of some axes to extent 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReduceCase {
    /// Extents of the input.
    pub shape: Vec<usize>,
    /// The axes that are reduced.
    pub axes: Vec<usize>,
}

impl ReduceCase {
    /// Extents of the result.
    #[must_use]
    pub fn output(&self) -> Vec<usize> {
        let axes = self.shape.iter().enumerate();
        axes.map(|(axis, &n)| if self.axes.contains(&axis) { 1 } else { n })
            .collect()
    }

    /// The sum over the axes.
    #[must_use]
    pub fn sum(&self, x: &[f64]) -> Vec<f64> {
        let mut y = vec![0.0; self.output().iter().product()];
        for (x, target) in x.iter().zip(self.targets()) {
            y[target] += x;
        }
        y
    }

    /// The mean over the axes.
    #[must_use]
    pub fn mean(&self, x: &[f64]) -> Vec<f64> {
        let count = self.count();
        self.sum(x).iter().map(|sum| sum / count).collect()
    }

    /// The maximum over the axes; NaN if one is.
    #[must_use]
    pub fn max(&self, x: &[f64]) -> Vec<f64> {
        let mut y = vec![f64::NEG_INFINITY; self.output().iter().product()];
        for (&x, target) in x.iter().zip(self.targets()) {
            y[target] = (MAX.value)(y[target], x);
        }
        y
    }

    /// The gradient of the sum.
    #[must_use]
    pub fn sum_backward(&self, dy: &[f64]) -> Vec<f64> {
        self.targets()
            .into_iter()
            .map(|target| dy[target])
            .collect()
    }

    /// The gradient of the mean.
    #[must_use]
    pub fn mean_backward(&self, dy: &[f64]) -> Vec<f64> {
        let count = self.count();
        self.sum_backward(dy).iter().map(|dy| dy / count).collect()
    }

    /// The gradient of the maximum, which equal maxima share.
    #[must_use]
    pub fn max_backward(&self, x: &[f64], dy: &[f64]) -> Vec<f64> {
        let (y, targets) = (self.max(x), self.targets());
        let is_maximum: Vec<f64> = x
            .iter()
            .zip(&targets)
            .map(|(&x, &target)| f64::from(u8::from(x == y[target])))
            .collect();
        let ties = self.sum(&is_maximum);
        let shares = is_maximum.iter().zip(targets);
        shares
            .map(|(is, target)| is * dy[target] / ties[target])
            .collect()
    }

    fn count(&self) -> f64 {
        self.axes
            .iter()
            .map(|&axis| self.shape[axis] as f64)
            .product()
    }

    /// For each element of the input, the element of the result it goes into.
    fn targets(&self) -> Vec<usize> {
        repeated(&self.output(), &self.shape)
    }
}
