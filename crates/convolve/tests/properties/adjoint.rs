//! The three directions of a linear operator are one bilinear form:
//! ⟨dY, conv(X, W)⟩ = ⟨backward_data(dY, W), X⟩ = ⟨backward_weights(X, dY), W⟩, exactly, on integers. No oracle
//! is asked, so that problems can be larger.

use convolve::tensor::Tensor;
use proptest::strategy::Strategy;

use crate::draws::{convolutions, deformable, transposed};
use crate::hold::{Property, is_conv, is_deformable, is_transposed};
use crate::ways::{Case, Subject};

fn dot(a: &[f32], b: &[f32]) -> f64 {
    let products = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
    products.sum()
}

/// Holds the products of a gradient and its operand against that of the output and its gradient. The output
/// is linear in each operand of `linear`, the others held; a bias is taken off before.
fn identity(subject: &Subject) -> Result<usize, String> {
    let exercise = subject.exercise();
    let (linear, bias): (&[usize], _) = match subject.case {
        Case::Deformable(_, false) => (&[0, 2], None),
        Case::Deformable(_, true) => (&[0, 2, 3], None),
        _ => (&[0, 1], Some(2)),
    };
    exercise.every_way(|made: &[Tensor<f32>]| {
        let product = |place: usize| dot(made[1 + place].data(), &exercise.operands[place].1);
        let whole = dot(made[0].data(), &exercise.upstream);
        let form = whole - bias.map_or(0.0, product);
        match linear.iter().find(|&&place| product(place) != form) {
            None => Ok(()),
            Some(&place) => Err(format!(
                "⟨dY, Y⟩ is {form}, but ⟨gradient, operand⟩ of operand {place} is {}",
                product(place)
            )),
        }
    })
}

fn property<S: Strategy<Value = Subject>>(
    about: fn(&Subject) -> bool,
    draws: S,
) -> Property<Subject, S> {
    Property {
        cases: 128,
        about,
        draws,
    }
}

/// Dense, grouped and depthwise, in one to three axes.
#[test]
fn of_convolutions() {
    property(is_conv, convolutions(600_000)).hold(&of_convolutions, identity);
}

/// The same of transposed convolutions.
#[test]
fn of_transposed_convolutions() {
    let property = property(is_transposed, transposed(600_000));
    property.hold(&of_transposed_convolutions, identity);
}

/// A deformable convolution is linear in its input, its mask and its weights, where its offsets are held.
#[test]
fn of_deformable_convolutions() {
    let property = property(is_deformable, deformable(200_000));
    property.hold(&of_deformable_convolutions, identity);
}
