//! What stands first: what was trained, on what, and how far it came.

use std::path::Path;

use figures::html::Block;
use train::{EpochReport, Loss};

use super::answers::Answered;
use super::{Run, percent};
use crate::bar::clock;
use crate::guessing;
use crate::table::{extents, thousands};

/// The heading of the page.
pub(super) fn title(run: &Run) -> String {
    format!("{} on {}", model(run), name(&run.config.data))
}

/// The run in a sentence, its numbers, and what could not be read.
pub(super) fn blocks(run: &Run, answered: Option<&Answered>) -> Vec<Block> {
    let mut blocks = vec![Block::Text(state(run))];
    blocks.extend(run.missing.iter().cloned().map(Block::Text));
    let classes = run.weights.as_ref();
    let classes = classes.map_or(0, |weights| weights.card().classes.len());
    let hint = match &run.divergence {
        Some(diverged) => Some(guessing::of_diverged(diverged, &run.config)),
        None => guessing::hint(&run.epochs, classes, &run.config),
    };
    blocks.extend(hint.map(|hint| Block::Text(format!("Hint: {hint}."))));
    blocks.push(Block::Facts(facts(run, answered)));
    blocks
}

fn model(run: &Run) -> String {
    match &run.weights {
        Some(weights) => weights.card().model.clone(),
        None => name(&run.config.model),
    }
}

/// The last part of a path.
fn name(path: &str) -> String {
    let name = Path::new(path).file_name();
    name.map_or_else(
        || path.to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// How far the run has come.
fn state(run: &Run) -> String {
    let (done, all) = (run.epochs.len() as u64, run.config.epochs);
    let folder = run.folder.display();
    match done {
        0 => format!("The run in {folder} has not finished an epoch yet; {all} are planned."),
        _ if done < all => format!("The run in {folder}, after {done} of its {all} epochs."),
        1 => format!("The run in {folder}, finished: its 1 epoch is done."),
        _ => format!("The run in {folder}, finished: all of its {all} epochs are done."),
    }
}

fn facts(run: &Run, answered: Option<&Answered>) -> Vec<(String, String)> {
    let mut facts: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, what: String| facts.push((name.to_owned(), what));
    if let Some(answered) = answered {
        let evaluation = &answered.evaluation;
        let (right, all) = (evaluation.correct(), evaluation.pictures);
        add(
            "accuracy",
            format!(
                "{} ({} of {} {})",
                percent(evaluation.accuracy()),
                thousands(right),
                thousands(all),
                answered.part()
            ),
        );
        add("loss", Loss(evaluation.loss()).to_string());
        if evaluation.classes > 5 {
            add("among the first five", percent(evaluation.top5_accuracy()));
        }
    }
    if let Some(best) = run.best() {
        let (accuracy, on) = match best.held_out {
            Some(score) => (score.accuracy, "held out"),
            None => (best.train_accuracy, "training"),
        };
        add(
            "best while training",
            format!("{} ({on}, epoch {})", percent(accuracy), best.epoch),
        );
    }
    if let Some(weights) = &run.weights {
        let card = weights.card();
        let cost = weights.architecture().build(&card.options(1));
        if let Ok(network) = cost {
            let cost = graph::summary(&network);
            add("parameters", thousands(cost.parameters));
            add("multiply-accumulates of a picture", thousands(cost.macs));
        }
        let (height, width) = card.preprocess.input;
        add("input", extents(&[card.preprocess.channels, height, width]));
        add("classes", card.classes.len().to_string());
    }
    if let Some(last) = run.epochs.last() {
        let seconds = |epoch: &EpochReport| epoch.seconds;
        let all: f64 = run.epochs.iter().map(seconds).sum();
        add("time of its epochs", time(all));
        add("steps", thousands(last.step));
    }
    facts
}

/// Seconds in the largest unit that they fill.
fn time(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 60.0 => format!("{seconds:.1} s"),
        seconds if seconds < 3600.0 => format!("{} min", clock(seconds)),
        seconds => format!("{} h", clock(seconds)),
    }
}
