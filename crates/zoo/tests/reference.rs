//! Names, shapes, parameters and multiply-accumulates against PyTorch's (`reference/make.py`).

use std::fs;
use std::path::Path;

use graph::{Graph, Role};
use zoo::models;

fn read(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference");
    fs::read_to_string(folder.join(file)).unwrap()
}

fn network(name: &str) -> Graph {
    let found = zoo::find(name).unwrap();
    found.build(&found.model.options()).unwrap()
}

/// `conv1.weight 64x3x7x7` for every parameter and state, in the order of their names.
fn listing(network: &Graph) -> Vec<String> {
    let mut lines: Vec<_> = network
        .values()
        .iter()
        .filter(|value| matches!(value.role, Role::Parameter { .. } | Role::State { .. }))
        .map(|value| {
            let extents: Vec<_> = value.shape.iter().map(usize::to_string).collect();
            format!("{} {}", value.name, extents.join("x"))
        })
        .collect();
    lines.sort_unstable();
    lines
}

#[test]
fn names_and_shapes_are_those_of_the_published_weights() {
    for model in models() {
        let expected = read(&format!("{}.txt", model.name));
        let mut expected: Vec<_> = expected.lines().collect();
        expected.sort_unstable();
        assert!(expected.len() >= 10);
        let found = listing(&network(model.name));
        let found: Vec<_> = found.iter().map(String::as_str).collect();
        let only = |here: &[&str], there: &[&str]| -> Vec<String> {
            let alone = here.iter().filter(|line| !there.contains(line));
            alone.map(|line| (*line).to_owned()).collect()
        };
        assert!(
            found == expected,
            "{}: too many {:?}, missing {:?}",
            model.name,
            only(&found, &expected),
            only(&expected, &found)
        );
    }
}

#[test]
fn costs_are_those_that_pytorch_counts() {
    let costs = read("costs.txt");
    assert_eq!(costs.lines().count(), models().count());
    for line in costs.lines() {
        let [name, parameters, macs] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let summary = graph::summary(&network(name));
        assert_eq!(summary.parameters.to_string(), parameters, "{name}");
        assert_eq!(summary.macs.to_string(), macs, "{name}");
    }
}

#[test]
fn costs_are_those_of_the_papers() {
    // Giga multiply-accumulates: He et al. 2015 with the stride on the 3×3, Howard et al. 2017, Xie et al. 2016,
    // Zhang et al. 2017 (table 1), Ma et al. 2018 (table 8), Sandler et al. 2018 (table 4), and what timm and
    // torchvision state of Inception networks.
    for (name, published) in [
        ("resnet50", 4.09),
        ("mobilenet_v1", 0.57),
        ("resnet18", 1.81),
        ("googlenet", 1.50),
        ("inception_v3", 5.71),
        ("inception_v4", 12.25),
        ("densenet121", 2.83),
        ("inception_resnet_v2", 13.2),
        ("xception", 8.40),
        ("resnext50_32x4d", 4.2),
        ("shufflenet_v1_g1", 0.143),
        ("shufflenet_v1_g2", 0.140),
        ("shufflenet_v1_g3", 0.137),
        ("shufflenet_v1_g4", 0.133),
        ("shufflenet_v1_g8", 0.137),
        ("mobilenet_v2", 0.300),
        ("shufflenet_v2_x0_5", 0.041),
        ("shufflenet_v2_x1_0", 0.146),
        ("shufflenet_v2_x1_5", 0.299),
        ("shufflenet_v2_x2_0", 0.591),
    ] {
        let giga = graph::summary(&network(name)).macs as f64 / 1e9;
        assert!((giga / published - 1.0).abs() < 0.015, "{name}: {giga}");
    }
    // Parameters in millions: table 6 of Howard et al.; table 2 of Simonyan & Zisserman; table 4 of Sandler et al.;
    // table 1 of Iandola et al.; table 6 of He et al. 2015; section 3.1 of Xie et al.
    for (name, published) in [
        ("mobilenet_v1:0.75", 2.6),
        ("mobilenet_v1:0.5", 1.3),
        ("mobilenet_v1:0.25", 0.5),
        ("vgg11", 132.9),
        ("vgg13", 133.0),
        ("vgg16", 138.4),
        ("vgg19", 143.7),
        ("mobilenet_v2", 3.5),
        ("mobilenet_v2:1.4", 6.1),
        ("squeezenet1_0", 1.25),
        ("resnet110", 1.7),
        ("resnext50_32x4d", 25.0),
    ] {
        let millions = graph::summary(&network(name)).parameters as f64 / 1e6;
        assert!((millions - published).abs() < 0.06, "{name}: {millions}");
    }
}

#[test]
fn costs_do_not_depend_on_the_batch() {
    let found = zoo::find("resnet20").unwrap();
    let options = zoo::BuildOptions {
        batch: 128,
        ..found.model.options()
    };
    let many = graph::summary(&found.build(&options).unwrap());
    assert_eq!(many.macs, graph::summary(&network("resnet20")).macs);
}

#[test]
fn heads_for_training_are_counted_apart() {
    // Parameters that torchvision states of GoogLeNet without its heads and timm of Inception v3 without.
    for (name, predicting) in [("googlenet", 6_624_904), ("inception_v3", 23_834_568)] {
        let summary = graph::summary(&network(name));
        let heads = summary.auxiliary_parameters;
        assert_eq!(summary.parameters - heads, predicting, "{name}");
        let rows = summary.rows.iter().filter(|row| row.auxiliary);
        assert_eq!(rows.map(|row| row.parameters).sum::<u64>(), heads, "{name}");
        assert!(summary.auxiliary_macs > 0, "{name}");
    }
    assert_eq!(
        graph::summary(&network("inception_v4")).auxiliary_parameters,
        0
    );
}
