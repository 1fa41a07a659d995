//! What goes in and what comes out: the picture, what is left of it for the network, the likeliest classes.

use explain::OutputActivation;
use figures::chart::{Bar, bars};
use figures::panel::{Image, Panel, WIDTH};

use super::case::Case;

/// Classes that are named.
const TOP: usize = 5;

/// The panels that every board begins with.
pub(super) fn panels(case: &Case) -> Vec<Panel> {
    let [height, width] = case.extents();
    let photo = &case.photo;
    let mut panels = vec![Panel::new(
        "The picture",
        format!("The piece of it that the network reads, as {height}×{width} pixels."),
        Image::new(&photo.fine, [height, width])
            .smooth()
            .scene(None),
    )];
    if photo.fine.width() > width {
        panels.push(Panel::new(
            "What the network reads",
            format!("{height}×{width} pixels: maps below have no finer ones."),
            Image::new(&photo.read, [height, width]).scene(None),
        ));
    }
    let mut classes = case.top(TOP);
    if !classes.contains(&case.class) {
        classes.push(case.class);
    }
    let rows: Vec<Bar> = classes
        .into_iter()
        .map(|class| Bar {
            name: case.label(class).to_owned(),
            share: case.probabilities[class].into(),
            text: percent(case.probabilities[class]),
            marked: class == case.class,
        })
        .collect();
    panels.push(Panel::new(
        "The answer",
        format!("{} Explained: {}.", of_what(case), case.own_label()),
        bars(&rows, WIDTH),
    ));
    panels
}

/// Which probabilities these are.
fn of_what(case: &Case) -> String {
    match (case.probabilities.len(), case.subject.activation()) {
        (1, OutputActivation::Sigmoid) => "The sigmoid of the only logit.".to_owned(),
        (classes, OutputActivation::Softmax) => {
            format!("Probability of the likeliest of {classes} classes, by softmax.")
        }
        (classes, OutputActivation::Sigmoid) => format!(
            "The likeliest of {classes} classes, each with a probability of its own, by sigmoid: they need not sum to 100 %."
        ),
    }
}

/// A probability in percent.
pub(super) fn percent(probability: f32) -> String {
    format!("{:.1} %", 100.0 * probability)
}
