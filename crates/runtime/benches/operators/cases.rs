//! One operator a case, on maps of real networks.

use geometry::{
    AffineGridDesc, GridInterpolation, GridSampleDesc, PadDesc, PadMode, PixelShuffleDesc,
    PoolDesc, RegionsDesc, ResizeDesc, SliceDesc, UnpoolDesc,
};
use graph::{
    AlignSettings, BinaryOp, Graph, GraphError, LocalResponse, NetworkBuilder, ReduceOp, ValueId,
};
use tensor::Unary;

/// An operator as a network of its own.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) network: Graph,
    /// How the operators are called that count in a step of training, where only that has the gradient; else
    /// everything counts, with the gradients of all that is read.
    pub(crate) in_training: Option<&'static str>,
}

/// A map of the middle of a network.
const MAP: [usize; 4] = [8, 64, 56, 56];

/// All cases.
pub(crate) fn all() -> Result<Vec<Case>, GraphError> {
    let mut cases = Vec::new();
    let mut add = |name, shape: &[usize], in_training, build: Build| -> Result<(), GraphError> {
        let mut network = NetworkBuilder::new(name, shape);
        let x = network.input();
        let y = build(&mut network, x)?;
        cases.push(Case {
            name,
            network: network.finish(y)?,
            in_training,
        });
        Ok(())
    };
    // What stands before the operator learns, so that the gradient goes on.
    add("batch norm", &MAP, Some("batch norm"), |net, x| {
        let x = net.prelu("before", x, true)?;
        let x = net.batch_norm("norm", x)?;
        let x = net.global_average_pool(x)?;
        net.flatten(x)
    })?;
    add(
        "global max pool",
        &MAP,
        Some("adaptive max pool"),
        |net, x| {
            let x = net.prelu("before", x, true)?;
            let x = net.global_max_pool(x)?;
            net.flatten(x)
        },
    )?;
    let rows = [512, 1000];
    add("cross-entropy", &rows, Some("cross-entropy"), |net, x| {
        net.prelu("before", x, true)
    })?;

    let mut case = |name, shape: &[usize], build| add(name, shape, None, build);
    case("linear", &[16, 2048], |net, x| net.linear("fc", x, 1000))?;

    case("group norm", &MAP, |net, x| net.group_norm("norm", x, 32))?;
    case("instance norm", &MAP, |net, x| net.instance_norm(x))?;
    case("layer norm", &MAP, |net, x| net.layer_norm("norm", x, 1))?;
    case("channel norm", &MAP, |net, x| net.channel_norm("norm", x))?;
    case("local response norm", &MAP, |net, x| {
        net.local_response_norm(x, LocalResponse::new(5))
    })?;

    case("relu", &MAP, |net, x| net.relu(x))?;
    case("relu6", &MAP, |net, x| net.relu6(x))?;
    case("sigmoid", &MAP, |net, x| net.sigmoid(x))?;
    case("elu", &MAP, |net, x| {
        net.unary(x, Unary::Elu { alpha: 1.0 })
    })?;
    case("prelu", &MAP, |net, x| net.prelu("prelu", x, true))?;
    case("dropout", &MAP, |net, x| net.dropout(x, 0.5))?;

    case("softmax of rows", &[512, 1000], |net, x| {
        net.softmax_along(x, 1)
    })?;
    case("softmax over channels", &MAP, |net, x| {
        net.softmax_along(x, 1)
    })?;
    case("log-softmax of rows", &[512, 1000], |net, x| {
        net.log_softmax_along(x, 1)
    })?;

    case("add", &MAP, |net, x| net.add(x, x))?;
    case("product with channels", &MAP, |net, x| {
        let scale = net.global_average_pool(x)?;
        net.binary(BinaryOp::Mul, x, scale)
    })?;
    case("mean over axes", &MAP, |net, x| {
        net.reduce(ReduceOp::Mean, x, &[2, 3])
    })?;
    case("concat", &MAP, |net, x| net.concat(&[x, x]))?;
    case("channel shuffle", &MAP, |net, x| net.channel_shuffle(x, 4))?;
    case("pixel shuffle", &MAP, |net, x| {
        net.pixel_shuffle(x, PixelShuffleDesc::new(2))
    })?;
    case("pad", &MAP, |net, x| {
        net.pad(
            x,
            PadDesc::new(PadMode::Reflect, &[(0, 0), (0, 0), (1, 1), (1, 1)]),
            0.0,
        )
    })?;
    case("slice", &MAP, |net, x| {
        net.slice(x, SliceDesc::new().axis(2, 1, 55, 2))
    })?;
    case("permute", &MAP, |net, x| net.permute(x, &[0, 2, 3, 1]))?;

    case("global average pool", &MAP, |net, x| {
        net.global_average_pool(x)
    })?;
    case("max unpool", &MAP, |net, x| {
        let pool = PoolDesc::max(2).stride(2);
        let (y, places) = net.max_pool_with_indices("pool", x, pool)?;
        net.max_unpool("unpool", y, places, UnpoolDesc::new(2))
    })?;

    case("resize nearest", &MAP, |net, x| {
        net.upsample(x, 2.0, ResizeDesc::nearest)
    })?;
    case("resize linear", &MAP, |net, x| {
        net.upsample(x, 2.0, ResizeDesc::linear)
    })?;
    case("resize cubic", &MAP, |net, x| {
        net.upsample(x, 2.0, ResizeDesc::cubic)
    })?;
    case("grid sample", &MAP, |net, x| {
        let seen = net.global_average_pool(x)?;
        let seen = net.flatten(seen)?;
        let theta = net.linear("theta", seen, 6)?;
        let grid = net.affine_grid(theta, AffineGridDesc::new([56, 56]))?;
        net.grid_sample(x, grid, GridSampleDesc::new(GridInterpolation::Linear))
    })?;

    case("region align", &[1, 256, 50, 68], |net, x| {
        let regions = net.regions("regions", 128)?;
        net.region_align(
            x,
            regions,
            None,
            RegionsDesc::new(7),
            AlignSettings::default(),
        )
    })?;
    case("region max pool", &[1, 256, 50, 68], |net, x| {
        let regions = net.regions("regions", 128)?;
        net.region_max_pool(x, regions, RegionsDesc::new(7), 1.0)
    })?;
    case("region average pool", &[1, 490, 50, 68], |net, x| {
        let regions = net.regions("regions", 128)?;
        let desc = RegionsDesc::new(7).position_sensitive(true);
        net.region_average_pool(x, regions, desc, 1.0)
    })?;
    Ok(cases)
}

/// Puts one operator, and what it needs, behind an input.
type Build = fn(&mut NetworkBuilder, ValueId) -> Result<ValueId, GraphError>;
