//! Signals that would end the program where an error says more.

/// A write past the limit on the size of files (`ulimit -f`) fails like one to a full disk, and what is half written
/// is taken away. Without this the system ends the program in the middle of it.
pub(crate) fn ignore_file_size_limit() {
    #[cfg(unix)]
    // SAFETY: no handler is installed, and no other thread runs yet.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
}
