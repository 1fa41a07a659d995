//! The fifteen relationships of Dumoulin and Visin, *A guide to convolution arithmetic for deep
//! learning* (2016), each over random draws. Numbers are theirs; primes are the transposed layer's.

use geometry::{ConvDesc, PoolDesc, Stretched, TransposedDesc, Window};
use testkit::Draw;

/// One axis: input, kernel no larger than it, stride, padding below the kernel.
#[derive(Clone, Copy, Debug)]
struct Axis {
    i: usize,
    k: usize,
    s: usize,
    p: usize,
}

fn draws() -> impl Iterator<Item = Axis> {
    let mut draw = Draw::new(15);
    (0..2000).map(move |_| {
        let k = 1 + draw.below(9);
        Axis {
            i: k + draw.below(30),
            k,
            s: 1 + draw.below(6),
            p: draw.below(k),
        }
    })
}

fn convolution(axis: Axis) -> Window {
    let desc = ConvDesc::new(1, axis.k).stride(axis.s).padding(axis.p);
    desc.resolve(&[1, 1, axis.i]).unwrap().windows[2]
}

/// `o`
fn output(axis: Axis) -> usize {
    convolution(axis).output
}

/// The layer that undoes a convolution's sizes, and it as a direct convolution.
fn transposed(axis: Axis) -> (Window, Stretched) {
    let a = (axis.i + 2 * axis.p - axis.k) % axis.s;
    let conv = ConvDesc::new(1, axis.k).stride(axis.s).padding(axis.p);
    let layer = TransposedDesc::new(conv).output_padding(a);
    let input = [1, 1, output(axis)];
    let geometry = layer.resolve(&input).unwrap();
    assert_eq!(geometry.windows[2], convolution(axis), "{axis:?}");
    (geometry.windows[2], layer.stretched(&input).unwrap()[2])
}

/// `o'`, counted over the stretched input padded by `p'` on both sides, and by `a` behind.
fn counted(view: &Stretched) -> usize {
    let conv = ConvDesc::new(1, view.kernel).stride(Stretched::STRIDE);
    let padded = view.extent as isize + view.before + view.after;
    assert_eq!(padded, view.padded() as isize);
    conv.resolve(&[1, 1, padded as usize]).unwrap().windows[2].output
}

/// Draws, some of them changed to meet a condition, and what must hold for each.
fn for_all(change: impl Fn(Axis) -> Option<Axis>, law: impl Fn(Axis)) {
    let met = draws().filter_map(change).map(law).count();
    assert!(met >= 200, "only {met} draws meet the condition");
}

#[test]
fn relationship_1_no_zero_padding_unit_strides() {
    let change = |axis| Some(Axis { s: 1, p: 0, ..axis });
    for_all(change, |axis| assert_eq!(output(axis), axis.i - axis.k + 1));
}

#[test]
fn relationship_2_zero_padding_unit_strides() {
    let change = |axis| Some(Axis { s: 1, ..axis });
    for_all(change, |axis| {
        assert_eq!(output(axis), axis.i - axis.k + 2 * axis.p + 1);
    });
}

#[test]
fn relationship_3_half_padding_unit_strides() {
    let change = |axis: Axis| {
        let axis = Axis {
            s: 1,
            p: axis.k / 2,
            ..axis
        };
        (axis.k % 2 == 1).then_some(axis)
    };
    for_all(change, |axis| assert_eq!(output(axis), axis.i));
}

#[test]
fn relationship_4_full_padding_unit_strides() {
    let change = |axis: Axis| {
        Some(Axis {
            s: 1,
            p: axis.k - 1,
            ..axis
        })
    };
    for_all(change, |axis| assert_eq!(output(axis), axis.i + axis.k - 1));
}

#[test]
fn relationship_5_no_zero_padding_strides() {
    let change = |axis| Some(Axis { p: 0, ..axis });
    for_all(change, |axis| {
        assert_eq!(output(axis), (axis.i - axis.k) / axis.s + 1);
    });
}

#[test]
fn relationship_6_zero_padding_strides() {
    for_all(Some, |axis| {
        assert_eq!(output(axis), (axis.i + 2 * axis.p - axis.k) / axis.s + 1);
    });
}

#[test]
fn relationship_7_pooling() {
    for_all(Some, |Axis { i, k, s, .. }| {
        for pool in [PoolDesc::max(k), PoolDesc::average(k)] {
            let pool = pool.stride(s).resolve(&[1, 1, i]).unwrap();
            assert_eq!(pool.output_shape()[2], (i - k) / s + 1);
        }
    });
}

/// What holds of every transposed layer of stride one: `k' = k`, `s' = s`, and these.
fn unit_stride(axis: Axis, padding: usize, output: usize) {
    let (_, view) = transposed(axis);
    assert_eq!((view.kernel, view.zeros, view.remainder), (axis.k, 0, 0));
    assert_eq!(view.extent, view.input);
    assert_eq!(
        (view.before, view.after),
        (padding as isize, padding as isize)
    );
    assert_eq!((view.output, counted(&view)), (output, output), "{axis:?}");
    assert_eq!(view.output, axis.i);
}

#[test]
fn relationship_8_no_zero_padding_unit_strides_transposed() {
    let change = |axis| Some(Axis { s: 1, p: 0, ..axis });
    for_all(change, |axis| {
        unit_stride(axis, axis.k - 1, output(axis) + axis.k - 1);
    });
}

#[test]
fn relationship_9_zero_padding_unit_strides_transposed() {
    let change = |axis| Some(Axis { s: 1, ..axis });
    for_all(change, |axis| {
        let Axis { k, p, .. } = axis;
        unit_stride(axis, k - p - 1, output(axis) + (k - 1) - 2 * p);
    });
}

#[test]
fn relationship_10_half_padding_unit_strides_transposed() {
    let change = |axis: Axis| {
        let axis = Axis {
            s: 1,
            p: axis.k / 2,
            ..axis
        };
        (axis.k % 2 == 1).then_some(axis)
    };
    for_all(change, |axis| unit_stride(axis, axis.p, output(axis)));
}

#[test]
fn relationship_11_full_padding_unit_strides_transposed() {
    let change = |axis: Axis| {
        Some(Axis {
            s: 1,
            p: axis.k - 1,
            ..axis
        })
    };
    for_all(change, |axis| {
        unit_stride(axis, 0, output(axis) - (axis.k - 1));
    });
}

/// What holds of every transposed layer: `k' = k`, `s' = 1` over the stretched input, and these.
fn strided(axis: Axis, remainder: usize, output: usize) {
    let (_, view) = transposed(axis);
    let Axis { k, s, p, .. } = axis;
    let i = view.input;
    assert_eq!((view.kernel, view.zeros), (k, s - 1));
    assert_eq!(view.extent, i + (i - 1) * (s - 1));
    let padding = (k - p - 1) as isize;
    assert_eq!(
        (view.before, view.after),
        (padding, padding + remainder as isize)
    );
    assert_eq!(view.remainder, remainder);
    assert_eq!((view.output, counted(&view)), (output, output), "{axis:?}");
    assert_eq!(view.output, axis.i);
}

#[test]
fn relationship_12_no_zero_padding_strides_transposed() {
    let change = |axis: Axis| {
        let axis = Axis { p: 0, ..axis };
        (axis.i - axis.k).is_multiple_of(axis.s).then_some(axis)
    };
    for_all(change, |axis| {
        strided(axis, 0, axis.s * (output(axis) - 1) + axis.k);
    });
}

#[test]
fn relationship_13_zero_padding_strides_transposed() {
    let divides = |axis: &Axis| (axis.i + 2 * axis.p - axis.k).is_multiple_of(axis.s);
    let change = |axis| Some(axis).filter(divides);
    for_all(change, |axis| {
        strided(axis, 0, axis.s * (output(axis) - 1) + axis.k - 2 * axis.p);
    });
}

#[test]
fn relationship_14_zero_padding_strides_transposed_odd() {
    let mut far = 0;
    for axis in draws() {
        let Axis { i, k, s, p } = axis;
        let a = (i + 2 * p - k) % s;
        far += usize::from(a >= 2);
        strided(axis, a, s * (output(axis) - 1) + a + k - 2 * p);
    }
    assert!(far > 200, "a remainder of two or more came up {far} times");
}

#[test]
fn relationship_15_dilated() {
    let mut met = 0;
    for (index, Axis { i, k, s, p }) in draws().enumerate() {
        let d = 1 + index % 4;
        let desc = ConvDesc::new(1, k).stride(s).padding(p).dilation(d);
        let room = (i + 2 * p).checked_sub(k + (k - 1) * (d - 1));
        match (desc.resolve(&[1, 1, i]), room) {
            (Ok(geometry), Some(room)) => {
                assert_eq!(geometry.windows[2].output, room / s + 1);
                met += 1;
            }
            (Err(_), None) => {}
            other => panic!("i{i} k{k} s{s} p{p} d{d}: {other:?}"),
        }
    }
    assert!(met > 1000, "only {met} kernels fit");
}
