//! Receptive fields against published ones.

mod published;

use geometry::Field;
use graph::{Graph, ReceptiveFields, receptive_fields};

use published::{ZOO, slim};

fn fields(network: &Graph) -> ReceptiveFields {
    receptive_fields(network, 0).unwrap()
}

fn of_the_zoo(name: &str) -> ReceptiveFields {
    let found = zoo::find(name).unwrap();
    fields(&found.build(&found.model.options()).unwrap())
}

/// Size, jump and padding of the last layer that sees a window, the same along both axes.
fn last(fields: &ReceptiveFields) -> [i64; 3] {
    let axes = &fields.last_local().unwrap().axes;
    let numbers = |axis: usize| {
        let field = axes[axis].local.unwrap().longest;
        [Field::size, Field::jump, Field::padding].map(|number| {
            let value = number(&field);
            assert!(value.is_whole());
            value.numerator()
        })
    };
    assert_eq!(numbers(0), numbers(1));
    numbers(0)
}

#[test]
fn fields_are_those_that_were_published() {
    for (name, expected) in ZOO {
        assert_eq!(last(&of_the_zoo(name)), expected, "{name}");
    }
    for (network, expected) in slim() {
        assert_eq!(last(&fields(&network)), expected);
    }
}

#[test]
fn branches_of_the_published_networks_are_aligned() {
    for name in ["resnet50", "densenet121", "inception_v3", "mobilenet_v2"] {
        assert_eq!(of_the_zoo(name).misaligned, [], "{name}");
    }
}

#[test]
fn upsampled_branches_are_centred_on_those_they_meet() {
    // Pooling by two and the way back are centred on each other, so that the skips of a U-Net fit.
    let unet = of_the_zoo("unet");
    assert_eq!(unet.misaligned, []);
    let end = &unet.layers.last().unwrap().axes[0].local.unwrap();
    assert_eq!(end.longest.jump(), geometry::Rational::ONE);
    assert_eq!(end.longest.centre(), geometry::Rational::ZERO);
}

#[test]
fn what_sees_everything_is_told_from_what_sees_a_window() {
    let fields = of_the_zoo("resnet18");
    let row = |layer: &str| fields.layers.iter().find(|row| row.layer == layer).unwrap();
    let head = row("fc").axes[0];
    assert!(head.global && head.local.is_none());
    let body = row("layer4.1.conv2").axes[0];
    assert!(!body.global);
    // By the shortcuts alone: the stem, the pool, and a step a stage.
    let block = row("layer1.1.add").axes[0].local.unwrap();
    assert_eq!(block.shortest.size().to_string(), "11");
    assert_eq!(block.longest.size().to_string(), "43");
}
