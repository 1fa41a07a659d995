//! Factorised kernels: shapes, costs, and that they compute what the large kernel computes.

use geometry::{ConvDesc, ConvGeometry, Factorised, Factors, GeometryError, Padding};
use testkit::compare::widen;
use testkit::{ConvCase, Draw};

#[test]
fn the_published_savings() {
    // Szegedy et al. 2015, section 3.1: two 3×3 for one 5×5 save 28 %.
    let five = ConvDesc::new(64, 5).padding(2);
    let pair = five
        .factorise(Factors::Halves, 64, &[1, 64, 35, 35])
        .unwrap();
    assert_eq!(pair.before.parameters * 18, pair.after.parameters * 25);
    assert_eq!(pair.before.macs, 35 * 35 * 25 * 64 * 64);
    assert_eq!(pair.after.macs, 35 * 35 * 18 * 64 * 64);
    assert_eq!(pair.before.receptive_field, [5, 5]);
    assert_eq!(pair.after.receptive_field, [5, 5]);
    // Section 3.2: 3×1 and 1×3 for 3×3 save 33 %, two 2×2 only 11 %.
    let three = ConvDesc::new(64, 3).padding(Padding::Same);
    let shape = [1, 64, 17, 17];
    let thin = three.factorise(Factors::Asymmetric, 64, &shape).unwrap();
    assert_eq!(thin.first.kernel, [1, 3].into());
    assert_eq!(thin.second.kernel, [3, 1].into());
    assert_eq!(thin.before.parameters * 6, thin.after.parameters * 9);
    let small = three.factorise(Factors::Halves, 64, &shape).unwrap();
    assert_eq!(small.first.kernel, [2, 2].into());
    assert_eq!(small.before.parameters * 8, small.after.parameters * 9);
    assert_eq!(small.after.receptive_field, [3, 3]);
    // Inception v3's 7×7.
    let seven = ConvDesc::new(192, 7).padding(3);
    let thin = seven
        .factorise(Factors::Asymmetric, 128, &[1, 128, 17, 17])
        .unwrap();
    assert_eq!(thin.after.parameters, 7 * 128 * 128 + 7 * 128 * 192);
    assert_eq!(thin.first.padding, [0, 3].into());
    assert_eq!(thin.second.padding, [3, 0].into());
}

#[test]
fn what_is_no_factor_is_refused() {
    let conv = ConvDesc::new(4, 3).padding(1);
    let refuse = |factors, shape: &[usize]| conv.factorise(factors, 4, shape).unwrap_err();
    let square = [1, 4, 9, 9];
    for first in [0, 4] {
        assert_eq!(
            refuse(Factors::First(first.into()), &square),
            GeometryError::Factors {
                axis: 0,
                kernel: 3,
                first
            }
        );
    }
    assert!(matches!(
        refuse(Factors::Asymmetric, &[1, 4, 9]),
        GeometryError::AxisCount { .. }
    ));
    let grouped = ConvDesc::new(4, 3).groups(2);
    let error = grouped.factorise(Factors::Halves, 3, &square).unwrap_err();
    assert!(matches!(error, GeometryError::Groups { .. }), "{error}");
}

/// Random convolutions of 1–3 axes, with the factors they can have.
fn draws() -> impl Iterator<Item = (ConvDesc, Factors, Vec<usize>)> {
    let mut draw = Draw::new(31);
    (0..300).map(move |index| {
        let rank = 1 + index % 3;
        let several = |draw: &mut Draw, low: usize, high: usize| -> Vec<usize> {
            (0..rank)
                .map(|_| low + draw.below(high - low + 1))
                .collect()
        };
        let kernel = several(&mut draw, 1, 7);
        let dilation = several(&mut draw, 1, 2);
        let stride = several(&mut draw, 1, 3);
        let first: Vec<usize> = kernel.iter().map(|&k| 1 + draw.below(k)).collect();
        let factors = match draw.below(3) {
            0 => Factors::Halves,
            1 if rank > 1 => Factors::Asymmetric,
            _ => Factors::First(first.into()),
        };
        let padding = match draw.below(5) {
            0 => Padding::Valid,
            1 => Padding::Same,
            2 => Padding::SameLower,
            3 => Padding::Full,
            _ => Padding::Explicit(
                kernel
                    .iter()
                    .map(|&k| (draw.below(k), draw.below(k + 2)))
                    .collect(),
            ),
        };
        let reach: Vec<usize> = kernel
            .iter()
            .zip(&dilation)
            .map(|(k, d)| d * (k - 1) + 1)
            .collect();
        let mut shape = vec![1, 1];
        shape.extend(reach.iter().map(|reach| reach + draw.below(6)));
        let desc = ConvDesc::new(1, kernel)
            .stride(stride)
            .dilation(dilation)
            .padding(padding);
        (desc, factors, shape)
    })
}

#[test]
fn shape_and_receptive_field_stay_what_they_are() {
    for (desc, factors, shape) in draws() {
        let whole = desc.resolve(&shape).unwrap();
        let pair = desc
            .factorise(factors, 3, &shape)
            .unwrap_or_else(|e| panic!("{desc:?}: {e}"));
        let one = pair.first.resolve(&shape).unwrap();
        let two = pair.second.resolve(&one.output_shape()).unwrap();
        assert_eq!(one.output_shape()[1], 3);
        assert_eq!(two.output_shape(), whole.output_shape(), "{desc:?}");
        assert_eq!(pair.before.receptive_field, pair.after.receptive_field);
        assert_eq!(pair.before.macs, whole.macs());
        assert_eq!(pair.after.macs, one.macs() + two.macs());
        assert_eq!(
            pair.after.parameters,
            one.weight_count() + two.weight_count()
        );
    }
}

fn case(geometry: &ConvGeometry) -> ConvCase {
    let of = |number: fn(&geometry::Window) -> usize| -> Vec<usize> {
        geometry.spatial().iter().map(number).collect()
    };
    ConvCase::new(1, 1, 1, of(|w| w.input), of(|w| w.kernel))
        .stride(of(|w| w.stride))
        .dilation(of(|w| w.dilation))
        .padding_sides(of(|w| w.before), of(|w| w.after))
}

/// Without padding, two convolutions in a row are one whose kernel is the product of theirs.
#[test]
fn the_pair_computes_what_the_product_of_its_kernels_computes() {
    let mut draw = Draw::new(32);
    for (desc, factors, shape) in draws() {
        let desc = desc.padding(Padding::Valid);
        let Factorised { first, second, .. } = desc.factorise(factors, 1, &shape).unwrap();
        let whole = case(&desc.resolve(&shape).unwrap());
        let one = first.resolve(&shape).unwrap();
        let two = case(&second.resolve(&one.output_shape()).unwrap());
        let one = case(&one);
        let x = widen(&draw.integers(whole.input_len()));
        let (u, v) = (
            widen(&draw.integers(one.weight_len())),
            widen(&draw.integers(two.weight_len())),
        );
        // The product: the first kernel laid under every tap of the second. Where the first factor
        // takes the stride the second has one tap, so distances are those of the input.
        let product = ConvCase::new(1, 1, 1, whole.kernel.clone(), one.kernel.clone());
        let w = product.backward_data(&v, &u);
        let middle = one.forward(&x, &u, None);
        assert_eq!(
            two.forward(&middle, &v, None),
            whole.forward(&x, &w, None),
            "{desc:?}"
        );
    }
}
