//! How an epoch is shown while it runs and when it is done.

use train::{EpochReport, Loss, Progressing};

use crate::bar::{Bar, clock};

/// Shows a step or a part of the evaluation on the bar.
pub(super) fn show(bar: &Bar, now: &Progressing, epoch: u64, epochs: u64) {
    let what = format!("epoch {epoch}/{epochs}");
    match now {
        Progressing::Step(step) => {
            let details = format!(
                "loss {}  accuracy {:.2} %  {:.0} images/s  ETA {}",
                Loss(step.mean_loss),
                100.0 * step.accuracy,
                step.images_per_second,
                clock(step.seconds_left)
            );
            bar.show(what, step.batch, step.batches, details);
        }
        Progressing::Filters(_) => {}
        Progressing::Evaluating { done, total } => {
            bar.show(
                what,
                *done,
                *total,
                "classifying held-out pictures".to_owned(),
            );
        }
    }
}

/// An epoch that is done, in one line.
pub(super) fn line(report: &EpochReport, epochs: u64) -> String {
    let width = epochs.to_string().len();
    let held_out = report.held_out.map_or(String::new(), |score| {
        format!(
            "  held-out loss {} accuracy {:.2} %",
            Loss(score.loss),
            100.0 * score.accuracy
        )
    });
    format!(
        "epoch {:>width$}/{epochs}  loss {} accuracy {:.2} %{held_out}  {:.0} images/s  {:.1} s{}",
        report.epoch,
        Loss(report.train_loss),
        100.0 * report.train_accuracy,
        report.images_per_second,
        report.seconds,
        if report.best { "  best" } else { "" }
    )
}
