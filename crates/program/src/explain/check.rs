//! Whether a map tells the truth: what is left of the class when its pixels go, and of the map when the weights do.

use explain::{Baseline, Deletion, Randomisation};
use figures::chart::{Axis, Series, lines};
use figures::panel::{Panel, WIDTH};
use figures::short;
use serde_json::{Value, json};

use super::attribution::{Attribution, map_of};
use super::case::Case;
use super::progress::Progress;
use super::shown::Row;

/// Parts in which pixels are taken away.
const STEPS: usize = 50;
/// Maps of networks with shuffled weights.
const STOPS: usize = 6;
/// The height of a chart.
const HEIGHT: f64 = 230.0;

/// A panel, a row and the numbers of a check.
pub(super) type Checked = (Panel, Row, Value);

/// How fast the class goes as pixels are taken away in the order of a map.
pub(super) fn deletion(case: &Case, of: &Attribution) -> anyhow::Result<Checked> {
    let progress = Progress::new(format!("deletion by {}", of.method), case.messages);
    let steps = STEPS.min(of.map.values().len());
    let curve = Deletion::of(
        &case.subject,
        case.image(),
        case.class,
        &of.map,
        steps,
        &Baseline::default(),
        &mut progress.teller(),
    )?;
    progress.clear();
    let points = curve.removed.iter().zip(&curve.probabilities);
    let points = points.map(|(&removed, &p)| (100.0 * removed, f64::from(p)));
    let axes = [
        Axis::new("pixels made grey, the map's highest first, %").range(0.0, 100.0),
        Axis::new(format!("probability of {}", case.own_label())).range(0.0, 1.0),
    ];
    let series = Series::new("probability", 0, points.collect()).filled();
    let scene = lines(&axes, &[series], [WIDTH, HEIGHT]);
    let area = curve.area();
    let title = format!("Deletion by {}", of.title);
    let caption = format!(
        "Area below the curve {}: the smaller, the better the map names the pixels that matter (Petsiuk et al. 2018).",
        short(area)
    );
    let lowest = curve
        .probabilities
        .iter()
        .copied()
        .fold(f32::INFINITY, f32::min);
    let highest = curve.probabilities.iter().copied().fold(0.0, f32::max);
    let unit = format!("probability, area {}", short(area));
    let row = Row::new(&title, (lowest.into(), highest.into()), &unit);
    let numbers = json!({
        "removed": curve.removed,
        "probabilities": curve.probabilities,
        "area": area,
    });
    Ok((Panel::new(title, caption, scene), row, numbers))
}

/// How alike a map stays when the weights of layers are shuffled, from the last one on.
pub(super) fn randomisation(case: &Case, of: &Attribution) -> anyhow::Result<Checked> {
    let progress = Progress::new(
        format!("{} with shuffled weights", of.method),
        case.messages,
    );
    let check = Randomisation {
        stops: STOPS,
        seed: 0,
    };
    let rows = check.of(
        &case.subject,
        |subject| map_of(case, subject, of.method),
        &mut progress.teller(),
    )?;
    progress.clear();
    let all = rows.last().map_or(0, |row| row.layers);
    // A blank map has no order, and no point.
    let drawn = rows
        .iter()
        .filter_map(|row| Some((row.layers as f64, row.correlation?)));
    let points: Vec<(f64, f64)> = std::iter::once((0.0, 1.0)).chain(drawn).collect();
    let least = points.iter().map(|point| point.1).fold(0.0, f64::min);
    let axes = [
        Axis::new("layers with shuffled weights, from the last on").range(0.0, all.max(1) as f64),
        Axis::new("rank correlation with the map").range(least.min(-0.2), 1.0),
    ];
    let scene = lines(
        &axes,
        &[Series::new("correlation", 2, points)],
        [WIDTH, HEIGHT],
    );
    let title = format!("{} with shuffled weights", of.title);
    let last = match rows.last().and_then(|row| row.correlation) {
        Some(last) => format!("{} with those of all layers shuffled", short(last)),
        None => "with those of all layers shuffled a map is blank, and there is none".to_owned(),
    };
    let caption = format!(
        "Spearman's correlation with the map itself: {last}. A map that stays alike shows the image, \
         not what was learned (Adebayo et al. 2018).",
    );
    let found = || rows.iter().filter_map(|row| row.correlation);
    let lowest = found().fold(1.0, f64::min);
    let highest = found().fold(-1.0, f64::max).max(lowest);
    let row = Row::new(&title, (lowest, highest), "rank correlation");
    let numbers = rows.iter().map(
        |row| json!({ "layer": row.layer, "layers": row.layers, "correlation": row.correlation }),
    );
    let numbers = numbers.collect();
    Ok((Panel::new(title, caption, scene), row, numbers))
}
