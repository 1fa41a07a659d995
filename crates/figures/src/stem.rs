//! The filters of a first layer, and which frequencies of what they answer its steps can keep.
//!
//! Above each filter in the colours it looks for; below it the power of its answers by frequency, zero in the middle, in
//! a frame that is the Nyquist limit of the step. What is bright outside of the frame is aliased.

use crate::colormap::Colormap;
use crate::page::{self, BELOW_HEADING, Caption, MARGIN};
use crate::scene::{Item, Point, Scene, at};
use crate::theme::{Paint, Rgb};

/// Extent of a filter and of a spectrum on the page.
const TILE: f64 = 64.0;
/// Between tiles.
const BETWEEN: f64 = 14.0;
/// Filters in a row.
const COLUMNS: usize = 8;
/// Filters that are drawn at most.
const MOST: usize = 32;
/// Cells of a spectrum along an axis at most; neighbours are taken together.
const CELLS: usize = 32;

/// Filters with what is known of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Filters<'a> {
    /// `[channels, height, width]` of a filter.
    pub shape: [usize; 3],
    /// All of them, one after the other.
    pub weights: &'a [f32],
    /// The power of the answers of each by frequency, `[side, side]`, zero frequency first.
    pub spectra: &'a [Vec<f64>],
    /// Frequencies along an axis.
    pub side: usize,
    /// The share of each beyond the limit, if it answers anything.
    pub shares: &'a [Option<f64>],
    /// Steps down and to the right.
    pub stride: [usize; 2],
}

/// Draws the filters, those with the greatest share beyond the limit first; of many the first thirty-two.
///
/// What does not fit together is not drawn: a filter without weights, a spectrum of another size.
pub fn draw(filters: &Filters<'_>, caption: &Caption) -> Scene {
    let described = "Filters of a first layer, each with the power of its answers by frequency; the frame is the \
                     Nyquist limit of the step.";
    let mut scene = page::begin(caption, described);
    let [channels, height, width] = filters.shape;
    let count = channels * height * width;
    let mut order: Vec<usize> = (0..filters.shares.len()).collect();
    let share = |place: usize| filters.shares[place].unwrap_or(-1.0);
    order.sort_by(|&a, &b| share(b).total_cmp(&share(a)));
    for (place, &filter) in order.iter().take(MOST).enumerate() {
        let weights = filters.weights.get(filter * count..(filter + 1) * count);
        let (Some(weights), Some(spectrum)) = (weights, filters.spectra.get(filter)) else {
            continue;
        };
        let tile = 2.0 * TILE + 24.0 + BETWEEN;
        let corner = at(
            MARGIN + (place % COLUMNS) as f64 * (TILE + BETWEEN),
            BELOW_HEADING + (place / COLUMNS) as f64 * tile,
        );
        draw_filter(&mut scene, corner, filters.shape, weights);
        let below = corner.moved(0.0, TILE + 4.0);
        draw_spectrum(&mut scene, below, spectrum, filters);
        let text = match filters.shares[filter] {
            Some(share) => format!("{filter}: {:.0} %", 100.0 * share),
            None => format!("{filter}: silent"),
        };
        let base = below.moved(TILE / 2.0, TILE + 13.0);
        page::title(&mut scene, base.x, base.y, &text);
        scene.fit(corner.x + TILE + MARGIN, corner.y + tile + MARGIN - BETWEEN);
    }
    scene
}

/// Weights as colours around grey: of three channels red, green and blue, of others their mean.
fn draw_filter(scene: &mut Scene, corner: Point, shape: [usize; 3], weights: &[f32]) {
    let [channels, height, width] = shape;
    let plane = height * width;
    let most = weights
        .iter()
        .fold(0.0_f32, |most, weight| most.max(weight.abs()));
    let level = |weight: f32| {
        let share = if most > 0.0 { weight / most } else { 0.0 };
        (127.5 + 127.5 * share).round() as u8
    };
    let (cell_width, cell_height) = (TILE / width as f64, TILE / height as f64);
    for place in 0..plane {
        let of = |channel: usize| weights[channel * plane + place];
        let colour = match channels {
            3 => [0, 1, 2].map(|channel| level(of(channel))),
            _ => [level((0..channels).map(of).sum::<f32>() / channels as f32); 3],
        };
        let (row, column) = ((place / width) as f64, (place % width) as f64);
        let cell = corner.moved(column * cell_width, row * cell_height);
        let cell = Item::rectangle(cell, cell_width, cell_height);
        scene.ground.push(cell.fill(Paint::Value(Rgb(colour))));
    }
}

/// Amplitudes, the square roots of powers, of cells of neighbouring frequencies, and the frame of the limit.
fn draw_spectrum(scene: &mut Scene, corner: Point, spectrum: &[f64], filters: &Filters<'_>) {
    let side = filters.side;
    if spectrum.len() != side * side || side == 0 {
        return;
    }
    let together = side.div_ceil(CELLS);
    let cells = side.div_ceil(together);
    let mut sums = vec![0.0; cells * cells];
    for y in 0..side {
        for x in 0..side {
            // Zero in the middle.
            let [from_y, from_x] = [y, x].map(|place| (place + side.div_ceil(2)) % side);
            sums[y / together * cells + x / together] += spectrum[from_y * side + from_x];
        }
    }
    let most = sums.iter().copied().fold(0.0, f64::max).sqrt();
    let cell = TILE / side as f64 * together as f64;
    for (place, sum) in sums.iter().enumerate() {
        let share = if most > 0.0 { sum.sqrt() / most } else { 0.0 };
        let (row, column) = ((place / cells) as f64, (place % cells) as f64);
        let item = Item::rectangle(corner.moved(column * cell, row * cell), cell, cell);
        let paint = Paint::Value(Colormap::Viridis.colour(share));
        scene.ground.push(item.fill(paint));
    }
    let [down, right] = filters.stride.map(|stride| TILE / stride.max(1) as f64);
    let frame = corner.moved((TILE - right) / 2.0, (TILE - down) / 2.0);
    let white = Paint::Value(Rgb([255; 3]));
    let frame = Item::rectangle(frame, right, down).stroke(white, 1.2);
    scene.ground.push(frame);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::Shape;

    /// Two filters of one weight: the frame is half as wide as the spectrum for steps of two, and what is worst comes
    /// first.
    #[test]
    fn the_frame_is_the_limit() {
        let scene = draw(
            &Filters {
                shape: [1, 1, 1],
                weights: &[1.0, -1.0],
                spectra: &[vec![1.0; 16], vec![1.0; 16]],
                side: 4,
                shares: &[Some(0.25), Some(0.75)],
                stride: [2, 2],
            },
            &Caption::new("stem", ""),
        );
        let frames = scene.ground.iter().filter(|item| item.stroke.is_some());
        let widths = frames.map(|item| match item.shape {
            Shape::Rectangle { width, height, .. } => (width, height),
            _ => (0.0, 0.0),
        });
        assert_eq!(widths.collect::<Vec<_>>(), [(TILE / 2.0, TILE / 2.0); 2]);
        let texts = scene.ground.iter().filter_map(|item| match &item.shape {
            Shape::Text { content, .. } if content.contains('%') => Some(content.as_str()),
            _ => None,
        });
        assert_eq!(texts.collect::<Vec<_>>(), ["1: 75 %", "0: 25 %"]);
    }
}
