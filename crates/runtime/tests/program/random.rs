//! Random networks: lifetimes, operations in place and layouts in every combination that comes up.

use geometry::{ConvDesc, PoolDesc};
use graph::passes::{self, TrainingOptions};
use graph::{Graph, NetworkBuilder, ValueId};
use runtime::Program;
use tensor::Layout;
use testkit::{Draw, compare};

use crate::networks::{RUN, options, prepare};
use crate::oracle::{Given, Mode, evaluate, loss};

/// A network of a dozen layers, each on a value drawn among all those before it.
pub(crate) fn draw_network(seed: u64) -> Graph {
    let mut draw = Draw::new(seed);
    let channels = 1 + draw.below(4);
    let mut net = NetworkBuilder::new(&format!("random {seed}"), [2, channels, 5, 4]);
    let mut values = vec![net.input()];
    for layer in 0..12 {
        // The latest value more often than the others, so that networks grow deep.
        let from = draw.below(values.len());
        let x = if draw.once_in(2) {
            values[from]
        } else {
            values[values.len() - 1]
        };
        let name = format!("layer{layer}");
        let shape = net.shape(x).unwrap().to_vec();
        let alike: Vec<ValueId> = values
            .iter()
            .copied()
            .filter(|&other| net.shape(other).unwrap() == shape)
            .collect();
        let y = match draw.below(8) {
            0 | 1 => {
                let desc = ConvDesc::new(1 + draw.below(4), 3).padding(1);
                net.conv(&name, x, desc, draw.once_in(2))
            }
            2 => net.conv(&name, x, ConvDesc::new(shape[1], 1), true),
            3 => net.batch_norm(&name, x),
            4 => net.relu(x),
            5 | 6 => net.add(x, draw.pick(&alike)),
            _ if draw.once_in(2) => net.concat(&[x, draw.pick(&values)]),
            _ => net.max_pool(&name, x, PoolDesc::max(3).padding(1)),
        };
        values.push(y.unwrap());
    }
    let x = net.flatten(values[values.len() - 1]).unwrap();
    let x = net.linear("fc", x, 3).unwrap();
    net.finish(x).unwrap()
}

#[test]
fn random_networks_compute_what_they_say() {
    for seed in 0..60 {
        let network = draw_network(seed);
        for layout in Layout::ALL {
            let folded = passes::inference(&network).unwrap();
            let mut program = Program::new(folded, &options(layout)).unwrap();
            prepare(&mut program, seed);
            program.run(RUN);
            program.run(RUN);
            let images = program.input_f32(0).to_vec();
            let given = Given::of(&program).images(&images);
            let answer = evaluate(&network, &given, Mode::Inference);
            let problem = format!("{} {layout}", network.name);
            compare::assert_relative_l2(&problem, program.output(0), answer.output(&network), 1e-5);
        }
    }
}

/// The gradient in one random direction, against the slope of the loss along it.
#[test]
fn random_networks_have_the_gradients_of_their_loss() {
    for seed in 0..60 {
        let network = draw_network(seed);
        let step = passes::training(&network, TrainingOptions::default()).unwrap();
        for layout in Layout::ALL {
            let mut program = Program::new(step.clone(), &options(layout)).unwrap();
            prepare(&mut program, seed);
            let images = program.input_f32(0).to_vec();
            let labels: Vec<_> = program.input_index(1).iter().map(|&l| l as usize).collect();
            let given = Given::of(&program).images(&images);
            program.run(RUN);

            let direction = Draw::new(seed + 1).reals(program.parameters().len());
            let along = |distance: f64| {
                let mut moved = given.clone();
                for slot in program.slots() {
                    let parameter = moved.0.get_mut(&slot.name).unwrap();
                    for (p, &d) in parameter.iter_mut().zip(&direction[slot.range.clone()]) {
                        *p += distance * f64::from(d);
                    }
                }
                loss(&network, &moved, &labels, 0.0)
            };
            let want = (along(1e-6) - along(-1e-6)) / 2e-6;
            let terms = program.gradients().iter().zip(&direction);
            let terms = terms.map(|(&g, &d)| f64::from(g) * f64::from(d));
            let (got, size) = terms.fold((0.0, 0.0), |(sum, size), t| (sum + t, size + t.abs()));
            assert!(
                (got - want).abs() <= 1e-4 * size + 1e-6,
                "{} {layout}: {got} along the direction, should be {want}",
                network.name
            );
        }
    }
}
