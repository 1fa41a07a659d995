//! Filters of the first layers as small pictures.

use explain::{Filters, filters};
use figures::panel::{Legend, Panel, Tile, tiles};
use figures::{Colormap, Scale, heat, short};
use serde_json::{Value, json};

use super::case::Case;
use super::method::Method;
use super::shown::{Row, Shown};

/// Filters that a panel shows.
const MOST: usize = 64;
/// Tiles of a row.
const COLUMNS: usize = 8;
/// Layers with filters, from the first on.
const LAYERS: usize = 2;

/// Filters of the first layers with some, and of the layer asked for if it has any.
pub(super) fn first_layers(case: &Case, asked: Option<&str>) -> anyhow::Result<Shown> {
    let subject = &case.subject;
    let names = subject.layers().into_iter().map(|layer| layer.name);
    let found = names.filter_map(|name| filters(subject, Some(&name)).ok());
    // A filter of one weight is no picture.
    let found = found.filter(|filters| filters.weights.dims()[2..].iter().any(|&side| side > 1));
    let mut found: Vec<Filters> = found.take(LAYERS).collect();
    if let Some(asked) = asked
        && found.iter().all(|filters| filters.layer != asked)
    {
        found.extend(filters(subject, Some(asked)).ok());
    }
    let numbers: Value = found.iter().map(as_json).collect();
    let mut shown = Shown::new(Method::Filters, numbers);
    for filters in &found {
        shown
            .panels
            .push(panel(filters, case.preprocess().channels)?);
        let what = format!("filters of {}", filters.layer);
        shown.rows.push(Row::new(what, range(filters), "weight"));
    }
    Ok(shown)
}

fn range(filters: &Filters) -> (f64, f64) {
    let values = || filters.weights.data().iter().copied().map(f64::from);
    (
        values().fold(f64::INFINITY, f64::min),
        values().fold(f64::NEG_INFINITY, f64::max),
    )
}

fn as_json(filters: &Filters) -> Value {
    let (low, high) = range(filters);
    json!({
        "layer": filters.layer,
        "shape": filters.weights.dims(),
        "low": low,
        "high": high,
    })
}

fn panel(filters: &Filters, image_channels: usize) -> anyhow::Result<Panel> {
    let &[count, channels, height, width] = filters.weights.dims() else {
        anyhow::bail!("filters of {} axes", filters.weights.dims().len());
    };
    let (low, high) = range(filters);
    let most = high.max(-low);
    let shape = format!("{count} filters of {channels}×{height}×{width}");
    let range = format!("Raw range {} to {}.", short(low), short(high));
    let seen = match count > MOST {
        true => format!("; the first {MOST} are shown"),
        false => String::new(),
    };
    let plane = height * width;
    let of =
        |filter: usize| &filters.weights.data()[filter * channels * plane..][..channels * plane];
    let in_colour = channels == 3 && image_channels == 3;
    let drawn = figures::filters::Filters::new(filters.weights.dims(), filters.weights.data())?;
    let mut shown = Vec::new();
    for filter in 0..count.min(MOST) {
        shown.push(match in_colour {
            true => Tile {
                label: filter.to_string(),
                bitmap: drawn.bitmap(filter, most)?,
            },
            false => {
                let (channel, slice) = heaviest(of(filter), plane);
                let scale = Scale::between(Colormap::Diverging, -most, most);
                Tile {
                    label: match channels {
                        1 => filter.to_string(),
                        _ => format!("{filter}·{channel}"),
                    },
                    bitmap: heat::Map::new(height, width, &slice)?.bitmap(scale)?,
                }
            }
        });
    }
    let title = format!("Filters of {}", filters.layer);
    let (scene, caption) = match in_colour {
        true => (
            tiles(&shown, COLUMNS, false, None),
            format!(
                "{shape}{seen}, in the colours of the image: grey is 0, full red, green or blue ±{}. {range}",
                short(most)
            ),
        ),
        false => {
            let scale = Scale::between(Colormap::Diverging, -most, most);
            let of_each = match channels {
                1 => "",
                _ => {
                    " Of each filter the channel with the heaviest weights is shown, named as filter·channel."
                }
            };
            (
                tiles(&shown, COLUMNS, false, Some(&Legend::new(scale, "weight"))),
                format!("{shape}{seen}.{of_each} {range}"),
            )
        }
    };
    Ok(Panel::new(title, caption, scene))
}

/// The channel of a filter with the largest sum of squares, and its weights.
fn heaviest(filter: &[f32], plane: usize) -> (usize, Vec<f64>) {
    let slices = filter.chunks_exact(plane).enumerate();
    let weight = |slice: &[f32]| slice.iter().map(|w| w * w).sum::<f32>();
    let heaviest = slices.max_by(|a, b| weight(a.1).total_cmp(&weight(b.1)));
    let (channel, slice) = heaviest.unwrap_or((0, filter));
    (channel, slice.iter().copied().map(f64::from).collect())
}
