//! A diagram on the page.

use super::layers::Layers;
use super::order::order;
use super::place::place;
use super::{Node, Panel, Part, Role};
use crate::font::{self, Weight};
use crate::page::{self, Caption, MARGIN};
use crate::scene::{Anchor, Item, Point, Scene, at};
use crate::theme::Paint;

/// Letters of a box's first line.
const TITLE: f64 = 12.0;
/// Letters of the others.
const LINE: f64 = 10.5;
/// From line to line.
const LEADING: f64 = 14.0;
/// Between neighbours of a layer.
const BESIDE: f64 = 18.0;
/// Between layers.
const BETWEEN: f64 = 26.0;
/// Between parts.
const APART: f64 = 26.0;
/// Around the boxes of a part that has a frame.
const INSIDE: f64 = 14.0;
/// The height at which a panel goes on in another column.
const TALL: f64 = 1500.0;
/// Radius of a dot where branches begin.
const DOT: f64 = 3.5;
/// Radius of a sum.
const SUM: f64 = 12.0;

/// Panels side by side, each read from top to bottom; one that is too tall goes on beside itself.
///
/// ```
/// use figures::Caption;
/// use figures::diagram::{Diagram, Node, Panel, Role, draw};
///
/// let node = |title: &str, role| Node { title: title.to_owned(), lines: Vec::new(), role };
/// let residual = Diagram {
///     nodes: vec![node("input", Role::Edge), node("conv 3×3", Role::Convolution), node("+", Role::Join)],
///     edges: vec![(0, 1), (1, 2), (0, 2)],
/// };
/// let scene = draw(&[Panel::of("residual", residual)], &Caption::new("A block", ""));
/// assert!(scene.width > 100.0 && scene.height > 150.0);
/// ```
pub fn draw(panels: &[Panel], caption: &Caption) -> Scene {
    let mut scene = page::begin(
        caption,
        "Boxes are operators with their settings and the size of what they make; arrows lead from what is made to what reads it.",
    );
    let top = match caption.remark.is_empty() {
        true => MARGIN + 34.0,
        false => MARGIN + 52.0,
    };
    let mut left = MARGIN;
    for panel in panels {
        let titled = panels.len() > 1 && !panel.title.is_empty();
        let below = if titled { top + 22.0 } else { top };
        let right = draw_panel(&mut scene, panel, at(left, below));
        if titled {
            let width = font::width(&panel.title, 13.0, Weight::Bold);
            let middle = (left + right) / 2.0;
            let middle = middle.max(left + width / 2.0);
            let title = Item::text(at(middle, top + 6.0), &panel.title, 13.0, Anchor::Middle);
            scene.ground.push(title.bold());
            left = right.max(left + width);
        } else {
            left = right;
        }
        left += page::GAP;
    }
    scene.fit(left - page::GAP + MARGIN, 0.0);
    scene
}

/// A part with the places of its boxes, its upper left corner at zero.
struct Laid<'a> {
    part: &'a Part,
    layers: Layers,
    middles: Vec<f64>,
    tops: Vec<f64>,
    heights: Vec<f64>,
    widths: Vec<f64>,
    framed: bool,
    /// Where the heading begins.
    heading: f64,
    width: f64,
    height: f64,
    /// Where it is entered and left, from the left.
    doors: [f64; 2],
}

fn draw_panel(scene: &mut Scene, panel: &Panel, corner: Point) -> f64 {
    let framed = panel.parts.len() > 1;
    let laid: Vec<Laid<'_>> = panel.parts.iter().map(|part| lay(part, framed)).collect();
    let columns = columns(&laid);
    let (mut left, mut before): (f64, Option<Point>) = (corner.x, None);
    for (place, column) in columns.iter().enumerate() {
        // Parts stand with their doors in one line.
        let axis = column.iter().map(|laid| laid.doors[0]).fold(0.0, f64::max);
        let right = column
            .iter()
            .map(|laid| laid.width - laid.doors[0])
            .fold(0.0, f64::max);
        let mut y = corner.y + if columns.len() > 1 { APART } else { 0.0 };
        for laid in column {
            let corner = at(left + axis - laid.doors[0], y);
            let entry = corner.moved(laid.doors[0], 0.0);
            if let Some(from) = before.take() {
                scene
                    .ground
                    .push(connection(from, entry, left - page::GAP / 2.0));
            }
            laid.draw(scene, corner);
            before = Some(corner.moved(laid.doors[1], laid.height));
            y += laid.height + APART;
        }
        let lower = if place + 1 < columns.len() {
            APART
        } else {
            0.0
        };
        scene.fit(left + axis + right + MARGIN, y - APART + lower + MARGIN);
        left += axis + right + page::GAP;
    }
    left - page::GAP
}

/// An arrow to the next part: straight down, or up and over to the next column.
fn connection(from: Point, to: Point, gutter: f64) -> Item {
    let points = match to.y > from.y {
        true if (to.x - from.x).abs() < 0.5 => vec![from, to],
        true => {
            let middle = f64::midpoint(from.y, to.y);
            vec![from, at(from.x, middle), at(to.x, middle), to]
        }
        false => vec![
            from,
            from.moved(0.0, APART * 0.6),
            at(gutter, from.y + APART * 0.6),
            at(gutter, to.y - APART * 0.6),
            to.moved(0.0, -APART * 0.6),
            to,
        ],
    };
    Item::line(points).stroke(Paint::Ink, 1.2).arrow()
}

/// Cuts a panel into columns of about one height.
fn columns<'a, 'b>(laid: &'a [Laid<'b>]) -> Vec<Vec<&'a Laid<'b>>> {
    let total: f64 = laid.iter().map(|laid| laid.height + APART).sum();
    let count = (total / TALL).ceil().max(1.0);
    let each = total / count;
    let mut columns: Vec<Vec<&Laid<'_>>> = vec![Vec::new()];
    let mut sum = 0.0;
    for laid in laid {
        let height = laid.height + APART;
        let is_full = sum + height / 2.0 > each * columns.len() as f64;
        if is_full && (columns.len() as f64) < count {
            columns.push(Vec::new());
        }
        sum += height;
        if let Some(column) = columns.last_mut() {
            column.push(laid);
        }
    }
    columns
}

fn lay(part: &Part, framed: bool) -> Laid<'_> {
    let nodes = &part.diagram.nodes;
    let mut layers = Layers::new(nodes.len(), &part.diagram.edges);
    order(&mut layers);
    let (mut widths, heights): (Vec<f64>, Vec<f64>) = nodes.iter().map(extent).unzip();
    // A bend is an edge that needs its own room.
    widths.resize(layers.count, 10.0);
    let mut middles = place(&layers, &widths, BESIDE);
    let mut tops = Vec::new();
    let framed = framed && (nodes.len() > 1 || part.repeats > 1);
    let inside = if framed { INSIDE } else { 0.0 };
    // Room for the heading and the sign of repetition.
    let head = if framed { 12.0 } else { 0.0 };
    let mut y = inside + head;
    let mut rows = Vec::new();
    for row in &layers.rows {
        let height = row.iter().filter(|&&vertex| vertex < nodes.len());
        let height = height.map(|&vertex| heights[vertex]).fold(0.0, f64::max);
        rows.push((y, height));
        y += height + BETWEEN;
    }
    for vertex in 0..layers.count {
        let row = layers.rows.iter().position(|row| row.contains(&vertex));
        let (top, height) = rows[row.unwrap_or(0)];
        tops.push(match heights.get(vertex) {
            Some(own) => top + (height - own) / 2.0,
            None => top,
        });
    }
    let right = (0..layers.count).map(|vertex| middles[vertex] + widths[vertex] / 2.0);
    let width = right.fold(0.0, f64::max);
    middles.iter_mut().for_each(|middle| *middle += inside);
    let mut full = vec![0.0; layers.count];
    full[..heights.len()].copy_from_slice(&heights);
    for (vertex, full) in full.iter_mut().enumerate().skip(nodes.len()) {
        let row = layers.rows.iter().position(|row| row.contains(&vertex));
        *full = rows[row.unwrap_or(0)].1;
    }
    let first = layers.rows.first().and_then(|row| row.first().copied());
    let last = layers.rows.last().and_then(|row| row.first().copied());
    let doors = [first, last].map(|vertex| vertex.map_or(width / 2.0, |vertex| middles[vertex]));
    let (heading, wide) = match framed {
        true => heading_place(part, doors[0]),
        false => (0.0, 0.0),
    };
    Laid {
        part,
        middles,
        tops,
        heights: full,
        widths,
        framed,
        heading,
        width: f64::max(width + 2.0 * inside, wide),
        height: y - BETWEEN + inside,
        doors,
        layers,
    }
}

/// Where the heading of a frame begins, before or behind the arrow that comes in, and how wide the frame is for it.
fn heading_place(part: &Part, door: f64) -> (f64, f64) {
    const EDGE: f64 = 10.0;
    let heading = font::width(&part.heading, LINE, Weight::Regular);
    let times = if part.repeats > 1 { 44.0 } else { 0.0 };
    match EDGE + heading + 6.0 <= door {
        true => (EDGE, door + times + EDGE),
        false => (door + 8.0, door + 8.0 + heading + times + EDGE),
    }
}

/// Width and height of a box.
fn extent(node: &Node) -> (f64, f64) {
    match node.role {
        Role::Fork => (2.0 * DOT, 2.0 * DOT),
        Role::Join if node.lines.is_empty() && node.title.chars().count() == 1 => {
            (2.0 * SUM, 2.0 * SUM)
        }
        _ => {
            let lines = node
                .lines
                .iter()
                .map(|line| font::width(line, LINE, Weight::Regular));
            let title = font::width(&node.title, TITLE, Weight::Bold);
            let height = 13.0 + LEADING * (1 + node.lines.len()) as f64;
            (lines.fold(title, f64::max) + 20.0, height)
        }
    }
}

impl Laid<'_> {
    fn draw(&self, scene: &mut Scene, corner: Point) {
        if self.framed {
            let frame = Item::rounded(corner, self.width, self.height, 10.0);
            scene
                .ground
                .push(frame.fill(Paint::Panel).stroke(Paint::Rule, 1.0));
            let place = corner.moved(self.heading, 16.0);
            let heading = Item::text(place, &self.part.heading, LINE, Anchor::Start);
            scene.ground.push(heading.fill(Paint::Muted));
            if self.part.repeats > 1 {
                let place = corner.moved(self.width - 10.0, 18.0);
                let times = format!("×{}", self.part.repeats);
                scene
                    .ground
                    .push(Item::text(place, times, 15.0, Anchor::End).bold());
            }
            // From the frame to the first box, and from the last one on.
            let first = self
                .layers
                .rows
                .first()
                .and_then(|row| row.first().copied());
            let last = self.layers.rows.last().and_then(|row| row.first().copied());
            if let (Some(first), Some(last)) = (first, last) {
                let enter = corner.moved(self.doors[0], 0.0);
                let head = corner.moved(self.doors[0], self.tops[first]);
                scene
                    .ground
                    .push(Item::line([enter, head]).stroke(Paint::Ink, 1.2));
                let foot = corner.moved(self.doors[1], self.tops[last] + self.heights[last]);
                let leave = corner.moved(self.doors[1], self.height);
                scene
                    .ground
                    .push(Item::line([foot, leave]).stroke(Paint::Ink, 1.2));
            }
        }
        for path in &self.layers.paths {
            let edge = self.edge(path, corner);
            scene.ground.push(edge.stroke(Paint::Ink, 1.2).arrow());
        }
        for (place, node) in self.part.diagram.nodes.iter().enumerate() {
            self.node(scene, node, place, corner);
        }
    }

    /// A curve through the bends of an edge, straight up and down where it passes a layer.
    fn edge(&self, path: &[usize], corner: Point) -> Item {
        let (from, to) = (path[0], path[path.len() - 1]);
        let place = |vertex: usize, low: bool| {
            let down = if low { self.heights[vertex] } else { 0.0 };
            corner.moved(self.middles[vertex], self.tops[vertex] + down)
        };
        let start = place(from, true);
        let mut end = place(to, false);
        end.x += self.port(path);
        let mut pieces = Vec::new();
        let mut here = start;
        let mut reach = |there: Point, straight: bool| {
            let middle = f64::midpoint(here.y, there.y);
            pieces.push(match straight {
                true => [here, there, there],
                false => [at(here.x, middle), at(there.x, middle), there],
            });
            here = there;
        };
        for &bend in &path[1..path.len() - 1] {
            reach(place(bend, false), false);
            reach(place(bend, true), true);
        }
        reach(end, false);
        Item::new(crate::Shape::Curve(start, pieces))
    }

    /// How far from the middle of a box an edge ends, so that arrows do not meet in one point.
    fn port(&self, path: &[usize]) -> f64 {
        let (before, to) = (path[path.len() - 2], path[path.len() - 1]);
        let mut coming: Vec<usize> = self.layers.above[to].clone();
        if coming.len() < 2 {
            return 0.0;
        }
        coming.sort_by(|&a, &b| self.middles[a].total_cmp(&self.middles[b]));
        let place = coming
            .iter()
            .position(|&vertex| vertex == before)
            .unwrap_or(0);
        let room = self.widths[to] - 24.0;
        let step = (room / (coming.len() - 1) as f64).clamp(0.0, 26.0);
        // A sum is round: everything ends at its top.
        (place as f64 - (coming.len() - 1) as f64 / 2.0) * step
    }

    fn node(&self, scene: &mut Scene, node: &Node, place: usize, corner: Point) {
        let middle = corner.moved(self.middles[place], self.tops[place]);
        let (width, height) = (self.widths[place], self.heights[place]);
        let (fill, edge) = paints(node.role);
        if node.role == Role::Fork {
            let dot = Item::circle(middle.moved(0.0, height / 2.0), DOT);
            scene.ground.push(dot.fill(Paint::Ink));
            return;
        }
        let is_round = node.role == Role::Join && width <= 2.0 * SUM;
        let shape = match is_round {
            true => Item::circle(middle.moved(0.0, height / 2.0), SUM),
            false => Item::rounded(middle.moved(-width / 2.0, 0.0), width, height, 6.0),
        };
        scene.ground.push(shape.fill(fill).stroke(edge, 1.3));
        let first = if is_round { height / 2.0 + 5.0 } else { 18.0 };
        let size = if is_round { 15.0 } else { TITLE };
        let title = Item::text(middle.moved(0.0, first), &node.title, size, Anchor::Middle);
        scene.ground.push(title.bold());
        for (line, text) in node.lines.iter().enumerate() {
            let down = first + LEADING * (line + 1) as f64;
            scene.ground.push(Item::text(
                middle.moved(0.0, down),
                text,
                LINE,
                Anchor::Middle,
            ));
        }
    }
}

/// Filling and outline of a box.
fn paints(role: Role) -> (Paint, Paint) {
    match role {
        Role::Fork | Role::Edge => (Paint::Page, Paint::Ink),
        Role::Convolution => (Paint::Group(0), Paint::GroupEdge(0)),
        Role::Grouped => (Paint::Group(1), Paint::GroupEdge(1)),
        Role::Pointwise => (Paint::Group(2), Paint::GroupEdge(2)),
        Role::Pool => (Paint::Group(3), Paint::GroupEdge(3)),
        Role::Join => (Paint::Group(4), Paint::GroupEdge(4)),
        Role::Sampling | Role::Linear => (Paint::Group(5), Paint::GroupEdge(5)),
        Role::Other => (Paint::Panel, Paint::Muted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagram::Diagram;

    fn node(title: &str) -> Node {
        Node {
            title: title.to_owned(),
            lines: Vec::new(),
            role: Role::Other,
        }
    }

    #[test]
    fn boxes_of_a_layer_do_not_overlap_and_layers_follow_one_another() {
        let diagram = Diagram {
            nodes: ["in", "a long name indeed", "b", "another long name", "out"]
                .map(node)
                .to_vec(),
            edges: vec![(0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4), (0, 4)],
        };
        let part = Part {
            diagram,
            repeats: 1,
            heading: String::new(),
        };
        let laid = lay(&part, false);
        for row in &laid.layers.rows {
            for pair in row.windows(2) {
                let [a, b] = [pair[0], pair[1]];
                let apart = laid.middles[b] - laid.middles[a];
                assert!(apart >= (laid.widths[a] + laid.widths[b]) / 2.0 + BESIDE - 1e-9);
            }
        }
        for (from, to) in &part.diagram.edges {
            assert!(laid.tops[*from] + laid.heights[*from] + BETWEEN <= laid.tops[*to] + 1e-9);
        }
    }
}
