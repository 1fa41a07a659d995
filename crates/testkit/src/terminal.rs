//! A terminal that a test types into and reads: what takes the screen must give it back.

use std::fs::File;
use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

/// A test that waits longer has found something that hangs.
const PATIENCE: Duration = Duration::from_secs(120);
const GLANCE: Duration = Duration::from_millis(5);

/// A pseudo terminal with this test at its keyboard.
#[derive(Debug)]
pub struct Terminal {
    keyboard: File,
    /// The side of the program, kept open so that its settings outlive the program.
    line: OwnedFd,
    written: Arc<Mutex<Vec<u8>>>,
    /// Ends the reader.
    gone: Arc<AtomicBool>,
    reader: JoinHandle<()>,
}

/// What of a terminal's settings a program may change: input, output, control and local modes.
pub type Modes = [libc::tcflag_t; 4];

impl Terminal {
    /// A terminal of so many columns and rows.
    ///
    /// # Errors
    /// The system has none.
    pub fn open(columns: u16, rows: u16) -> io::Result<Self> {
        let (mut keyboard, mut line) = (-1, -1);
        let mut size = libc::winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        // SAFETY: the call writes two descriptors and reads a size, all of which outlive it; null asks for no name and for
        // usual settings.
        let failed = unsafe {
            libc::openpty(
                &raw mut keyboard,
                &raw mut line,
                std::ptr::null_mut(),
                std::ptr::null_mut(),
                &raw mut size,
            )
        };
        if failed != 0 {
            return Err(io::Error::last_os_error());
        }
        // A program that had the other side too would keep its own terminal open.
        for descriptor in [keyboard, line] {
            // SAFETY: the descriptor was opened just now.
            if unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) } != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        // SAFETY: both were opened just now, and nobody else has them.
        let (keyboard, line) = unsafe { (File::from_raw_fd(keyboard), OwnedFd::from_raw_fd(line)) };
        let written = Arc::new(Mutex::new(Vec::new()));
        let gone = Arc::new(AtomicBool::new(false));
        let (mut read, into) = (keyboard.try_clone()?, Arc::clone(&written));
        let ends = Arc::clone(&gone);
        // Ends with the terminal: without its other side nothing can be read.
        let reader = std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while !ends.load(Ordering::Relaxed) {
                if !is_readable(&read) {
                    continue;
                }
                let Ok(count @ 1..) = read.read(&mut piece) else {
                    break;
                };
                let mut written = into.lock().unwrap_or_else(PoisonError::into_inner);
                written.extend_from_slice(&piece[..count]);
            }
        });
        Ok(Self {
            keyboard,
            line,
            written,
            gone,
            reader,
        })
    }

    /// Closes the terminal under the programs that have its line.
    ///
    /// # Panics
    /// What reads it has panicked.
    pub fn hang_up(self) {
        self.gone.store(true, Ordering::Relaxed);
        self.reader.join().expect("a reader that ends");
    }

    /// Its line, for a program's input or output.
    ///
    /// # Errors
    /// No more descriptors.
    pub fn line(&self) -> io::Result<Stdio> {
        Ok(self.line.try_clone()?.into())
    }

    /// Presses keys.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn press(&mut self, keys: &str) -> io::Result<()> {
        self.keyboard.write_all(keys.as_bytes())
    }

    /// Everything that was written to it.
    pub fn written(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until words are written behind the first `from` bytes, and says how many bytes there are up to their end.
    ///
    /// # Panics
    /// They do not come.
    #[track_caller]
    pub fn wait_for(&self, words: &str, from: usize) -> usize {
        let start = Instant::now();
        loop {
            let bytes = self.bytes();
            let rest = bytes.get(from..).unwrap_or_default();
            let found = rest
                .windows(words.len())
                .position(|at| at == words.as_bytes());
            if let Some(place) = found {
                return from + place + words.len();
            }
            assert!(
                start.elapsed() < PATIENCE,
                "no '{words}' in {:?}",
                String::from_utf8_lossy(rest)
            );
            drop(bytes);
            sleep(GLANCE);
        }
    }

    /// Waits for the end of a program that has its line.
    ///
    /// # Panics
    /// It does not end; it is ended then.
    #[track_caller]
    pub fn wait(&self, program: &mut Child) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = program.try_wait().expect("a child of ours") {
                return status;
            }
            if start.elapsed() > PATIENCE {
                let _ = program.kill();
                panic!("it does not end: {:?}", self.written());
            }
            sleep(GLANCE);
        }
    }

    /// Its settings.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn modes(&self) -> io::Result<Modes> {
        let mut settings = MaybeUninit::<libc::termios>::zeroed();
        // SAFETY: the descriptor is open, and the call writes the settings, which were valid as zeros already.
        let settings = unsafe {
            if libc::tcgetattr(self.line.as_raw_fd(), settings.as_mut_ptr()) != 0 {
                return Err(io::Error::last_os_error());
            }
            settings.assume_init()
        };
        let libc::termios {
            c_iflag,
            c_oflag,
            c_cflag,
            c_lflag,
            ..
        } = settings;
        Ok([c_iflag, c_oflag, c_cflag, c_lflag])
    }
}

/// Whether there is something to read, or nothing ever again; waits for it for a moment.
fn is_readable(file: &File) -> bool {
    let mut asked = libc::pollfd {
        fd: file.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one descriptor, which outlives the call.
    unsafe { libc::poll(&raw mut asked, 1, 20) > 0 }
}
