//! Pictures prepared otherwise than those of the training: with another mean and deviation, or with the channels the
//! other way round. The network is asked about them in all usual ways, and does better in one of those.

use super::answers::{Answers, Given, gain};
use super::diagnosis::percent;
use super::{Check, Finding, Findings, Sample, Severity, class_order};

/// A way that gets so much of the sample more right is another's.
const MUCH: f64 = 0.1;

/// Mean and deviation of a channel, in units of the white level.
type Normalisation = fn(channel: usize) -> [f64; 2];

/// What pictures are brought to elsewhere.
const USUAL: [(&str, Normalisation); 4] = [
    ("values from 0 to 1 (mean 0, deviation 1)", |_| [0.0, 1.0]),
    ("values from −1 to 1 (mean 0.5, deviation 0.5)", |_| {
        [0.5, 0.5]
    }),
    ("bytes from 0 to 255 (mean 0, deviation 1/255)", |_| {
        [0.0, 1.0 / 255.0]
    }),
    ("the mean and deviation of ImageNet", |channel| {
        // Of red, green and blue; grey pictures take green's.
        let values = [[0.485, 0.229], [0.456, 0.224], [0.406, 0.225]];
        values[channel % 3]
    }),
];

pub(super) fn check(answers: &mut Answers, given: &Given, sample: &Sample) -> Findings {
    let channels = sample.mean.len();
    // Of classes in another order any change is for the better that makes answers random.
    let known = class_order::accuracy_in_order(given, sample).unwrap_or(0.0);
    let mut best: Option<(String, i64)> = None;
    let mut consider = |name: String, tried: &Given| {
        let (more, sure) = gain(given.right(sample), tried.right(sample));
        let much = more as f64 >= MUCH * sample.len() as f64;
        let better = tried.score(sample).accuracy >= known;
        if sure && much && better && best.as_ref().is_none_or(|(_, most)| more > *most) {
            best = Some((name, more));
        }
    };
    for (name, normalisation) in USUAL {
        let pixels = |channel: usize, value: f32| {
            f64::from(value) * f64::from(sample.std[channel]) + f64::from(sample.mean[channel])
        };
        let tried = answers.ask(sample, |channel, value| {
            let [mean, std] = normalisation(channel);
            ((pixels(channel, value) - mean) / std) as f32
        });
        consider(name.to_owned(), &tried);
    }
    if channels == 3 {
        // The value of a place is normalised as that place is, after the channels were turned round.
        let tried = answers.ask_channels(
            sample,
            |channel| 2 - channel,
            |channel, value| {
                let pixel = value * sample.std[2 - channel] + sample.mean[2 - channel];
                (pixel - sample.mean[channel]) / sample.std[channel]
            },
        );
        consider("channels as blue, green, red".to_owned(), &tried);
    }
    let Some((name, more)) = best else {
        return Ok(Vec::new());
    };
    let accuracy = given.score(sample).accuracy;
    let better = accuracy + more as f64 / sample.len() as f64;
    Ok(vec![Finding {
        check: Check::Preprocessing,
        severity: Severity::Warning,
        layer: None,
        channels: Vec::new(),
        evidence: format!(
            "with {name} the network gets {} of {} pictures right, and {} as they are prepared now",
            percent(better),
            sample.len(),
            percent(accuracy)
        ),
        numbers: vec![
            ("accuracy", accuracy),
            ("accuracy_otherwise", better),
            ("pictures", sample.len() as f64),
        ],
        advice: "Give the model the preprocessing it was trained with: mean, std and channel order in its config.json \
                 or model card",
    }])
}
