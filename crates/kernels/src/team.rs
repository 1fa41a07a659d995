//! The threads that share the work of a kernel.

use rayon::ThreadPool;

/// A fixed number of threads that kernels split their work over.
///
/// Work is cut into tasks by the problem alone, never by the number of threads, and a task's result
/// does not depend on who runs it; so results are bitwise the same for every team.
pub struct Team {
    threads: usize,
    pool: Option<ThreadPool>,
}

/// The threads of a team could not be started.
#[derive(Debug, thiserror::Error)]
#[error("could not start {threads} threads: {reason}")]
pub struct TeamError {
    threads: usize,
    reason: String,
}

impl Team {
    /// A team of `threads` threads, at least one. A team of one works on the calling thread.
    ///
    /// # Errors
    /// When the system refuses to start the threads.
    pub fn new(threads: usize) -> Result<Self, TeamError> {
        let threads = threads.max(1);
        let pool = if threads == 1 {
            None
        } else {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .thread_name(|index| format!("convolve-{index}"))
                .build()
                .map_err(|error| TeamError {
                    threads,
                    reason: error.to_string(),
                })?;
            Some(pool)
        };
        Ok(Self { threads, pool })
    }

    /// A team as large as the machine has cores.
    ///
    /// # Errors
    /// When the system refuses to start the threads.
    pub fn of_all_cores() -> Result<Self, TeamError> {
        Self::new(std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// Number of threads.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Enters the team: kernels called inside `work` find its threads awake.
    pub fn enter<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match &self.pool {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    /// Runs `task(index, worker)` for every index below `tasks`, in any order. `worker` is below
    /// [`Team::threads`] and no two tasks run at once with the same one: it picks scratch memory.
    pub fn for_each(&self, tasks: usize, task: impl Fn(usize, usize) + Sync) {
        self.share_out(tasks, &task);
    }

    /// The tasks come as one type, so that handing them over is compiled once and not for each kernel;
    /// a call through a pointer is nothing beside a task.
    fn share_out(&self, tasks: usize, task: Task<'_>) {
        match &self.pool {
            Some(pool) if tasks > 1 => pool.install(|| split(0, tasks, task)),
            _ => (0..tasks).for_each(|index| task(index, 0)),
        }
    }
}

/// What a team does with an index, as worker such and such.
type Task<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// Halves a range of tasks until one is left; the halves may be stolen by another thread. Halving
/// allocates nothing, unlike a parallel iterator over chunks of unequal cost.
fn split(start: usize, end: usize, task: Task<'_>) {
    if end - start == 1 {
        task(start, rayon::current_thread_index().unwrap_or(0));
        return;
    }
    let middle = start + (end - start) / 2;
    rayon::join(|| split(start, middle, task), || split(middle, end, task));
}
