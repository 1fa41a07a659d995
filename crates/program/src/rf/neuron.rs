//! `rf --at`: the pixels of one neuron.

use std::str::FromStr;

use geometry::{IndexSet, Region};
use graph::{Graph, Neuron, ReceptiveFields};
use serde_json::{Value, json};

use super::{extents, one_of_several};
use crate::failure::usage;
use crate::field;
use crate::output;
use crate::places::words;
use crate::table::thousands;

/// A neuron as it is asked for: `layer1.0.conv1[3,4]`, or the layer alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    layer: String,
    at: Vec<usize>,
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((layer, places)) = text
            .strip_suffix(']')
            .and_then(|text| text.rsplit_once('['))
        else {
            return Ok(Self {
                layer: text.to_owned(),
                at: Vec::new(),
            });
        };
        let at: Option<Vec<usize>> = places.split(',').map(|n| n.trim().parse().ok()).collect();
        Ok(Self {
            layer: layer.to_owned(),
            at: at.ok_or("a row and a column are wanted in brackets, as in conv1[3,4]")?,
        })
    }
}

/// Shows the pixels of a neuron.
pub(super) fn run(
    network: &Graph,
    input: usize,
    fields: &ReceptiveFields,
    place: &Place,
    json: bool,
) -> anyhow::Result<()> {
    let neuron = Neuron::trace(network, &place.layer, &place.at, input).map_err(usage)?;
    let row = fields
        .layers
        .iter()
        .rev()
        .find(|row| row.layer == neuron.layer);
    let axes = row.map(|row| row.axes.as_slice()).unwrap_or_default();
    if json {
        let mut answer = json!({
            "model": network.name, "layer": neuron.layer, "at": neuron.at, "map": neuron.map,
            "input": neuron.input, "pixels": neuron.pixels.len(),
            "bounds": neuron.pixels.bounds().map(|bounds| boxed(&bounds)),
            "boxes": neuron.pixels.boxes().iter().map(|each| boxed(each)).collect::<Vec<_>>(),
            "axes": field::as_json(axes),
        });
        if let Some(name) = one_of_several(network, input) {
            answer["input_name"] = name.into();
        }
        output::json(&answer)?;
        return Ok(());
    }
    let of = neuron
        .input
        .iter()
        .fold(1u64, |all, &extent| all.saturating_mul(extent as u64));
    output::data(format_args!(
        "{}{} of {} sees {} of the {} pixels of {}; its field is {}",
        neuron.layer,
        at(&neuron.at),
        extents(&neuron.map),
        thousands(neuron.pixels.len() as u64),
        thousands(of),
        extents(&neuron.input),
        field::size(axes),
    ))?;
    for line in lines(&neuron.pixels) {
        output::data(line)?;
    }
    Ok(())
}

fn at(places: &[usize]) -> String {
    match places {
        [] => String::new(),
        places => {
            let words: Vec<String> = places.iter().map(usize::to_string).collect();
            format!("[{}]", words.join(","))
        }
    }
}

/// Runs as pairs of the first place and the one behind the last.
fn boxed(runs: &[std::ops::Range<usize>]) -> Value {
    runs.iter().map(|run| json!([run.start, run.end])).collect()
}

/// A line for all rows that hold the same columns.
fn lines(pixels: &Region) -> Vec<String> {
    let mut groups: Vec<(IndexSet, &Region)> = Vec::new();
    for band in pixels.bands() {
        let known = groups.iter_mut().find(|(_, inner)| **inner == band.inner);
        match known {
            Some((rows, _)) => {
                let all = rows.runs().iter().cloned().chain([band.places.clone()]);
                *rows = IndexSet::of(all);
            }
            None => groups.push((band.places.clone().into(), &band.inner)),
        }
    }
    let line = |(rows, inner): (IndexSet, &Region)| match inner {
        Region::Element => vec![format!("places {}", words(&rows))],
        Region::Bands(bands) if bands.iter().all(|band| band.inner == Region::Element) => {
            let columns = IndexSet::of(bands.iter().map(|band| band.places.clone()));
            vec![format!(
                "rows {}: columns {}",
                words(&rows),
                words(&columns)
            )]
        }
        deeper => {
            let inner = lines(deeper).into_iter();
            inner
                .map(|line| format!("depth {}: {line}", words(&rows)))
                .collect()
        }
    };
    groups.into_iter().flat_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_stands_in_brackets() {
        let place = |layer: &str, at: &[usize]| Place {
            layer: layer.to_owned(),
            at: at.to_vec(),
        };
        assert_eq!("a.b[3, 4]".parse(), Ok(place("a.b", &[3, 4])));
        assert_eq!("a[0].b".parse(), Ok(place("a[0].b", &[])));
        assert_eq!("a[0].b[1]".parse(), Ok(place("a[0].b", &[1])));
        assert!("a[y,x]".parse::<Place>().is_err());
    }
}
