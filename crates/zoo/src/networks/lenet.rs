//! LeNet-5 (LeCun et al. 1998).
//!
//! The layer sizes are those of the paper: 6 and 16 feature maps, then 120, 84 and the classes. As
//! usual today, ReLU takes the place of the scaled tanh, max pooling that of the trained
//! subsampling, every map of the second convolution sees all six of the first, and the classifier is
//! linear.

use geometry::{ConvDesc, Padding, PoolDesc};
use graph::{GraphError, NetworkBuilder, ValueId};

use crate::{Model, Task, Width};

pub(crate) const MODELS: &[Model] = &[Model {
    name: "lenet5",
    summary: "two convolutions and three linear layers for digits",
    paper: "LeCun et al. 1998, Gradient-based learning applied to document recognition",
    task: Task::Classification,
    input: [1, 32, 32],
    classes: 10,
    network,
}];

/// The paper's digits are 28×28 in a field of 32×32.
const FIELD: usize = 32;

/// `[n, c, h, w] → [n, classes]`. Images smaller than 32×32 are set in a field of that size, as the
/// paper does with its digits; on larger ones the first linear layer grows.
fn network(
    network: &mut NetworkBuilder,
    width: Width,
    classes: usize,
) -> Result<ValueId, GraphError> {
    let images = network.input();
    let margins = network.shape(images)?[2..]
        .iter()
        .map(|&extent| FIELD.saturating_sub(extent))
        .map(|missing| (missing / 2, missing - missing / 2))
        .collect();
    let conv1 = ConvDesc::new(width.channels(6), 5).padding(Padding::Explicit(margins));
    let halve = PoolDesc::max(2).stride(2);

    let x = network.conv("conv1", images, conv1, true)?;
    let x = network.relu(x)?;
    let x = network.max_pool("pool1", x, halve.clone())?;
    let x = network.conv("conv2", x, ConvDesc::new(width.channels(16), 5), true)?;
    let x = network.relu(x)?;
    let x = network.max_pool("pool2", x, halve)?;
    let x = network.flatten(x)?;
    let x = network.linear("fc1", x, width.channels(120))?;
    let x = network.relu(x)?;
    let x = network.linear("fc2", x, width.channels(84))?;
    let x = network.relu(x)?;
    network.linear("fc3", x, classes)
}
