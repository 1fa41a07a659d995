//! Ctrl-C: the first asks for a clean stop, the second ends the program at once.

use std::sync::atomic::{AtomicBool, Ordering};

use super::train::give_back_screen;

static STOP: AtomicBool = AtomicBool::new(false);

/// The flag that Ctrl-C raises from now on.
pub(crate) fn stop_flag() -> &'static AtomicBool {
    // Without a handler Ctrl-C ends the program as it does any other; nothing is worse for it.
    let _ = ctrlc::set_handler(interrupt);
    &STOP
}

/// What Ctrl-C does, however it comes.
pub(crate) fn interrupt() {
    if STOP.swap(true, Ordering::Relaxed) {
        give_back_screen();
        std::process::exit(130);
    }
}

/// From now on a request to end, or a terminal that is closed, raises the flag too. What holds the screen must give it
/// back before it ends.
pub(crate) fn stop_when_hung_up() {
    #[cfg(unix)]
    for signal in [libc::SIGTERM, libc::SIGHUP] {
        let handler = raise as extern "C" fn(libc::c_int);
        // SAFETY: the handler stores into a lock-free atomic and does nothing else.
        unsafe {
            libc::signal(signal, handler as libc::sighandler_t);
        }
    }
}

#[cfg(unix)]
extern "C" fn raise(_: libc::c_int) {
    STOP.store(true, Ordering::Relaxed);
}
