//! A bar that moves on a terminal, and nothing elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::Messages;

/// How far something has come.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// An empty bar, not shown yet.
    pub(crate) fn new(messages: Messages) -> Self {
        let target = match messages.can_animate() {
            true => ProgressDrawTarget::stderr_with_hz(5),
            false => ProgressDrawTarget::hidden(),
        };
        let style = ProgressStyle::with_template("{prefix} [{bar:24}] {pos}/{len}  {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        Self(ProgressBar::with_draw_target(None, target).with_style(style))
    }

    /// `what [=====>    ] done/total  details`
    pub(crate) fn show(&self, what: String, done: usize, total: usize, details: String) {
        self.0.set_length(total as u64);
        self.0.set_prefix(what);
        self.0.set_message(details);
        self.0.set_position(done as u64);
    }

    /// Takes the bar away, so that a line can take its place.
    pub(crate) fn clear(&self) {
        self.0.finish_and_clear();
    }
}

/// Seconds as a clock shows them: `1:05`, `2:00:00`.
pub(crate) fn clock(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
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
