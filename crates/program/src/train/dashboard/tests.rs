//! The screen as letters, at sizes large and tiny.

use std::path::Path;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Color;
use train::{EpochReport, FilterBank, Progressing, Score, StepReport};

use super::colours::Depth;
use super::keys::Press;
use super::state::{Phase, State};
use super::view;

const BATCHES: usize = 50;

/// A run of four epochs of which two are done, and a half.
fn state() -> State {
    let mut state = State::new("lenet5 on shapes".into(), 4, 4 * BATCHES as u64, 32);
    let values: Vec<f32> = (0..6 * 3 * 5 * 5)
        .map(|place| (place as f32 * 0.7).sin())
        .collect();
    for step in 1..=125_u64 {
        let batch = (step as usize - 1) % BATCHES + 1;
        let epoch = (step - 1) / BATCHES as u64 + 1;
        let report = StepReport {
            epoch,
            batch,
            batches: BATCHES,
            step,
            loss: 2.3 / (1.0 + 0.05 * step as f32),
            mean_loss: 0.75,
            accuracy: 0.625,
            learning_rate: 0.05,
            images_per_second: 1234.4,
            seconds_left: 65.0,
        };
        state.tell(&Progressing::Step(report));
        state.tell(&Progressing::Filters(FilterBank {
            name: "conv1.weight",
            shape: &[6, 3, 5, 5],
            values: &values,
        }));
        if batch == BATCHES {
            state.end_epoch(&EpochReport {
                epoch,
                step,
                learning_rate: 0.05,
                train_loss: 0.8,
                train_accuracy: 0.6,
                held_out: Some(Score {
                    accuracy: 0.7 + 0.05 * epoch as f64,
                    loss: 0.7,
                }),
                best: true,
                seconds: 100.0,
                images_per_second: 1200.0,
            });
        }
    }
    state
}

/// The screen of a state, a line a row.
fn screen(state: &State, width: u16, height: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| view::draw(frame, state)).unwrap();
    letters(terminal.backend().buffer())
}

/// The rows of a screen.
pub(super) fn letters(buffer: &Buffer) -> Vec<String> {
    let letter = |x, y| buffer[(x, y)].symbol();
    let row = |y| (0..buffer.area.width).map(|x| letter(x, y)).collect();
    (0..buffer.area.height).map(row).collect()
}

/// Compares letter by letter with a screen that was looked at. `CONVOLVE_SNAPSHOTS=write` writes it anew.
#[track_caller]
fn check(name: &str, screen: &[String]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/train/dashboard/screens");
    let rows = screen.iter().map(|row| format!("{}\n", row.trim_end()));
    let (path, text) = (folder.join(name), rows.collect::<String>());
    if std::env::var_os("CONVOLVE_SNAPSHOTS").is_some_and(|value| value == "write") {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let looked_at = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text == looked_at, "{name} differs:\n{text}");
}

#[track_caller]
fn has(screen: &[String], words: &[&str]) {
    for word in words {
        let found = screen.iter().any(|row| row.contains(word));
        assert!(found, "no `{word}` in\n{}", screen.join("\n"));
    }
}

#[test]
fn a_large_screen_shows_everything() {
    let screen = screen(&state(), 120, 40);
    check("120x40.txt", &screen);
    has(
        &screen,
        &[
            "lenet5 on shapes  epoch 3/4  step 125/200  training",
            " 62 %",
            " loss ─ training • held out ",
            " accuracy, % ─ training • held out ",
            " learning rate ",
            " images/s ",
            " 6 filters of conv1.weight ",
            "images/s      1234",
            "best          80.00 % (epoch 2)",
            // The epoch's rest, and one more as long as the last.
            "run ends in   2:45",
            " p  pause or go on    q  stop; the run can be resumed",
            "▀▀▀▀▀",
        ],
    );
}

#[test]
fn a_usual_screen_leaves_out_the_small_curves() {
    let screen = screen(&state(), 80, 24);
    check("80x24.txt", &screen);
    let words = [
        "loss ─ training",
        "accuracy, %",
        "images/s      1234",
        "filters of conv1.weight",
    ];
    has(&screen, &words);
    assert!(!screen.iter().any(|row| row.contains(" learning rate ─")));
}

#[test]
fn a_small_screen_shows_numbers_and_a_tiny_one_what_it_can() {
    let small = screen(&state(), 40, 10);
    has(
        &small,
        &["loss          0.7500", "accuracy      62.50 %", "stop"],
    );
    for (width, height) in [
        (1, 1),
        (3, 2),
        (20, 3),
        (60, 16),
        (61, 17),
        (200, 5),
        (30, 100),
    ] {
        screen(&state(), width, height);
        screen(&State::new(String::new(), 1, 0, 2), width, height);
    }
}

#[test]
fn a_loss_that_has_grown_out_of_all_bounds_is_short() {
    let mut state = state();
    let held_out = &mut state.done.last_mut().unwrap().held_out;
    held_out.as_mut().unwrap().loss = 123_456_789_012_345_680.0;
    has(&screen(&state, 80, 24), &["held-out loss 1.2346e17"]);
}

#[test]
fn filters_are_seen_in_their_colours() {
    let mut terminal = Terminal::new(TestBackend::new(120, 40)).unwrap();
    let mut state = state();
    // One filter: its upper row red, the rest nothing.
    let mut values = vec![0.0; 3 * 2 * 2];
    values[..2].fill(1.0);
    state.tell(&Progressing::Filters(FilterBank {
        name: "w",
        shape: &[1, 3, 2, 2],
        values: &values,
    }));
    terminal.draw(|frame| view::draw(frame, &state)).unwrap();
    let cells = terminal.backend().buffer().content.iter();
    let blocks: Vec<_> = cells
        .filter(|cell| cell.symbol() == "▀")
        .map(|cell| (cell.fg, cell.bg))
        .collect();
    let depth = Depth::of_terminal();
    let colour = |rgb: [u8; 3]| depth.colour(figures::Rgb(rgb));
    let (red, grey) = (colour([255, 128, 128]), colour([128; 3]));
    // Four letters a weight: eight columns, and two rows of each colour.
    assert_eq!(blocks.len(), 32);
    assert!(
        blocks[..16].iter().all(|&block| block == (red, red)),
        "{blocks:?}"
    );
    assert!(
        blocks[16..].iter().all(|&block| block == (grey, grey)),
        "{blocks:?}"
    );
}

#[test]
fn few_colours_are_the_nearest_of_the_cube() {
    let cube = |rgb| Depth::Cube.colour(figures::Rgb(rgb));
    assert_eq!(cube([0, 0, 0]), Color::Indexed(16));
    assert_eq!(cube([255, 255, 255]), Color::Indexed(231));
    assert_eq!(cube([100, 130, 250]), Color::Indexed(16 + 36 + 12 + 5));
}

#[test]
fn keys_pause_and_stop() {
    let key = |code, modifiers| Press::of(&Event::Key(KeyEvent::new(code, modifiers)));
    let plain = |code| key(code, KeyModifiers::NONE);
    assert_eq!(plain(KeyCode::Char('p')), Some(Press::Pause));
    assert_eq!(plain(KeyCode::Char(' ')), Some(Press::Pause));
    assert_eq!(plain(KeyCode::Char('q')), Some(Press::Stop));
    assert_eq!(plain(KeyCode::Esc), Some(Press::Stop));
    assert_eq!(plain(KeyCode::Char('x')), None);
    let control = |letter| key(KeyCode::Char(letter), KeyModifiers::CONTROL);
    assert_eq!(control('c'), Some(Press::Interrupt));
    assert_eq!(control('p'), None);

    let mut state = state();
    state.pause_or_go_on();
    has(&screen(&state, 80, 24), &["PAUSED"]);
    // What is told while it pauses does not wake it.
    state.tell(&Progressing::Evaluating { done: 1, total: 2 });
    assert_eq!(state.phase, Phase::Paused);
    state.pause_or_go_on();
    assert_eq!(state.phase, Phase::Training);
    state.tell(&Progressing::Evaluating { done: 1, total: 2 });
    has(
        &screen(&state, 80, 24),
        &["classifying held-out pictures, 1 of 2"],
    );
    state.phase = Phase::Stopping;
    state.pause_or_go_on();
    has(&screen(&state, 80, 24), &["stopping after this step"]);
}
