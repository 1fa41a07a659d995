//! Graphs that cannot become programs say why in one line.

use geometry::{ConvDesc, ResizeDesc};
use graph::{NetworkBuilder, passes};
use kernels::conv::Algorithm;
use runtime::{Evaluation, Program, RuntimeError, RuntimeOptions};
use tensor::Layout;

use crate::networks::{options, plain, residual};

#[test]
fn memory_that_cannot_be_had_is_an_error_that_says_how_much() {
    // 2^48 floats: more than the address space of a process, though every size can be counted.
    let mut net = NetworkBuilder::new("vast", [1 << 20, 1, 1 << 14, 1 << 14]);
    let x = net.input();
    let y = net.relu(x).unwrap();
    let error = Program::new(net.finish(y).unwrap(), &options(Layout::Nhwc)).unwrap_err();
    let text = error.to_string();
    let RuntimeError::Memory { bytes, network } = error else {
        panic!("{text}");
    };
    assert_eq!(network, "vast");
    assert!(bytes >= 1 << 50, "{bytes}");
    assert!(text.contains(&bytes.to_string()), "{text}");
}

#[test]
fn memory_that_cannot_be_counted_is_an_error() {
    // 2^59 floats a value can be addressed, three of them cannot.
    let mut net = NetworkBuilder::new("endless", [1 << 30, 1, 1 << 15, 1 << 14]);
    let x = net.input();
    let y = net.relu(x).unwrap();
    let error = Program::new(net.finish(y).unwrap(), &options(Layout::Nhwc)).unwrap_err();
    assert!(
        matches!(error, RuntimeError::Unaddressable { .. }),
        "{error}"
    );
}

#[test]
fn tables_of_a_resizing_are_asked_for() {
    let mut net = NetworkBuilder::new("stretched", [1, 1, 2]);
    let x = net.input();
    let y = net.resize(x, ResizeDesc::nearest(1 << 50)).unwrap();
    let graph = net.finish(y).unwrap();
    let refused = |error| matches!(error, RuntimeError::Memory { bytes, .. } if bytes >= 1 << 50);
    assert!(refused(
        Program::new(graph.clone(), &options(Layout::Nhwc)).unwrap_err()
    ));
    assert!(refused(Evaluation::new(&graph).err().unwrap()));
}

#[test]
fn a_network_with_norms_runs_only_after_a_pass() {
    let error = Program::new(plain().unwrap(), &options(Layout::Nhwc)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "layer bn1: batch norm cannot run as it is; make a training or inference graph of the \
         network first"
    );
}

#[test]
fn an_algorithm_that_does_not_serve_names_the_layer() {
    let options = RuntimeOptions {
        algorithm: Some(Algorithm::Depthwise),
        ..options(Layout::Nhwc)
    };
    let graph = passes::inference(&residual().unwrap()).unwrap();
    let error = Program::new(graph, &options).unwrap_err();
    assert!(matches!(&error, RuntimeError::Plan { .. }), "{error}");
    assert!(error.to_string().contains("algorithm depthwise"), "{error}");
}

#[test]
fn a_graph_that_does_not_hold_together_is_refused() {
    let mut net = NetworkBuilder::new("broken", [1, 3, 4, 4]);
    let x = net.input();
    let y = net.conv("conv1", x, ConvDesc::new(2, 3), false).unwrap();
    let mut graph = net.finish(y).unwrap();
    graph.nodes.clear();
    let error = Program::new(graph, &options(Layout::Nhwc)).unwrap_err();
    assert!(matches!(error, RuntimeError::Graph(_)), "{error}");
}
