//! The terminal as a screen, and back as it was, whatever happens in between.

use std::io::{self, IsTerminal, Stderr, Write};
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::event::{poll, read};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::{Frame, Terminal};

use super::keys::Press;
use crate::cli::failure::usage;

/// The terminal is a screen now.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Whether there is a terminal that can be taken. A training asks before it reads anything.
///
/// # Errors
/// Standard input or standard error is none, or it cannot move its cursor.
pub(crate) fn check_terminal() -> anyhow::Result<()> {
    let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    match !dumb && io::stdin().is_terminal() && io::stderr().is_terminal() {
        true => Ok(()),
        false => Err(usage(
            "--dashboard: standard input and standard error must be a terminal that can move its cursor",
        )),
    }
}

/// Standard error as a screen; standard output stays free for data.
pub(super) struct Screen(Terminal<CrosstermBackend<Stderr>>);

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// As [`check_terminal`], and a terminal that refuses.
    pub(super) fn open() -> anyhow::Result<Self> {
        check_terminal()?;
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let former = panic::take_hook();
            panic::set_hook(Box::new(move |panic| {
                give_back();
                former(panic);
            }));
        });
        TAKEN.store(true, Ordering::SeqCst);
        let taken = || -> io::Result<Self> {
            enable_raw_mode()?;
            execute!(io::stderr(), EnterAlternateScreen, Hide)?;
            Ok(Self(Terminal::new(CrosstermBackend::new(io::stderr()))?))
        };
        taken().map_err(|error| {
            give_back();
            usage(format!("--dashboard: the terminal cannot be used: {error}"))
        })
    }

    /// Draws a picture. What cannot be written is drawn the next time.
    pub(super) fn draw(&mut self, view: impl FnOnce(&mut Frame<'_>)) {
        let _ = self.0.draw(view);
    }

    /// Waits for a key, and at most so long.
    pub(super) fn press(&self, most: Duration) -> Option<Press> {
        match poll(most) {
            Ok(true) => read().ok().and_then(|event| Press::of(&event)),
            Ok(false) => None,
            Err(_) => {
                // Without a terminal there is nothing to wait for, and no reason to run in circles.
                std::thread::sleep(most);
                None
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Makes a terminal of the screen again. Does nothing where none was taken.
pub(crate) fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let mut terminal = io::stderr();
        let _ = execute!(terminal, LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
        let _ = terminal.flush();
    }
}
