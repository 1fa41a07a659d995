//! The terminal as a screen, and back as it was, whatever happens in between.

use std::io::{self, IsTerminal, Stderr, Write};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError, TryLockError};
use std::thread::sleep;
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
use crate::failure::usage;

/// The terminal is a screen now.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Held while a picture is written.
static PICTURE: Mutex<()> = Mutex::new(());

/// What a dashboard is drawn on, and where its keys come from.
pub(super) trait Surface {
    /// Draws a picture. What cannot be written is drawn the next time.
    fn draw(&mut self, view: impl FnOnce(&mut Frame<'_>));

    /// Waits for a key, and at most so long.
    fn press(&mut self, most: Duration) -> Option<Press>;
}

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
}

impl Surface for Screen {
    fn draw(&mut self, view: impl FnOnce(&mut Frame<'_>)) {
        let _picture = PICTURE.lock().unwrap_or_else(PoisonError::into_inner);
        // Given back by a panic of another thread, the terminal is no screen any more.
        if TAKEN.load(Ordering::SeqCst) {
            let _ = self.0.draw(view);
        }
    }

    fn press(&mut self, most: Duration) -> Option<Press> {
        // Without a terminal there is nothing to wait for, and no reason to run in circles: a read of one that has been
        // hung up gives nothing for ever.
        if has_hung_up(most) {
            sleep(most);
            return None;
        }
        match poll(BRIEFLY) {
            Ok(true) => read().ok().and_then(|event| Press::of(&event)),
            Ok(false) => None,
            Err(_) => {
                sleep(most);
                None
            }
        }
    }
}

/// Waits for something to read from standard input, and tells whether its other side is gone instead.
#[cfg(unix)]
fn has_hung_up(most: Duration) -> bool {
    let mut input = libc::pollfd {
        fd: libc::STDIN_FILENO,
        events: libc::POLLIN,
        revents: 0,
    };
    let most = most.as_millis().try_into().unwrap_or(libc::c_int::MAX);
    // SAFETY: one descriptor, which outlives the call.
    unsafe { libc::poll(&raw mut input, 1, most) };
    input.revents & (libc::POLLHUP | libc::POLLERR | libc::POLLNVAL) != 0
}

/// Elsewhere a console that is gone is an error of [`poll`], which waits itself.
#[cfg(not(unix))]
fn has_hung_up(_: Duration) -> bool {
    false
}

/// What is left to wait for an event once there is something to read, or once it has been waited for.
const BRIEFLY: Duration = if cfg!(unix) {
    Duration::ZERO
} else {
    Duration::from_millis(50)
};

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Makes a terminal of the screen again. Does nothing where none was taken.
pub(crate) fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _picture = last_picture();
        let mut terminal = io::stderr();
        let _ = execute!(terminal, LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
        let _ = terminal.flush();
    }
}

/// Waits until a picture that another thread writes is whole: its rest would stand on the terminal. One that does not end,
/// since drawing it has panicked or the terminal takes no more, is waited for a moment only.
fn last_picture() -> Option<MutexGuard<'static, ()>> {
    for _ in 0..100 {
        match PICTURE.try_lock() {
            Ok(picture) => return Some(picture),
            Err(TryLockError::Poisoned(picture)) => return Some(picture.into_inner()),
            Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(2)),
        }
    }
    None
}
