//! The numbers of the moment.

use figures::short;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};
use train::Loss;

use super::colours::{HELD_OUT, MUTED, TRAINING};
use super::state::State;
use crate::bar::clock;

/// Draws them in a frame, the most important first: a small screen cuts off the end.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let block = Block::bordered()
        .border_style(Style::new().fg(MUTED))
        .title(" now ".bold());
    frame.render_widget(Paragraph::new(lines(state)).block(block), area);
}

/// The lines, each a name and what it is.
pub(super) fn lines(state: &State) -> Vec<Line<'static>> {
    let none = || "–".to_owned();
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    let step = state.step;
    let last = state.done.last();
    let held_out = last.and_then(|epoch| epoch.held_out);
    let told = |number: Option<String>| number.unwrap_or_else(none);
    let training = Style::new().fg(TRAINING);
    let beside = Style::new().fg(HELD_OUT);
    let plain = Style::new();
    [
        (
            "loss",
            told(step.map(|step| Loss(step.mean_loss).to_string())),
            training,
        ),
        (
            "accuracy",
            told(step.map(|step| percent(step.accuracy))),
            training,
        ),
        (
            "held-out loss",
            told(held_out.map(|score| Loss(score.loss).to_string())),
            beside,
        ),
        (
            "held-out acc.",
            told(held_out.map(|score| percent(score.accuracy))),
            beside,
        ),
        (
            "best",
            told(
                state
                    .best
                    .map(|(epoch, score)| format!("{} (epoch {epoch})", percent(score.accuracy))),
            ),
            beside,
        ),
        (
            "learning rate",
            told(step.map(|step| short(step.learning_rate))),
            plain,
        ),
        (
            "images/s",
            told(step.map(|step| format!("{:.0}", step.images_per_second))),
            plain,
        ),
        (
            "epoch ends in",
            told(step.map(|step| clock(step.seconds_left))),
            plain,
        ),
        ("run ends in", told(state.seconds_left().map(clock)), plain),
    ]
    .map(|(name, what, style)| {
        Line::from(vec![
            Span::styled(format!("{name:<14}"), Style::new().fg(MUTED)),
            Span::styled(what, style.bold()),
        ])
    })
    .into()
}
