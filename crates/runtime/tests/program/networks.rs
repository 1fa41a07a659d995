//! Small networks that hold every operator and every pattern that is fused.

use std::sync::Arc;

use geometry::{ConvDesc, PoolDesc};
use graph::{ElementType, Graph, GraphError, NetworkBuilder, ValueId};
use kernels::{Isa, Team};
use runtime::{Program, Run, RuntimeOptions, initialise};
use tensor::Layout;
use testkit::Draw;

/// All networks, by name.
pub(crate) fn all() -> Vec<Graph> {
    [plain(), residual(), branches(), line(), volume()]
        .map(|network| network.expect("a network that holds together"))
        .into()
}

/// conv, norm, relu, overlapping max pool, grouped conv with bias, relu6, average pool and a
/// flatten that has to move elements.
pub(crate) fn plain() -> Result<Graph, GraphError> {
    let mut net = NetworkBuilder::new("plain", [3, 3, 11, 9]);
    let x = net.input();
    let x = net.conv("conv1", x, ConvDesc::new(6, 3).padding(1), false)?;
    let x = net.batch_norm("bn1", x)?;
    let x = net.relu(x)?;
    let x = net.max_pool("pool1", x, PoolDesc::max(3).stride(2).padding(1))?;
    let x = net.conv("conv2", x, ConvDesc::new(4, 3).padding(1).groups(2), true)?;
    let x = net.relu6(x)?;
    let x = net.average_pool("pool2", x, PoolDesc::average(2).stride(2).ceil(true))?;
    let x = net.flatten(x)?;
    let x = net.linear("fc1", x, 7)?;
    let x = net.relu(x)?;
    let x = net.linear("fc2", x, 4)?;
    net.finish(x)
}

/// Residual blocks: an identity shortcut, and one with a projection and stride.
pub(crate) fn residual() -> Result<Graph, GraphError> {
    let mut net = NetworkBuilder::new("residual", [2, 3, 8, 8]);
    let x = net.input();
    let x = net.conv("conv1", x, ConvDesc::new(5, 3).padding(1), false)?;
    let x = net.batch_norm("bn1", x)?;
    let x = net.relu(x)?;
    let x = block(&mut net, "layer1", x, 5, 1)?;
    let x = block(&mut net, "layer2", x, 17, 2)?;
    let x = net.global_average_pool(x)?;
    let x = net.flatten(x)?;
    let x = net.linear("fc", x, 5)?;
    net.finish(x)
}

fn block(
    net: &mut NetworkBuilder,
    name: &str,
    input: ValueId,
    channels: usize,
    stride: usize,
) -> Result<ValueId, GraphError> {
    let desc = ConvDesc::new(channels, 3).padding(1);
    let x = net.conv(
        &format!("{name}.conv1"),
        input,
        desc.clone().stride(stride),
        false,
    )?;
    let x = net.batch_norm(&format!("{name}.bn1"), x)?;
    let x = net.relu(x)?;
    let x = net.conv(&format!("{name}.conv2"), x, desc, false)?;
    let x = net.batch_norm(&format!("{name}.bn2"), x)?;
    let shortcut = if stride == 1 {
        input
    } else {
        let project = ConvDesc::new(channels, 1).stride(stride);
        let s = net.conv(&format!("{name}.shortcut"), input, project, false)?;
        net.batch_norm(&format!("{name}.shortcut_bn"), s)?
    };
    let x = net.add(x, shortcut)?;
    net.relu(x)
}

/// Parallel branches: depthwise with relu6, dilated, pooled; concatenated, and one branch read
/// again behind that.
pub(crate) fn branches() -> Result<Graph, GraphError> {
    let mut net = NetworkBuilder::new("branches", [2, 4, 7, 7]);
    let x = net.input();
    let deep = net.conv("dw", x, ConvDesc::new(4, 3).padding(1).groups(4), false)?;
    let deep = net.batch_norm("dw_bn", deep)?;
    let deep = net.relu6(deep)?;
    let wide = net.conv("wide", x, ConvDesc::new(3, 3).padding(2).dilation(2), true)?;
    let pooled = net.average_pool("pool", x, PoolDesc::average(3).padding(1))?;
    let pooled = net.conv("point", pooled, ConvDesc::new(4, 1), true)?;
    let all = net.concat(&[deep, wide, pooled])?;
    let all = net.batch_norm("bn", all)?;
    let all = net.conv("mix", all, ConvDesc::new(4, [1, 3]).padding(1), true)?;
    let all = net.max_pool("crop", all, PoolDesc::max([3, 1]))?;
    let pooled = net.add(pooled, deep)?;
    let all = net.add(all, pooled)?;
    let all = net.relu(all)?;
    let all = net.flatten(all)?;
    let all = net.linear("fc", all, 3)?;
    net.finish(all)
}

/// One spatial axis.
pub(crate) fn line() -> Result<Graph, GraphError> {
    let mut net = NetworkBuilder::new("line", [2, 2, 13]);
    let x = net.input();
    let x = net.conv("conv1", x, ConvDesc::new(4, 3).padding(1).stride(2), false)?;
    let x = net.batch_norm("bn1", x)?;
    let x = net.relu(x)?;
    let x = net.max_pool("pool", x, PoolDesc::max(2))?;
    let x = net.flatten(x)?;
    let x = net.linear("fc", x, 3)?;
    net.finish(x)
}

/// Three spatial axes.
pub(crate) fn volume() -> Result<Graph, GraphError> {
    let mut net = NetworkBuilder::new("volume", [2, 2, 3, 5, 4]);
    let x = net.input();
    let x = net.conv("conv1", x, ConvDesc::new(3, [2, 3, 3]).padding(1), true)?;
    let x = net.relu(x)?;
    let x = net.average_pool("pool", x, PoolDesc::average(2).stride(2))?;
    let x = net.batch_norm("bn1", x)?;
    let x = net.global_average_pool(x)?;
    let x = net.flatten(x)?;
    let x = net.linear("fc", x, 3)?;
    net.finish(x)
}

/// Options of one thread with the best instructions.
pub(crate) fn options(layout: Layout) -> RuntimeOptions {
    RuntimeOptions {
        layout,
        threads: 1,
        isa: Isa::best(),
        algorithm: None,
        ..RuntimeOptions::default()
    }
}

/// Draws everything a program is given: parameters, states (variances above zero), images, labels.
pub(crate) fn prepare(program: &mut Program, seed: u64) {
    initialise(program, seed);
    let mut draw = Draw::new(seed);
    let slots = program.slots().to_vec();
    for slot in slots.iter().filter(|slot| slot.shape.len() == 1) {
        let values = draw.reals(slot.range.len());
        let parameter = &mut program.parameters_mut()[slot.range.clone()];
        parameter
            .iter_mut()
            .zip(values)
            .for_each(|(p, v)| *p += 0.5 * v);
    }
    let values = draw.reals(program.state().len());
    for slot in program.states().to_vec() {
        let state = &mut program.state_mut()[slot.range.clone()];
        for (s, v) in state.iter_mut().zip(&values[slot.range]) {
            *s = if slot.init == 0.0 { *v } else { 1.5 + v };
        }
    }
    let images = program.input_f32(0).len();
    program.input_f32(0).copy_from_slice(&draw.reals(images));
    let second = program.graph().inputs.get(1);
    let element = second.map(|&id| program.graph().value(id).element);
    if element == Some(ElementType::Index) {
        let logits = program.graph().outputs[1];
        let [rows, classes] = program.graph().value(logits).shape[..] else {
            panic!("logits are a matrix");
        };
        for (label, drawn) in program
            .input_index(1)
            .iter_mut()
            .zip(draw.labels(rows, classes))
        {
            *label = drawn as u32;
        }
    }
}

/// The step that tests run.
pub(crate) const RUN: Run = Run { seed: 3, step: 1 };

/// The answer of a network to drawn integers with drawn integers for parameters, and the kernels of its steps.
pub(crate) fn answer(graph: &Graph, layout: Layout, threads: usize) -> (Vec<f32>, Vec<String>) {
    let team = Arc::new(Team::new(threads).unwrap());
    let mut program =
        Program::with_layouts(graph.clone(), &options(layout), team, |_| layout).unwrap();
    let mut draw = Draw::new(8);
    let parameters = draw.integers(program.parameters().len());
    program.parameters_mut().copy_from_slice(&parameters);
    let x = draw.integers(program.input_f32(0).len());
    program.input_f32(0).copy_from_slice(&x);
    let rows = program.profile(RUN, 1);
    let kernels = rows.into_iter().map(|row| row.kernel).collect();
    (program.output(0).to_vec(), kernels)
}
