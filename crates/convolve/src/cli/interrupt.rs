//! Ctrl-C: the first asks for a clean stop, the second ends the program at once.

use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);

/// The flag that Ctrl-C raises from now on.
pub(crate) fn stop_flag() -> &'static AtomicBool {
    // Without a handler Ctrl-C ends the program as it does any other; nothing is worse for it.
    let _ = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    &STOP
}
