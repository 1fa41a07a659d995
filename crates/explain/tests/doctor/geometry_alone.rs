//! Checks that need neither weights nor pictures.

use explain::doctor::{Check, Patient, Severity, examine};
use geometry::{ConvDesc, Padding, PoolDesc};
use graph::NetworkBuilder;

use crate::network::small;

#[test]
fn without_weights_the_other_checks_are_left_out_and_say_why() {
    let network = small().unwrap();
    let diagnosis = examine(&Patient::new(&network)).unwrap();
    assert_eq!(diagnosis.findings, []);
    assert_eq!(
        diagnosis.made,
        [Check::FieldsBeyondInput, Check::MisalignedBranches]
    );
    assert_eq!(diagnosis.left_out.len(), Check::ALL.len() - 2);
    for left_out in &diagnosis.left_out {
        assert_eq!(left_out.reason, "needs trained weights");
    }
}

/// A stack of 3×3 sees 3, 5, 7, …: the sixth reads maps that see 11 pixels, the seventh 13.
#[test]
fn the_border_layer_of_a_stack() {
    let stack = |layers: usize| {
        let mut network = NetworkBuilder::new("stack", [1, 1, 13, 13]);
        let mut x = network.input();
        for layer in 1..=layers {
            x = network.conv(
                &format!("conv{layer}"),
                x,
                ConvDesc::new(2, 3).padding(1),
                true,
            )?;
        }
        network.finish(x)
    };
    let six = stack(6).unwrap();
    assert_eq!(examine(&Patient::new(&six)).unwrap().findings, []);
    let eight = stack(8).unwrap();
    let findings = examine(&Patient::new(&eight)).unwrap().findings;
    let [finding] = findings.as_slice() else {
        panic!("{findings:?}");
    };
    assert_eq!(finding.layer.as_deref(), Some("conv7"));
    assert_eq!(
        finding.numbers,
        [("layers", 2.0), ("convolutions", 8.0), ("field", 13.0)]
    );
}

/// A shortcut is the shortest path: behind it layers still have something to relate.
#[test]
fn shortcuts_keep_deep_layers_useful() {
    let mut network = NetworkBuilder::new("residual", [1, 2, 9, 9]);
    let mut x = network.input();
    for layer in 0..8 {
        let y = network
            .conv(
                &format!("conv{layer}"),
                x,
                ConvDesc::new(2, 3).padding(1),
                true,
            )
            .unwrap();
        x = network.add(x, y).unwrap();
    }
    let network = network.finish(x).unwrap();
    assert_eq!(examine(&Patient::new(&network)).unwrap().findings, []);
}

#[test]
fn branches_that_lie_apart() {
    let branches = |before: usize, after: usize| {
        let mut network = NetworkBuilder::new("branches", [1, 2, 12, 12]);
        let x = network.input();
        let padding = Padding::Explicit(vec![(before, after); 2]);
        let wide = ConvDesc::new(2, 3).padding(padding);
        let wide = network.conv("wide", x, wide, true)?;
        let pooled = network.max_pool("pool", x, PoolDesc::max(1))?;
        let sum = network.add(wide, pooled)?;
        network.finish(sum)
    };
    let even = branches(1, 1).unwrap();
    assert_eq!(examine(&Patient::new(&even)).unwrap().findings, []);
    // All padding before: the window looks one pixel up and to the left.
    let apart = branches(2, 0).unwrap();
    let findings = examine(&Patient::new(&apart)).unwrap().findings;
    let [finding] = findings.as_slice() else {
        panic!("{findings:?}");
    };
    assert_eq!(
        (finding.check, finding.severity),
        (Check::MisalignedBranches, Severity::Warning)
    );
    assert_eq!(finding.numbers[0], ("apart", 1.0));
}
