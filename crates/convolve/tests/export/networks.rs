//! Every network of the zoo, on small images.

use graph::{Graph, Role, passes};
use zoo::{BuildOptions, models};

use crate::round_trip::{assert_same, exported, imported};

#[test]
fn every_network_comes_back() {
    for model in models() {
        let own = model.options();
        let build = |batch, side: usize| {
            let options = BuildOptions {
                batch,
                height: side.min(own.height),
                width: side.min(own.width),
                classes: 7,
                ..own
            };
            zoo::build(model.name, &options)
        };
        // The smallest images that it takes.
        let side = (1..)
            .map(|n| 32 * n)
            .find(|&side| side >= own.height || build(1, side).is_ok());
        let side = side.unwrap();
        let network = build(1, side).unwrap();
        let (bytes, open) = exported(&network, 17).unwrap();
        assert!(open, "{}", model.name);
        let import = imported(bytes, 2);
        assert_same(&build(2, side).unwrap(), &import, model.name);
        // Constants of the network, such as factors of residuals, are parameters that do not learn.
        let learns = |role| {
            matches!(
                role,
                Role::Parameter {
                    trainable: true,
                    ..
                }
            )
        };
        let learned = |graph: &Graph| graph.parameters().filter(|(_, v)| learns(v.role)).count();
        // Those of auxiliary heads are not handed on.
        let predicts = passes::remove_dead(&passes::inference(&network).unwrap());
        assert_eq!(learned(&import.graph), learned(&predicts), "{}", model.name);
    }
}

#[test]
fn a_network_after_the_inference_pass_comes_back() {
    for name in ["resnet20", "mobilenet_v1:0.25"] {
        let found = zoo::find(name).unwrap();
        let own = found.model.options();
        let options = BuildOptions {
            height: 32,
            width: 32,
            ..own
        };
        let network = passes::inference(&found.build(&options).unwrap()).unwrap();
        let (bytes, _) = exported(&network, 17).unwrap();
        assert_same(&network, &imported(bytes, 1), name);
    }
}
