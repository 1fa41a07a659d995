//! Which nodes are needed, in an order in which every value is made before it is read.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::onnx::{Model, OnnxError};

/// The nodes that the outputs depend on, in the order of the file as far as that is possible.
///
/// # Errors
/// Names that stand for two values or for none, and cycles.
pub(super) fn needed(model: &Model) -> Result<Vec<usize>, OnnxError> {
    let nodes = &model.graph.node;
    let given: HashMap<&str, ()> = model
        .initializers
        .iter()
        .map(|(name, _)| (name.as_str(), ()))
        .chain(model.inputs().iter().map(|input| (&*input.name, ())))
        .collect();
    let mut maker = HashMap::new();
    for (index, node) in nodes.iter().enumerate() {
        for output in node.output.iter().filter(|name| !name.is_empty()) {
            if given.contains_key(output.as_str()) || maker.insert(&**output, index).is_some() {
                return Err(OnnxError::DuplicateName {
                    name: output.clone(),
                });
            }
        }
    }
    // Backwards from the outputs.
    let mut wanted = vec![false; nodes.len()];
    let mut open: Vec<usize> = Vec::new();
    for output in model.outputs() {
        match maker.get(output.name.as_str()) {
            Some(&index) => open.push(index),
            None if given.contains_key(output.name.as_str()) => {}
            None => {
                return Err(OnnxError::NoOutput {
                    value: output.name.clone(),
                });
            }
        }
    }
    while let Some(index) = open.pop() {
        if std::mem::replace(&mut wanted[index], true) {
            continue;
        }
        for input in nodes[index].input.iter().filter(|name| !name.is_empty()) {
            match maker.get(input.as_str()) {
                Some(&before) => open.push(before),
                None if given.contains_key(input.as_str()) => {}
                None => {
                    return Err(OnnxError::NothingMakes {
                        node: nodes[index].name().to_owned(),
                        value: input.clone(),
                    });
                }
            }
        }
    }
    // Forwards (Kahn 1962): a node is ready when all that it waits for is done.
    let mut waits = vec![0_usize; nodes.len()];
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for index in (0..nodes.len()).filter(|&index| wanted[index]) {
        for input in &nodes[index].input {
            if let Some(&before) = maker.get(input.as_str()) {
                waits[index] += 1;
                readers[before].push(index);
            }
        }
    }
    let count = wanted.iter().filter(|&&wanted| wanted).count();
    let ready = (0..nodes.len()).filter(|&index| wanted[index] && waits[index] == 0);
    let mut ready: BinaryHeap<_> = ready.map(Reverse).collect();
    let mut order = Vec::with_capacity(count);
    while let Some(Reverse(index)) = ready.pop() {
        order.push(index);
        for &reader in &readers[index] {
            waits[reader] -= 1;
            if waits[reader] == 0 {
                ready.push(Reverse(reader));
            }
        }
    }
    if order.len() == count {
        return Ok(order);
    }
    let stuck = (0..nodes.len()).find(|&index| wanted[index] && waits[index] > 0);
    Err(OnnxError::Cycle {
        count: count - order.len(),
        node: stuck.map_or_else(String::new, |index| nodes[index].name().to_owned()),
    })
}
