//! Convolutions.

use crate::draws::{SMALL, convolutions};
use crate::hold::{Property, is_conv};

/// Every algorithm in every direction, layout and team equals the oracle to the bit.
#[test]
fn every_way_equals_the_oracle() {
    let property = Property {
        cases: 512,
        about: is_conv,
        draws: convolutions(SMALL),
    };
    property.hold(&every_way_equals_the_oracle, |subject| {
        subject.question().ask()
    });
}

/// Draws have axes with parameters of their own, strides that leave elements over, and groups.
#[test]
fn draws_are_unequal() {
    use proptest::strategy::{Strategy, ValueTree};
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let draws = convolutions(SMALL);
    let mut seen = [0; 5];
    for _ in 0..1000 {
        let subject = draws.new_tree(&mut runner).unwrap().current();
        let crate::ways::Case::Conv(case) = subject.case else {
            unreachable!("a convolution")
        };
        let differ = |values: &[usize]| values.windows(2).any(|pair| pair[0] != pair[1]);
        let left_over = (0..case.input.len()).any(|axis| {
            let padded = case.before[axis] + case.input[axis] + case.after[axis];
            let extent = case.dilation[axis] * (case.kernel[axis] - 1) + 1;
            (padded - extent) % case.stride[axis] >= 2
        });
        let all_differ = [&case.input, &case.kernel, &case.stride, &case.dilation]
            .into_iter()
            .all(|values| differ(values));
        let strided_groups = case.groups > 1 && case.stride.iter().any(|&s| s > 1);
        let found = [
            all_differ,
            case.before != case.after,
            left_over,
            strided_groups,
            case.input.len() > 1,
        ];
        for (seen, found) in seen.iter_mut().zip(found) {
            *seen += usize::from(found);
        }
    }
    assert!(seen.iter().all(|&count| count >= 200), "{seen:?} of 1000");
}
