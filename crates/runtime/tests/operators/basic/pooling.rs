use geometry::{PoolDesc, PoolKind};
use graph::Op;
use testkit::PoolCase;

use super::case::Case;

fn cases() -> Vec<PoolCase> {
    vec![
        PoolCase::new(2, 3, [9], [3]).stride([2]).padding([1]),
        PoolCase::new(2, 17, [6, 7], [3, 2])
            .stride([2, 3])
            .padding_sides([1, 0], [1, 1])
            .ceil(),
        PoolCase::new(1, 2, [7, 6], [2, 3]).dilation([2, 1]),
        PoolCase::new(2, 3, [3, 4, 5], [2, 3, 2]).stride([1, 2, 2]),
    ]
}

/// The oracle's pooling as the operator has it, and the shape of its input.
fn problem(case: &PoolCase, kind: PoolKind) -> (PoolDesc, Vec<usize>) {
    let sides: Vec<_> = case
        .before
        .iter()
        .copied()
        .zip(case.after.iter().copied())
        .collect();
    let desc = PoolDesc {
        kind,
        ..PoolDesc::max(&case.kernel[..])
    };
    let desc = desc
        .stride(&case.stride[..])
        .dilation(&case.dilation[..])
        .padding(geometry::Padding::Explicit(sides))
        .ceil(case.ceil);
    let input = [&[case.batch, case.channels], &case.input[..]].concat();
    (desc, input)
}

#[test]
fn maxima() {
    for case in cases() {
        let (desc, input) = problem(&case, PoolKind::Max);
        let checked = Case::of(Op::Pool {
            desc,
            indices: true,
        });
        let checked = checked.real(&input);
        let want = case.max_forward(checked.values(0));
        let places = want.indices.iter();
        let places = places.map(|place| place.map_or(f64::from(u32::MAX), |p| p as f64));
        let places = places.collect();
        checked.check(&[want.values, places]);
    }
}

#[test]
fn averages() {
    for case in cases() {
        for count_padding in [false, true] {
            let (desc, input) = problem(&case, PoolKind::Average { count_padding });
            let checked = Case::of(Op::Pool {
                desc,
                indices: false,
            });
            let checked = checked.real(&input);
            let want = case.average_forward(checked.values(0), count_padding);
            checked.check(&[want]);
        }
    }
}

#[test]
fn means_of_planes() {
    for spatial in [&[9][..], &[6, 7], &[3, 4, 5]] {
        let case = PoolCase::global(2, 17, spatial);
        let input = [&[2, 17], spatial].concat();
        let checked = Case::of(Op::GlobalAveragePool).real(&input);
        let want = case.average_forward(checked.values(0), false);
        checked.check(&[want]);
    }
}
