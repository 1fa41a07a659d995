//! The order of the vertices in their layers: each near the middle of its neighbours, with few crossings.

use super::layers::Layers;

/// Sweeps down and up; more change nothing on graphs of this size.
const SWEEPS: usize = 12;

/// Orders every layer so that fewer edges cross. Of orders that are equally good the first stays.
pub(super) fn order(layers: &mut Layers) {
    let mut best = layers.rows.clone();
    let mut fewest = crossings(layers);
    for sweep in 0..SWEEPS {
        if fewest == 0 {
            break;
        }
        let count = layers.rows.len();
        let down = sweep % 2 == 0;
        for step in 1..count {
            let row = if down { step } else { count - 1 - step };
            arrange(layers, row, down);
        }
        let crossings = crossings(layers);
        if crossings < fewest {
            (best, fewest) = (layers.rows.clone(), crossings);
        }
    }
    layers.rows = best;
}

/// Sorts a layer by the mean place of the neighbours above or below; a vertex without any keeps its place.
fn arrange(layers: &mut Layers, row: usize, from_above: bool) {
    let places = places(layers);
    let neighbours = if from_above {
        &layers.above
    } else {
        &layers.below
    };
    let mean = |vertex: usize| {
        let near = &neighbours[vertex];
        let sum: usize = near.iter().map(|&other| places[other]).sum();
        match near.is_empty() {
            true => places[vertex] as f64,
            false => sum as f64 / near.len() as f64,
        }
    };
    let mut keyed: Vec<(f64, usize)> = layers.rows[row].iter().map(|&v| (mean(v), v)).collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
    layers.rows[row] = keyed.into_iter().map(|(_, vertex)| vertex).collect();
}

/// The place of every vertex in its layer.
fn places(layers: &Layers) -> Vec<usize> {
    let mut places = vec![0; layers.count];
    for row in &layers.rows {
        for (place, &vertex) in row.iter().enumerate() {
            places[vertex] = place;
        }
    }
    places
}

/// Pairs of edges between neighbouring layers that cross.
pub(super) fn crossings(layers: &Layers) -> usize {
    let places = places(layers);
    let mut count = 0;
    for row in &layers.rows {
        let mut ends: Vec<(usize, usize)> = Vec::new();
        for &vertex in row {
            ends.extend(
                layers.below[vertex]
                    .iter()
                    .map(|&to| (places[vertex], places[to])),
            );
        }
        for (place, &(a, b)) in ends.iter().enumerate() {
            let cross = |&&(c, d): &&(usize, usize)| (a < c && b > d) || (a > c && b < d);
            count += ends[place + 1..].iter().filter(cross).count();
        }
    }
    count
}
