//! Where everything stands on the screen.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{LineGauge, Paragraph};

use super::colours::{Depth, HELD_OUT, MUTED, TRAINING};
use super::keys::HELP;
use super::plot::{Curve, plot};
use super::state::{Phase, State};
use super::{filters, numbers};

/// Less than this shows numbers alone.
const WIDE: u16 = 60;
const HIGH: u16 = 16;
/// Columns of numbers and filters.
const SIDE: u16 = 34;

/// Draws a state.
pub(super) fn draw(frame: &mut Frame<'_>, state: &State) {
    let area = frame.area();
    let rows = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(1),
    ]);
    let [head, progress, body, foot] = rows.areas(area);
    frame.render_widget(heading(state), head);
    gauge(frame, progress, state);
    match area.width >= WIDE && area.height >= HIGH {
        true => parts(frame, body, state),
        false => frame.render_widget(Paragraph::new(numbers::lines(state)), body),
    }
    frame.render_widget(footing(state), foot);
}

/// Curves at the left; numbers, the rest of the curves and filters at the right.
fn parts(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let side = SIDE.max(area.width / 3);
    let columns = Layout::horizontal([Constraint::Min(0), Constraint::Length(side)]);
    let [left, right] = columns.areas(area);
    let [upper, lower] = Layout::vertical([Constraint::Fill(1); 2]).areas(left);
    let length = state.epochs as f64;
    let training = |course: &super::course::Course, factor: f64| Curve {
        name: "training",
        colour: TRAINING,
        points: scaled(course.points(length), factor),
        marks: false,
    };
    let held_out = |number: fn(train::Score) -> f64| Curve {
        name: "held out",
        colour: HELD_OUT,
        points: state
            .done
            .iter()
            .filter_map(|epoch| Some((epoch.epoch as f64, number(epoch.held_out?))))
            .collect(),
        marks: true,
    };
    let losses = [training(&state.loss, 1.0), held_out(|score| score.loss)];
    plot(frame, upper, "loss", state.epochs, &losses, None);
    let accuracies = [
        training(&state.accuracy, 100.0),
        held_out(|score| 100.0 * score.accuracy),
    ];
    plot(
        frame,
        lower,
        "accuracy, %",
        state.epochs,
        &accuracies,
        Some(100.0),
    );

    let alone = |course: &super::course::Course| Curve {
        name: "",
        colour: Color::Reset,
        points: course.points(length),
        marks: false,
    };
    // Curves of rate and speed where the numbers and some filters leave room for them.
    let small = match area.height {
        0..30 => 0,
        height => (height / 5).min(9),
    };
    let rows = Layout::vertical([
        Constraint::Length(11),
        Constraint::Length(small),
        Constraint::Length(small),
        Constraint::Min(0),
    ]);
    let [now, rate, speed, bank] = rows.areas(right);
    numbers::draw(frame, now, state);
    if small > 0 {
        plot(
            frame,
            rate,
            "learning rate",
            state.epochs,
            &[alone(&state.rate)],
            None,
        );
        plot(
            frame,
            speed,
            "images/s",
            state.epochs,
            &[alone(&state.speed)],
            None,
        );
    }
    filters::draw(frame, bank, &state.filters, Depth::of_terminal());
}

fn scaled(points: Vec<(f64, f64)>, factor: f64) -> Vec<(f64, f64)> {
    points.into_iter().map(|(x, y)| (x, factor * y)).collect()
}

/// What is trained, how far it is and what it does.
fn heading(state: &State) -> Line<'static> {
    let (phase, style) = match state.phase {
        Phase::Training => ("training".to_owned(), Style::new().fg(TRAINING)),
        Phase::Evaluating(done, total) => (
            format!("classifying held-out pictures, {done} of {total}"),
            Style::new().fg(HELD_OUT),
        ),
        Phase::Paused => ("PAUSED".to_owned(), Style::new().reversed()),
        Phase::Stopping => (
            "stopping after this step".to_owned(),
            Style::new().reversed(),
        ),
    };
    let epoch = state
        .step
        .map_or(state.done.len() as u64 + 1, |step| step.epoch);
    Line::from(vec![
        Span::from(state.title.clone()).bold(),
        Span::styled(
            format!(
                "  epoch {}/{}  step {}/{}  ",
                epoch.min(state.epochs),
                state.epochs,
                state.steps(),
                state.total_steps
            ),
            Style::new().fg(MUTED),
        ),
        Span::styled(phase, style.bold()),
    ])
}

fn gauge(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let done = state.steps() as f64 / state.total_steps.max(1) as f64;
    let gauge = LineGauge::default()
        .ratio(done.clamp(0.0, 1.0))
        .label(format!("{:3.0} %", 100.0 * done))
        .filled_style(Style::new().fg(TRAINING))
        .unfilled_style(Style::new().fg(MUTED));
    frame.render_widget(gauge, area);
}

/// The last warning, or what keys do.
fn footing(state: &State) -> Line<'static> {
    if !state.note.is_empty() {
        return Line::from(Span::from(state.note.clone()).fg(HELD_OUT));
    }
    let keys = HELP.into_iter().flat_map(|(key, what)| {
        [
            Span::from(format!(" {key} ")).reversed(),
            Span::styled(format!(" {what}   "), Style::new().fg(MUTED)),
        ]
    });
    Line::from(keys.collect::<Vec<_>>())
}
