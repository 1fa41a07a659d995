//! Keys walked through a training, from the event to the step that waits for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::{Frame, Terminal};
use train::{Progressing, StepReport};

use super::Dashboard;
use super::keys::Press;
use super::screen::Surface;
use super::state::State;
use super::tests::letters;

/// Longer than anything here takes; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// The last picture, and a bell for those who wait for another.
type Pictures = Arc<(Mutex<String>, Condvar)>;

/// A screen of letters whose keys come from a test.
struct Paper {
    terminal: Terminal<TestBackend>,
    shown: Pictures,
    keys: Receiver<Event>,
}

impl Surface for Paper {
    fn draw(&mut self, view: impl FnOnce(&mut Frame<'_>)) {
        self.terminal.draw(view).unwrap();
        let (shown, bell) = &*self.shown;
        *shown.lock().unwrap() = letters(self.terminal.backend().buffer()).join("\n");
        bell.notify_all();
    }

    fn press(&mut self, most: Duration) -> Option<Press> {
        Press::of(&self.keys.recv_timeout(most).ok()?)
    }
}

/// A dashboard before a run of two hundred steps, and what stands beside it.
struct Walk {
    dashboard: Dashboard,
    shown: Pictures,
    keys: Sender<Event>,
    stop: &'static AtomicBool,
}

impl Walk {
    fn new(stop: &'static AtomicBool) -> Self {
        let (keys, receiver) = channel();
        let shown = Pictures::default();
        let paper = Paper {
            terminal: Terminal::new(TestBackend::new(80, 24)).unwrap(),
            shown: shown.clone(),
            keys: receiver,
        };
        let state = State::new("lenet5 on shapes".to_owned(), 4, 200, 32);
        Self {
            dashboard: Dashboard::on(paper, state, stop).unwrap(),
            shown,
            keys,
            stop,
        }
    }

    fn press(&self, code: KeyCode) {
        let event = Event::Key(KeyEvent::new(code, KeyModifiers::NONE));
        self.keys.send(event).unwrap();
    }

    /// Waits for a picture with these words.
    #[track_caller]
    fn sees(&self, words: &str) {
        let (shown, bell) = &*self.shown;
        let without = |shown: &mut String| !shown.contains(words);
        let shown = shown.lock().unwrap();
        let (shown, waited) = bell.wait_timeout_while(shown, PATIENCE, without).unwrap();
        assert!(!waited.timed_out(), "no `{words}` in\n{shown}");
    }

    /// What a training tells at the end of a step.
    fn step(&self, step: u64) {
        self.dashboard.tell(&Progressing::Step(StepReport {
            epoch: 1,
            batch: step as usize,
            batches: 50,
            step,
            loss: 1.0,
            mean_loss: 1.0,
            accuracy: 0.5,
            learning_rate: 0.05,
            images_per_second: 1000.0,
            seconds_left: 9.0,
        }));
    }

    /// Ends a step that is held back until `meanwhile` is over.
    #[track_caller]
    fn held(&self, step: u64, meanwhile: impl FnOnce()) {
        let gone_on = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                self.step(step);
                gone_on.store(true, Ordering::SeqCst);
            });
            // The step is taken in before it is held back.
            self.sees(&format!("step {step}/200"));
            thread::sleep(Duration::from_millis(50));
            assert!(
                !gone_on.load(Ordering::SeqCst),
                "step {step} was not held back"
            );
            meanwhile();
        });
        assert!(gone_on.load(Ordering::SeqCst));
    }
}

#[test]
fn a_key_pauses_the_next_lets_go_on_and_the_last_stops() {
    static STOP: AtomicBool = AtomicBool::new(false);
    let walk = Walk::new(&STOP);
    walk.step(1);
    walk.sees("step 1/200  training");

    walk.press(KeyCode::Char('p'));
    walk.sees("PAUSED");
    walk.held(2, || walk.press(KeyCode::Char('p')));
    walk.sees("step 2/200  training");
    walk.step(3);

    // A key without a meaning changes nothing; the next ones come behind it.
    walk.press(KeyCode::Char('x'));
    walk.press(KeyCode::Char(' '));
    walk.sees("PAUSED");
    walk.held(4, || walk.press(KeyCode::Char('q')));
    assert!(walk.stop.load(Ordering::SeqCst));
    walk.sees("step 4/200  stopping after this step");

    // Who stops does not pause any more.
    walk.press(KeyCode::Char('p'));
    walk.step(5);
    walk.sees("step 5/200  stopping after this step");
}

#[test]
fn a_training_that_is_stopped_from_elsewhere_does_not_stay_paused() {
    static STOP: AtomicBool = AtomicBool::new(false);
    let walk = Walk::new(&STOP);
    walk.press(KeyCode::Char('P'));
    walk.sees("PAUSED");
    // As a signal does.
    walk.held(1, || walk.stop.store(true, Ordering::SeqCst));
    walk.sees("step 1/200  stopping after this step");
}

#[test]
fn escape_stops_too() {
    static STOP: AtomicBool = AtomicBool::new(false);
    let walk = Walk::new(&STOP);
    walk.press(KeyCode::Esc);
    walk.sees("stopping after this step");
    assert!(walk.stop.load(Ordering::SeqCst));
}
