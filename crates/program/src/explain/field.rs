//! The effective receptive field over the theoretical one.

use explain::effective_field;
use figures::chart::{Axis, Series, lines};
use figures::panel::{Image, Panel, WIDTH};
use figures::short;
use serde_json::json;

use super::answer::percent;
use super::attribution::as_json;
use super::case::Case;
use super::heat::{Drawn, Kind, Words};
use super::method::Method;
use super::shown::{Row, Shown};

/// Images of noise that the field is the mean of.
const IMAGES: u64 = 16;

/// The field of the middle of the layer's maps.
pub(super) fn field(case: &Case) -> anyhow::Result<Shown> {
    let noise = (0..IMAGES).map(|seed| case.subject.noise(seed));
    let field = effective_field(&case.subject, Some(&case.watched()?.layer), noise)?;
    let [row, column] = field.at;
    let drawn = Drawn::new(&field.map, Kind::Magnitude);
    let caption = format!(
        "Gradient of {}[{row},{column}] by each pixel, the mean of {} images of noise. Frame: what it can see at all, {} \
         pixels; {} of them ({}) count more than 4.55 % of the strongest (Luo et al. 2016).",
        field.layer,
        field.images,
        field.theoretical.len(),
        field.area(),
        percent(field.share() as f32),
    );
    let words = Words {
        title: "Effective receptive field",
        caption: &caption,
        unit: "mean magnitude of the gradient",
    };
    let bitmap = drawn.bitmap()?;
    let mut image = Image::new(&bitmap, field.map.extents());
    let bounds = field.theoretical.bounds().unwrap_or_default();
    if let [rows, columns] = bounds.as_slice() {
        image = image.framed([rows.clone(), columns.clone()]);
    }
    let mut numbers = as_json(&field.map);
    numbers["layer"] = json!(field.layer);
    numbers["at"] = json!(field.at);
    numbers["theoretical_pixels"] = json!(field.theoretical.len());
    numbers["effective_pixels"] = json!(field.area());
    let mut shown = Shown::new(Method::Field, numbers);
    shown.panels.push(drawn.panel(&words, &image));
    shown
        .panels
        .push(profile(&field.map, &field.layer).following());
    let what = format!("effective field of {}", field.layer);
    let unit = format!(
        "gradient; a square of side {} of {} pixels",
        short(field.side()),
        short((field.theoretical.len() as f64).sqrt())
    );
    shown.rows.push(Row::new(what, drawn.range(), &unit));
    Ok(shown)
}

/// The gradient along the row and the column in which it is strongest.
fn profile(map: &explain::Map, layer: &str) -> Panel {
    let most = map.range().1;
    let strongest = map.values().iter().position(|&value| value == most);
    let strongest = strongest.unwrap_or(0);
    let (row, column) = (strongest / map.width(), strongest % map.width());
    let share = |value: f32| f64::from(value) / f64::from(most.max(f32::MIN_POSITIVE));
    let across = (0..map.width()).map(|x| (x as f64, share(map.at(row, x))));
    let down = (0..map.height()).map(|y| (y as f64, share(map.at(y, column))));
    let axes = [
        Axis::new("pixel"),
        Axis::new("share of the strongest").range(0.0, 1.0),
    ];
    let series = [
        Series::new(format!("along row {row}"), 0, across.collect()),
        Series::new(format!("along column {column}"), 1, down.collect()).dashed(),
    ];
    let caption = format!(
        "The gradient of {layer} through its strongest pixel: a field that is used evenly would be flat, most fall off like a \
         bell."
    );
    let scene = lines(&axes, &series, [WIDTH, 230.0]);
    Panel::new("The field in profile", caption, scene)
}
