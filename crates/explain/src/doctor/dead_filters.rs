//! Filters that answer nothing: their weights, or the scale of the norm behind them, are as good as zero.

use graph::{Graph, Op};

use super::diagnosis::some_of;
use super::filters::{Filters, median};
use super::{Check, Finding, Parameters, Severity};

/// A filter is dead whose norm is this part of the layer's median.
const DEAD: f64 = 1e-3;

pub(super) fn check(network: &Graph, parameters: &Parameters) -> Vec<Finding> {
    let layers = Filters::of(network, parameters);
    layers
        .filter_map(|filters| finding(network, parameters, &filters))
        .collect()
}

fn finding(network: &Graph, parameters: &Parameters, filters: &Filters<'_>) -> Option<Finding> {
    let norms = filters.norms();
    let scales = norm_scales(network, parameters, filters);
    let weak = dead(&norms);
    let faded = scales.as_deref().map(dead).unwrap_or_default();
    let channels: Vec<usize> = (0..filters.len())
        .filter(|channel| weak.contains(channel) || faded.contains(channel))
        .collect();
    if channels.is_empty() {
        return None;
    }
    let dead = some_of(&channels, filters.len(), "filter");
    let evidence = match weak.len() >= faded.len() {
        true => {
            let largest = weak.iter().map(|&place| norms[place]).fold(0.0, f64::max);
            format!(
                "{dead} have weights of norm {largest:.2e} at most, where the layer's median is {:.2e}",
                median(&norms)
            )
        }
        false => format!("{dead} are scaled to nothing by the batch norm behind them"),
    };
    Some(Finding {
        check: Check::DeadFilters,
        severity: Severity::Warning,
        layer: Some(filters.node.layer.clone()),
        numbers: vec![
            ("dead", channels.len() as f64),
            ("filters", filters.len() as f64),
            ("median_norm", median(&norms)),
        ],
        channels,
        evidence,
        advice: "Remove them, or train with a smaller learning rate or less weight decay, from fresh weights",
    })
}

/// Places of numbers that are as good as zero beside the median; of a layer that is mostly zero, all zeros.
fn dead(magnitudes: &[f64]) -> Vec<usize> {
    let least = DEAD * median(magnitudes);
    let numbers = magnitudes.iter().enumerate();
    numbers
        .filter(|&(_, &magnitude)| magnitude <= least)
        .map(|(place, _)| place)
        .collect()
}

/// The magnitudes of the scales of the batch norm that reads the filters' answers.
fn norm_scales(
    network: &Graph,
    parameters: &Parameters,
    filters: &Filters<'_>,
) -> Option<Vec<f64>> {
    let answers = *filters.node.outputs.first()?;
    let norm = network.nodes.iter().find(|node| {
        let normalises = matches!(
            node.op,
            Op::BatchNorm { .. } | Op::BatchNormInference { .. }
        );
        normalises && node.inputs.first() == Some(&answers)
    })?;
    let scales = parameters.value(network, *norm.inputs.get(1)?)?;
    let scales = scales.iter().map(|&scale| f64::from(scale).abs());
    Some(scales.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_dead_whatever_the_median() {
        assert_eq!(dead(&[1.0, 0.0, 2.0, 1e-4]), [1, 3]);
        assert_eq!(dead(&[0.0, 0.0, 0.0, 1.0]), [0, 1, 2]);
        assert_eq!(dead(&[0.5, 0.02, 0.7]), [0; 0]);
    }
}
