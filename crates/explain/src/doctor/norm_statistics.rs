//! Batch norms whose running statistics are not those of the pictures.
//!
//! In a run they take the place of the batch's own. Where they are out of step, after a training that was too short for
//! them, on pictures prepared otherwise or of another kind, everything behind them is shifted and scaled.

use graph::{Graph, Op};

use super::filters::median;
use super::observe::{Observed, Statistics};
use super::{Check, Finding, Findings, Parameters, Sample, Severity};

/// Median shift of a layer's channels, in running deviations, that is out of step.
const SHIFT: f64 = 0.5;

/// Median factor between the variances, either way.
const FACTOR: f64 = 2.5;

/// Pictures below which their own statistics say little.
const FEWEST: usize = 16;

pub(super) fn check(
    network: &Graph,
    parameters: &Parameters,
    observed: &Observed,
    sample: &Sample,
) -> Findings {
    let is_norm = |op: &Op| matches!(op, Op::BatchNorm { .. } | Op::BatchNormInference { .. });
    let norms = network.nodes.iter().filter(|node| is_norm(&node.op));
    let norms: Vec<_> = norms.collect();
    if norms.is_empty() {
        return Err("the network has no batch norms".to_owned());
    }
    if sample.len() < FEWEST {
        return Err(format!(
            "{} pictures say little of means; {FEWEST} are needed",
            sample.len()
        ));
    }
    let mut apart = Vec::new();
    for node in &norms {
        let (Op::BatchNorm { epsilon, .. } | Op::BatchNormInference { epsilon, .. }) = node.op
        else {
            continue;
        };
        let running = |place: usize| parameters.value(network, *node.inputs.get(place)?);
        let (Some(mean), Some(variance), Some(found)) =
            (running(3), running(4), observed.get(node.inputs[0]))
        else {
            continue;
        };
        let step = Step::between(mean, variance, found, epsilon);
        if step.shift > SHIFT || step.factor > FACTOR {
            apart.push((*node, step));
        }
    }
    let (count, all) = (apart.len(), norms.len());
    // The first is the cause of what follows, or the only one to be sure of.
    let Some((node, step)) = apart.into_iter().next() else {
        return Ok(Vec::new());
    };
    let evidence = format!(
        "the pictures' means lie {:.2} running deviations from the running means and their variances differ by a \
         factor of {:.2} (medians over channels); {count} of {all} batch norms are out of step, this one first",
        step.shift, step.factor
    );
    Ok(vec![Finding {
        check: Check::NormStatistics,
        severity: Severity::Warning,
        layer: Some(node.layer.clone()),
        channels: Vec::new(),
        evidence,
        numbers: vec![
            ("shift", step.shift),
            ("factor", step.factor),
            ("layers", count as f64),
            ("norms", all as f64),
        ],
        advice: "Prepare pictures as in training; if they are, train for more steps, which running statistics need to \
                 follow the weights, or end at a lower learning rate",
    }])
}

/// How far statistics lie apart.
struct Step {
    shift: f64,
    factor: f64,
}

impl Step {
    /// Medians over channels, so that single dead ones do not decide.
    fn between(mean: &[f32], variance: &[f32], found: &Statistics, epsilon: f32) -> Self {
        let epsilon = f64::from(epsilon);
        let running = mean.iter().zip(variance);
        let running = running.map(|(&mean, &variance)| (f64::from(mean), f64::from(variance)));
        let both = running.zip(found.mean.iter().zip(&found.variance));
        let (shifts, factors): (Vec<f64>, Vec<f64>) = both
            .map(|((mean, variance), (found_mean, found_variance))| {
                let shift = (found_mean - mean).abs() / (variance + epsilon).sqrt();
                let ratio = (found_variance + epsilon) / (variance + epsilon);
                (shift, ratio.max(1.0 / ratio))
            })
            .unzip();
        Self {
            shift: median(&shifts),
            factor: median(&factors),
        }
    }
}
