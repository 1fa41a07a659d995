//! Pools on which other engines shipped wrong answers, each by the name of its report.

use geometry::{GeometryError, NormOrder, PoolDesc};
use testkit::compare::widen;
use testkit::{Draw, PoolCase, escaped};

use super::lp::assert_lp;
use super::windows::{assert_average, assert_max};

/// The case of a report, run by every kind of pool.
fn assert_escaped(report: &str) -> PoolCase {
    let pools = escaped::pools();
    let found = pools.iter().find(|(name, _)| name.contains(report));
    let (_, case) = found.unwrap_or_else(|| panic!("no case {report}"));
    let x = Draw::new(1).integers(case.input_len());
    assert_max(case, &x);
    assert_lp(case, &x, 2.0);
    for count_padding in [true, false] {
        assert_average(case, 2, count_padding);
    }
    case.clone()
}

#[test]
fn burn_5791_no_window_lies_wholly_in_the_padding() {
    let case = assert_escaped("burn#5791");
    let x = widen(&Draw::new(1).integers(case.input_len()));
    let values = case.max_forward(&x).values;
    assert!(values.iter().all(|v| v.is_finite()), "{values:?}");
    assert_eq!(case.output_size(), [2, 2]);
}

#[test]
fn burn_5604_and_5450_divisors_of_asymmetric_padding() {
    assert_escaped("burn#5604");
    assert_escaped("#5450");
}

#[test]
fn tract_2847_dilation_is_not_ignored() {
    let case = assert_escaped("tract#2847");
    assert_eq!(case.output_size(), [5, 7]);
}

#[test]
fn onnx_4958_ceil_mode_behind_the_image() {
    let case = assert_escaped("onnx#4958");
    assert_eq!(case.output_size(), [3, 3]);
}

#[test]
fn onnx_7721_padding_on_one_axis() {
    let case = assert_escaped("onnx#7721");
    assert_eq!(case.output_size(), [4, 2]);
}

#[test]
fn every_escaped_pool_has_been_run() {
    for (report, _) in escaped::pools() {
        assert_escaped(report);
    }
}

#[test]
fn pytorch_9640_and_85111_a_size_below_one_is_an_error() {
    for desc in [
        PoolDesc::max(3),
        PoolDesc::average(3),
        PoolDesc::lp(NormOrder::TWO, 3),
    ] {
        for ceil in [false, true] {
            let desc = desc.clone().ceil(ceil);
            let dilated = desc.clone().stride(2).dilation(2);
            // Half a stride is missing for one window, so that rounding up gives it.
            let size = dilated.resolve(&[1, 1, 4, 4]).map(|g| g.output_shape());
            match ceil {
                true => assert_eq!(size, Ok(vec![1, 1, 1, 1])),
                false => assert_eq!(
                    size,
                    Err(GeometryError::WindowTooLarge {
                        axis: 0,
                        window: 5,
                        padded: 4
                    })
                ),
            }
            let mut empty = desc.clone();
            empty.kernel = 0.into();
            assert_eq!(
                empty.resolve(&[1, 1, 4, 4]),
                Err(GeometryError::Zero { what: "kernel" })
            );
            assert_eq!(
                desc.resolve(&[0, 1, 4, 4]).unwrap().output_shape(),
                [0, 1, 2, 2]
            );
        }
    }
}
