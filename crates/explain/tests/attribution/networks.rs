//! The networks of `networks.py`.

use geometry::{ConvDesc, PoolDesc};
use graph::{Graph, GraphError, NetworkBuilder, ValueId};

pub(crate) const CLASSES: usize = 5;

/// Channels, height and width of the images.
pub(crate) const IMAGE: [usize; 3] = [3, 20, 24];

fn builder(name: &str, batch: usize) -> NetworkBuilder {
    let [channels, height, width] = IMAGE;
    NetworkBuilder::new(name, [batch, channels, height, width])
}

/// Convolutions, norms and max pools in a row; the first pool's windows overlap.
pub(crate) fn plain(batch: usize) -> Result<Graph, GraphError> {
    let mut network = builder("plain", batch);
    let x = network.input();
    let x = network.conv("conv1", x, ConvDesc::new(6, 3).padding(1), false)?;
    let x = network.batch_norm("bn1", x)?;
    let x = network.relu(x)?;
    let x = network.max_pool("pool1", x, PoolDesc::max(3).stride(2).padding(1))?;
    let x = network.conv("conv2", x, ConvDesc::new(8, 5).padding(2), true)?;
    let x = network.relu(x)?;
    let x = network.max_pool("pool2", x, PoolDesc::max(2).stride(2))?;
    let x = network.batch_norm("bn2", x)?;
    let x = network.conv("conv3", x, ConvDesc::new(10, 3).padding(1), true)?;
    let x = network.relu(x)?;
    let x = network.flatten(x)?;
    let x = network.linear("fc1", x, 12)?;
    let x = network.relu(x)?;
    let logits = network.linear("fc2", x, CLASSES)?;
    network.finish(logits)
}

/// A stem and two residual blocks, the second with a projection; the mean of each map goes into the logits.
pub(crate) fn residual(batch: usize) -> Result<Graph, GraphError> {
    let mut network = builder("residual", batch);
    let x = network.input();
    let x = conv_norm(&mut network, x, ["conv1", "bn1"], 8, 3, 2)?;
    let x = network.relu(x)?;
    let x = network.scope("layer1", |network| block(network, x, 8, 1))?;
    let x = network.scope("layer2", |network| block(network, x, 12, 2))?;
    let x = network.global_average_pool(x)?;
    let x = network.flatten(x)?;
    let logits = network.linear("fc", x, CLASSES)?;
    network.finish(logits)
}

fn block(
    network: &mut NetworkBuilder,
    x: ValueId,
    channels: usize,
    stride: usize,
) -> Result<ValueId, GraphError> {
    let y = conv_norm(network, x, ["conv1", "bn1"], channels, 3, stride)?;
    let y = network.relu(y)?;
    let y = conv_norm(network, y, ["conv2", "bn2"], channels, 3, 1)?;
    let shortcut = match stride {
        1 => x,
        _ => conv_norm(
            network,
            x,
            ["downsample.0", "downsample.1"],
            channels,
            1,
            stride,
        )?,
    };
    let y = network.add(y, shortcut)?;
    network.relu(y)
}

fn conv_norm(
    network: &mut NetworkBuilder,
    x: ValueId,
    [conv, norm]: [&str; 2],
    channels: usize,
    kernel: usize,
    stride: usize,
) -> Result<ValueId, GraphError> {
    let desc = ConvDesc::new(channels, kernel)
        .stride(stride)
        .padding(kernel / 2);
    let x = network.conv(conv, x, desc, false)?;
    network.batch_norm(norm, x)
}
