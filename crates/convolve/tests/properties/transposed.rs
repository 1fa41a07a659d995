//! Transposed convolutions.

use convolve::geometry::{ConvDesc, Problem, Stretched};
use convolve::graph::Op;

use crate::draws::{SMALL, transposed};
use crate::hold::{Property, is_transposed};
use crate::ways::{Case, Exercise, Subject};

/// Every algorithm in every direction, layout and team equals the oracle to the bit.
#[test]
fn every_way_equals_the_oracle() {
    let property = Property {
        cases: 384,
        about: is_transposed,
        draws: transposed(SMALL),
    };
    property.hold(&every_way_equals_the_oracle, |subject| {
        subject.question().ask()
    });
}

/// The layer is the direct convolution of stride one, by the kernel turned round, over its stretched view.
#[test]
fn the_stretched_view_convolved_is_the_layer() {
    let property = Property {
        cases: 192,
        about: is_transposed,
        draws: transposed(SMALL),
    };
    property.hold(&the_stretched_view_convolved_is_the_layer, |subject| {
        let layer = Exercise {
            gradients: 0,
            ..subject.exercise()
        };
        let direct = direct(subject, &layer);
        let mut made = None;
        layer.every_way(|outputs| {
            made = Some(outputs[0].clone());
            Ok(())
        })?;
        let made = made.ok_or("no way serves the layer")?;
        direct.every_way(|outputs| {
            let (got, want) = (&outputs[0], &made);
            if (got.dims(), got.data()) == (want.dims(), want.data()) {
                return Ok(());
            }
            let (got, want) = (outputs[0].data(), made.data());
            Err(format!(
                "over the stretched view {got:?}, as a layer {want:?}"
            ))
        })
    });
}

/// A layer seen as a direct convolution.
fn direct(subject: &Subject, layer: &Exercise) -> Exercise {
    let (Case::Transposed(case), Problem::ConvTransposed(shape, desc)) =
        (&subject.case, &subject.problem)
    else {
        unreachable!("it is about transposed convolutions")
    };
    let rank = case.input.len();
    let view = desc.stretched(&shape.dims).unwrap();
    let [x, w, bias] = &layer.operands[..] else {
        unreachable!("three operands")
    };
    let size: Vec<usize> = view[3 - rank..].iter().map(Stretched::padded).collect();
    let desc = ConvDesc {
        padding: convolve::geometry::Padding::Valid,
        ..desc.conv.clone().stride(Stretched::STRIDE)
    };
    let per_group = case.in_channels / case.groups;
    let dims = [&[case.batch, case.in_channels], &size[..]].concat();
    Exercise {
        op: Op::Conv {
            desc,
            bias: true,
            residual: false,
            activation: None,
        },
        operands: vec![
            (dims, stretch(&x.1, &view)),
            (
                [&[case.out_channels, per_group], &case.kernel[..]].concat(),
                case.turned(&w.1),
            ),
            bias.clone(),
        ],
        ..layer.clone()
    }
}

/// Zeros between neighbours and around, or elements cut off.
fn stretch(x: &[f32], view: &[Stretched; 3]) -> Vec<f32> {
    let [depth, height, width] = view;
    let mut stretched = Vec::new();
    for plane in x.chunks_exact(depth.input * height.input * width.input) {
        for z in (0..depth.padded()).map(|at| depth.source(at)) {
            for y in (0..height.padded()).map(|at| height.source(at)) {
                for x in (0..width.padded()).map(|at| width.source(at)) {
                    let place = || Some((z? * height.input + y?) * width.input + x?);
                    stretched.push(place().map_or(0.0, |place| plane[place]));
                }
            }
        }
    }
    stretched
}
