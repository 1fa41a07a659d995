//! Every block once, with the sizes that its paper or network gives it: what can be looked at by a name.

mod compact;
mod dense;
mod image_to_image;
mod inception;
mod inception_resnet;
mod residual;

use geometry::names;
use graph::{Graph, GraphError, NetworkBuilder, ValueId};

use crate::ZooError;

/// A block with the sizes of a place where it stands.
#[derive(Debug)]
pub struct BlockExample {
    /// The name it is asked for by.
    pub name: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// Where it was published.
    pub paper: &'static str,
    /// Channels, height and width of what comes in.
    pub input: [usize; 3],
    build: fn(&mut NetworkBuilder, ValueId) -> Result<ValueId, GraphError>,
}

impl BlockExample {
    /// The block as a graph of its own, on one map.
    ///
    /// # Errors
    /// None, unless a block is changed so that it no longer fits its own example.
    pub fn graph(&self) -> Result<Graph, ZooError> {
        let [channels, height, width] = self.input;
        let mut network = NetworkBuilder::new(self.name, [1, channels, height, width]);
        let x = network.input();
        (self.build)(&mut network, x)
            .and_then(|y| network.finish(y))
            .map_err(|source| ZooError::Graph {
                name: self.name.to_owned(),
                source,
            })
    }
}

/// Every block by its name.
///
/// ```
/// let block = zoo::blocks::example("inception-v4-a")?.graph()?;
/// assert_eq!(block.value(block.outputs[0]).shape, [1, 384, 35, 35]);
/// # Ok::<(), zoo::ZooError>(())
/// ```
///
/// # Errors
/// [`ZooError::UnknownBlock`] with the nearest names.
pub fn example(name: &str) -> Result<&'static BlockExample, ZooError> {
    let found = examples().find(|block| block.name == name);
    found.ok_or_else(|| ZooError::UnknownBlock {
        name: name.to_owned(),
        nearest: names::like(name, examples().map(|block| block.name)),
    })
}

/// All of them, family by family.
pub fn examples() -> impl Iterator<Item = &'static BlockExample> {
    FAMILIES.into_iter().flatten()
}

const FAMILIES: [&[BlockExample]; 6] = [
    inception::EXAMPLES,
    inception_resnet::EXAMPLES,
    residual::EXAMPLES,
    dense::EXAMPLES,
    compact::EXAMPLES,
    image_to_image::EXAMPLES,
];
