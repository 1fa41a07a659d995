//! What enters and leaves a program: any value can be an output, in channels-first order, and
//! memory that is used twice never shows.

use geometry::PoolDesc;
use graph::{NetworkBuilder, Op, passes};
use runtime::{Program, Run};
use tensor::Layout;
use testkit::compare;

use crate::networks::{RUN, all, options, prepare, residual};
use crate::oracle::{Given, Mode, evaluate};

/// Every value of every network as an output at once, then each by itself: nothing else then keeps
/// the others' memory from being used again.
#[test]
fn every_value_can_be_an_output() {
    for network in all() {
        let folded = passes::inference(&network).unwrap();
        let names: Vec<_> = folded.nodes.iter().flat_map(|node| &node.outputs).collect();
        let computed: Vec<_> = names.into_iter().copied().collect();
        let mut choices: Vec<Vec<_>> = computed.iter().map(|&id| vec![id]).collect();
        choices.push([computed.clone(), computed.clone()].concat());
        for layout in Layout::ALL {
            let mut together = None;
            for outputs in choices.iter().rev() {
                let mut graph = folded.clone();
                graph.outputs.clone_from(outputs);
                let mut program = Program::new(graph, &options(layout)).unwrap();
                prepare(&mut program, 6);
                program.run(RUN);
                program.run(RUN);
                let all = together.get_or_insert_with(|| {
                    let outputs = (0..outputs.len()).map(|i| program.output(i).to_vec());
                    outputs.collect::<Vec<_>>()
                });
                for (index, id) in outputs.iter().enumerate() {
                    let position = computed.iter().position(|other| other == id).unwrap();
                    let name = &folded.value(*id).name;
                    assert!(
                        program.output(index) == all[position],
                        "{} {layout}: {name} of {} outputs",
                        network.name,
                        outputs.len()
                    );
                }
            }
        }
    }
}

/// The feature maps inside a network, asked for in one layout and computed in the other.
#[test]
fn feature_maps_leave_channels_first() {
    let network = residual().unwrap();
    let folded = passes::inference(&network).unwrap();
    let conv1 = folded
        .nodes
        .iter()
        .find(|node| node.layer.starts_with("conv1"))
        .unwrap()
        .outputs[0];
    let name = &folded.value(conv1).name;
    let relu = network.nodes[2].outputs[0];
    let mut graph = folded.clone();
    graph.outputs.push(conv1);
    for layout in Layout::ALL {
        let mut program = Program::new(graph.clone(), &options(layout)).unwrap();
        prepare(&mut program, 6);
        program.run(RUN);
        let images = program.input_f32(0).to_vec();
        let given = Given::of(&program).images(&images);
        let answer = evaluate(&network, &given, Mode::Inference);
        let want = &answer.values[relu.index()];
        compare::assert_relative_l2(&format!("{name} {layout}"), program.output(1), want, 1e-5);
    }
}

/// Of a chain of layers two feature maps are alive at a time, and activations are done in place.
#[test]
fn a_chain_of_layers_needs_the_memory_of_two() {
    let mut net = NetworkBuilder::new("chain", [1, 1, 64, 64]);
    let mut x = net.input();
    for layer in 0..6 {
        let desc = PoolDesc::average(3).padding(1);
        x = net.average_pool(&format!("pool{layer}"), x, desc).unwrap();
        x = net.relu(x).unwrap();
    }
    let program = Program::new(net.finish(x).unwrap(), &options(Layout::Nhwc)).unwrap();
    let (memory, map) = (program.memory(), 4 * 64 * 64);
    assert_eq!(memory.arena, 2 * map, "{memory:?}");
    // The last map is an output, so six pools but the last activation have theirs in the arena.
    assert_eq!(memory.unshared, 6 * map, "{memory:?}");
    assert_eq!((memory.edges, memory.gradients), (2 * map, 0));
    assert_eq!(program.arena_bytes(), memory.arena);
    assert_eq!(memory.total(), 4 * map);
}

#[test]
fn slots_lie_on_cache_lines_in_the_order_of_the_graph_with_zeros_between() {
    let network = residual().unwrap();
    let mut program =
        Program::new(passes::inference(&network).unwrap(), &options(Layout::Nhwc)).unwrap();
    prepare(&mut program, 1);
    assert_eq!(program.slots()[0].name, "conv1.weight");
    assert_eq!(program.slots()[0].range, 0..5 * 3 * 9);
    // 135 elements, and the next line starts at 144.
    assert_eq!(program.slots()[1].range, 144..149);
    let mut gaps = program.parameters().to_vec();
    for slot in program.slots() {
        assert_eq!(
            program.parameters()[slot.range.clone()].as_ptr() as usize % 64,
            0
        );
        gaps[slot.range.clone()].fill(0.0);
    }
    assert!(gaps.iter().all(|&v| v == 0.0));
}

#[test]
fn indices_can_be_outputs() {
    for layout in Layout::ALL {
        let mut net = NetworkBuilder::new("places", [1, 2, 4, 4]);
        let x = net.input();
        let y = net.max_pool("pool", x, PoolDesc::max(2).stride(2)).unwrap();
        let mut graph = net.finish(y).unwrap();
        graph.nodes.clear();
        let op = Op::Pool {
            desc: PoolDesc::max(2).stride(2),
            indices: true,
        };
        let outputs = graph.append(op, "pool with places", vec![x]).unwrap();
        graph.outputs = vec![outputs[1]];
        let graph = passes::remove_dead(&graph);
        let mut program = Program::new(graph, &options(layout)).unwrap();
        // Ascending in the first channel, descending in the second.
        for (place, element) in program.input_f32(0).iter_mut().enumerate() {
            *element = if place < 16 {
                place as f32
            } else {
                -(place as f32)
            };
        }
        program.run(Run::default());
        assert_eq!(program.output_index(0), [5, 7, 13, 15, 0, 2, 8, 10]);
    }
}
