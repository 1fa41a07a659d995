//! Where the vertices of every layer stand from left to right.
//!
//! Each wants to stand below (and above) the middle of its neighbours, and not nearer to the next than there is room. For
//! one layer that is a least-squares problem with ordered variables, which pooling of adjacent violators solves exactly.

use super::layers::Layers;

/// Sweeps down and up.
const SWEEPS: usize = 60;

/// Middles of all vertices, the leftmost edge at 0, for vertices of these widths with `gap` between them.
pub(super) fn place(layers: &Layers, widths: &[f64], gap: f64) -> Vec<f64> {
    let mut middles = vec![0.0; layers.count];
    for row in &layers.rows {
        let total: f64 = row.iter().map(|&vertex| widths[vertex] + gap).sum();
        let mut left = -total / 2.0;
        for &vertex in row {
            middles[vertex] = left + (widths[vertex] + gap) / 2.0;
            left += widths[vertex] + gap;
        }
    }
    let count = layers.rows.len();
    for sweep in 0..SWEEPS {
        let both = sweep >= 8;
        for row in 0..count {
            settle(layers, row, [true, both], &mut middles, widths, gap);
        }
        for row in (0..count).rev() {
            settle(layers, row, [both, true], &mut middles, widths, gap);
        }
    }
    let lefts = (0..layers.count).map(|vertex| middles[vertex] - widths[vertex] / 2.0);
    let left = lefts.fold(f64::INFINITY, f64::min);
    middles.iter().map(|middle| middle - left).collect()
}

/// How strongly an edge pulls: bends of a long edge stand in one line, and so do boxes that follow one another without a
/// branch.
fn pull(layers: &Layers, upper: usize, lower: usize) -> f64 {
    let is_chain = layers.below[upper].len() == 1 && layers.above[lower].len() == 1;
    match upper >= layers.nodes && lower >= layers.nodes || is_chain {
        true => 16.0,
        false => 1.0,
    }
}

/// Moves the vertices of a layer to where their neighbours above and below want them.
fn settle(
    layers: &Layers,
    row: usize,
    [by_above, by_below]: [bool; 2],
    middles: &mut [f64],
    widths: &[f64],
    gap: f64,
) {
    let vertices = &layers.rows[row];
    let mut offset = 0.0;
    let mut blocks: Vec<Block> = Vec::new();
    let mut offsets = Vec::new();
    for (place, &vertex) in vertices.iter().enumerate() {
        if place > 0 {
            offset += (widths[vertices[place - 1]] + widths[vertex]) / 2.0 + gap;
        }
        offsets.push(offset);
        let (mut sum, mut weight) = (0.0, 0.0);
        let mut pulls = |other: usize, pull: f64| {
            sum += pull * middles[other];
            weight += pull;
        };
        if by_above {
            for &other in &layers.above[vertex] {
                pulls(other, pull(layers, other, vertex));
            }
        }
        if by_below {
            for &other in &layers.below[vertex] {
                pulls(other, pull(layers, vertex, other));
            }
        }
        let (wanted, weight) = match weight > 0.0 {
            true => (sum / weight, weight),
            // Nobody pulls: it stays, and gives way.
            false => (middles[vertex], 0.01),
        };
        blocks.push(Block {
            mean: wanted - offset,
            weight,
            count: 1,
        });
        merge(&mut blocks);
    }
    let mut place = 0;
    for block in blocks {
        for _ in 0..block.count {
            middles[vertices[place]] = block.mean + offsets[place];
            place += 1;
        }
    }
}

/// Neighbours that stand shoulder to shoulder.
struct Block {
    mean: f64,
    weight: f64,
    count: usize,
}

/// Joins the last blocks while they overlap.
fn merge(blocks: &mut Vec<Block>) {
    while let [.., before, last] = blocks.as_mut_slice() {
        if before.mean <= last.mean {
            return;
        }
        let weight = before.weight + last.weight;
        before.mean = (before.mean * before.weight + last.mean * last.weight) / weight;
        before.weight = weight;
        before.count += last.count;
        blocks.pop();
    }
}
