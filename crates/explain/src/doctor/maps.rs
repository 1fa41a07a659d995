//! Maps that tell pictures apart no more: the same number everywhere, or at the limits of their activation.

use graph::{Activation, Graph, Node, Op, UnaryOp};
use tensor::Unary;

use super::diagnosis::some_of;
use super::filters::median;
use super::observe::{Observed, Statistics};
use super::{Check, Finding, Severity};

/// What varies less than this part of its own numbers, or of the layer's median range, is constant.
const STILL: f64 = 1e-6;

/// Root mean square of a map between the limits −1 and 1 from which on it is saturated.
const PRESSED: f64 = 0.95;

/// Part of a layer's maps that may be so before it is a warning: on a sample some always are.
const MANY: f64 = 0.1;

/// Maps that are one number, on all pictures and at all places.
pub(super) fn constant(network: &Graph, observed: &Observed) -> Vec<Finding> {
    let mut findings: Vec<Finding> = observed
        .of_activations(network)
        .filter_map(|(node, statistics)| {
            let channels = still(statistics);
            let silent = channels
                .iter()
                .all(|&channel| statistics.largest[channel] == 0.0);
            let evidence = match silent {
                true => "never fire on the pictures",
                false => "are the same number on all pictures",
            };
            finding(node, statistics, channels, Check::ConstantMaps, evidence)
        })
        .collect();
    let answers = network.outputs.first().and_then(|&id| observed.get(id));
    if let Some(answers) = answers
        && still(answers).len() == answers.mean.len()
    {
        findings.push(Finding {
            check: Check::ConstantMaps,
            severity: Severity::Warning,
            layer: None,
            channels: Vec::new(),
            evidence: "the network gives the same answer to all pictures".to_owned(),
            numbers: vec![("outputs", answers.mean.len() as f64)],
            advice: "Look at the first layer above that is constant, and train anew with a smaller learning rate",
        });
    }
    findings
}

/// The median and not the widest: beside one channel of huge numbers all others would be still.
fn still(statistics: &Statistics) -> Vec<usize> {
    let ends = || statistics.largest.iter().zip(&statistics.least);
    let ranges: Vec<f64> = ends().map(|(largest, least)| largest - least).collect();
    let usual = median(&ranges);
    let own = ends().map(|(largest, least)| largest.abs().max(least.abs()));
    let channels = ranges.iter().zip(own).enumerate();
    channels
        .filter(|&(_, (&range, own))| range <= STILL * own.max(usual))
        .map(|(channel, _)| channel)
        .collect()
}

/// Maps pressed to the limits of a bounded activation.
pub(super) fn saturated(network: &Graph, observed: &Observed) -> Vec<Finding> {
    let layers = observed.of_activations(network);
    layers
        .filter_map(|(node, statistics)| {
            let [low, high] = limits(&node.op)?;
            let (middle, half) = ((low + high) / 2.0, (high - low) / 2.0);
            let channels = (0..statistics.mean.len()).filter(|&channel| {
                let mean = (statistics.mean[channel] - middle) / half;
                let square = mean * mean + statistics.variance[channel] / (half * half);
                // Zero is where a rectifier rests, which is no saturation.
                let rests = low == 0.0 && high > 1.0 && mean < 0.0;
                square.sqrt() >= PRESSED && !rests
            });
            let evidence = "lie at the limits of the activation, where it has no slope";
            finding(
                node,
                statistics,
                channels.collect(),
                Check::SaturatedMaps,
                evidence,
            )
        })
        .collect()
}

/// Between which numbers an activation stays, if it has both limits.
fn limits(op: &Op) -> Option<[f64; 2]> {
    match op {
        Op::Activation(Activation::Relu6) => Some([0.0, 6.0]),
        Op::Unary(UnaryOp::Apply(function)) => match *function {
            Unary::Sigmoid | Unary::HardSigmoid { .. } => Some([0.0, 1.0]),
            Unary::Tanh | Unary::Softsign => Some([-1.0, 1.0]),
            Unary::HardTanh { min, max } if min < max => {
                let limits = [f64::from(min), f64::from(max)];
                limits
                    .iter()
                    .all(|limit| limit.is_finite())
                    .then_some(limits)
            }
            _ => None,
        },
        _ => None,
    }
}

fn finding(
    node: &Node,
    statistics: &Statistics,
    channels: Vec<usize>,
    check: Check,
    evidence: &str,
) -> Option<Finding> {
    if channels.is_empty() {
        return None;
    }
    let all = statistics.mean.len();
    let advice = match check {
        Check::SaturatedMaps => {
            "No gradient passes there: normalise what the activation reads, or start from smaller weights"
        }
        _ => {
            "Check the bias and the norm before it, and train with a smaller learning rate or a leaky rectifier"
        }
    };
    Some(Finding {
        check,
        severity: Severity::warning_if(channels.len() as f64 >= MANY * all as f64),
        layer: Some(node.layer.clone()),
        evidence: format!("{} {evidence}", some_of(&channels, all, "map")),
        numbers: vec![("maps", channels.len() as f64), ("of", all as f64)],
        channels,
        advice,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_channel_of_huge_numbers_does_not_still_the_others() {
        let statistics = |least: &[f64], largest: &[f64]| Statistics {
            mean: least.to_vec(),
            variance: vec![0.0; least.len()],
            least: least.to_vec(),
            largest: largest.to_vec(),
        };
        let found = still(&statistics(&[0.0, -1.0, 0.0, 0.5], &[1e30, 2.0, 0.0, 3.0]));
        assert_eq!(found, [2]);
        // Noise of rounding, in its own scale and in that of the layer.
        let found = still(&statistics(
            &[7.0, 0.0, 0.0, 0.0],
            &[7.000_001, 1e-9, 1.0, 2.0],
        ));
        assert_eq!(found, [0, 1]);
    }
}
