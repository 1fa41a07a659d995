//! Threads that stand by, and the job they help with.

use std::any::Any;
use std::cell::UnsafeCell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Task;
use super::gate::Gate;
use super::share::{MOST, Share};

/// How long a helper looks for the next job before it sleeps, between kernels that follow each other.
const BETWEEN_KERNELS: Duration = Duration::from_millis(2);
/// The same where nothing is known of a next one.
const OTHERWISE: Duration = Duration::from_micros(50);

pub(super) struct Crew {
    board: Arc<Board>,
    helpers: Vec<JoinHandle<()>>,
}

/// What the threads of a crew have in common.
struct Board {
    gate: Gate,
    /// The task of the job. Written by who has the floor while the gate is closed and nobody inside;
    /// read by those inside.
    task: UnsafeCell<Option<&'static Task<'static>>>,
    /// A share for each thread; the first is that of the thread that has the floor.
    shares: Box<[Share]>,
    /// Held while work is shared out.
    floor: Mutex<()>,
    /// What the first panic of a helper said.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    /// Callers between kernels that follow each other.
    entered: AtomicUsize,
    stop: AtomicBool,
}

// SAFETY: `task` is the only part that is not Sync by itself; `Crew::share_out` says why its accesses
// do not overlap.
unsafe impl Sync for Board {}
// SAFETY: as above; a task may be called from any thread.
unsafe impl Send for Board {}

impl Crew {
    /// A crew that makes a team of `threads` together with the thread that calls.
    pub(super) fn new(threads: usize) -> io::Result<Self> {
        let board = Arc::new(Board {
            gate: Gate::default(),
            task: UnsafeCell::new(None),
            shares: (0..threads).map(|_| Share::default()).collect(),
            floor: Mutex::new(()),
            panic: Mutex::new(None),
            entered: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
        });
        // Made first, so that helpers already started are sent home when a later one does not start.
        let mut crew = Self {
            board,
            helpers: Vec::new(),
        };
        for worker in 1..threads {
            let board = Arc::clone(&crew.board);
            let helper = std::thread::Builder::new()
                .name(format!("convolve-{worker}"))
                .spawn(move || board.help(worker))?;
            crew.helpers.push(helper);
        }
        Ok(crew)
    }

    /// Helpers wait awake for the next kernel while the result lives.
    pub(super) fn stay_awake(&self) -> impl Drop + use<'_> {
        self.board.entered.fetch_add(1, Ordering::Relaxed);
        Awake(&self.board.entered)
    }

    /// Runs every task below `tasks` and returns when all have ended.
    pub(super) fn share_out(&self, tasks: usize, task: &Task<'_>) {
        let board = &*self.board;
        let Ok(_floor) = board.floor.try_lock() else {
            (0..tasks).for_each(|index| task(index, 0));
            return;
        };
        let mut first = 0;
        while first < tasks {
            let count = (tasks - first).min(MOST);
            board.run(count, &|index, worker| task(first + index, worker));
            first += count;
        }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.board.stop.store(true, Ordering::SeqCst);
        self.board.gate.ring();
        for helper in self.helpers.drain(..) {
            // A helper catches the panics of its tasks, so it ends in order.
            let _ = helper.join();
        }
    }
}

struct Awake<'a>(&'a AtomicUsize);

impl Drop for Awake<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Board {
    /// One job, by the thread that has the floor.
    fn run(&self, tasks: usize, task: &Task<'_>) {
        let threads = self.shares.len();
        for (worker, share) in self.shares.iter().enumerate() {
            let part = |worker: usize| (tasks * worker / threads) as u32;
            share.fill(part(worker), part(worker + 1));
        }
        // SAFETY: the lifetime ends where this function does. Until then the task lives; afterwards
        // nobody calls it, for the gate is closed and everybody has left. This thread has the floor and
        // the gate is closed: nobody else reads or writes the cell now.
        unsafe {
            *self.task.get() = Some(std::mem::transmute::<&Task<'_>, &'static Task<'static>>(
                task,
            ));
        }
        self.gate.open();
        let own = catch_unwind(AssertUnwindSafe(|| self.work(0, task)));
        self.gate.close();
        let mut panic = self.panic.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(panic) = own.err().or(panic.take()) {
            resume_unwind(panic);
        }
    }

    /// The life of a helper.
    fn help(&self, worker: usize) {
        let stop = || self.stop.load(Ordering::SeqCst);
        let awake = || match self.entered.load(Ordering::Relaxed) {
            0 => OTHERWISE,
            _ => BETWEEN_KERNELS,
        };
        let mut last = 0;
        while !stop() {
            let Some(job) = self.gate.enter(last) else {
                self.gate.wait(last, awake, stop);
                continue;
            };
            last = job;
            // SAFETY: inside the gate the cell is only read, and holds the task of the open job.
            let task = unsafe { *self.task.get() };
            let done = catch_unwind(AssertUnwindSafe(|| {
                if let Some(task) = task {
                    self.work(worker, task);
                }
            }));
            if let Err(panic) = done {
                let mut first = self.panic.lock().unwrap_or_else(PoisonError::into_inner);
                first.get_or_insert(panic);
            }
            self.gate.leave();
        }
    }

    /// Runs the tasks of the worker's own share, then of halves of others', until none is left.
    fn work(&self, worker: usize, task: &Task<'_>) {
        let own = &self.shares[worker];
        loop {
            while let Some(index) = own.take() {
                task(index as usize, worker);
            }
            let others = (1..self.shares.len()).map(|step| (worker + step) % self.shares.len());
            let Some((start, end)) = others.filter_map(|other| self.shares[other].split()).next()
            else {
                return;
            };
            own.fill(start, end);
        }
    }
}
