//! Which channels a convolution connects, over how much space, and what that costs.

use geometry::{ChannelShuffle, ConvGeometry};

use crate::FigureError;
use crate::arithmetic::flat;
use crate::font::{self, Weight};
use crate::page::{self, BELOW_HEADING, Caption, GAP, MARGIN};
use crate::scene::{Anchor, Item, Point, Scene, at};
use crate::theme::Paint;

/// The most channels that are drawn, a dot each.
const MOST: usize = 12;
/// From dot to dot.
const STEP: f64 = 19.0;
/// From one column of dots to the next.
const SPAN: f64 = 96.0;
/// A cell of a window.
const CELL: f64 = 9.0;

/// A step of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A convolution.
    Conv(ConvGeometry),
    /// Channels of the groups in turn.
    Shuffle(ChannelShuffle),
}

/// A convolution, or several one after the other, by a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is called.
    pub name: String,
    /// Its steps.
    pub stages: Vec<Stage>,
}

/// Rows of dots, one a channel, with a line where an output sees an input; the window of each step below it; and
/// multiply-accumulates and parameters, the first row's for comparison.
///
/// Of one image, and of height and width.
///
/// # Errors
/// A problem with depth.
pub fn channels(rows: &[Row], caption: &Caption) -> Result<Scene, FigureError> {
    for stage in rows.iter().flat_map(|row| &row.stages) {
        if let Stage::Conv(conv) = stage {
            flat(&conv.windows)?;
        }
    }
    let mut scene = page::begin(
        caption,
        "Dots are channels; a line leads from an input channel to every output channel that reads it; squares are windows in space.",
    );
    let first = rows.first().map(cost);
    let names = rows
        .iter()
        .map(|row| font::width(&row.name, 12.0, Weight::Bold));
    let names = names.fold(0.0, f64::max);
    let mut top = BELOW_HEADING;
    for row in rows {
        let [dots_tall, window_tall] = tall(row);
        let middle = top + dots_tall / 2.0;
        let name = Item::text(at(MARGIN, middle + 4.0), &row.name, 12.0, Anchor::Start);
        scene.ground.push(name.bold());
        let mut left = MARGIN + names + GAP;
        // Dots carry the group that they come from; a convolution mixes them, and what it makes is of its own groups.
        let mut colours = start(row);
        for (place, stage) in row.stages.iter().enumerate() {
            if place == 0 {
                dots(&mut scene, left, middle, &colours);
            }
            let made = match stage {
                Stage::Conv(conv) => {
                    convolution(&mut scene, conv, [left, middle], dots_tall, &colours)
                }
                Stage::Shuffle(shuffle) => shuffled(&mut scene, *shuffle, left, middle, &colours),
            };
            left += SPAN;
            dots(&mut scene, left, middle, &made);
            colours = made;
        }
        let lines = words(row, first);
        for (place, line) in lines.iter().enumerate() {
            let y = middle + 4.0 + 15.0 * (place as f64 - (lines.len() as f64 - 1.0) / 2.0);
            let text = Item::text(at(left + GAP * 0.8, y), line, 11.0, Anchor::Start);
            scene.ground.push(text);
            let width = font::width(line, 11.0, Weight::Regular);
            scene.fit(left + GAP * 0.8 + width + MARGIN, 0.0);
        }
        top += dots_tall + window_tall + 30.0;
        scene.ground.push(Item::line([
            at(MARGIN, top - 15.0),
            at(scene.width - MARGIN, top - 15.0),
        ]));
    }
    // Rules are as long as the page is wide, which only now is known.
    for item in &mut scene.ground {
        if let (crate::Shape::Line(points), None) = (&mut item.shape, item.stroke)
            && let Some(end) = points.last_mut()
        {
            end.x = scene.width - MARGIN;
            item.stroke = Item::line([]).stroke(Paint::Rule, 1.0).stroke;
        }
    }
    scene.fit(0.0, top - 4.0);
    Ok(scene)
}

/// Channels that are drawn.
fn drawn(channels: usize) -> usize {
    channels.min(MOST)
}

/// How tall the dots of a row are, and the windows below them.
fn tall(row: &Row) -> [f64; 2] {
    let (mut channels, mut window) = (1, 0.0);
    for stage in &row.stages {
        match stage {
            Stage::Conv(conv) => {
                channels = channels
                    .max(drawn(conv.in_channels))
                    .max(drawn(conv.out_channels));
                window = f64::max(
                    window,
                    conv.windows[1].effective_kernel().min(9) as f64 * CELL + 4.0,
                );
            }
            Stage::Shuffle(shuffle) => channels = channels.max(drawn(shuffle.channels)),
        }
    }
    [channels as f64 * STEP, window]
}

/// The colours of the channels that come in: those of their groups.
fn start(row: &Row) -> Vec<u8> {
    match row.stages.first() {
        Some(Stage::Conv(conv)) => groups(conv.in_channels, conv.groups),
        Some(Stage::Shuffle(shuffle)) => groups(shuffle.channels, shuffle.groups),
        None => Vec::new(),
    }
}

fn groups(channels: usize, groups: usize) -> Vec<u8> {
    let each = (channels / groups.max(1)).max(1);
    (0..drawn(channels))
        .map(|channel| (channel / each % 250) as u8)
        .collect()
}

fn dot(left: f64, middle: f64, channel: usize, count: usize) -> Point {
    at(
        left,
        middle + STEP * (channel as f64 - (count as f64 - 1.0) / 2.0),
    )
}

fn dots(scene: &mut Scene, left: f64, middle: f64, colours: &[u8]) {
    for (channel, &colour) in colours.iter().enumerate() {
        let place = dot(left, middle, channel, colours.len());
        let circle = Item::circle(place, 6.5).fill(Paint::Group(colour));
        scene.top.push(circle.stroke(Paint::GroupEdge(colour), 1.5));
    }
}

/// Lines of a convolution, its window below, and the colours of what it makes.
fn convolution(
    scene: &mut Scene,
    conv: &ConvGeometry,
    [left, middle]: [f64; 2],
    tall: f64,
    colours: &[u8],
) -> Vec<u8> {
    let made = groups(conv.out_channels, conv.groups);
    let (sees, makes) = (conv.in_channels_per_group(), conv.out_channels_per_group());
    for output in 0..made.len() {
        for input in 0..colours.len() {
            if input / sees != output / makes {
                continue;
            }
            let from = dot(left, middle, input, colours.len());
            let to = dot(left + SPAN, middle, output, made.len());
            let line = Item::line([from, to]);
            scene
                .ground
                .push(line.stroke(Paint::GroupEdge(colours[input]), 1.0));
        }
    }
    let [_, down, across] = conv.windows;
    let (rows, columns) = (
        down.effective_kernel().min(9),
        across.effective_kernel().min(9),
    );
    let corner = at(
        left + SPAN / 2.0 - columns as f64 * CELL / 2.0,
        middle + tall / 2.0 + 4.0,
    );
    for row in (0..rows).step_by(down.dilation) {
        for column in (0..columns).step_by(across.dilation) {
            let place = corner.moved(column as f64 * CELL, row as f64 * CELL);
            let cell = Item::rectangle(place, CELL, CELL).fill(Paint::Kernel);
            scene.ground.push(cell.stroke(Paint::KernelEdge, 1.0));
        }
    }
    let label = format!("{}×{}", down.kernel, across.kernel);
    let place = corner.moved(columns as f64 * CELL + 6.0, rows as f64 * CELL / 2.0 + 4.0);
    let text = Item::text(place, label, 10.0, Anchor::Start);
    scene.ground.push(text.fill(Paint::Muted));
    made
}

/// Lines of a shuffle; the channels keep the colours of where they come from.
fn shuffled(
    scene: &mut Scene,
    shuffle: ChannelShuffle,
    left: f64,
    middle: f64,
    colours: &[u8],
) -> Vec<u8> {
    let count = colours.len();
    let each = shuffle.channels / shuffle.groups;
    let mut made = Vec::new();
    for output in 0..count {
        let input = shuffle.source(output);
        let Some(&colour) = colours.get(input) else {
            // It comes from a channel that is left out of the picture, but has its colour.
            made.push((input / each % 250) as u8);
            continue;
        };
        made.push(colour);
        let from = dot(left, middle, input, count);
        let to = dot(left + SPAN, middle, output, count);
        let line = Item::line([from, to]).stroke(Paint::GroupEdge(colour), 1.4);
        scene.ground.push(line);
    }
    let place = at(left + SPAN / 2.0, middle + STEP * count as f64 / 2.0 + 20.0);
    page::title(scene, place.x, place.y, "shuffle");
    made
}

fn cost(row: &Row) -> [usize; 2] {
    let convolutions = row.stages.iter().filter_map(|stage| match stage {
        Stage::Conv(conv) => Some([conv.with_batch(1).macs(), conv.weight_count()]),
        Stage::Shuffle(_) => None,
    });
    convolutions.fold([0, 0], |sum, cost| {
        [0, 1].map(|place| usize::saturating_add(sum[place], cost[place]))
    })
}

/// What a row costs, step by step, and beside the first row.
fn words(row: &Row, first: Option<[usize; 2]>) -> Vec<String> {
    let mut lines = Vec::new();
    for stage in &row.stages {
        match stage {
            Stage::Conv(conv) => {
                let [_, down, across] = conv.windows;
                lines.push(format!(
                    "{}·{} places × {}·{} taps × {} × {} channels",
                    down.output,
                    across.output,
                    down.kernel,
                    across.kernel,
                    conv.in_channels_per_group(),
                    conv.out_channels
                ));
            }
            Stage::Shuffle(shuffle) => lines.push(format!(
                "shuffle of {} groups: no arithmetic",
                shuffle.groups
            )),
        }
    }
    let [macs, parameters] = cost(row);
    let share = match first {
        Some([whole, _]) if whole > 0 && macs != whole => {
            format!(
                " ({} of the first)",
                crate::short(macs as f64 / whole as f64)
            )
        }
        _ => String::new(),
    };
    lines.push(format!(
        "{} MACs{share}, {} weights",
        grouped(macs),
        grouped(parameters)
    ));
    let more = row.stages.iter().any(|stage| match stage {
        Stage::Conv(conv) => conv.in_channels.max(conv.out_channels) > MOST,
        Stage::Shuffle(shuffle) => shuffle.channels > MOST,
    });
    if more {
        lines.push(format!("dots: the first {MOST} channels"));
    }
    lines
}

/// A number in groups of three digits.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}
