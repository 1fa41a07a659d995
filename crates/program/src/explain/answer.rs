//! What goes in and what comes out: the picture, what is left of it for the network, the likeliest classes.

use explain::OutputActivation;
use figures::chart::{Bar, bars};
use figures::panel::{Image, Panel, WIDTH};

use super::case::Case;
use super::photo::Whole;

/// Classes that are named.
const TOP: usize = 5;

/// The panels that every board begins with.
pub(super) fn panels(case: &Case) -> Vec<Panel> {
    let [height, width] = case.extents();
    let photo = &case.photo;
    let mut panels = Vec::new();
    let coarse = photo.fine.width() > width;
    if let Some(Whole {
        bitmap,
        extents: [rows, columns],
        seen,
    }) = &photo.whole
    {
        panels.push(Panel::new(
            "The picture",
            format!(
                "{rows}×{columns} pixels (height×width). The network reads what is in the frame, as {height}×{width}."
            ),
            Image::new(bitmap, [*rows, *columns])
                .smooth()
                .framed(seen.clone())
                .scene(None),
        ));
    } else {
        panels.push(Panel::new(
            "The picture",
            format!("All of it is read by the network, as {height}×{width} pixels (height×width)."),
            Image::new(&photo.fine, [height, width])
                .smooth()
                .scene(None),
        ));
    }
    if coarse || photo.whole.is_some() {
        let read = Image::new(&photo.read, [height, width]);
        panels.push(Panel::new(
            "What the network reads",
            format!("{height}×{width} pixels: maps below have no finer ones."),
            if coarse { read } else { read.smooth() }.scene(None),
        ));
    }
    let mut classes = case.top(TOP);
    if !classes.contains(&case.class) {
        classes.push(case.class);
    }
    let shares: Vec<f32> = classes
        .iter()
        .map(|&class| case.probabilities[class])
        .collect();
    let rows: Vec<Bar> = classes
        .into_iter()
        .zip(percents(&shares))
        .map(|(class, text)| Bar {
            name: case.label(class).to_owned(),
            share: case.probabilities[class].into(),
            text,
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
    percents(&[probability]).concat()
}

/// Decimals of a percentage at most.
const DECIMALS: usize = 3;

/// Probabilities in percent, with as many decimals as tell them apart, and from 0 and 100 %, which only what is so says.
/// What is closer to those than the last decimal lies below or above it.
pub(super) fn percents(probabilities: &[f32]) -> Vec<String> {
    let written = |probability: f32, decimals: usize| {
        format!("{:.decimals$} %", 100.0 * f64::from(probability))
    };
    let tells_apart = |decimals: &usize| {
        let all = || probabilities.iter().copied().chain([0.0, 1.0]);
        all().all(|one| {
            let text = written(one, *decimals);
            all().all(|other| one == other || text != written(other, *decimals))
        })
    };
    let decimals = (1..DECIMALS).find(tells_apart).unwrap_or(DECIMALS);
    let last = 0.1f64.powi(decimals as i32);
    let in_words = |&probability: &f32| {
        let text = written(probability, decimals);
        match probability {
            above if above > 0.0 && text == written(0.0, decimals) => {
                format!("<{last:.decimals$} %")
            }
            below if below < 1.0 && text == written(1.0, decimals) => {
                format!(">{:.decimals$} %", 100.0 - last)
            }
            _ => text,
        }
    };
    probabilities.iter().map(in_words).collect()
}

#[cfg(test)]
mod tests {
    use super::{percent, percents};

    #[test]
    fn probabilities_that_differ_are_written_apart() {
        assert_eq!(
            percents(&[0.959, 0.016, 0.008]),
            ["95.9 %", "1.6 %", "0.8 %"]
        );
        assert_eq!(
            percents(&[0.9911, 0.0044, 0.0041]),
            ["99.11 %", "0.44 %", "0.41 %"]
        );
        assert_eq!(percents(&[0.5, 0.5]), ["50.0 %", "50.0 %"]);
        assert_eq!(percents(&[1.0, 0.0]), ["100.0 %", "0.0 %"]);
        let sure = percents(&[0.999_999, 5e-7, 2e-7]);
        assert_eq!(sure, [">99.999 %", "<0.001 %", "<0.001 %"]);
        assert_eq!([percent(0.9997), percent(0.125)], ["99.97 %", "12.5 %"]);
    }
}
