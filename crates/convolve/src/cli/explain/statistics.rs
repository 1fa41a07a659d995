//! How activations are spread, layer by layer.

use explain::{LayerStatistics, statistics};
use figures::chart::{Axis, Series, lines};
use figures::html::{Column, Table};
use figures::panel::{Panel, WIDTH};
use figures::short;
use serde_json::{Value, json};

use super::case::Case;
use super::method::Method;
use super::shown::{Row, Shown};
use crate::cli::table::extents;

/// Two charts over the depth, and a table.
pub(super) fn by_layer(case: &Case) -> anyhow::Result<Shown> {
    let layers = statistics(&case.subject, case.image())?;
    let mut shown = Shown::new(Method::Statistics, layers.iter().map(as_json).collect());
    shown.panels = vec![spread(&layers), zeros(&layers)];
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

fn over_depth(layers: &[LayerStatistics], of: impl Fn(&LayerStatistics) -> f64) -> Vec<(f64, f64)> {
    let points = layers.iter().enumerate();
    points
        .map(|(depth, layer)| ((depth + 1) as f64, of(layer)))
        .collect()
}

fn spread(layers: &[LayerStatistics]) -> Panel {
    let axes = [
        Axis::new("layer, in the order of execution"),
        Axis::new("activation"),
    ];
    let series = [
        Series::new("mean", 0, over_depth(layers, |layer| layer.statistics.mean)),
        Series::new(
            "standard deviation",
            1,
            over_depth(layers, |layer| layer.statistics.deviation),
        )
        .dashed(),
    ];
    let scene = lines(&axes, &series, [WIDTH, 200.0]);
    let caption = "Mean and standard deviation of what each layer makes of the image.";
    Panel::new("Activations by layer", caption, scene)
}

fn zeros(layers: &[LayerStatistics]) -> Panel {
    let axes = [
        Axis::new("layer, in the order of execution"),
        Axis::new("share").range(0.0, 1.0),
    ];
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
    let scene = lines(&axes, &series, [WIDTH, 200.0]);
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
