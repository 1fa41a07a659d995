//! Batches made ready on other threads while a step runs.
//!
//! Each worker makes every `workers`-th batch and hands it over through a channel of its own with room for two, so
//! the order of batches is fixed, whoever is quicker, and at most two batches a worker wait. Used batches go back
//! the same way: after the first few, no memory is taken.
//!
//! A training batch is always full: an unreadable picture gives its place to the next readable one of the data set.
//! An evaluation batch leaves it out.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

use formats::{DataError, Dataset, Preprocess, PreprocessError};
use tensor::memory::try_room;

use crate::{Augmenter, TrainError};

/// Pictures of a data set as the input of a network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// `[batch, channels, height, width]`; zero past [`Batch::count`].
    pub images: Vec<f32>,
    /// `[batch]`; 0 past [`Batch::count`].
    pub labels: Vec<u32>,
    /// Pictures in it, from the front.
    pub count: usize,
    /// Index and reason of the pictures that could not be read.
    pub unreadable: Vec<(usize, String)>,
}

/// How a picture becomes an input.
#[derive(Clone, Debug)]
pub enum Transform {
    /// As an epoch of training shows it.
    Training(Augmenter, u64),
    /// As it is.
    Evaluation(Preprocess),
}

/// What a [`Loader`] is to bring.
#[derive(Clone)]
pub struct Job {
    /// Where the pictures come from.
    pub dataset: Arc<dyn Dataset>,
    /// How they become inputs.
    pub transform: Transform,
    /// Indices of the pictures.
    pub order: Vec<usize>,
    /// Pictures of a batch.
    pub batch: usize,
    /// Batches to leave out at the front: those a resumed epoch has seen.
    pub first: usize,
    /// Unreadable pictures that a training may pass over before it has to end.
    pub tolerated: usize,
}

impl Job {
    /// Batches from the front of the order; training drops an incomplete last one.
    fn batches(&self) -> usize {
        match self.transform {
            Transform::Training(..) => crate::whole_batches(self.order.len(), self.batch),
            Transform::Evaluation(_) => self.order.len().div_ceil(self.batch),
        }
    }

    fn preprocess(&self) -> &Preprocess {
        match &self.transform {
            Transform::Training(augmenter, _) => &augmenter.preprocess,
            Transform::Evaluation(preprocess) => preprocess,
        }
    }

    /// Tries one picture: the reason why it cannot be read, if it cannot.
    ///
    /// # Errors
    /// No memory for it, which says nothing of the picture.
    fn read(&self, index: usize, out: &mut [f32]) -> Result<Option<String>, TrainError> {
        let picture = match self.dataset.picture(index) {
            Ok(picture) => picture,
            Err(error @ DataError::Memory { .. }) => return Err(error.into()),
            Err(error) => return Ok(Some(error.reason(&self.dataset.name(index)))),
        };
        let applied = match &self.transform {
            Transform::Training(augmenter, epoch) => augmenter.apply(&picture, *epoch, index, out),
            Transform::Evaluation(preprocess) => preprocess.apply(&picture, out),
        };
        match applied {
            Ok(()) => Ok(None),
            Err(error @ PreprocessError::Memory(_)) => Err(error.into()),
            Err(error) => Ok(Some(error.to_string())),
        }
    }

    /// Makes one batch in the memory of a used one.
    fn fill(&self, number: usize, values: usize, batch: &mut Batch) -> Result<(), TrainError> {
        if batch.images.is_empty() {
            batch.images = try_room(self.batch.saturating_mul(values))?;
            batch.labels = try_room(self.batch)?;
        }
        batch.images.resize(self.batch * values, 0.0);
        batch.labels.resize(self.batch, 0);
        batch.unreadable.clear();
        batch.count = 0;
        let end = ((number + 1) * self.batch).min(self.order.len());
        for wanted in &self.order[number * self.batch..end] {
            let place = batch.count * values..(batch.count + 1) * values;
            let out = &mut batch.images[place];
            for index in self.candidates(*wanted) {
                if let Some(reason) = self.read(index, out)? {
                    batch.unreadable.push((index, reason));
                    continue;
                }
                batch.labels[batch.count] = self.dataset.label(index) as u32;
                batch.count += 1;
                break;
            }
        }
        batch.images[batch.count * values..].fill(0.0);
        batch.labels[batch.count..].fill(0);
        Ok(())
    }

    /// The pictures that may take the place of `wanted`, itself first. A longer run of unreadable pictures than
    /// is tolerated ends the training anyway.
    fn candidates(&self, wanted: usize) -> impl Iterator<Item = usize> {
        let len = self.dataset.len();
        let attempts = match self.transform {
            Transform::Training(..) => self.tolerated.saturating_add(1).min(len),
            Transform::Evaluation(_) => 1,
        };
        (wanted..wanted + attempts).map(move |index| index % len)
    }
}

/// Brings the batches of a [`Job`] in order.
///
/// ```
/// use std::sync::Arc;
/// use train::{Job, Loader, Transform};
/// use formats::{CropMode, Interpolation, Part, Preprocess, Shapes};
/// let preprocess = Preprocess {
///     input: (32, 32),
///     channels: 3,
///     mean: vec![0.5; 3],
///     std: vec![0.25; 3],
///     crop_fraction: 1.0,
///     interpolation: Interpolation::Bilinear,
///     crop_mode: CropMode::Center,
/// };
/// let mut loader = Loader::new(
///     Job {
///         dataset: Arc::new(Shapes::new(0, Part::HeldOut, 20)),
///         transform: Transform::Evaluation(preprocess),
///         order: (0..20).collect(),
///         batch: 8,
///         first: 0,
///         tolerated: 0,
///     },
///     1,
/// )?;
/// let mut counts = Vec::new();
/// while let Some(batch) = loader.next() {
///     counts.push(batch.count);
///     loader.recycle(batch);
/// }
/// loader.end()?;
/// assert_eq!(counts, [8, 8, 4]);
/// # Ok::<(), train::TrainError>(())
/// ```
pub struct Loader {
    workers: Vec<Worker>,
    taken: usize,
    batches: usize,
    fault: Option<TrainError>,
}

struct Worker {
    /// Taken away before the thread is joined, so that a thread with batches to hand over ends too.
    ready: Option<Receiver<Result<Batch, TrainError>>>,
    used: Sender<Batch>,
    thread: Option<JoinHandle<()>>,
}

/// Batches of one worker that wait to be used.
const WAITING: usize = 2;

impl Loader {
    /// Starts `workers` threads.
    ///
    /// # Errors
    /// [`TrainError::Config`] for a batch of no pictures, [`TrainError::Preprocess`] for a preprocessing that
    /// makes no sense, [`TrainError::Thread`] when the system refuses a thread.
    pub fn new(job: Job, workers: usize) -> Result<Self, TrainError> {
        if job.batch == 0 {
            return Err(TrainError::Config("a batch of no pictures".into()));
        }
        let values = job.preprocess().check()?;
        let (first, end) = (job.first, job.batches());
        let batches = end.saturating_sub(first);
        let workers = workers.clamp(1, batches.max(1));
        let job = Arc::new(job);
        let start = |worker: usize| {
            let job = job.clone();
            let (ready_sender, ready) = sync_channel(WAITING);
            let (used, used_receiver) = channel();
            let numbers = (first + worker..end).step_by(workers);
            let thread = Builder::new()
                .name(format!("convolve-loader-{worker}"))
                .spawn(move || work(&job, numbers, values, &ready_sender, &used_receiver))
                .map_err(TrainError::Thread)?;
            Ok(Worker {
                ready: Some(ready),
                used,
                thread: Some(thread),
            })
        };
        Ok(Self {
            workers: (0..workers).map(start).collect::<Result<_, TrainError>>()?,
            taken: 0,
            batches,
            fault: None,
        })
    }

    /// Ends the threads; to be asked when there is no next batch.
    ///
    /// # Errors
    /// [`TrainError::Memory`], [`TrainError::Data`] or [`TrainError::Preprocess`] when there was no memory for the next
    /// batch, or for a picture.
    pub fn end(mut self) -> Result<(), TrainError> {
        self.fault.take().map_or(Ok(()), Err)
    }

    /// Gives a used batch's memory back.
    pub fn recycle(&mut self, batch: Batch) {
        // It goes to the worker whose turn is next; one that has made its last batch needs it no more.
        let turn = self.turn();
        let _ = self.workers[turn].used.send(batch);
    }

    /// Whose batch is next. Worker `w` makes the batches `first + w`, `first + w + workers`, ….
    fn turn(&self) -> usize {
        self.taken % self.workers.len()
    }
}

fn work(
    job: &Job,
    numbers: impl Iterator<Item = usize>,
    values: usize,
    ready: &SyncSender<Result<Batch, TrainError>>,
    used: &Receiver<Batch>,
) {
    for number in numbers {
        let mut batch = used.try_recv().unwrap_or_default();
        let filled = job.fill(number, values, &mut batch).map(|()| batch);
        let failed = filled.is_err();
        if ready.send(filled).is_err() || failed {
            return;
        }
    }
}

impl Iterator for Loader {
    type Item = Batch;

    /// The next batch; waits for it. After the last one [`Loader::end`] says whether all were made.
    fn next(&mut self) -> Option<Batch> {
        if self.taken >= self.batches || self.fault.is_some() {
            return None;
        }
        let turn = self.turn();
        let worker = &mut self.workers[turn];
        self.taken += 1;
        match worker.ready.as_ref()?.recv() {
            Ok(Ok(batch)) => Some(batch),
            Ok(Err(fault)) => {
                self.fault = Some(fault);
                None
            }
            // A worker that ends before its last batch has panicked, in a data set of someone else's making.
            Err(_) => match worker.thread.take()?.join() {
                Ok(()) => None,
                Err(panic) => resume_unwind(panic),
            },
        }
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        for worker in &mut self.workers {
            worker.ready = None;
        }
        for thread in self
            .workers
            .iter_mut()
            .filter_map(|worker| worker.thread.take())
        {
            // A panic has been told by `next`, or concerns a batch that nobody waits for.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
