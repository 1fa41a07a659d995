//! How activations are spread, layer by layer.

use explain::{LayerStatistics, statistics};
use figures::chart::{Axis, Series, rows};
use figures::html::{Column, Table};
use figures::panel::{Panel, WIDTH};
use figures::{Scene, short};
use serde_json::{Value, json};

use super::case::Case;
use super::method::Method;
use super::shown::{Row, Shown};
use crate::table::extents;

/// Two charts over the depth, and a table.
pub(super) fn by_layer(case: &Case) -> anyhow::Result<Shown> {
    let layers = statistics(&case.subject, case.image())?;
    let mut shown = Shown::new(Method::Statistics, layers.iter().map(as_json).collect());
    shown.panels = vec![spread(&layers), zeros(&layers).following()];
    shown.rows = layers
        .iter()
        .map(|layer| {
            let of = &layer.statistics;
            let range = (f64::from(of.min), f64::from(of.max));
            let unit = format!(
                "mean {}, deviation {}, {:.0} % zero",
                short(of.mean),
                short(of.deviation),
                100.0 * of.zeros
            );
            Row::new(format!("{} ({})", layer.layer, layer.op), range, &unit)
        })
        .collect();
    shown.tables.push(table(&layers));
    Ok(shown)
}

/// A chart with a row for each layer, under its name.
fn by_name(layers: &[LayerStatistics], measured: &Axis, series: &[Series]) -> Scene {
    let names: Vec<String> = layers.iter().map(|layer| layer.layer.clone()).collect();
    rows(&names, measured, series, WIDTH)
}

fn over_depth(layers: &[LayerStatistics], of: impl Fn(&LayerStatistics) -> f64) -> Vec<(f64, f64)> {
    let points = layers.iter().enumerate();
    points
        .map(|(depth, layer)| (depth as f64, of(layer)))
        .collect()
}

fn spread(layers: &[LayerStatistics]) -> Panel {
    let series = [
        Series::new("mean", 0, over_depth(layers, |layer| layer.statistics.mean)),
        Series::new(
            "standard deviation",
            1,
            over_depth(layers, |layer| layer.statistics.deviation),
        )
        .dashed(),
    ];
    let scene = by_name(layers, &Axis::new("activation"), &series);
    let caption = "Mean and standard deviation of what each layer makes of the image, in the order of execution.";
    Panel::new("Activations by layer", caption, scene)
}

fn zeros(layers: &[LayerStatistics]) -> Panel {
    let series = [
        Series::new(
            "zeros",
            0,
            over_depth(layers, |layer| layer.statistics.zeros),
        ),
        Series::new(
            "maps without anything",
            1,
            over_depth(layers, |layer| layer.dead_maps),
        )
        .dashed(),
    ];
    let scene = by_name(layers, &Axis::new("share").range(0.0, 1.0), &series);
    let caption =
        "Share of neurons that are 0 on this image, and of feature maps that are 0 everywhere.";
    Panel::new("Neurons that are off", caption, scene)
}

fn as_json(layer: &LayerStatistics) -> Value {
    let of = &layer.statistics;
    json!({
        "layer": layer.layer,
        "operator": layer.op,
        "shape": layer.output,
        "mean": of.mean,
        "deviation": of.deviation,
        "low": of.min,
        "high": of.max,
        "zeros": of.zeros,
        "dead_maps": layer.dead_maps,
    })
}

fn table(layers: &[LayerStatistics]) -> Table {
    let rows = layers.iter().map(|layer| {
        let of = &layer.statistics;
        vec![
            layer.layer.clone(),
            layer.op.to_owned(),
            extents(layer.output.get(1..).unwrap_or_default()),
            short(of.mean),
            short(of.deviation),
            short(of.min.into()),
            short(of.max.into()),
            format!("{:.1} %", 100.0 * of.zeros),
            format!("{:.1} %", 100.0 * layer.dead_maps),
        ]
    });
    let numbers = [
        "mean",
        "deviation",
        "least",
        "largest",
        "zeros",
        "dead maps",
    ];
    let words = ["layer", "operator", "output"].map(Column::words);
    Table {
        caption: "What each layer makes of the image".to_owned(),
        columns: words
            .into_iter()
            .chain(numbers.map(Column::numbers))
            .collect(),
        rows: rows.collect(),
    }
}
