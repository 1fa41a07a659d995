//! The neuron of a layer around which it is drawn: which one, what it comes to, what it sees.

use std::str::FromStr;

use explain::FeatureMaps;
use graph::{AxisRoles, Graph};

use super::window::Neuron;
use crate::failure::usage;

/// Row and column of a neuron, as they were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place([i64; 2]);

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // As `rf --at` writes them, too.
        let inner = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'));
        let places = inner.unwrap_or(text).split(',');
        let places: Option<Vec<i64>> = places.map(|n| n.trim().parse().ok()).collect();
        let places = places.and_then(|places| places.try_into().ok());
        places
            .map(Self)
            .ok_or("a row and a column are wanted, as in 3,4")
    }
}

/// The neuron that is drawn, and why it is that one.
pub(super) fn chosen(
    asked: Option<Place>,
    map: Option<i64>,
    maps: &FeatureMaps,
) -> anyhow::Result<(Neuron, &'static str)> {
    let [channels, height, width] = [0, 1, 2].map(|axis| maps.maps.dims()[axis]);
    let within = |number: i64, count: usize| {
        let number = usize::try_from(number).ok();
        number.filter(|&number| number < count)
    };
    let layer = &maps.layer;
    let channel = map.map(|channel| {
        within(channel, channels).ok_or_else(|| {
            usage(format!(
                "--channel {channel}: the maps of {layer} are 0 to {}",
                channels - 1
            ))
        })
    });
    let at = asked.map(|Place([y, x])| {
        let at = within(y, height).zip(within(x, width));
        at.map(|(y, x)| [y, x]).ok_or_else(|| {
            usage(format!(
                "--at {y},{x}: the maps of {layer} have rows 0 to {} and columns 0 to {}",
                height - 1,
                width - 1
            ))
        })
    });
    let (channel, at) = (channel.transpose()?, at.transpose()?);
    let largest = |values: &mut dyn Iterator<Item = f32>| {
        let better = |best: (usize, f32), (place, value): (usize, f32)| match value > best.1 {
            true => (place, value),
            false => best,
        };
        values.enumerate().fold((0, f32::NEG_INFINITY), better).0
    };
    Ok(match (channel, at) {
        (Some(channel), Some(at)) => (Neuron { channel, at }, "as asked for"),
        (None, Some(at)) => {
            let place = at[0] * width + at[1];
            let mut there = (0..channels).map(|channel| maps.channel(channel)[place].abs());
            let channel = largest(&mut there);
            (
                Neuron { channel, at },
                "in the map of the largest magnitude there",
            )
        }
        (channel, None) => {
            let strongest = || maps.by_strength().first().copied().unwrap_or(0);
            let why = match channel {
                Some(_) => "of the largest magnitude in the map",
                None => "of the largest magnitude in the map of the largest mean magnitude",
            };
            let channel = channel.unwrap_or_else(strongest);
            let place = largest(&mut maps.channel(channel).iter().map(|value| value.abs()));
            let at = [place / width, place % width];
            (Neuron { channel, at }, why)
        }
    })
}

/// What the layer makes there, of all that it reads.
pub(super) fn value_of(maps: &FeatureMaps, Neuron { channel, at }: Neuron) -> f32 {
    maps.channel(channel)[at[0] * maps.maps.dims()[2] + at[1]]
}

/// What a neuron of a layer sees of the picture, in words; nothing where that cannot be counted.
pub(super) fn seen(network: &Graph, layer: &str, at: [usize; 2]) -> String {
    let seen = graph::Neuron::trace(network, layer, &at, AxisRoles::image(network));
    let seen = seen.ok().and_then(|neuron| {
        let bounds: [_; 2] = neuron.pixels.bounds()?.try_into().ok()?;
        let extents: [usize; 2] = neuron.input.try_into().ok()?;
        Some((bounds, extents))
    });
    seen.map_or_else(String::new, |(bounds, [height, width])| {
        let [rows, columns] = [("row", &bounds[0]), ("column", &bounds[1])]
            .map(|(axis, run)| run_of(axis, run.start, run.len()));
        format!(", which sees {rows} and {columns} of the {height}×{width} read of the picture")
    })
}

/// Rows or columns next to each other, in words.
pub(super) fn run_of(axis: &str, first: usize, count: usize) -> String {
    match count {
        1 => format!("{axis} {first}"),
        count => format!("{axis}s {first}–{}", first + count - 1),
    }
}
