//! A training on the whole screen: `train --dashboard`.
//!
//! ```text
//! run_epoch ── on_progress ──▶ State ◀── keys ── thread of the screen ──▶ terminal
//!     └───── waits here while it is paused
//! ```
//!
//! The training stays where it was, on the program's first thread. What it tells goes into a [`State`], which another
//! thread draws ten times a second and changes as keys are pressed. A training is paused by not coming back from telling.

mod colours;
mod course;
mod filters;
#[cfg(all(test, unix))]
mod given_back;
mod keys;
mod numbers;
mod plot;
mod screen;
mod state;
#[cfg(test)]
mod tests;
mod view;
#[cfg(test)]
mod walked;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use train::{EpochReport, Progressing, Trainer};

use self::keys::Press;
pub(super) use self::screen::check_terminal;
pub(crate) use self::screen::give_back;
use self::screen::{Screen, Surface};
use self::state::{Phase, State};
use crate::interrupt;

/// From picture to picture, unless a key is pressed.
const PAUSE: Duration = Duration::from_millis(100);

/// The screen, until it is dropped.
pub(super) struct Dashboard {
    shared: Arc<Shared>,
    stop: &'static AtomicBool,
    drawing: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Told when the state is no longer paused.
    go_on: Condvar,
    closing: AtomicBool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves numbers that are still worth showing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Dashboard {
    /// Takes the screen.
    ///
    /// # Errors
    /// No terminal, or one that cannot be taken.
    pub(super) fn open(
        trainer: &Trainer,
        folder: &Path,
        stop: &'static AtomicBool,
    ) -> anyhow::Result<Self> {
        let screen = Screen::open()?;
        interrupt::stop_when_hung_up();
        Self::on(screen, State::of(trainer, folder), stop)
    }

    /// Draws on a surface.
    fn on(
        surface: impl Surface + Send + 'static,
        state: State,
        stop: &'static AtomicBool,
    ) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            go_on: Condvar::new(),
            closing: AtomicBool::new(false),
        });
        let seen = shared.clone();
        let drawing = Builder::new()
            .name("dashboard".to_owned())
            .spawn(move || draw(surface, &seen, stop))?;
        Ok(Self {
            shared,
            stop,
            drawing: Some(drawing),
        })
    }

    /// Takes in what the training tells, and returns when it may go on.
    pub(super) fn tell(&self, now: &Progressing<'_>) {
        let mut state = self.shared.state();
        state.tell(now);
        while state.phase == Phase::Paused && !self.stop.load(Ordering::Relaxed) {
            // Looked at now and then: a signal raises the flag, and cannot tell anybody.
            let waited = self.shared.go_on.wait_timeout(state, PAUSE);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Takes in an epoch that is done.
    pub(super) fn end_epoch(&self, report: &EpochReport) {
        self.shared.state().end_epoch(report);
    }

    /// Shows a line until the next one.
    pub(super) fn note(&self, line: String) {
        self.shared.state().note = line;
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::Relaxed);
        if let Some(drawing) = self.drawing.take() {
            // If it panicked, its message stands on the screen that it gave back.
            let _ = drawing.join();
        }
    }
}

/// Draws and listens until the dashboard closes. A terminal that is gone is no reason to end a training.
fn draw(mut surface: impl Surface, shared: &Shared, stop: &AtomicBool) {
    while !shared.closing.load(Ordering::Relaxed) {
        if stop.load(Ordering::Relaxed) {
            shared.state().phase = Phase::Stopping;
        }
        // Drawn without the lock: a terminal that takes its time is none of the training's business.
        let now = shared.state().clone();
        surface.draw(|frame| view::draw(frame, &now));
        match surface.press(PAUSE) {
            Some(Press::Pause) => {
                shared.state().pause_or_go_on();
                shared.go_on.notify_all();
            }
            Some(Press::Stop) => {
                stop.store(true, Ordering::Relaxed);
                shared.go_on.notify_all();
            }
            Some(Press::Interrupt) => interrupt::interrupt(),
            None => {}
        }
    }
}
