//! Which algorithm serves what, and what is said of the others.

use geometry::{ConvDesc, ConvGeometry, PaddingMode};
use kernels::Isa;
use kernels::conv::{Algorithm, ConvOptions, ConvPlan, Direction, PlanError, Refusal};
use tensor::Layout;

fn plan(geometry: &ConvGeometry, algorithm: Option<Algorithm>) -> Result<ConvPlan, PlanError> {
    let options = ConvOptions {
        layout: Layout::Nhwc,
        isa: Isa::best(),
        algorithm,
        ..ConvOptions::default()
    };
    ConvPlan::new(geometry, Direction::Forward, options)
}

#[test]
fn the_best_algorithm_is_chosen_and_the_better_ones_say_why_not() {
    let conv = |desc: ConvDesc, shape: &[usize]| desc.resolve(shape).unwrap();
    let deep_depthwise = conv(ConvDesc::new(8, 3).groups(8), &[1, 8, 9, 9, 9]);
    let depthwise = conv(ConvDesc::new(8, 3).groups(8), &[1, 8, 9, 9]);
    // Groups of 2 and 4 channels, and of more than half a vector of any family.
    let grouped = conv(ConvDesc::new(16, 3).groups(4), &[1, 8, 9, 9]);
    let wide = conv(ConvDesc::new(36, 3).groups(2), &[1, 36, 9, 9]);
    let dense = conv(ConvDesc::new(8, 3), &[1, 8, 9, 9]);
    let deep = conv(ConvDesc::new(8, 3), &[1, 8, 9, 9, 9]);
    let not_depthwise = (Algorithm::Depthwise, Refusal::NotDepthwise);
    let one_group = (Algorithm::Grouped, Refusal::OneGroup);
    let wide_groups = (Algorithm::Grouped, Refusal::WideGroups);
    let pixels = (Algorithm::Rows, Refusal::Pixels);
    let rows_of_groups = (Algorithm::Rows, Refusal::Groups);
    let narrow = ConvDesc::new(2, 3).padding(1);
    let narrow = conv(narrow, &[1, 32, 40, 48]);
    let single = conv(ConvDesc::new(20, 1), &[1, 36, 1, 1]);
    let planes = |refusal| (Algorithm::Planes, refusal);
    let short = |refusal| [Algorithm::Winograd4, Algorithm::Winograd2].map(|a| (a, refusal));
    for (geometry, chosen, refused) in [
        (depthwise, Algorithm::Depthwise, vec![]),
        (deep_depthwise, Algorithm::Depthwise, vec![]),
        (grouped, Algorithm::Grouped, vec![not_depthwise]),
        (
            wide,
            Algorithm::Direct,
            [
                &[
                    not_depthwise,
                    wide_groups,
                    rows_of_groups,
                    planes(Refusal::Slower),
                ][..],
                &short(Refusal::Groups),
            ]
            .concat(),
        ),
        (single, Algorithm::Rows, vec![not_depthwise, one_group]),
        (
            narrow,
            Algorithm::Planes,
            vec![not_depthwise, one_group, pixels],
        ),
        (
            dense,
            Algorithm::Direct,
            [
                &[not_depthwise, one_group, pixels, planes(Refusal::Slower)][..],
                &short(Refusal::Slower),
            ]
            .concat(),
        ),
        (
            deep,
            Algorithm::Im2col,
            [
                &[not_depthwise, one_group, pixels, planes(Refusal::Depth)][..],
                &short(Refusal::Depth),
                &[(Algorithm::Direct, Refusal::Depth)],
            ]
            .concat(),
        ),
    ] {
        let plan = plan(&geometry, None).unwrap();
        assert_eq!(plan.algorithm(), chosen);
        assert_eq!(plan.refused(), refused);
    }
    let error = plan(&deep, Some(Algorithm::Direct)).unwrap_err();
    assert_eq!(
        (error.algorithm, error.refusal),
        (Algorithm::Direct, Refusal::Depth)
    );
}

#[test]
fn padding_that_is_not_zeros_is_refused_and_not_ignored() {
    for mode in PaddingMode::ALL {
        let desc = ConvDesc::new(4, 3).padding(1).padding_mode(mode);
        let geometry = desc.resolve(&[1, 3, 8, 8]).unwrap();
        for algorithm in Algorithm::ALL.into_iter().map(Some).chain([None]) {
            let plan = plan(&geometry, algorithm);
            if mode == PaddingMode::Zeros {
                continue;
            }
            assert_eq!(plan.unwrap_err().refusal, Refusal::PaddingMode);
        }
        // What is left once the input has been padded, any algorithm may serve.
        assert!(plan(&geometry.padded(), None).is_ok());
        // A mode without padding means nothing.
        let unpadded = ConvDesc::new(4, 3).padding_mode(mode);
        assert!(plan(&unpadded.resolve(&[1, 3, 8, 8]).unwrap(), None).is_ok());
    }
}
