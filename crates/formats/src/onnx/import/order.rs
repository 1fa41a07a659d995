//! Which nodes are needed, in an order in which every value is made before it is read.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::onnx::budget::{Budget, table};
use crate::onnx::wire::damaged;
use crate::onnx::{Model, OnnxError, node};

/// Stands for what is given and not made by a node.
const GIVEN: u32 = u32::MAX;

/// The nodes that the outputs depend on, in the order of the file as far as that is possible.
///
/// # Errors
/// Names that stand for two values or for none, and cycles.
pub(super) fn needed(model: &Model, budget: &mut Budget) -> Result<Vec<u32>, OnnxError> {
    let count = model.nodes().len();
    if count >= GIVEN as usize {
        return Err(damaged(format!("{count} nodes")));
    }
    let names = |message| node::outputs(message).filter(|name| !name.is_empty());
    let made: usize = model.nodes().map(|message| names(message).count()).sum();
    let read: usize = model
        .nodes()
        .map(|message| node::inputs(message).count() + node::inner_reads(message).count())
        .sum();
    let given = model.initializers.len() + model.inputs().len();
    // Beside the table and the readers there are five lists of four bytes a node, one of marks, and the heap, which
    // grows by doubling.
    let on_the_way = table::<&str, u32>(made + given)
        .saturating_add(read.saturating_mul(size_of::<u32>()))
        .saturating_add(count.saturating_mul(33));
    budget.take(on_the_way)?;
    let order = sorted(model, made + given)?;
    budget.give_back(on_the_way);
    budget.take(size_of_val(&*order))?;
    Ok(order)
}

fn sorted(model: &Model, names: usize) -> Result<Vec<u32>, OnnxError> {
    let mut maker = HashMap::with_capacity(names);
    for (name, _) in &model.initializers {
        maker.insert(&**name, GIVEN);
    }
    for input in model.inputs() {
        maker.insert(&input.name, GIVEN);
    }
    for (index, message) in model.nodes().enumerate() {
        for output in node::outputs(message).filter(|name| !name.is_empty()) {
            if maker.insert(output, index as u32).is_some() {
                return Err(OnnxError::DuplicateName {
                    name: output.to_owned(),
                });
            }
        }
    }
    let made_by = |name: &str| maker.get(name).copied().filter(|&by| by != GIVEN);

    // Backwards from the outputs.
    let count = model.nodes().len();
    let mut wanted = vec![false; count];
    let mut open = Vec::with_capacity(count);
    let mut want = |index: u32, open: &mut Vec<u32>| {
        if !std::mem::replace(&mut wanted[index as usize], true) {
            open.push(index);
        }
    };
    for output in model.outputs() {
        match maker.get(&*output.name) {
            Some(&GIVEN) => {}
            Some(&index) => want(index, &mut open),
            None => {
                return Err(OnnxError::NoOutput {
                    value: output.name.clone(),
                });
            }
        }
    }
    while let Some(index) = open.pop() {
        let message = model.node(index as usize);
        for input in node::inputs(message).filter(|name| !name.is_empty()) {
            match maker.get(input) {
                Some(&GIVEN) => {}
                Some(&before) => want(before, &mut open),
                None => {
                    return Err(OnnxError::NothingMakes {
                        node: node::called(message, index as usize),
                        value: input.to_owned(),
                    });
                }
            }
        }
        // What a graph within the node reads and nobody makes here is its own.
        for before in node::inner_reads(message).filter_map(made_by) {
            want(before, &mut open);
        }
    }

    // Who reads what a node makes: the readers of node `i` stand at `starts[i] .. starts[i + 1]`.
    let indices = || (0..count as u32).filter(|&index| wanted[index as usize]);
    let edges = || {
        indices().flat_map(|index| {
            let message = model.node(index as usize);
            let read = node::inputs(message).chain(node::inner_reads(message));
            read.filter_map(made_by)
                .map(move |before| (before as usize, index))
        })
    };
    let mut waits = vec![0_u32; count];
    let mut starts = vec![0_u32; count + 1];
    for (before, index) in edges() {
        waits[index as usize] += 1;
        starts[before + 1] += 1;
    }
    for index in 0..count {
        starts[index + 1] += starts[index];
    }
    let mut readers_of = vec![0_u32; starts[count] as usize];
    let mut next = starts.clone();
    for (before, index) in edges() {
        readers_of[next[before] as usize] = index;
        next[before] += 1;
    }
    drop(next);

    // Forwards (Kahn 1962): a node is ready when all that it waits for is done.
    let needed = indices().count();
    let ready = indices().filter(|&index| waits[index as usize] == 0);
    let mut ready: BinaryHeap<_> = ready.map(Reverse).collect();
    let mut order = Vec::with_capacity(needed);
    while let Some(Reverse(index)) = ready.pop() {
        order.push(index);
        let readers = starts[index as usize] as usize..starts[index as usize + 1] as usize;
        for &reader in &readers_of[readers] {
            waits[reader as usize] -= 1;
            if waits[reader as usize] == 0 {
                ready.push(Reverse(reader));
            }
        }
    }
    if order.len() == needed {
        return Ok(order);
    }
    let stuck = indices().find(|&index| waits[index as usize] > 0);
    let name = stuck.map(|index| node::called(model.node(index as usize), index as usize));
    Err(OnnxError::Cycle {
        count: needed - order.len(),
        node: name.unwrap_or_default(),
    })
}
