//! A network as a picture: cut where all ways meet, and what repeats drawn once.

use figures::diagram::{Diagram, Node, Panel, Part, Role};
use graph::Graph;

use super::boxes::{Block, boxes};
use crate::failure::usage;

/// The most boxes of a part that cannot be cut.
const MOST: usize = 300;
/// The most parts that repeat together.
const LONGEST_PERIOD: usize = 6;

/// Consecutive boxes between two places where all ways meet.
struct Segment {
    /// First and one past the last box.
    range: std::ops::Range<usize>,
    /// The box that everything before leads to.
    entry: Option<usize>,
    /// What tells it apart.
    kind: Vec<String>,
}

/// A single block, drawn in one piece.
///
/// # Errors
/// Too many boxes.
pub(super) fn block(title: &str, graph: &Graph) -> anyhow::Result<Panel> {
    let blocks = boxes(graph);
    check(title, blocks.len())?;
    let all = [Segment {
        range: 0..blocks.len(),
        entry: None,
        kind: Vec::new(),
    }];
    Ok(Panel::of(title, diagram(&blocks, &[&all])))
}

/// A network in parts.
///
/// # Errors
/// A part of too many boxes.
pub(super) fn network(title: &str, graph: &Graph) -> anyhow::Result<Panel> {
    let blocks = boxes(graph);
    let segments = segments(&blocks);
    let mut parts = Vec::new();
    let mut place = 0;
    while place < segments.len() {
        let (period, repeats) = repetition(&segments[place..]);
        let rounds: Vec<&[Segment]> = (0..repeats)
            .map(|round| &segments[place + round * period..place + (round + 1) * period])
            .collect();
        let boxes: usize = rounds[0].iter().map(|segment| segment.range.len()).sum();
        check(title, boxes)?;
        parts.push(Part {
            diagram: diagram(&blocks, &rounds),
            repeats,
            heading: heading(&blocks, &rounds),
        });
        place += period * repeats;
    }
    Ok(Panel {
        title: title.to_owned(),
        parts,
    })
}

fn check(title: &str, given: usize) -> anyhow::Result<()> {
    match given > MOST {
        true => Err(usage(format!(
            "{title}: a part of {given} operators that nothing divides; at most {MOST} are drawn"
        ))),
        false => Ok(()),
    }
}

/// Cuts the boxes where a single result leads on.
fn segments(blocks: &[Block]) -> Vec<Segment> {
    // The last box that reads each.
    let mut last_use: Vec<usize> = (0..blocks.len()).collect();
    for (place, block) in blocks.iter().enumerate() {
        for &read in &block.reads {
            last_use[read] = last_use[read].max(place);
        }
    }
    let (mut segments, mut start, mut entry) = (Vec::new(), 0, None);
    let mut live: Vec<usize> = Vec::new();
    for place in 0..blocks.len() {
        live.push(place);
        live.retain(|&block| last_use[block] > place || block == place);
        let is_last = place + 1 == blocks.len();
        // What is made last must be what leads on: a box that nothing reads would hang in the air.
        if is_last || live.as_slice() == [place] {
            let range = start..place + 1;
            let mut kind: Vec<String> = Vec::new();
            for block in &blocks[range.clone()] {
                let reads = block.reads.iter().map(|&read| match read < start {
                    true => "entry".to_owned(),
                    false => (read - start).to_string(),
                });
                kind.push(format!(
                    "{}|{}",
                    block.kind,
                    reads.collect::<Vec<_>>().join(",")
                ));
            }
            segments.push(Segment { range, entry, kind });
            (start, entry) = (place + 1, Some(place));
        }
    }
    segments
}

/// How many segments repeat together from here on, and how often: the choice that saves most boxes.
fn repetition(segments: &[Segment]) -> (usize, usize) {
    let mut best = (1, 1);
    let mut saved = 0;
    for period in 1..=LONGEST_PERIOD.min(segments.len() / 2) {
        let first = &segments[..period];
        let same = |round: &[Segment]| round.iter().zip(first).all(|(a, b)| a.kind == b.kind);
        let rounds = segments
            .chunks_exact(period)
            .take_while(|round| same(round))
            .count();
        let boxes: usize = first.iter().map(|segment| segment.range.len()).sum();
        if (rounds - 1) * boxes > saved {
            saved = (rounds - 1) * boxes;
            best = (period, rounds);
        }
    }
    best
}

/// The diagram of some segments, once for all rounds: where the rounds differ, lines say the first and the last.
fn diagram(blocks: &[Block], rounds: &[&[Segment]]) -> Diagram {
    let (first, last) = (rounds[0], rounds[rounds.len() - 1]);
    let start = first[0].range.start;
    let end = first[first.len() - 1].range.end;
    let mut diagram = Diagram::default();
    // Where branches begin at what came before, a dot stands for it.
    let readers = |entry: usize| {
        blocks[start..end]
            .iter()
            .filter(|block| block.reads.contains(&entry))
            .count()
    };
    let fork = first[0].entry.filter(|&entry| readers(entry) > 1);
    if fork.is_some() {
        diagram.nodes.push(Node {
            title: String::new(),
            lines: Vec::new(),
            role: Role::Fork,
        });
    }
    let shift = diagram.nodes.len();
    let distance = last[0].range.start - start;
    for place in start..end {
        let block = &blocks[place];
        let mut node = block.node.clone();
        for (line, other) in node
            .lines
            .iter_mut()
            .zip(&blocks[place + distance].node.lines)
        {
            if line != other {
                *line = format!("{line} … {other}");
            }
        }
        if node.role == Role::Join && node.title.chars().count() == 1 && node.lines.len() == 1 {
            // A sum of its own is a circle; what goes in says its size.
            node.lines.clear();
        }
        for &read in &block.reads {
            match read.checked_sub(start) {
                Some(read) => diagram.edges.push((read + shift, place - start + shift)),
                None if fork.is_some() => diagram.edges.push((0, place - start + shift)),
                None => {}
            }
        }
        diagram.nodes.push(node);
    }
    diagram
}

/// What the layers of some segments have in common: `layer1.1 to layer1.3`.
fn heading(blocks: &[Block], rounds: &[&[Segment]]) -> String {
    let prefix = |round: &[Segment]| {
        let layers = round
            .iter()
            .flat_map(|segment| &blocks[segment.range.clone()]);
        let layers: Vec<Vec<&str>> = layers
            .map(|block| block.layer.split('.').collect())
            .collect();
        let shortest = layers.iter().map(Vec::len).min().unwrap_or(0);
        let same = |place: &usize| {
            layers
                .iter()
                .all(|layer| layer[*place] == layers[0][*place])
        };
        let common = (0..shortest).take_while(same).count();
        // A single layer is not called by its whole name: its box says what it is.
        layers
            .first()
            .map(|layer| layer[..common].join("."))
            .unwrap_or_default()
    };
    let (first, last) = (prefix(rounds[0]), prefix(rounds[rounds.len() - 1]));
    match first == last {
        true => first,
        false => format!("{first} to {last}"),
    }
}
