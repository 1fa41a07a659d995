//! How a run went between its checkpoints: `history.safetensors` of a run folder.
//!
//! At some thirty moments of a run, evenly spread, what the epoch has come to so far is kept, and what the filters of the
//! first layer look like.
//!
//! | tensor | holds |
//! |---|---|
//! | `step.00000000000000000157` | the weights of the first convolution after so many steps, `[o, c/g, kernel…]` |
//!
//! | metadata | holds |
//! |---|---|
//! | `format`, `format_version` | `convolve-history`, `1` |
//! | `steps_per_epoch` | steps of an epoch |
//! | `moments` | steps and [`Sums`] in JSON |
//! | `filters` | name of the weights in the network, `conv1.weight`; without it there are no tensors |
//!
//! The file is written before each checkpoint, so that a run that goes on from one finds at least what belongs to it, and
//! drops the rest.

mod moments;

use std::path::Path;

use formats::weights::{NamedTensor, Precision, TensorFile};
use tensor::MemoryError;
use tensor::memory::try_copy;

pub(crate) use self::moments::Moments;
use crate::checkpoint::to_json;
use crate::filters::FirstFilters;
use crate::{CheckpointError, FilterBank, Sums};

const FORMAT: &str = "convolve-history";
const VERSION: &str = "1";
const STEP: &str = "step.";

/// What was kept of some moments of a run.
///
/// ```no_run
/// use std::path::Path;
/// use train::History;
/// let history = History::open(Path::new("runs/shapes"))?.expect("a run of this version");
/// for snapshot in history.snapshots() {
///     println!("step {}: loss {:.3} in its epoch so far", snapshot.step, snapshot.sums.mean_loss());
/// }
/// # Ok::<(), train::CheckpointError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    steps_per_epoch: u64,
    /// Name and shape of the filters.
    filters: Option<(String, Vec<usize>)>,
    snapshots: Vec<Snapshot>,
}

/// What was kept at a moment of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Steps that were done: 0 before the first.
    pub step: u64,
    /// What the batches of the epoch add up to, from its first step to this one.
    pub sums: Sums,
    /// Weights of the first convolution; empty where they are not kept.
    filters: Vec<f32>,
}

impl History {
    /// Name of the file in a run folder.
    pub const FILE: &str = "history.safetensors";

    /// Steps of an epoch of the run.
    pub fn steps_per_epoch(&self) -> u64 {
        self.steps_per_epoch
    }

    /// The snapshots, the earliest first.
    pub fn snapshots(&self) -> &[Snapshot] {
        &self.snapshots
    }

    /// The filters of the first layer at a moment; `None` of a network whose first layer has none, or has too many to be
    /// kept over and over.
    pub fn filters<'a>(&'a self, snapshot: &'a Snapshot) -> Option<FilterBank<'a>> {
        let (name, shape) = self.filters.as_ref()?;
        let values = &snapshot.filters;
        Some(FilterBank {
            name,
            shape,
            values,
        })
    }

    /// Reads the history in a run folder; `None` where none was kept.
    ///
    /// # Errors
    /// A damaged file, or one that is no history.
    pub fn open(folder: &Path) -> Result<Option<Self>, CheckpointError> {
        let path = folder.join(Self::FILE);
        match path.exists() {
            true => Self::of(TensorFile::open(&path)?, &path.to_string_lossy()).map(Some),
            false => Ok(None),
        }
    }

    fn of(file: TensorFile, origin: &str) -> Result<Self, CheckpointError> {
        let TensorFile {
            mut tensors,
            metadata,
        } = file;
        let text = |key: &'static str| {
            let origin = origin.to_owned();
            let found = metadata.get(key);
            found.ok_or(CheckpointError::Foreign { origin, key })
        };
        let fault = |key, reason: String| CheckpointError::Metadata {
            origin: origin.to_owned(),
            key,
            reason,
        };
        let (format, version) = (text("format")?, text("format_version")?);
        if format != FORMAT {
            return Err(fault("format", format!("`{format}`")));
        }
        if version != VERSION {
            return Err(CheckpointError::Version {
                origin: origin.to_owned(),
                found: version.clone(),
                known: VERSION,
            });
        }
        let steps = text("steps_per_epoch")?.parse().ok();
        let steps_per_epoch = steps
            .filter(|&steps| steps > 0)
            .ok_or_else(|| fault("steps_per_epoch", "no number of steps".to_owned()))?;
        let kept: Vec<(u64, Sums)> = serde_json::from_str(text("moments")?)
            .map_err(|error| fault("moments", error.to_string()))?;
        if !kept.is_sorted_by(|a, b| a.0 < b.0) {
            return Err(fault("moments", "steps out of order".to_owned()));
        }
        let mut filters = metadata
            .get("filters")
            .map(|name| (name.clone(), Vec::new()));
        let mut snapshots = Vec::with_capacity(kept.len());
        for (step, sums) in kept {
            let mut values = Vec::new();
            if let Some((_, shape)) = &mut filters {
                let tensor = take(&mut tensors, origin, step, shape)?;
                *shape = tensor.shape;
                values = tensor.values;
            }
            snapshots.push(Snapshot {
                step,
                sums,
                filters: values,
            });
        }
        Ok(Self {
            steps_per_epoch,
            filters,
            snapshots,
        })
    }

    /// Writes the history into a run folder, whole or not at all.
    fn save(&self, folder: &Path) -> Result<(), CheckpointError> {
        let mut file = TensorFile::default();
        let sums: Vec<(u64, Sums)> = self.snapshots.iter().map(|at| (at.step, at.sums)).collect();
        let entries = [
            ("format", FORMAT.to_owned()),
            ("format_version", VERSION.to_owned()),
            ("steps_per_epoch", self.steps_per_epoch.to_string()),
            ("moments", to_json(&sums)),
        ];
        let entries = entries.map(|(key, text)| (key.to_owned(), text));
        file.metadata.extend(entries);
        if let Some((name, shape)) = &self.filters {
            file.metadata.insert("filters".to_owned(), name.clone());
            for snapshot in &self.snapshots {
                let values = try_copy(&snapshot.filters)?;
                file.push(&tensor_name(snapshot.step), shape, values)?;
            }
        }
        Ok(file.save(&folder.join(Self::FILE), Precision::F32)?)
    }
}

/// So many digits that the order of names is that of steps.
fn tensor_name(step: u64) -> String {
    format!("{STEP}{step:020}")
}

/// The filters of a step, which have the shape of those before.
fn take(
    tensors: &mut Vec<NamedTensor>,
    origin: &str,
    step: u64,
    shape: &[usize],
) -> Result<NamedTensor, CheckpointError> {
    let (origin, tensor) = (origin.to_owned(), tensor_name(step));
    let expected = shape.to_vec();
    let Some(place) = tensors.iter().position(|found| found.name == tensor) else {
        return Err(CheckpointError::Missing {
            origin,
            tensor,
            expected,
        });
    };
    let found = tensors.swap_remove(place);
    match shape.is_empty() || shape == found.shape {
        true => Ok(found),
        false => Err(CheckpointError::Shape {
            origin,
            tensor,
            found: found.shape,
            expected,
        }),
    }
}

/// Keeps the history of a training while it runs.
pub(crate) struct HistoryKeeper {
    history: History,
    moments: Moments,
}

impl HistoryKeeper {
    /// A history without snapshots yet.
    pub(crate) fn new(epochs: u64, steps_per_epoch: u64, filters: Option<&FirstFilters>) -> Self {
        let bytes = |shape: &[usize]| shape.iter().product::<usize>() * size_of::<f32>();
        let kept = filters.filter(|filters| Moments::have_room(bytes(&filters.shape)));
        Self {
            moments: Moments::of(
                epochs,
                steps_per_epoch,
                kept.map_or(0, |filters| bytes(&filters.shape)),
            ),
            history: History {
                steps_per_epoch,
                filters: kept.map(|filters| (filters.name.clone(), filters.shape.clone())),
                snapshots: Vec::new(),
            },
        }
    }

    /// Keeps what there is to keep if this is one of the moments.
    pub(crate) fn keep(
        &mut self,
        step: u64,
        sums: Sums,
        filters: Option<FilterBank<'_>>,
    ) -> Result<(), MemoryError> {
        if self.moments.has(step) {
            let kept = filters.filter(|_| self.history.filters.is_some());
            let filters = kept.map_or(Ok(Vec::new()), |bank| try_copy(bank.values))?;
            self.history.snapshots.push(Snapshot {
                step,
                sums,
                filters,
            });
        }
        Ok(())
    }

    /// Takes up what a run folder has kept up to a step. Nothing in the training depends on it, so a history that is
    /// missing, damaged or of another network begins anew.
    pub(crate) fn take_up(&mut self, folder: &Path, step: u64) {
        let Ok(Some(mut kept)) = History::open(folder) else {
            return;
        };
        kept.snapshots.retain(|snapshot| snapshot.step <= step);
        let own = &self.history;
        if kept.filters == own.filters && kept.steps_per_epoch == own.steps_per_epoch {
            self.history = kept;
        }
    }

    /// Writes what was kept into a run folder.
    pub(crate) fn save(&self, folder: &Path) -> Result<(), CheckpointError> {
        self.history.save(folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> History {
        let snapshot = |step| Snapshot {
            step,
            sums: Sums {
                loss: 0.1 * step as f64,
                batches: step,
                correct: 3,
                pictures: 8 * step,
            },
            filters: vec![step as f32; 4],
        };
        History {
            steps_per_epoch: 5,
            filters: Some(("conv1.weight".into(), vec![1, 1, 2, 2])),
            snapshots: [0, 9, 10, 100].map(snapshot).into(),
        }
    }

    #[test]
    fn a_history_comes_back_as_it_was_kept() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(History::open(folder.path()).unwrap(), None);
        let mut history = history();
        history.save(folder.path()).unwrap();
        assert_eq!(History::open(folder.path()).unwrap(), Some(history.clone()));
        history.filters = None;
        for snapshot in &mut history.snapshots {
            snapshot.filters.clear();
        }
        history.save(folder.path()).unwrap();
        assert_eq!(History::open(folder.path()).unwrap(), Some(history));
    }

    #[test]
    fn what_is_no_history_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |change: &dyn Fn(&mut TensorFile)| {
            let path = folder.path().join(History::FILE);
            history().save(folder.path()).unwrap();
            let mut file = TensorFile::open(&path).unwrap();
            change(&mut file);
            file.save(&path, Precision::F32).unwrap();
            History::open(folder.path()).unwrap_err().to_string()
        };
        let set = |file: &mut TensorFile, key: &str, text: &str| {
            file.metadata.insert(key.to_owned(), text.to_owned());
        };
        let cases = [
            (refused(&|file| file.metadata.clear()), "no `format`"),
            (
                refused(&|file| set(file, "format_version", "2")),
                "format 2",
            ),
            (
                refused(&|file| set(file, "steps_per_epoch", "0")),
                "no number of steps",
            ),
            (refused(&|file| set(file, "moments", "[1]")), "`moments`"),
            (
                refused(&|file| file.tensors.truncate(3)),
                "no tensor `step.00000000000000000100`",
            ),
            (
                refused(&|file| file.tensors[3].shape = vec![2, 2]),
                "has shape [2, 2]",
            ),
        ];
        for (message, words) in cases {
            assert!(message.contains(words), "{message}");
        }
    }
}
