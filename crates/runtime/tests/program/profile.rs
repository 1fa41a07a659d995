//! The profile lists the work that is done.

use geometry::ConvDesc;
use graph::NetworkBuilder;
use graph::passes::{self, TrainingOptions};
use runtime::Program;
use tensor::Layout;

use crate::networks::{RUN, options, prepare, residual};

#[test]
fn a_profile_counts_the_multiply_accumulates_of_every_direction() {
    // Two images: 5·3·9 on 8×8; two of 5·5·9 on 8×8; 17·5·9, 17·17·9 and 17·5 on 4×4; 17·5.
    let stem = 2 * 64 * 5 * 3 * 9;
    let rest = 2 * (64 * 2 * 5 * 5 * 9 + 16 * (17 * 5 * 9 + 17 * 17 * 9 + 17 * 5) + 17 * 5);
    let network = residual().unwrap();
    let step = passes::training(&network, TrainingOptions::default()).unwrap();
    let mut program = Program::new(step, &options(Layout::Nhwc)).unwrap();
    prepare(&mut program, 1);
    let rows = program.profile(RUN, 3);
    let macs = |kernel: &str| {
        let rows = rows.iter().filter(|row| row.kernel.ends_with(kernel));
        rows.map(|row| row.macs).sum::<usize>()
    };
    assert_eq!(macs(" forward"), stem + rest);
    // Nobody asks for the gradient of the images.
    assert_eq!(macs(" backward-data"), rest);
    assert_eq!(macs(" backward-weights"), stem + rest);
    assert!(rows.iter().all(|row| row.milliseconds >= 0.0));
    assert!(
        rows.iter()
            .any(|row| row.layer == "layer2.conv2" && row.kernel == "direct forward")
    );
}

#[test]
fn an_inference_program_packs_and_folds_before_its_runs() {
    let network = residual().unwrap();
    let folded = passes::inference(&network).unwrap();
    let mut program = Program::new(folded, &options(Layout::Nhwc)).unwrap();
    prepare(&mut program, 1);
    let rows = program.profile(RUN, 1);
    let kernels: Vec<_> = rows.iter().map(|row| row.kernel.as_str()).collect();
    assert!(
        !kernels
            .iter()
            .any(|kernel| ["pack", "fold norm"].contains(kernel)),
        "{kernels:?}"
    );
}

#[test]
fn whole_maps_that_change_their_layout_are_steps_with_a_time() {
    let mut network = NetworkBuilder::new("switches", [1, 6, 5, 7]);
    let x = network.input();
    let y = network.conv("deep", x, ConvDesc::new(6, 3).groups(6).padding(1), false);
    let y = network.conv("groups", y.unwrap(), ConvDesc::new(4, 1).groups(2), false);
    let y = network.conv("dense", y.unwrap(), ConvDesc::new(4, 3), false);
    let network = network.finish(y.unwrap()).unwrap();
    let reorders = |layout| {
        let mut program = Program::new(network.clone(), &options(layout)).unwrap();
        prepare(&mut program, 1);
        let rows = program.profile(RUN, 1).into_iter();
        let rows = rows.filter(|row| row.kernel.starts_with("reorder"));
        rows.map(|row| (row.layer, row.kernel)).collect::<Vec<_>>()
    };
    let row = |layer: &str, kernel: &str| (layer.to_owned(), kernel.to_owned());
    // Small groups run channels last in either layout; what one of them makes the next one takes as
    // it lies.
    assert_eq!(
        reorders(Layout::Nchw),
        [
            row("deep", "reorder nchw to nhwc"),
            row("dense", "reorder nhwc to nchw"),
        ]
    );
    assert_eq!(
        reorders(Layout::Nhwc),
        [
            row("deep", "reorder nchw to nhwc"),
            row("dense", "reorder nhwc to nchw"),
        ]
    );
}
