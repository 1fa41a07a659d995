//! What a network has learned, by name.

use std::collections::HashMap;

use graph::{Graph, ValueId};
use runtime::Program;

use crate::named;

/// Parameters and running statistics of a network by their names.
#[derive(Clone, Debug, Default)]
pub struct Parameters(HashMap<String, Vec<f32>>);

impl Parameters {
    /// Those of a program that was given them.
    pub fn of(program: &Program) -> Self {
        let copies = program
            .kept()
            .map(|(name, elements)| (name.to_owned(), elements.to_vec()));
        Self(copies.collect())
    }

    /// A parameter or statistic that holds what is no number or infinite, and which it is; the first by its name. Of such
    /// filters there is nothing to measure, neither a norm nor an angle.
    pub fn not_finite(&self) -> Option<(&str, f32)> {
        let found = self.0.iter().filter_map(|(name, values)| {
            let value = values.iter().copied().find(|value| !value.is_finite());
            Some((name.as_str(), value?))
        });
        found.min_by(|a, b| a.0.cmp(b.0))
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
        named::restore(program, |name| self.get(name));
    }
}
