//! The fifteen relationships of Dumoulin & Visin, "A guide to convolution arithmetic for deep learning" (2016),
//! as laws of the counted sizes; the transposed ones of the values too.

use testkit::{ConvCase, Draw, compare::widen};

/// One axis: (input, kernel, stride, padding).
struct Sizes {
    i: usize,
    k: usize,
    s: usize,
    p: usize,
}

fn counted(i: usize, k: usize, s: usize, p: usize, d: usize) -> usize {
    let case = ConvCase::new(1, 1, 1, [i], [k])
        .stride([s])
        .padding([p])
        .dilation([d]);
    case.output_size()[0]
}

/// Draws of all four, the kernel no larger than the input.
fn draws() -> impl Iterator<Item = Sizes> {
    let mut draw = Draw::new(15);
    (0..400).map(move |_| {
        let k = 1 + draw.below(7);
        Sizes {
            i: k + draw.below(20),
            k,
            s: 1 + draw.below(5),
            p: draw.below(k),
        }
    })
}

#[test]
fn relationships_1_to_4_unit_strides() {
    for Sizes { i, k, p, .. } in draws() {
        assert_eq!(counted(i, k, 1, 0, 1), i - k + 1, "1: no padding");
        assert_eq!(counted(i, k, 1, p, 1), i - k + 2 * p + 1, "2: padding");
        if k % 2 == 1 {
            assert_eq!(counted(i, k, 1, k / 2, 1), i, "3: half padding");
        }
        assert_eq!(counted(i, k, 1, k - 1, 1), i + k - 1, "4: full padding");
    }
}

#[test]
fn relationships_5_to_7_strides_and_pooling() {
    for Sizes { i, k, s, p } in draws() {
        assert_eq!(counted(i, k, s, 0, 1), (i - k) / s + 1, "5: no padding");
        assert_eq!(
            counted(i, k, s, p, 1),
            (i + 2 * p - k) / s + 1,
            "6: padding"
        );
        let pool = testkit::PoolCase::new(1, 1, [i], [k]).stride([s]);
        assert_eq!(pool.output_size(), [(i - k) / s + 1], "7: pooling");
    }
}

#[test]
fn relationship_15_dilation() {
    let mut tried = 0;
    for Sizes { i, k, s, p } in draws() {
        for d in 1..4 {
            let room = i + 2 * p;
            let taken = k + (k - 1) * (d - 1);
            let want = if room >= taken {
                (room - taken) / s + 1
            } else {
                0
            };
            assert_eq!(counted(i, k, s, p, d), want);
            tried += usize::from(want > 0);
        }
    }
    assert!(tried > 400);
}

/// The transposed convolution of a conv `(i, k, s, p)` has an input of `i' = o` and an output of `o' = i`.
#[test]
fn relationships_8_to_14_transposed_sizes() {
    for Sizes { i, k, s, p } in draws() {
        let small = |s, p| counted(i, k, s, p, 1);
        assert_eq!(i, small(1, 0) + (k - 1), "8: no padding");
        assert_eq!(i, small(1, p) + (k - 1) - 2 * p, "9: padding");
        if k % 2 == 1 {
            assert_eq!(i, small(1, k / 2), "10: half padding");
        }
        assert_eq!(i, small(1, k - 1) - (k - 1), "11: full padding");
        if (i - k) % s == 0 {
            assert_eq!(i, s * (small(s, 0) - 1) + k, "12: strides");
        }
        let a = (i + 2 * p - k) % s;
        if a == 0 {
            assert_eq!(i + 2 * p, s * (small(s, p) - 1) + k, "13: strides, padding");
        }
        assert_eq!(i + 2 * p, s * (small(s, p) - 1) + a + k, "14: remainder");
    }
}

/// A transposed convolution is a unit-stride convolution, with the kernel turned round, of the input with
/// `s − 1` zeros between its cells, `k − p − 1` zeros before them and as many plus `a` behind.
#[test]
fn transposed_values_are_those_of_the_stretched_convolution() {
    let mut draw = Draw::new(16);
    for Sizes { i, k, s, p } in draws() {
        let conv = ConvCase::new(1, 1, 1, [i], [k]).stride([s]).padding([p]);
        let small = widen(&draw.integers(conv.output_len()));
        let w = widen(&draw.integers(k));
        let transposed = conv.backward_data(&small, &w);

        let mut stretched = vec![0.0; (small.len() - 1) * s + 1];
        for (cell, value) in small.iter().enumerate() {
            stretched[cell * s] = *value;
        }
        let a = (i + 2 * p - k) % s;
        let direct = ConvCase::new(1, 1, 1, [stretched.len()], [k])
            .padding_sides([k - p - 1], [k - p - 1 + a]);
        let turned: Vec<f64> = w.iter().rev().copied().collect();
        assert_eq!(
            transposed,
            direct.forward(&stretched, &turned, None),
            "{conv}"
        );
    }
}
