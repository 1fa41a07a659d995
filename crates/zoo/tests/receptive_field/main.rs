//! Receptive fields against published ones.

use geometry::{ConvDesc, Field, Padding, PoolDesc};
use graph::{Graph, NetworkBuilder, ReceptiveFields, ValueId, receptive_fields};

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

/// Araujo et al. 2019, and the networks of torchvision by its recurrence.
#[test]
fn fields_are_those_that_were_published() {
    for (name, expected) in [
        ("alexnet", [195, 32, 66]),
        ("vgg16", [212, 32, 90]),
        ("resnet18", [435, 32, 217]),
        ("resnet34", [899, 32, 449]),
        ("resnet50", [427, 32, 213]),
        ("resnet101", [971, 32, 485]),
        ("resnet152", [1451, 32, 725]),
        ("mobilenet_v2", [491, 32, 245]),
        ("densenet121", [2071, 32, 1021]),
        ("inception_v3", [1311, 32, 618]),
    ] {
        assert_eq!(last(&of_the_zoo(name)), expected, "{name}");
    }
}

struct Slim {
    network: NetworkBuilder,
    layers: usize,
}

impl Slim {
    fn new(size: usize) -> Self {
        Self {
            network: NetworkBuilder::new("slim", [1, 1, size, size]),
            layers: 0,
        }
    }

    fn name(&mut self) -> String {
        self.layers += 1;
        format!("layer{}", self.layers)
    }

    fn conv(&mut self, x: ValueId, k: usize, s: usize, padding: impl Into<Padding>) -> ValueId {
        let name = self.name();
        let desc = ConvDesc::new(1, k).stride(s).padding(padding);
        self.network.conv(&name, x, desc, false).unwrap()
    }

    fn pool(&mut self, x: ValueId, k: usize, s: usize, padding: impl Into<Padding>) -> ValueId {
        let name = self.name();
        let desc = PoolDesc::max(k).stride(s).padding(padding);
        self.network.max_pool(&name, x, desc).unwrap()
    }

    /// A block of bottlenecks, whose last one takes the step.
    fn block(&mut self, mut x: ValueId, units: usize, stride: usize) -> ValueId {
        for unit in 1..=units {
            let step = if unit == units { stride } else { 1 };
            let around = match step {
                1 => x,
                step => self.pool(x, 1, step, 0),
            };
            let y = self.conv(x, 1, 1, 0);
            let y = self.conv(y, 3, step, 1);
            let y = self.conv(y, 1, 1, 0);
            x = self.network.add(around, y).unwrap();
        }
        x
    }
}

/// TensorFlow-Slim's `resnet_v1`; its pool pads one element of an even map, behind it.
fn slim_resnet(units: [usize; 4], pool: impl Into<Padding>) -> [i64; 3] {
    let mut slim = Slim::new(224);
    let x = slim.network.input();
    let x = slim.conv(x, 7, 2, 3);
    let mut x = slim.pool(x, 3, 2, pool);
    for (units, stride) in units.into_iter().zip([2, 2, 2, 1]) {
        x = slim.block(x, units, stride);
    }
    last(&fields(&slim.network.finish(x).unwrap()))
}

#[test]
fn fields_of_slim_networks_are_those_that_were_published() {
    assert_eq!(slim_resnet([3, 4, 6, 3], 1), [483, 32, 241]);
    assert_eq!(slim_resnet([3, 4, 6, 3], Padding::Same), [483, 32, 239]);
    assert_eq!(slim_resnet([3, 4, 23, 3], 1), [1027, 32, 513]);
    assert_eq!(slim_resnet([3, 8, 36, 3], 1), [1507, 32, 753]);

    // AlexNet v2 of Slim.
    let mut slim = Slim::new(224);
    let x = slim.network.input();
    let x = slim.conv(x, 11, 4, 0);
    let x = slim.pool(x, 3, 2, 0);
    let x = slim.conv(x, 5, 1, Padding::Same);
    let mut x = slim.pool(x, 3, 2, 0);
    for _ in 0..3 {
        x = slim.conv(x, 3, 1, Padding::Same);
    }
    let x = slim.pool(x, 3, 2, 0);
    let alexnet = fields(&slim.network.finish(x).unwrap());
    assert_eq!(last(&alexnet), [195, 32, 64]);
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
