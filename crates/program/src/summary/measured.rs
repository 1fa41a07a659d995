//! `summary --time`: what each layer takes.

use std::collections::HashMap;

use graph::Summary;
use runtime::ProfileRow;

use crate::bench::{gflops, peak_gflops, profile};
use crate::engine::Engine;
use crate::model::Subject;

/// Times of a forward run on one image.
pub(super) struct Measured {
    /// What was measured of each row of the summary; nothing for a layer that is computed together with
    /// another, or not at all.
    pub(super) layers: Vec<Option<Taken>>,
    /// Milliseconds of what belongs to no layer: images and results brought to their layout.
    pub(super) edges: f64,
    /// Billions of operations a second that the processor can do at most.
    pub(super) peak: f64,
}

/// What the steps of a layer took.
#[derive(Clone, Copy, Default)]
pub(super) struct Taken {
    pub(super) milliseconds: f64,
    /// Multiply-accumulates that were done in that time, those of layers computed with it among them.
    macs: u64,
}

impl Taken {
    /// Billions of operations a second, where multiply-accumulates are the work.
    pub(super) fn gflops(self) -> Option<f64> {
        (self.macs > 0).then(|| gflops(self.macs, self.milliseconds))
    }
}

impl Measured {
    /// Measures a network, by random images, with the weights there are.
    pub(super) fn of(
        subject: &mut Subject,
        summary: &Summary,
        engine: &Engine,
    ) -> anyhow::Result<Self> {
        let steps = profile(subject, engine)?;
        let rows = summary.rows.iter().enumerate();
        let places: HashMap<&str, usize> = rows
            .map(|(place, row)| (row.layer.as_str(), place))
            .collect();
        let mut layers: Vec<Option<Taken>> = vec![None; summary.rows.len()];
        let mut edges = 0.0;
        let worked = |step: &&ProfileRow| step.kernel != ProfileRow::IDLE;
        for step in steps.iter().filter(worked) {
            let place = places.get(step.layer.as_str());
            match place.filter(|_| !step.moves_edges()) {
                Some(&place) => {
                    let taken = layers[place].get_or_insert_default();
                    taken.milliseconds += step.milliseconds;
                    taken.macs = taken.macs.saturating_add(step.macs as u64);
                }
                None => edges += step.milliseconds,
            }
        }
        Ok(Self {
            layers,
            edges,
            peak: peak_gflops(engine)?,
        })
    }

    /// Milliseconds of all.
    pub(super) fn total(&self) -> f64 {
        let layers = self.layers.iter().flatten();
        layers.map(|taken| taken.milliseconds).sum::<f64>() + self.edges
    }
}
