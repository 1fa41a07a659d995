//! What a network has learned, by name.

use std::collections::HashMap;

use graph::{Graph, ValueId};
use runtime::Program;

/// Parameters and running statistics of a network by their names.
#[derive(Clone, Debug, Default)]
pub struct Parameters(HashMap<String, Vec<f32>>);

impl Parameters {
    /// Those of a program that was given them.
    pub fn of(program: &Program) -> Self {
        let slots = program.slots().iter();
        let learned = slots.map(|slot| {
            let values = program.parameters()[slot.range.clone()].to_vec();
            (slot.name.clone(), values)
        });
        let states = program.states().iter();
        let states = states.map(|slot| {
            let values = program.state()[slot.range.clone()].to_vec();
            (slot.name.clone(), values)
        });
        Self(learned.chain(states).collect())
    }

    /// The elements of a parameter or statistic.
    pub fn get(&self, name: &str) -> Option<&[f32]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// The elements, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut [f32]> {
        self.0.get_mut(name).map(Vec::as_mut_slice)
    }

    /// The elements of a value of a graph.
    pub(super) fn value(&self, graph: &Graph, id: ValueId) -> Option<&[f32]> {
        self.get(&graph.value(id).name)
    }

    /// Gives a program of the same network, or of a pass over it, all that it keeps.
    pub(super) fn restore(&self, program: &mut Program) {
        for slot in program.slots().to_vec() {
            if let Some(values) = self.get(&slot.name) {
                copy(values, &mut program.parameters_mut()[slot.range]);
            }
        }
        for slot in program.states().to_vec() {
            if let Some(values) = self.get(&slot.name) {
                copy(values, &mut program.state_mut()[slot.range]);
            }
        }
    }
}

fn copy(from: &[f32], to: &mut [f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}
