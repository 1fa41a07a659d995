//! The fifteen relationships of Dumoulin and Visin, *A guide to convolution arithmetic for deep learning*
//! (2016), in what the engine computes: where a relationship says that a layer is another one in disguise,
//! both are run and compared to the bit. Letters are theirs, a prime means the transposed layer, and the two
//! axes of a draw have parameters of their own.

use convolve::geometry::{ConvDesc, Padding, PoolDesc, TransposedDesc};
use convolve::kernels::conv::Algorithm;
use convolve::runtime::Eager;
use testkit::Draw;

use crate::map::Map;
use crate::ways::{tensor, ways};

/// Input, kernel, stride and padding below the kernel, of the rows and of the columns.
#[derive(Clone, Copy, Debug)]
struct Axes {
    i: [usize; 2],
    k: [usize; 2],
    s: [usize; 2],
    p: [usize; 2],
}

impl Axes {
    /// A number made of those of each axis.
    fn each(&self, number: impl Fn(usize, usize, usize, usize) -> usize) -> [usize; 2] {
        [0, 1].map(|axis| number(self.i[axis], self.k[axis], self.s[axis], self.p[axis]))
    }

    /// `(i + 2p − k) mod s`
    fn a(&self) -> [usize; 2] {
        self.each(|i, k, s, p| (i + 2 * p - k) % s)
    }

    /// The convolution.
    fn desc(&self, outputs: usize) -> ConvDesc {
        ConvDesc::new(outputs, self.k)
            .stride(self.s)
            .padding(self.p)
    }
}

const CHANNELS: usize = 3;
const OUTPUTS: usize = 5;

/// Draws changed to meet a condition, each with an engine, an input and a weight; what holds for all.
fn for_all(condition: impl Fn(Axes) -> Option<Axes>, law: impl Fn(Axes, &Eager, &Map, &Map)) {
    let mut draw = Draw::new(15);
    // Depthwise and grouped serve no dense convolution, rows no map.
    let others = [Algorithm::Depthwise, Algorithm::Grouped, Algorithm::Rows].map(Some);
    let serving = |algorithm| !others.contains(&algorithm);
    let engines = ways().iter().filter(|way| serving(way.algorithm));
    let mut engines = engines.cycle();
    let (mut met, mut unequal) = (0, 0);
    for _ in 0..10_000 {
        let k = [0, 1].map(|_| 1 + draw.below(5));
        let axes = Axes {
            i: k.map(|k| k + draw.below(8)),
            k,
            s: [0, 1].map(|_| 1 + draw.below(4)),
            p: k.map(|k| draw.below(k)),
        };
        let Some(axes) = condition(axes) else {
            continue;
        };
        let [h, w] = axes.i;
        let x = Map::drawn(&mut draw, [2, CHANNELS, h, w]);
        let weight = Map::drawn(&mut draw, [OUTPUTS, CHANNELS, axes.k[0], axes.k[1]]);
        law(axes, &engines.next().unwrap().eager, &x, &weight);
        met += 1;
        unequal += usize::from(axes.k[0] != axes.k[1] && axes.i[0] != axes.i[1]);
        if met == 96 {
            break;
        }
    }
    assert_eq!(met, 96, "draws that meet the condition");
    assert!(unequal > 40, "{unequal} draws have unequal axes");
}

fn conv(eager: &Eager, x: &Map, weight: &Map, desc: &ConvDesc) -> Map {
    let (x, w) = (
        tensor::<f32>(&x.dims, &x.data),
        tensor(&weight.dims, &weight.data),
    );
    let y = eager.conv(&x, &w, None, desc).unwrap();
    map(&y)
}

fn transposed(eager: &Eager, x: &Map, weight: &Map, desc: &TransposedDesc) -> Map {
    let (x, w) = (
        tensor::<f32>(&x.dims, &x.data),
        tensor(&weight.dims, &weight.data),
    );
    let y = eager.conv_transposed(&x, &w, None, desc).unwrap();
    map(&y)
}

fn map(tensor: &convolve::tensor::Tensor<f32>) -> Map {
    Map {
        dims: tensor.dims().try_into().unwrap(),
        data: tensor.data().to_vec(),
    }
}

/// Stride one, no padding.
fn plain(eager: &Eager, x: &Map, weight: &Map) -> Map {
    let desc = ConvDesc::new(weight.dims[0], [weight.dims[2], weight.dims[3]]);
    conv(eager, x, weight, &desc)
}

/// Every placement that touches the input.
fn full(eager: &Eager, x: &Map, weight: &Map) -> Map {
    let reach = [weight.dims[2] - 1, weight.dims[3] - 1];
    plain(eager, &x.surrounded(reach, reach), weight)
}

/// Relationship 1, no zero padding and unit strides: `o = (i − k) + 1`, the placements of the full
/// convolution that lie inside the input.
#[test]
fn relationship_1() {
    let condition = |axes| {
        Some(Axes {
            s: [1; 2],
            p: [0; 2],
            ..axes
        })
    };
    for_all(condition, |axes, eager, x, w| {
        let y = conv(eager, x, w, &axes.desc(OUTPUTS));
        let o = axes.each(|i, k, _, _| (i - k) + 1);
        assert_eq!(y.size(), o, "{axes:?}");
        assert_eq!(
            y,
            full(eager, x, w).part(axes.k.map(|k| k - 1), o),
            "{axes:?}"
        );
    });
}

/// Relationship 2, zero padding and unit strides: `o = (i − k) + 2p + 1`, the unpadded convolution of the
/// input between `p` zeros.
#[test]
fn relationship_2() {
    let condition = |axes| Some(Axes { s: [1; 2], ..axes });
    for_all(condition, |axes, eager, x, w| {
        let y = conv(eager, x, w, &axes.desc(OUTPUTS));
        assert_eq!(
            y.size(),
            axes.each(|i, k, _, p| (i - k) + 2 * p + 1),
            "{axes:?}"
        );
        assert_eq!(
            y,
            plain(eager, &x.surrounded(axes.p, axes.p), w),
            "{axes:?}"
        );
    });
}

/// Relationship 3, half (same) padding and unit strides: for odd `k` and `p = ⌊k/2⌋`, `o = i`. So has the
/// padding rule, and it is the middle of the full convolution.
#[test]
fn relationship_3() {
    let condition = |axes: Axes| {
        let p = axes.k.map(|k| k / 2);
        axes.k.iter().all(|k| k % 2 == 1).then_some(Axes {
            s: [1; 2],
            p,
            ..axes
        })
    };
    for_all(condition, |axes, eager, x, w| {
        let y = conv(eager, x, w, &axes.desc(OUTPUTS));
        assert_eq!(y.size(), axes.i, "{axes:?}");
        let same = axes.desc(OUTPUTS).padding(Padding::Same);
        assert_eq!(y, conv(eager, x, w, &same), "{axes:?}");
        assert_eq!(y, full(eager, x, w).part(axes.p, axes.i), "{axes:?}");
    });
}

/// Relationship 4, full padding and unit strides: for `p = k − 1`, `o = i + (k − 1)`. So has the padding
/// rule, and it is what the turned kernel lays down: an unpadded transposed convolution.
#[test]
fn relationship_4() {
    let condition = |axes: Axes| {
        Some(Axes {
            s: [1; 2],
            p: axes.k.map(|k| k - 1),
            ..axes
        })
    };
    for_all(condition, |axes, eager, x, w| {
        let y = conv(eager, x, w, &axes.desc(OUTPUTS));
        assert_eq!(y.size(), axes.each(|i, k, _, _| i + (k - 1)), "{axes:?}");
        let rule = ConvDesc::new(OUTPUTS, axes.k).padding(Padding::Full);
        assert_eq!(y, conv(eager, x, w, &rule), "{axes:?}");
        let layer = TransposedDesc::new(ConvDesc::new(OUTPUTS, axes.k));
        assert_eq!(y, transposed(eager, x, &w.turned(), &layer), "{axes:?}");
    });
}

/// Relationship 5, no zero padding and strides: `o = ⌊(i − k)/s⌋ + 1`, every `s`-th placement of
/// relationship 1.
#[test]
fn relationship_5() {
    let condition = |axes| Some(Axes { p: [0; 2], ..axes });
    for_all(condition, |axes, eager, x, w| {
        let y = conv(eager, x, w, &axes.desc(OUTPUTS));
        assert_eq!(
            y.size(),
            axes.each(|i, k, s, _| (i - k) / s + 1),
            "{axes:?}"
        );
        assert_eq!(y, plain(eager, x, w).thinned(axes.s), "{axes:?}");
    });
}

/// Relationship 6, zero padding and strides: `o = ⌊(i + 2p − k)/s⌋ + 1`, every `s`-th placement of
/// relationship 2.
#[test]
fn relationship_6() {
    for_all(Some, |axes, eager, x, w| {
        let y = conv(eager, x, w, &axes.desc(OUTPUTS));
        assert_eq!(
            y.size(),
            axes.each(|i, k, s, p| (i + 2 * p - k) / s + 1),
            "{axes:?}"
        );
        let padded = plain(eager, &x.surrounded(axes.p, axes.p), w);
        assert_eq!(y, padded.thinned(axes.s), "{axes:?}");
    });
}

/// Relationship 7, pooling: `o = ⌊(i − k)/s⌋ + 1`. An average is the depthwise convolution by ones, divided
/// by their number; a maximum is the largest of the elements that the taps see one by one.
#[test]
fn relationship_7() {
    for_all(Some, |axes, eager, x, _| {
        let o = axes.each(|i, k, s, _| (i - k) / s + 1);
        let input = tensor::<f32>(&x.dims, &x.data);
        let averages = PoolDesc::average(axes.k).stride(axes.s);
        let averages = map(&eager.average_pool(&input, averages).unwrap());
        let taps = axes.k[0] * axes.k[1];
        let ones = Map {
            dims: [CHANNELS, 1, axes.k[0], axes.k[1]],
            data: vec![1.0; CHANNELS * taps],
        };
        let desc = ConvDesc::new(CHANNELS, axes.k)
            .stride(axes.s)
            .groups(CHANNELS);
        let mut sums = conv(eager, x, &ones, &desc);
        sums.data.iter_mut().for_each(|sum| *sum /= taps as f32);
        assert_eq!((averages.size(), &averages), (o, &sums), "{axes:?}");

        let maxima = PoolDesc::max(axes.k).stride(axes.s);
        let maxima = map(&eager.max_pool(&input, maxima).unwrap());
        // The largest of the maps that each tap sees by itself.
        let mut largest = vec![f32::NEG_INFINITY; maxima.data.len()];
        for tap in 0..taps {
            let first = [tap / axes.k[1], tap % axes.k[1]];
            let reach = axes.each(|i, k, _, _| i - k + 1);
            let seen = x.part(first, reach).thinned(axes.s);
            for (largest, value) in largest.iter_mut().zip(seen.data) {
                *largest = largest.max(value);
            }
        }
        assert_eq!((maxima.size(), maxima.data), (o, largest), "{axes:?}");
    });
}

/// The transposed layer of a convolution, with the remainder `a` that brings its size back: `o'` by the
/// relationship's formula; and it computes what a convolution of the turned kernel, stride one, computes of
/// the input with `s − 1` zeros between neighbours, `p'` around it, and `a` more behind.
fn transposed_is_direct(
    axes: Axes,
    eager: &Eager,
    weight: &Map,
    padding: [usize; 2],
    output: impl Fn(usize, usize) -> usize,
) {
    let a = axes.a();
    let inputs = axes.each(|i, k, s, p| (i + 2 * p - k) / s + 1);
    let mut draw = Draw::new((axes.i[0] * 100 + axes.i[1]) as u64);
    let x = Map::drawn(&mut draw, [2, OUTPUTS, inputs[0], inputs[1]]);
    let layer = TransposedDesc::new(axes.desc(CHANNELS)).output_padding(a);
    let y = transposed(eager, &x, weight, &layer);
    // It gives back the size that the convolution had begun with.
    assert_eq!(y.size(), axes.i, "{axes:?}");
    assert_eq!(
        y.size(),
        [0, 1].map(|axis| output(axis, inputs[axis])),
        "{axes:?}"
    );
    let stretched = x.stretched(axes.s.map(|s| s - 1));
    let after = [0, 1].map(|axis| padding[axis] + a[axis]);
    let direct = plain(
        eager,
        &stretched.surrounded(padding, after),
        &weight.turned(),
    );
    assert_eq!(y, direct, "{axes:?}");
}

/// Relationship 8, the transpose of no zero padding and unit strides: `k' = k`, `s' = s`, `p' = k − 1`,
/// `o' = i' + (k − 1)`.
#[test]
fn relationship_8() {
    let condition = |axes| {
        Some(Axes {
            s: [1; 2],
            p: [0; 2],
            ..axes
        })
    };
    for_all(condition, |axes, eager, _, w| {
        let padding = axes.k.map(|k| k - 1);
        transposed_is_direct(axes, eager, w, padding, |axis, i| i + (axes.k[axis] - 1));
    });
}

/// Relationship 9, of zero padding and unit strides: `p' = k − p − 1`, `o' = i' + (k − 1) − 2p`.
#[test]
fn relationship_9() {
    let condition = |axes| Some(Axes { s: [1; 2], ..axes });
    for_all(condition, |axes, eager, _, w| {
        let padding = axes.each(|_, k, _, p| k - p - 1);
        let output = |axis: usize, i| i + (axes.k[axis] - 1) - 2 * axes.p[axis];
        transposed_is_direct(axes, eager, w, padding, output);
    });
}

/// Relationship 10, of half padding and unit strides: `p' = p`, `o' = i'`.
#[test]
fn relationship_10() {
    let condition = |axes: Axes| {
        let p = axes.k.map(|k| k / 2);
        axes.k.iter().all(|k| k % 2 == 1).then_some(Axes {
            s: [1; 2],
            p,
            ..axes
        })
    };
    for_all(condition, |axes, eager, _, w| {
        transposed_is_direct(axes, eager, w, axes.p, |_, i| i);
    });
}

/// Relationship 11, of full padding and unit strides: `p' = 0`, `o' = i' − (k − 1)`.
#[test]
fn relationship_11() {
    let condition = |axes: Axes| {
        Some(Axes {
            s: [1; 2],
            p: axes.k.map(|k| k - 1),
            ..axes
        })
    };
    for_all(condition, |axes, eager, _, w| {
        transposed_is_direct(axes, eager, w, [0; 2], |axis, i| i - (axes.k[axis] - 1));
    });
}

/// Relationship 12, of no zero padding and strides that divide `i − k`: over the stretched input `s' = 1`,
/// `p' = k − 1`, `o' = s(i' − 1) + k`.
#[test]
fn relationship_12() {
    let condition = |axes| {
        let axes = Axes { p: [0; 2], ..axes };
        (axes.a() == [0; 2]).then_some(axes)
    };
    for_all(condition, |axes, eager, _, w| {
        let padding = axes.k.map(|k| k - 1);
        let output = |axis: usize, i| axes.s[axis] * (i - 1) + axes.k[axis];
        transposed_is_direct(axes, eager, w, padding, output);
    });
}

/// Relationship 13, of zero padding and strides that divide `i + 2p − k`: `p' = k − p − 1`,
/// `o' = s(i' − 1) + k − 2p`.
#[test]
fn relationship_13() {
    let condition = |axes: Axes| (axes.a() == [0; 2]).then_some(axes);
    for_all(condition, |axes, eager, _, w| {
        let padding = axes.each(|_, k, _, p| k - p - 1);
        let output = |axis: usize, i| axes.s[axis] * (i - 1) + axes.k[axis] - 2 * axes.p[axis];
        transposed_is_direct(axes, eager, w, padding, output);
    });
}

/// Relationship 14, of zero padding and any strides: with `a = (i + 2p − k) mod s` more zeros behind,
/// `o' = s(i' − 1) + a + k − 2p`.
#[test]
fn relationship_14() {
    let condition = |axes: Axes| axes.a().iter().any(|&a| a >= 2).then_some(axes);
    for_all(condition, |axes, eager, _, w| {
        let padding = axes.each(|_, k, _, p| k - p - 1);
        let a = axes.a();
        let output =
            |axis: usize, i| axes.s[axis] * (i - 1) + a[axis] + axes.k[axis] - 2 * axes.p[axis];
        transposed_is_direct(axes, eager, w, padding, output);
    });
}

/// Relationship 15, dilated: `o = ⌊(i + 2p − k − (k − 1)(d − 1))/s⌋ + 1`, the convolution by the kernel with
/// `d − 1` zeros between its taps.
#[test]
fn relationship_15() {
    // The input grows with the kernel; every axis has a dilation of its own.
    let dilation = |axes: Axes| [1 + axes.i[0] % 3, 1 + (axes.i[1] + 1) % 4];
    let condition = |axes: Axes| {
        let d = dilation(axes);
        let fits = (0..2).all(|at| axes.i[at] + 2 * axes.p[at] > d[at] * (axes.k[at] - 1));
        fits.then_some(axes)
    };
    for_all(condition, |axes, eager, x, w| {
        let d = dilation(axes);
        let y = conv(eager, x, w, &axes.desc(OUTPUTS).dilation(d));
        let o = [0, 1].map(|at| {
            let Axes { i, k, s, p } = axes;
            (i[at] + 2 * p[at] - k[at] - (k[at] - 1) * (d[at] - 1)) / s[at] + 1
        });
        assert_eq!(y.size(), o, "{axes:?} d{d:?}");
        let sparse = w.stretched(d.map(|d| d - 1));
        let [_, _, kh, kw] = sparse.dims;
        let dense = Axes {
            k: [kh, kw],
            ..axes
        }
        .desc(OUTPUTS);
        assert_eq!(y, conv(eager, x, &sparse, &dense), "{axes:?} d{d:?}");
    });
}
