//! At most 255 colours for a whole animation, so that no cell changes its colour from frame to frame.
//!
//! Colours are counted in a cube of 32 steps an axis. The cube is cut where its fullest boxes are longest until there are
//! as many boxes as colours (median cut, Heckbert 1982); each box is shown by the colour that it has most of, so that
//! flat areas keep theirs.

use std::collections::HashMap;

use crate::raster::Raster;

/// Colours of a table; an entry is left for what shines through.
const MOST: usize = 255;
/// Steps of an axis of the cube.
const BITS: u32 = 5;

/// A table of colours, and where each colour of the cube is in it.
pub(crate) struct Palette {
    pub(crate) colours: Vec<[u8; 3]>,
    places: Vec<u8>,
}

struct Bin {
    /// Place in the cube, an axis each.
    at: [u8; 3],
    count: usize,
    colour: [u8; 3],
}

impl Palette {
    /// The table for these pictures.
    pub(crate) fn of<'a>(pictures: impl IntoIterator<Item = &'a Raster>) -> Self {
        let mut exact: HashMap<u32, usize> = HashMap::new();
        for picture in pictures {
            let pixels = picture.rgba.chunks_exact(4);
            let codes = pixels.map(|p| u32::from_be_bytes([0, p[0], p[1], p[2]]));
            // Neighbours are alike: count runs.
            let (mut last, mut run) = (u32::MAX, 0);
            for code in codes {
                if code != last {
                    *exact.entry(last).or_default() += run;
                    (last, run) = (code, 0);
                }
                run += 1;
            }
            *exact.entry(last).or_default() += run;
        }
        exact.remove(&u32::MAX);
        let mut boxes = vec![bins(&exact)];
        while boxes.len() < MOST {
            let splittable = boxes.iter().enumerate().filter(|(_, bins)| bins.len() > 1);
            let fullest = splittable.max_by_key(|(_, bins)| weight(bins));
            let Some((place, _)) = fullest else { break };
            let half = split(&mut boxes[place]);
            boxes.push(half);
        }
        let mut palette = Self {
            colours: Vec::new(),
            places: vec![0; 1 << (3 * BITS)],
        };
        for (place, bins) in boxes.iter().enumerate() {
            let most = bins.iter().max_by_key(|bin| (bin.count, bin.colour));
            palette.colours.push(most.map_or([0; 3], |bin| bin.colour));
            for bin in bins {
                palette.places[cell(bin.at)] = place as u8;
            }
        }
        palette.colours.push([0; 3]);
        palette
    }

    /// The entry that stands for what was there before.
    pub(crate) fn through(&self) -> u8 {
        (self.colours.len() - 1) as u8
    }

    /// The entry for a colour of the pictures.
    pub(crate) fn place(&self, rgb: [u8; 3]) -> u8 {
        self.places[cell(rgb.map(|part| part >> (8 - BITS)))]
    }
}

fn cell([r, g, b]: [u8; 3]) -> usize {
    (usize::from(r) << (2 * BITS)) | (usize::from(g) << BITS) | usize::from(b)
}

/// Colours counted in the cube, each place with its commonest, in the cube's order.
fn bins(exact: &HashMap<u32, usize>) -> Vec<Bin> {
    let mut sorted: Vec<_> = exact.iter().map(|(&code, &count)| (code, count)).collect();
    sorted.sort_unstable();
    let mut bins: HashMap<usize, (Bin, usize)> = HashMap::new();
    for (code, count) in sorted {
        let [_, r, g, b] = code.to_be_bytes();
        let at = [r, g, b].map(|part| part >> (8 - BITS));
        let fresh = Bin {
            at,
            count: 0,
            colour: [r, g, b],
        };
        let (bin, most) = bins.entry(cell(at)).or_insert((fresh, 0));
        bin.count += count;
        if count > *most {
            (bin.colour, *most) = ([r, g, b], count);
        }
    }
    let mut bins: Vec<Bin> = bins.into_values().map(|(bin, _)| bin).collect();
    bins.sort_unstable_by_key(|bin| bin.at);
    bins
}

/// How much a box wants to be cut: its pixels, tempered so that rare colours count too, times its length.
fn weight(bins: &[Bin]) -> u64 {
    let count: usize = bins.iter().map(|bin| bin.count).sum();
    let (_, length) = longest(bins);
    (count as f64).sqrt() as u64 * u64::from(length)
}

/// The axis along which a box is longest, and its length.
fn longest(bins: &[Bin]) -> (usize, u8) {
    let lengths = [0, 1, 2].map(|axis| {
        let along = || bins.iter().map(|bin| bin.at[axis]);
        along().max().unwrap_or(0) - along().min().unwrap_or(0)
    });
    let axis = (0..3).max_by_key(|&axis| lengths[axis]).unwrap_or(0);
    (axis, lengths[axis])
}

/// Cuts a box in two of about as many pixels, and gives the upper one.
fn split(bins: &mut Vec<Bin>) -> Vec<Bin> {
    let (axis, _) = longest(bins);
    bins.sort_unstable_by_key(|bin| (bin.at[axis], bin.at));
    let half: usize = bins.iter().map(|bin| bin.count).sum::<usize>() / 2;
    let mut seen = 0;
    let cut = bins.iter().position(|bin| {
        seen += bin.count;
        seen > half
    });
    let cut = cut.unwrap_or(0).clamp(1, bins.len() - 1);
    bins.split_off(cut)
}
