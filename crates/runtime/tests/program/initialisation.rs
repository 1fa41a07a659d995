//! First values of parameters.

use geometry::ConvDesc;
use graph::{Graph, NetworkBuilder, WeightInit, passes};
use runtime::{Program, initialise};
use tensor::Layout;

use crate::networks::options;

fn network(init: WeightInit, layers: &[&str]) -> Graph {
    network_of(32, init, layers)
}

/// Convolutions to so many channels: 32 come in, so that fans into and out of the first differ.
fn network_of(outputs: usize, init: WeightInit, layers: &[&str]) -> Graph {
    let mut net = NetworkBuilder::new("init", [1, 32, 4, 4]);
    net.conv_init(init);
    let mut x = net.input();
    for layer in layers {
        x = net
            .conv(layer, x, ConvDesc::new(outputs, 3).padding(1), true)
            .unwrap();
    }
    passes::inference(&net.finish(x).unwrap()).unwrap()
}

fn weight(graph: Graph, name: &str, seed: u64) -> Vec<f32> {
    let mut program = Program::new(graph, &options(Layout::Nhwc)).unwrap();
    initialise(&mut program, seed);
    let slot = program
        .slots()
        .iter()
        .find(|slot| slot.name == name)
        .unwrap();
    program.parameters()[slot.range.clone()].to_vec()
}

fn deviation(values: &[f32]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    assert!(mean.abs() < 3e-3, "mean {mean}");
    let squares = values
        .iter()
        .map(|&v| (f64::from(v) - mean).powi(2))
        .sum::<f64>();
    (squares / n).sqrt()
}

/// 18,432 draws: their deviation is within a few per cent of the law's.
#[test]
fn weights_have_the_spread_their_law_asks_for() {
    let cases = [
        (WeightInit::Normal { deviation: 0.01 }, 0.01),
        (WeightInit::KaimingNormalFanOut, (2.0f64 / 576.0).sqrt()),
        (WeightInit::KaimingNormalFanIn, (2.0f64 / 288.0).sqrt()),
        (WeightInit::KaimingUniformFanIn, (2.0f64 / 288.0).sqrt()),
        (WeightInit::UniformFanIn, (1.0f64 / 288.0 / 3.0).sqrt()),
        (WeightInit::XavierUniform, (6.0f64 / 864.0 / 3.0).sqrt()),
    ];
    for (init, want) in cases {
        let weight = weight(network_of(64, init, &["a"]), "a.weight", 5);
        let got = deviation(&weight);
        assert!(
            (got / want - 1.0).abs() < 0.03,
            "{init:?}: {got} for {want}"
        );
        if !format!("{init:?}").contains("Normal") {
            let bound = want * 3f64.sqrt();
            let largest = weight.iter().fold(0f32, |m, v| m.max(v.abs()));
            assert!(f64::from(largest) <= bound && f64::from(largest) > 0.99 * bound);
        }
    }
}

#[test]
fn a_weight_depends_on_seed_and_name_and_on_no_other_layer() {
    let init = WeightInit::KaimingNormalFanOut;
    let alone = weight(network(init, &["a"]), "a.weight", 5);
    assert_eq!(weight(network(init, &["b", "a"]), "a.weight", 5), alone);
    assert_ne!(weight(network(init, &["a"]), "a.weight", 6), alone);
    assert_ne!(weight(network(init, &["b"]), "b.weight", 5), alone);
}

#[test]
fn biases_and_statistics_start_where_the_network_says() {
    let network = crate::networks::residual().unwrap();
    let mut program =
        Program::new(passes::inference(&network).unwrap(), &options(Layout::Nhwc)).unwrap();
    initialise(&mut program, 1);
    let slots = program.slots().iter().map(|slot| (&slot.name, &slot.range));
    for (name, range) in slots.filter(|(name, _)| name.contains("bn")) {
        let want = if name.ends_with("weight") { 1.0 } else { 0.0 };
        assert!(
            program.parameters()[range.clone()]
                .iter()
                .all(|&v| v == want),
            "{name}"
        );
    }
    for slot in program.states() {
        let want = if slot.name.ends_with("var") { 1.0 } else { 0.0 };
        assert!(
            program.state()[slot.range.clone()]
                .iter()
                .all(|&v| v == want),
            "{}",
            slot.name
        );
    }
}
