//! What is lost when a window of the image is covered.

use std::collections::BTreeMap;

use explain::{ExplainError, Map, Occlusion, OcclusionMaps, Subject};
use figures::panel::{Image, Panel};
use figures::{Bitmap, Rgb, short};
use serde_json::json;

use super::answer::percent;
use super::attribution::{Attribution, as_json};
use super::case::Case;
use super::heat::{Drawn, Kind, Words};
use super::method::Method;
use super::progress::Progress;
use super::shown::{Row, Shown};

/// Colours of the likeliest classes, told apart by all eyes (Okabe and Ito 2008); further classes are grey.
const COLOURS: [u32; 7] = [
    0x00_72_b2, 0xe6_9f_00, 0x00_9e_73, 0xcc_79_a7, 0x56_b4_e9, 0xd5_5e_00, 0xf0_e4_42,
];
const OTHERS: u32 = 0x99_99_99;

/// What the axes of a map by windows count.
const PLACES: &str = "places of the window";

/// The window, as it was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) side: Option<usize>,
    pub(super) stride: Option<usize>,
}

impl Window {
    fn occlusion(self, case: &Case) -> Occlusion {
        let usual = Occlusion::over(case.subject.image());
        let window = self.side.map_or(usual.window, |side| [side; 2]);
        let half = window.map(|side| side.div_ceil(2));
        Occlusion {
            window,
            stride: self.stride.map_or(half, |stride| [stride; 2]),
            layer: case.watched.as_ref().map(|watched| watched.layer.clone()),
            ..usual
        }
    }
}

/// The drop in probability at each pixel, of the case's network or of one with other weights.
pub(super) fn drop_of(case: &Case, subject: &Subject) -> Result<Map, ExplainError> {
    let occlusion = case.window.occlusion(case);
    let maps = occlusion.of(subject, case.image(), case.class, &mut |_, _| {})?;
    Ok(maps.drop)
}

/// Three maps: the drop in probability, the strongest map's activation, the likeliest class.
pub(super) fn occlusion(case: &Case) -> anyhow::Result<(Shown, Attribution)> {
    let occlusion = case.window.occlusion(case);
    let progress = Progress::new("occlusion", case.messages);
    let maps = occlusion.of(
        &case.subject,
        case.image(),
        case.class,
        &mut progress.teller(),
    )?;
    progress.clear();
    let [height, width] = occlusion.window;
    let [down, across] = occlusion.stride;
    let covered = format!("a grey window of {height}×{width} pixels in steps of {down}×{across}");
    let mut shown = Shown::new(Method::Occlusion, as_json(&maps.drop));
    shown.numbers["window"] = json!(occlusion.window);
    shown.numbers["stride"] = json!(occlusion.stride);
    shown.numbers["whole"] = json!(maps.whole);
    shown.numbers["probabilities"] = as_json(&maps.probabilities);

    let drawn = Drawn::new(&maps.drop, Kind::Signed);
    let caption = format!(
        "How much the probability of {}, {} on the whole image, falls under {covered}; a pixel has the mean of its \
         windows. Negative: it rises.",
        case.own_label(),
        percent(maps.whole)
    );
    let words = Words {
        title: "Occlusion",
        caption: &caption,
        unit: "drop in probability",
    };
    let panel = drawn.over(&case.photo.fine, case.extents(), &words)?;
    shown.panels.push(panel);
    shown
        .rows
        .push(Row::new(words.title, drawn.range(), words.unit));

    if let Some(strongest) = &maps.strongest {
        let drawn = Drawn::new(&strongest.sums, Kind::Between);
        let caption = format!(
            "Sum of map {} of {}, {} on the whole image, by the place of the window.",
            strongest.channel,
            strongest.layer,
            short(strongest.whole.into())
        );
        let words = Words {
            title: "Occlusion: the strongest map",
            caption: &caption,
            unit: "sum of activations",
        };
        shown.panels.push(drawn.alone(&words, PLACES)?);
        let what = format!(
            "map {} of {} under occlusion",
            strongest.channel, strongest.layer
        );
        shown.rows.push(Row::new(what, drawn.range(), words.unit));
        shown.numbers["strongest"] = json!({
            "layer": strongest.layer,
            "channel": strongest.channel,
            "whole": strongest.whole,
            "sums": as_json(&strongest.sums),
        });
    }
    shown.panels.push(labels(case, &maps)?);
    shown.numbers["labels"] = json!(maps.labels);
    let attribution = Attribution {
        method: Method::Occlusion,
        title: "Occlusion",
        map: maps.drop,
    };
    Ok((shown, attribution))
}

/// The likeliest class by the place of the window.
fn labels(case: &Case, maps: &OcclusionMaps) -> anyhow::Result<Panel> {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for &label in &maps.labels {
        *counts.entry(label).or_default() += 1;
    }
    let mut classes: Vec<(usize, usize)> = counts.into_iter().collect();
    // The commonest first, of equal ones the earlier.
    classes.sort_by_key(|&(class, count)| (std::cmp::Reverse(count), class));
    let colour = |class: usize| {
        let place = classes.iter().position(|&(other, _)| other == class);
        Rgb::hex(
            place
                .and_then(|place| COLOURS.get(place))
                .copied()
                .unwrap_or(OTHERS),
        )
    };
    let named = classes.iter().take(COLOURS.len());
    let mut key: Vec<(Rgb, String)> = named
        .map(|&(class, count)| {
            let places = if count == 1 { "place" } else { "places" };
            (
                colour(class),
                format!("{}: {count} {places}", case.label(class)),
            )
        })
        .collect();
    let others: usize = classes
        .iter()
        .skip(COLOURS.len())
        .map(|&(_, count)| count)
        .sum();
    if others > 0 {
        key.push((Rgb::hex(OTHERS), format!("other classes: {others} places")));
    }
    let extents = maps.probabilities.extents();
    let colours = maps.labels.iter().map(|&label| colour(label));
    let bitmap = Bitmap::from_colours(extents[1], extents[0], colours)?;
    let caption = format!(
        "The likeliest class by the place of the window, {} places.",
        maps.labels.len()
    );
    Ok(Panel::new(
        "Occlusion: the answer",
        caption,
        Image::new(&bitmap, extents).counting(PLACES).keyed(&key),
    ))
}
