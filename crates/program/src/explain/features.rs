//! Feature maps by depth, how an image evolves from edges to parts; or those of one layer.

use explain::{FeatureMaps, feature_maps};
use figures::panel::{Legend, Panel, Tile, tiles};
use figures::{Colormap, Scale, heat, short};
use serde_json::{Value, json};

use super::case::Case;
use super::method::Method;
use super::shown::{Row, Shown};

/// How many maps of a layer are shown, and in rows of how many.
#[derive(Clone, Copy)]
struct Tiles {
    most: usize,
    columns: usize,
}

/// Of each layer where there are several.
const OF_EACH: Tiles = Tiles {
    most: 16,
    columns: 4,
};
/// Of a layer that was asked for.
const OF_ONE: Tiles = Tiles {
    most: 64,
    columns: 8,
};
/// Layers that are shown at the most.
const LAYERS: usize = 8;

/// The strongest maps of the layer asked for, or else of the last layer of every stage.
pub(super) fn strongest(case: &Case, asked: Option<&str>) -> anyhow::Result<Shown> {
    let (layers, shape) = match asked {
        Some(layer) => (vec![layer.to_owned()], OF_ONE),
        None => (stages(case), OF_EACH),
    };
    let names: Vec<&str> = layers.iter().map(String::as_str).collect();
    let all = feature_maps(&case.subject, case.image(), &names)?;
    let numbers: Value = all.iter().map(|maps| as_json(maps, shape)).collect();
    let mut shown = Shown::new(Method::Maps, numbers);
    for maps in &all {
        shown.panels.push(panel(maps, shape)?);
        let what = format!("maps of {}", maps.layer);
        shown.rows.push(Row::new(what, range(maps), "activation"));
    }
    Ok(shown)
}

/// The stages of the network; of many, some evenly spread, with the first and the last one.
fn stages(case: &Case) -> Vec<String> {
    let stages = case.subject.stages();
    match stages.len() > LAYERS {
        true => (0..LAYERS)
            .map(|place| stages[place * (stages.len() - 1) / (LAYERS - 1)].clone())
            .collect(),
        false => stages,
    }
}

fn range(maps: &FeatureMaps) -> (f64, f64) {
    let mins = maps.statistics.iter().map(|of| f64::from(of.min));
    let maxs = maps.statistics.iter().map(|of| f64::from(of.max));
    (
        mins.fold(f64::INFINITY, f64::min),
        maxs.fold(f64::NEG_INFINITY, f64::max),
    )
}

fn as_json(maps: &FeatureMaps, shape: Tiles) -> Value {
    let (low, high) = range(maps);
    let means: Vec<f64> = maps.statistics.iter().map(|of| of.mean).collect();
    json!({
        "layer": maps.layer,
        "shape": maps.maps.dims(),
        "low": low,
        "high": high,
        "means": means,
        "strongest": maps.by_strength().into_iter().take(shape.most).collect::<Vec<_>>(),
    })
}

fn panel(maps: &FeatureMaps, shape: Tiles) -> anyhow::Result<Panel> {
    let &[channels, height, width] = maps.maps.dims() else {
        anyhow::bail!("maps of {} axes", maps.maps.dims().len());
    };
    let strongest = maps.by_strength().into_iter().take(shape.most);
    let chosen: Vec<(usize, Vec<f64>)> = strongest
        .map(|channel| {
            let map = maps.channel(channel).iter();
            (channel, map.copied().map(f64::from).collect())
        })
        .collect();
    let all: Vec<f64> = chosen.iter().flat_map(|(_, map)| map).copied().collect();
    let scale = match Scale::of(&all).range() {
        (low, high) if low >= 0.0 => Scale::between(Colormap::Viridis, 0.0, high),
        _ => Scale::of(&all),
    };
    let mut shown = Vec::new();
    for (channel, map) in &chosen {
        shown.push(Tile {
            label: channel.to_string(),
            bitmap: heat::Map::new(height, width, map)?.bitmap(scale)?,
        });
    }
    let (low, high) = range(maps);
    let (low, high) = (short(low), short(high));
    let count = shown.len();
    let which = match count == channels {
        true => "all of them".to_owned(),
        false => format!("the {count} strongest by mean magnitude"),
    };
    let caption =
        format!("{channels} maps of {height}×{width}; {which}. Raw range of all {low} to {high}.");
    let legend = Legend::new(scale, "activation");
    let scene = tiles(&shown, shape.columns, false, Some(&legend));
    Ok(Panel::new(&maps.layer, caption, scene))
}
