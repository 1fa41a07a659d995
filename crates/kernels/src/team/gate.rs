//! The door between the thread that shares out work and those that come to help.
//!
//! One word holds how many jobs there have been, whether the present one is open, and how many
//! helpers are inside. A helper enters by adding itself while the gate is open; closing it keeps later
//! ones out, and once nobody is inside nobody can be, so the job may be taken away. Helpers that
//! sleep through a job are never waited for.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The job is there to be entered.
const OPEN: u64 = 1 << 31;
/// Helpers inside.
const INSIDE: u64 = OPEN - 1;
/// One job.
const JOB: u64 = 1 << 32;
/// Looks at the gate between two looks at the clock.
const LOOKS: usize = 64;

#[derive(Default)]
pub(super) struct Gate {
    word: AtomicU64,
    /// Helpers that sleep or are about to.
    asleep: AtomicUsize,
    bed: Mutex<()>,
    bell: Condvar,
}

/// Waits by looking again at once, and when that has not helped for some microseconds by letting other threads
/// run in between: the one waited for may be among them, and so may those that read the next batch.
struct Patience {
    looks: u32,
}

/// Looks at once before others are let by: about ten microseconds.
const LOOKS_AT_ONCE: u32 = 512;

impl Patience {
    fn new() -> Self {
        Self { looks: 0 }
    }

    fn pause(&mut self) {
        if self.looks < LOOKS_AT_ONCE {
            self.looks += 1;
            std::hint::spin_loop();
        } else {
            std::thread::yield_now();
        }
    }
}

impl Gate {
    /// Opens the next job and wakes helpers that sleep. What was written before is seen by those who
    /// enter.
    pub(super) fn open(&self) {
        // Nobody is inside and the gate is closed, so the count of jobs is all there is.
        let jobs = self.word.load(Ordering::Relaxed).wrapping_add(JOB);
        // In one order with `asleep`: either the helper that lies down sees the job, or it is seen.
        self.word.store(jobs | OPEN, Ordering::SeqCst);
        if self.asleep.load(Ordering::SeqCst) > 0 {
            self.ring();
        }
    }

    /// Keeps further helpers out and waits for those inside. What they wrote is seen afterwards.
    pub(super) fn close(&self) {
        self.word.fetch_and(!OPEN, Ordering::AcqRel);
        let mut patience = Patience::new();
        while self.word.load(Ordering::Acquire) & INSIDE != 0 {
            patience.pause();
        }
    }

    /// Wakes all helpers.
    pub(super) fn ring(&self) {
        let _bed = self.bed.lock().unwrap_or_else(PoisonError::into_inner);
        self.bell.notify_all();
    }

    /// Enters the open job, unless it is the one numbered `last`. Gives its number.
    pub(super) fn enter(&self, last: u64) -> Option<u64> {
        let mut word = self.word.load(Ordering::Relaxed);
        while word & OPEN != 0 && word / JOB != last {
            let entered = word + 1;
            let result = (self.word).compare_exchange_weak(
                word,
                entered,
                Ordering::Acquire,
                Ordering::Relaxed,
            );
            match result {
                Ok(_) => return Some(word / JOB),
                Err(now) => word = now,
            }
        }
        None
    }

    /// Leaves the job.
    pub(super) fn leave(&self) {
        self.word.fetch_sub(1, Ordering::Release);
    }

    /// Looks for a job after `last`, for as long as `awake` says and then asleep, until there is one or
    /// `stop` says so. It may return before.
    pub(super) fn wait(&self, last: u64, awake: impl Fn() -> Duration, stop: impl Fn() -> bool) {
        let there_is = |order| {
            let word = self.word.load(order);
            (word & OPEN != 0 && word / JOB != last) || stop()
        };
        let (start, mut patience) = (Instant::now(), Patience::new());
        while start.elapsed() < awake() {
            for _ in 0..LOOKS {
                if there_is(Ordering::Relaxed) {
                    return;
                }
                patience.pause();
            }
        }
        let bed = self.bed.lock().unwrap_or_else(PoisonError::into_inner);
        self.asleep.fetch_add(1, Ordering::SeqCst);
        // Whoever opens a job from here on sees a sleeper, and rings when the bed is free: that is
        // when this helper sleeps.
        if !there_is(Ordering::SeqCst) {
            drop(self.bell.wait(bed).unwrap_or_else(PoisonError::into_inner));
        }
        self.asleep.fetch_sub(1, Ordering::SeqCst);
    }
}
