//! Receptive fields that were published (Araujo et al. 2019), and those of torchvision's networks by the same
//! recurrence: size r, jump S and padding P of the last layer that sees a window.

use geometry::{ConvDesc, Padding, PoolDesc};
use graph::{Graph, NetworkBuilder, ValueId};

/// Of networks of the zoo.
pub(crate) const ZOO: [(&str, [i64; 3]); 10] = [
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
];

/// Of networks of TensorFlow-Slim, built here with one channel: what they see does not depend on more.
pub(crate) fn slim() -> [(Graph, [i64; 3]); 5] {
    // The pool of TensorFlow pads one element of an even map, behind it.
    let [around, behind] = [Padding::symmetric(1), Padding::Same];
    [
        (alexnet(), [195, 32, 64]),
        (resnet([3, 4, 6, 3], around.clone()), [483, 32, 241]),
        (resnet([3, 4, 6, 3], behind), [483, 32, 239]),
        (resnet([3, 4, 23, 3], around.clone()), [1027, 32, 513]),
        (resnet([3, 8, 36, 3], around), [1507, 32, 753]),
    ]
}

/// A network that is being built.
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

/// `resnet_v1` up to its last block.
fn resnet(units: [usize; 4], pool: Padding) -> Graph {
    let mut slim = Slim::new(224);
    let x = slim.network.input();
    let x = slim.conv(x, 7, 2, 3);
    let mut x = slim.pool(x, 3, 2, pool);
    for (units, stride) in units.into_iter().zip([2, 2, 2, 1]) {
        x = slim.block(x, units, stride);
    }
    slim.network.finish(x).unwrap()
}

/// `alexnet_v2` up to its last pool.
fn alexnet() -> Graph {
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
    slim.network.finish(x).unwrap()
}
