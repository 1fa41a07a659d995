//! Group, instance, layer, channel and local response norms.

use graph::{Affine, LocalResponse, NetworkBuilder, NormOp, Op};
use runtime::eager::Parameters;
use runtime::{Program, Run, RuntimeOptions, initialise};
use tensor::{Layout, Tensor};
use testkit::compare::assert_relative_l2;
use testkit::standardise::Standardise;
use testkit::{Draw, response};

use crate::case::{Case, engines, reals};

const EPSILON: f32 = 1e-2;

/// Proves a norm with every set of parameters.
fn prove(op: impl Fn(Affine) -> NormOp, oracle: &Standardise, dims: &[usize], shape: &[usize]) {
    let mut draw = Draw::new(dims.len() as u64);
    let (x, dy) = (reals(&mut draw, dims), reals(&mut draw, dims));
    let parameters = [reals(&mut draw, shape), reals(&mut draw, shape)];
    for affine in [Affine::None, Affine::Scale, Affine::ScaleShift] {
        let count = affine.parameters();
        let mut used = [
            vec![1.0; parameters[0].len()],
            vec![0.0; parameters[0].len()],
        ];
        used[..count].clone_from_slice(&parameters[..count]);
        let gradients = oracle.backward(&x, &used[0], &dy);
        let mut inputs = vec![(dims.to_vec(), x.clone())];
        inputs.extend(used.iter().take(count).map(|p| (shape.to_vec(), p.clone())));
        Case {
            op: Op::Norm(op(affine)),
            inputs,
            dy: dy.clone(),
            y: oracle.forward(&x, &used[0], &used[1]),
            gradients: vec![gradients.dx, gradients.dgamma, gradients.dbeta],
        }
        .prove();
    }
}

#[test]
fn groups() {
    for dims in [&[2, 6, 3, 4][..], &[3, 6, 5], &[4, 6], &[1, 6, 2, 1, 3]] {
        let area = dims[2..].iter().product();
        for groups in [1, 2, 6] {
            let oracle = Standardise::groups(dims[0], 6, area, groups, EPSILON.into());
            let op = |affine| NormOp::Group {
                groups,
                epsilon: EPSILON,
                affine,
            };
            prove(op, &oracle, dims, &[6]);
        }
    }
}

#[test]
fn layers() {
    let dims = [2, 3, 4, 3];
    for axis in 0..4 {
        let rows = dims[..axis].iter().product();
        let len = dims[axis..].iter().product();
        let oracle = Standardise::rows(rows, len, EPSILON.into());
        let op = |affine| NormOp::Layer {
            axis,
            epsilon: EPSILON,
            affine,
        };
        prove(op, &oracle, &dims, &dims[axis..]);
    }
}

#[test]
fn channels() {
    for dims in [&[2, 5, 3, 4][..], &[3, 5, 7], &[4, 5]] {
        let area = dims[2..].iter().product();
        let oracle = Standardise::pixels(dims[0], 5, area, EPSILON.into());
        let op = |affine| NormOp::Channel {
            epsilon: EPSILON,
            affine,
        };
        prove(op, &oracle, dims, &[5]);
    }
}

#[test]
fn neighbours() {
    let dims = [2, 7, 3, 4];
    let mut draw = Draw::new(5);
    for (before, after) in [(2, 2), (1, 2), (0, 0), (9, 9)] {
        let settings = LocalResponse {
            before,
            after,
            alpha: 0.5,
            beta: 0.75,
            k: 1.5,
        };
        let oracle = response::LocalResponse {
            batch: 2,
            channels: 7,
            area: 12,
            before,
            after,
            alpha: 0.5,
            beta: 0.75,
            k: 1.5,
        };
        let (x, dy) = (reals(&mut draw, &dims), reals(&mut draw, &dims));
        Case {
            op: Op::Norm(NormOp::LocalResponse(settings)),
            y: oracle.forward(&x),
            gradients: vec![oracle.backward(&x, &dy)],
            inputs: vec![(dims.to_vec(), x)],
            dy,
        }
        .prove();
    }
}

#[test]
fn what_has_no_meaning_is_refused() {
    let (_, eager) = engines().swap_remove(0);
    let x = Tensor::from_slice(&[2, 3], &[0.0f32; 6]).unwrap();
    let refused = eager.group_norm(&x, 2, Parameters::none(), 1e-5);
    assert_eq!(
        refused.unwrap_err().to_string(),
        "layer group norm: group norm on input [2, 3]: 3 input channels do not divide into 2 groups"
    );
    let gamma = Tensor::from_slice(&[2], &[0.0f32; 2]).unwrap();
    let refused = eager.layer_norm(&x, -1, Parameters::scale(&gamma), 1e-5);
    assert_eq!(
        refused.unwrap_err().to_string(),
        "layer layer norm: layer norm gamma [2] does not fit x [2, 3]: it must be [3]"
    );
    let flat = Tensor::from_slice(&[6], &[0.0f32; 6]).unwrap();
    let refused = eager.instance_norm(&flat, Parameters::none(), 1e-5);
    assert_eq!(
        refused.unwrap_err().to_string(),
        "layer group norm: group norm x has shape [6], which is not [n, c, spatial…]"
    );
}

#[test]
fn an_empty_batch_gives_an_empty_result() {
    for (_, eager) in engines() {
        let x = Tensor::<f32>::zeros(&[0, 4, 3, 3]).unwrap();
        let none = Parameters::none;
        assert_eq!(
            eager.group_norm(&x, 2, none(), 1e-5).unwrap().dims(),
            x.dims()
        );
        assert_eq!(
            eager.layer_norm(&x, 1, none(), 1e-5).unwrap().dims(),
            x.dims()
        );
        assert_eq!(
            eager.channel_norm(&x, none(), 1e-5).unwrap().dims(),
            x.dims()
        );
        let settings = LocalResponse::new(3);
        let y = eager.local_response_norm(&x, settings).unwrap();
        assert_eq!(y.dims(), x.dims());
    }
}

#[test]
fn a_network_of_norms_gives_the_same_in_both_layouts() {
    let mut network = NetworkBuilder::new("norms", [2, 8, 5, 3]);
    let x = network.input();
    let y = network.group_norm("group", x, 4).unwrap();
    let y = network.unary(y, tensor::Unary::Gelu).unwrap();
    let y = network.layer_norm("layer", y, 2).unwrap();
    let y = network.prelu("prelu", y, true).unwrap();
    let y = network.channel_norm("channel", y).unwrap();
    let y = network.instance_norm(y).unwrap();
    let y = network
        .local_response_norm(y, LocalResponse::new(5))
        .unwrap();
    let y = network.softmax_along(y, 1).unwrap();
    let network = network.finish(y).unwrap();
    let images = Draw::new(6).reals(240);
    let outputs = Layout::ALL.map(|layout| {
        let options = RuntimeOptions {
            layout,
            ..RuntimeOptions::default()
        };
        let mut program = Program::new(network.clone(), &options).unwrap();
        initialise(&mut program, 7);
        program.input_f32(0).copy_from_slice(&images);
        program.run(Run::default());
        program.output(0).to_vec()
    });
    let want: Vec<f64> = outputs[0].iter().map(|&v| v.into()).collect();
    assert_relative_l2("norms", &outputs[1], &want, 1e-5);
}
