//! How an epoch is shown while it runs and when it is done.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use train::{EpochReport, Progressing};

use crate::cli::output::Messages;

/// A bar on a terminal, nothing elsewhere.
pub(super) struct Progress {
    bar: ProgressBar,
    epochs: u64,
}

impl Progress {
    pub(super) fn new(epochs: u64, messages: Messages) -> Self {
        let target = match messages.can_animate() {
            true => ProgressDrawTarget::stderr_with_hz(5),
            false => ProgressDrawTarget::hidden(),
        };
        let style = ProgressStyle::with_template("{prefix} [{bar:24}] {pos}/{len}  {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        let bar = ProgressBar::with_draw_target(None, target).with_style(style);
        Self { bar, epochs }
    }

    pub(super) fn show(&mut self, now: &Progressing) {
        match now {
            Progressing::Step(step) => {
                self.bar.set_length(step.batches as u64);
                self.bar
                    .set_prefix(format!("epoch {}/{}", step.epoch, self.epochs));
                self.bar.set_message(format!(
                    "loss {:.4}  accuracy {:.2} %  {:.0} images/s  ETA {}",
                    step.mean_loss,
                    100.0 * step.accuracy,
                    step.images_per_second,
                    clock(step.seconds_left)
                ));
                self.bar.set_position(step.batch as u64);
            }
            Progressing::Evaluating { done, total } => {
                self.bar.set_length(*total as u64);
                self.bar.set_message("classifying held-out pictures");
                self.bar.set_position(*done as u64);
            }
        }
    }

    /// Takes the bar away, so that the line of the epoch can take its place.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// `1:05`, `2:00:00`.
fn clock(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// An epoch that is done, in one line.
pub(super) fn line(report: &EpochReport, epochs: u64) -> String {
    let width = epochs.to_string().len();
    let held_out = report.held_out.map_or(String::new(), |score| {
        format!(
            "  held-out loss {:.4} accuracy {:.2} %",
            score.loss,
            100.0 * score.accuracy
        )
    });
    format!(
        "epoch {:>width$}/{epochs}  loss {:.4} accuracy {:.2} %{held_out}  {:.0} images/s  {:.1} s{}",
        report.epoch,
        report.train_loss,
        100.0 * report.train_accuracy,
        report.images_per_second,
        report.seconds,
        if report.best { "  best" } else { "" }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_shows_hours_only_when_there_are_any() {
        assert_eq!(clock(4.6), "0:05");
        assert_eq!(clock(65.0), "1:05");
        assert_eq!(clock(7200.0), "2:00:00");
    }
}
