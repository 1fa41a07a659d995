//! The threads that share the work of a kernel.
//!
//! A layer of a network takes a fraction of a millisecond, and waking a thread that sleeps takes a good
//! part of that. So the threads of a team wait for the next kernel awake for a short while, and
//! [`Team::enter`] says when the while may be longer. Each thread has the same share of the tasks in every
//! kernel of a problem, so that it finds in its cache what it wrote there, and helps others when
//! its own share is done.

mod crew;
mod gate;
mod share;

use self::crew::Crew;

/// A fixed number of threads that kernels split their work over.
///
/// Sums are cut by the problem alone, never by the number of threads, and a task's result does not
/// depend on who runs it; so results are bitwise the same for every team.
pub struct Team {
    threads: usize,
    crew: Option<Crew>,
}

/// The calling thread by itself: what a task of a larger team hands to kernels.
pub(crate) static ALONE: Team = Team {
    threads: 1,
    crew: None,
};

/// The threads of a team could not be started.
#[derive(Debug, thiserror::Error)]
#[error("could not start {threads} threads: {reason}")]
pub struct TeamError {
    threads: usize,
    reason: String,
}

impl TeamError {
    fn new(threads: usize, reason: impl ToString) -> Self {
        let reason = reason.to_string();
        Self { threads, reason }
    }
}

impl Team {
    /// Threads of the largest team: more than the cores of any machine, and few enough to be started.
    pub const MOST: usize = 1024;

    /// A team of `threads` threads, at least one. The thread that calls a kernel is one of them, so a
    /// team of one works on the calling thread.
    ///
    /// # Errors
    /// More threads than [`Team::MOST`], or the system refuses to start them.
    ///
    /// ```
    /// use kernels::Team;
    ///
    /// assert_eq!(Team::new(2)?.threads(), 2);
    /// assert!(Team::new(usize::MAX).is_err());
    /// # Ok::<(), kernels::TeamError>(())
    /// ```
    pub fn new(threads: usize) -> Result<Self, TeamError> {
        let threads = threads.max(1);
        let crew = match threads {
            1 => None,
            2..=Self::MOST => {
                let crew = Crew::new(threads);
                Some(crew.map_err(|error| TeamError::new(threads, error))?)
            }
            _ => {
                let most = format!("at most {} are possible", Self::MOST);
                return Err(TeamError::new(threads, most));
            }
        };
        Ok(Self { threads, crew })
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

    /// Enters the team: kernels called inside `work` find its threads awake, if they follow each other
    /// closely.
    pub fn enter<R>(&self, work: impl FnOnce() -> R) -> R {
        let _awake = self.crew.as_ref().map(Crew::stay_awake);
        work()
    }

    /// Runs `task(index, worker)` for every index below `tasks`, in any order. `worker` is below
    /// [`Team::threads`] and no two tasks run at once with the same one: it picks scratch memory.
    ///
    /// A team does one thing at a time: called from inside a task, or while another thread has work
    /// shared out, the calling thread does it all by itself, as worker 0.
    ///
    /// # Panics
    /// When a task panics, after the other threads have ended theirs.
    pub fn for_each(&self, tasks: usize, task: impl Fn(usize, usize) + Sync) {
        match &self.crew {
            Some(crew) if tasks > 1 => crew.share_out(tasks, &task),
            _ => (0..tasks).for_each(|index| task(index, 0)),
        }
    }
}

/// What a team does with an index, as worker such and such. Tasks come as one type, so that handing
/// them over is compiled once and not for each kernel; a call through a pointer is nothing beside a task.
type Task<'a> = dyn Fn(usize, usize) + Sync + 'a;

#[cfg(test)]
mod tests;
