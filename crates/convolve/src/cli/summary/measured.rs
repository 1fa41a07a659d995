//! `summary --time`: what each layer takes.

use std::collections::HashMap;

use graph::passes::inference;
use graph::{LayerSummary, Summary};
use runtime::Run;

use crate::cli::bench::{peak_gflops, prepare};
use crate::cli::engine::Engine;
use crate::cli::failure::usage;
use crate::cli::model::Subject;

/// Runs that every layer is measured in.
const REPEATS: usize = 20;
/// Seconds for the processor's own limit.
const PEAK_SECONDS: f64 = 0.3;

/// Times of a forward run on one image.
pub(super) struct Measured {
    /// Milliseconds of each row of the summary; nothing for a layer that is computed together with
    /// another, or not at all.
    pub(super) layers: Vec<Option<f64>>,
    /// Milliseconds of what belongs to no layer: images and results brought to their layout.
    pub(super) edges: f64,
    /// Billions of operations a second that the processor can do at most.
    pub(super) peak: f64,
}

impl Measured {
    /// Measures a network, by random images, with the weights there are.
    pub(super) fn of(
        subject: &mut Subject,
        summary: &Summary,
        engine: &Engine,
    ) -> anyhow::Result<Self> {
        let graph = inference(&subject.network).map_err(usage)?;
        let mut program = prepare(subject, graph, engine)?;
        let steps = program.profile(Run::default(), REPEATS);
        let rows = summary.rows.iter().enumerate();
        let places: HashMap<&str, usize> = rows
            .map(|(place, row)| (row.layer.as_str(), place))
            .collect();
        let mut layers = vec![None; summary.rows.len()];
        let mut edges = 0.0;
        for step in &steps {
            match places
                .get(step.layer.as_str())
                .filter(|_| !step.moves_edges())
            {
                Some(&place) => *layers[place].get_or_insert(0.0) += step.milliseconds,
                None => edges += step.milliseconds,
            }
        }
        Ok(Self {
            layers,
            edges,
            peak: peak_gflops(engine, PEAK_SECONDS)?,
        })
    }

    /// Milliseconds of all.
    pub(super) fn total(&self) -> f64 {
        self.layers.iter().flatten().sum::<f64>() + self.edges
    }
}

/// Billions of operations a second of a layer that took so many milliseconds.
pub(super) fn gflops(row: &LayerSummary, milliseconds: Option<f64>) -> Option<f64> {
    let macs = row.macs.filter(|_| !row.auxiliary)?;
    Some(2.0 * macs as f64 / (milliseconds? * 1e6))
}
