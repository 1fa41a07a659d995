//! Operators along axes: known answers, adjoints, and the draws of their problems.

use crate::{assert_near, counting, dot};
use testkit::arithmetic::{self, ADD, DIV, MAX, MIN, MUL, Operation, POW, ReduceCase, SUB};
use testkit::draw::onednn_cases;
use testkit::rearrange::{Border, channel_shuffle, concat, pad, permute, pixel_shuffle, slice};
use testkit::{Draw, compare::widen, gradient};

#[test]
fn borders_of_numpy() {
    // numpy.pad([1, 2, 3, 4], (2, 3), mode), for constant with 9s.
    let x = counting(4);
    for (border, want) in [
        (Border::Constant, [9., 9., 1., 2., 3., 4., 9., 9., 9.]),
        (Border::Reflect, [3., 2., 1., 2., 3., 4., 3., 2., 1.]),
        (Border::Replicate, [1., 1., 1., 2., 3., 4., 4., 4., 4.]),
        (Border::Circular, [3., 4., 1., 2., 3., 4., 1., 2., 3.]),
    ] {
        let padded = pad(border, &[4], &[(2, 3)]);
        assert_eq!(padded.forward(&x, 9.0), want, "{border:?}");
    }
    // Two axes, one cropped.
    let padded = pad(Border::Replicate, &[2, 3], &[(1, 0), (-1, 1)]);
    let want = [2., 3., 3., 2., 3., 3., 5., 6., 6.];
    assert_eq!(padded.forward(&counting(6), 0.0), want);
    assert_eq!(padded.backward(&[1.0; 9]), [0., 2., 4., 0., 1., 2.]);
}

#[test]
fn slices_of_python() {
    let taken = |start, stop, step| {
        let one = slice(&[5], &[Some((start, stop, step))]);
        one.forward(&counting(5), 0.0)
    };
    assert_eq!(taken(1, 4, 2), [2., 4.]);
    assert_eq!(taken(-2, i64::MAX, 1), [4., 5.]);
    assert_eq!(taken(9, i64::MIN, -2), [5., 3., 1.]);
    assert_eq!(taken(3, -5, -1), [4., 3., 2.]);
    assert_eq!(taken(3, 1, 1), [0.0; 0]);
    let both = slice(&[2, 3], &[None, Some((2, 0, -1))]);
    assert_eq!(both.forward(&counting(6), 0.0), [3., 2., 6., 5.]);
}

#[test]
fn permutations_and_shuffles_by_hand() {
    let turned = permute(&[2, 3], &[1, 0]);
    assert_eq!(turned.forward(&counting(6), 0.0), [1., 4., 2., 5., 3., 6.]);
    let cube = permute(&[2, 2, 2], &[2, 0, 1]);
    let want = [1., 3., 5., 7., 2., 4., 6., 8.];
    assert_eq!(cube.forward(&counting(8), 0.0), want);

    // PyTorch's pixel_shuffle(arange(1, 9).view(1, 8, 1, 1), 2), and DepthToSpace of mode DCR.
    let deep = [1, 8, 1, 1, 1];
    let wide = pixel_shuffle(&deep, [1, 2, 2], false);
    assert_eq!(wide.output, [1, 2, 1, 2, 2]);
    assert_eq!(wide.forward(&counting(8), 0.0), counting(8));
    let wide = pixel_shuffle(&deep, [1, 2, 2], true);
    let want = [1., 3., 5., 7., 2., 4., 6., 8.];
    assert_eq!(wide.forward(&counting(8), 0.0), want);

    let mixed = channel_shuffle([1, 6, 1], 2);
    assert_eq!(mixed.forward(&counting(6), 0.0), [1., 4., 2., 5., 3., 6.]);

    let (a, b) = (counting(4), counting(2));
    let joined = concat(1, &[(&[2, 2], &a), (&[2, 1], &b)]);
    assert_eq!(joined, [1., 2., 1., 3., 4., 2.]);
}

#[test]
fn moves_and_their_gradients_are_adjoint() {
    let mut draw = Draw::new(1);
    for case in 0..60 {
        let shape = draw.map_shape(1 + case % 3);
        let border = Border::ALL[case % 4];
        let amounts = draw.pad_amounts(border, &shape);
        let ranges = draw.slice_ranges(&shape);
        for moved in [pad(border, &shape, &amounts), slice(&shape, &ranges)] {
            let x = widen(&draw.integers(moved.input.iter().product()));
            let dy = widen(&draw.integers(moved.sources.len()));
            let forward = dot(&dy, &moved.forward(&x, 0.0));
            assert_eq!(forward, dot(&moved.backward(&dy), &x), "{moved:?}");
        }
    }
}

#[test]
fn broadcasting_by_hand() {
    let (column, row) = (([2, 1], [1.0, 2.0]), ([3], [10.0, 20.0, 30.0]));
    let (a, b) = ((&column.0[..], &column.1[..]), (&row.0[..], &row.1[..]));
    assert_eq!(arithmetic::broadcast_shape(a.0, b.0), [2, 3]);
    assert_eq!(MUL.forward(a, b), [10., 20., 30., 20., 40., 60.]);
    assert_eq!(SUB.forward(b, a), [9., 19., 29., 8., 18., 28.]);
    let [da, db] = MUL.backward(a, b, &[1.0; 6]);
    assert_eq!((da, db), (vec![60., 60.], vec![3., 3., 3.]));
}

#[test]
fn slopes_are_those_of_differences() {
    let operations: [(&str, Operation); 7] = [
        ("add", ADD),
        ("sub", SUB),
        ("mul", MUL),
        ("div", DIV),
        ("min", MIN),
        ("max", MAX),
        ("pow", POW),
    ];
    let mut draw = Draw::new(2);
    let reals = |draw: &mut Draw, n: usize| -> Vec<f64> {
        let reals = draw.reals(n);
        reals.iter().map(|&v| 1.5 + f64::from(v)).collect()
    };
    let (left, right) = ([2, 1, 3], [4, 1]);
    let (a, b) = (reals(&mut draw, 6), reals(&mut draw, 4));
    let dy = widen(&draw.reals(24));
    for (name, operation) in operations {
        let objective =
            |a: &[f64], b: &[f64]| dot(&operation.forward((&left, a), (&right, b)), &dy);
        let [da, db] = operation.backward((&left, &a), (&right, &b), &dy);
        gradient::check(|a| objective(a, &b), &a, &da).unwrap_or_else(|e| panic!("{name}: {e}"));
        gradient::check(|b| objective(&a, b), &b, &db).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}

#[test]
fn reductions_by_hand() {
    let case = ReduceCase {
        shape: vec![2, 3],
        axes: vec![1],
    };
    let x = [1., 5., 5., -1., -2., -3.];
    assert_eq!(case.sum(&x), [11., -6.]);
    assert_near(&case.mean(&x), &[11. / 3., -2.], 1e-15);
    assert_eq!(case.max(&x), [5., -1.]);
    let dx = case.max_backward(&x, &[4., 7.]);
    assert_eq!(dx, [0., 2., 2., 7., 0., 0.]);
    assert_eq!(case.sum_backward(&[4., 7.]), [4., 4., 4., 7., 7., 7.]);
    assert!(case.max(&[0., f64::NAN, 9., 1., 2., 3.])[0].is_nan());
}

#[test]
fn onednn_problems_are_many_and_awkward() {
    let cases = onednn_cases(1, 2000);
    let often = |what: &str, test: &dyn Fn(&str, &testkit::ConvCase) -> bool| {
        let count = cases.iter().filter(|(text, case)| test(text, case)).count();
        assert!(count >= 40, "{what}: {count} of {}", cases.len());
    };
    assert!(cases.iter().all(|(_, case)| case.products() <= 40_000));
    for rank in 1..=3 {
        often("a rank", &|_, case| case.input.len() == rank);
    }
    let unequal = |list: &[usize]| list.windows(2).any(|pair| pair[0] != pair[1]);
    often("unequal kernels", &|_, case| unequal(&case.kernel));
    often("unequal strides", &|_, case| unequal(&case.stride));
    often("unequal dilations", &|_, case| unequal(&case.dilation));
    often("asymmetric padding", &|_, case| case.before != case.after);
    often("groups", &|_, case| {
        case.groups > 1 && case.groups < case.in_channels
    });
    often("depthwise", &|_, case| {
        case.groups > 1 && case.groups == case.in_channels
    });
    for channels in [1, 2, 3, 15, 16, 17, 31, 32, 33] {
        often("channels", &|_, case| {
            case.in_channels == channels || case.out_channels == channels
        });
    }
    // Everything that may be left out is left out now and then, and given now and then.
    for key in ["g", "mb", "o", "s", "p", "d", "_", "n\""] {
        let given = |text: &str| match key {
            "o" | "s" | "p" | "d" => ["d", "h", "w"]
                .iter()
                .any(|axis| text.contains(&format!("{key}{axis}"))),
            key => text.contains(key),
        };
        often(&format!("{key} given"), &|text, _| given(text));
        often(&format!("{key} left out"), &|text, _| !given(text));
    }
    often("one letter for a square or a cube", &|text, case| {
        case.input.len() > 1 && !text.contains("iw")
    });
}
