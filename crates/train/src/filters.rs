//! How the filters of the first layer form: `filters.safetensors` of a run folder.
//!
//! The first convolution is the one whose weights are pictures themselves, of edges and colours, and the place where a
//! training shows first whether it learns. Its weights are kept at some thirty moments of a run, evenly spread.
//!
//! | tensor | holds |
//! |---|---|
//! | `step.00000000000000000157` | the weights after so many steps, `[o, c/g, kernel…]` |
//!
//! | metadata | holds |
//! |---|---|
//! | `format`, `format_version` | `convolve-filters`, `1` |
//! | `parameter` | name of the weights in the network: `conv1.weight` |
//! | `steps_per_epoch` | steps of an epoch |
//!
//! The file is written before each checkpoint, so that a run that goes on from one finds at least what belongs to it, and
//! drops the rest.

mod moments;

use std::ops::Range;
use std::path::Path;

use formats::weights::{Precision, TensorFile};
use graph::{Graph, Op, Role, Value};
use runtime::Program;
use tensor::MemoryError;
use tensor::memory::try_copy;

pub(crate) use self::moments::Moments;
use crate::{CheckpointError, TrainError};

const FORMAT: &str = "convolve-filters";
const VERSION: &str = "1";
const STEP: &str = "step.";

/// The weights of a network's first convolution, as they are now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FilterBank<'a> {
    /// Name in the network: `conv1.weight`.
    pub name: &'a str,
    /// `[o, c/g, kernel…]`
    pub shape: &'a [usize],
    /// As many numbers as the product of the shape.
    pub values: &'a [f32],
}

/// The weights of the first convolution at some moments of a run.
///
/// ```no_run
/// use std::path::Path;
/// use train::FilterHistory;
/// let history = FilterHistory::open(Path::new("runs/shapes"))?.expect("a run of this version");
/// let [first, .., last] = history.moments() else { panic!("a run that never began") };
/// println!("{} from step {} to {}", history.name(), first.step, last.step);
/// # Ok::<(), train::CheckpointError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct FilterHistory {
    name: String,
    shape: Vec<usize>,
    steps_per_epoch: u64,
    moments: Vec<FilterMoment>,
}

/// Weights at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct FilterMoment {
    /// Steps that were done: 0 before the first.
    pub step: u64,
    /// The weights, in the order of the shape.
    pub values: Vec<f32>,
}

impl FilterHistory {
    /// Name of the file in a run folder.
    pub const FILE: &str = "filters.safetensors";

    /// Name of the weights in the network: `conv1.weight`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Shape of the weights: `[o, c/g, kernel…]`.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Steps of an epoch of the run.
    pub fn steps_per_epoch(&self) -> u64 {
        self.steps_per_epoch
    }

    /// The moments, the earliest first.
    pub fn moments(&self) -> &[FilterMoment] {
        &self.moments
    }

    /// Reads the history of a run folder; `None` where none was kept.
    ///
    /// # Errors
    /// A damaged file, or one that is no such history.
    pub fn open(folder: &Path) -> Result<Option<Self>, CheckpointError> {
        let path = folder.join(Self::FILE);
        match path.exists() {
            true => Self::of(TensorFile::open(&path)?, &path.to_string_lossy()).map(Some),
            false => Ok(None),
        }
    }

    fn of(file: TensorFile, origin: &str) -> Result<Self, CheckpointError> {
        let text = |key: &'static str| {
            let origin = origin.to_owned();
            let found = file.metadata.get(key).cloned();
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
                found: version,
                known: VERSION,
            });
        }
        let name = text("parameter")?;
        let steps = text("steps_per_epoch")?.parse().ok();
        let steps_per_epoch = steps
            .filter(|&steps| steps > 0)
            .ok_or_else(|| fault("steps_per_epoch", "no number of steps".to_owned()))?;
        let mut shape: Option<Vec<usize>> = None;
        let mut moments = Vec::new();
        for tensor in file.tensors {
            let step = tensor
                .name
                .strip_prefix(STEP)
                .and_then(|step| step.parse().ok());
            let Some(step) = step else {
                return Err(fault("format", format!("a tensor `{}`", tensor.name)));
            };
            let expected = shape.get_or_insert_with(|| tensor.shape.clone());
            if *expected != tensor.shape {
                return Err(CheckpointError::Shape {
                    origin: origin.to_owned(),
                    tensor: tensor.name,
                    found: tensor.shape,
                    expected: expected.clone(),
                });
            }
            let values = tensor.values;
            moments.push(FilterMoment { step, values });
        }
        moments.sort_by_key(|moment| moment.step);
        Ok(Self {
            name,
            shape: shape.unwrap_or_default(),
            steps_per_epoch,
            moments,
        })
    }

    /// Writes the history into a run folder, whole or not at all.
    fn save(&self, folder: &Path) -> Result<(), CheckpointError> {
        let mut file = TensorFile::default();
        for FilterMoment { step, values } in &self.moments {
            // So many digits that the order of names is that of steps.
            file.push(&format!("{STEP}{step:020}"), &self.shape, try_copy(values)?)?;
        }
        let entries = [
            ("format", FORMAT.to_owned()),
            ("format_version", VERSION.to_owned()),
            ("parameter", self.name.clone()),
            ("steps_per_epoch", self.steps_per_epoch.to_string()),
        ];
        let entries = entries.map(|(key, text)| (key.to_owned(), text));
        file.metadata.extend(entries);
        Ok(file.save(&folder.join(Self::FILE), Precision::F32)?)
    }
}

/// Keeps the history of a training while it runs.
pub(crate) struct FilterKeeper {
    history: FilterHistory,
    range: Range<usize>,
    moments: Option<Moments>,
}

impl FilterKeeper {
    /// A keeper without moments yet, if the network has a convolution that reads weights of its own.
    pub(crate) fn new(
        network: &Graph,
        program: &Program,
        epochs: u64,
        steps_per_epoch: u64,
    ) -> Option<Self> {
        let name = &first_convolution(network)?.name;
        let slot = program.slots().iter().find(|slot| slot.name == *name)?;
        Some(Self {
            history: FilterHistory {
                name: name.clone(),
                shape: slot.shape.clone(),
                steps_per_epoch,
                moments: Vec::new(),
            },
            range: slot.range.clone(),
            moments: Moments::of(epochs, steps_per_epoch, 4 * slot.range.len()),
        })
    }

    /// The filters as they are now.
    pub(crate) fn bank<'a>(&'a self, parameters: &'a [f32]) -> FilterBank<'a> {
        FilterBank {
            name: &self.history.name,
            shape: &self.history.shape,
            values: &parameters[self.range.clone()],
        }
    }

    /// Keeps the filters if this is one of the moments.
    pub(crate) fn keep(&mut self, step: u64, parameters: &[f32]) -> Result<(), MemoryError> {
        if self.moments.is_some_and(|moments| moments.has(step)) {
            let values = try_copy(&parameters[self.range.clone()])?;
            self.history.moments.push(FilterMoment { step, values });
        }
        Ok(())
    }

    /// Takes up what a run folder has kept up to a step. Nothing in the training depends on it, so a history that is
    /// missing, damaged or of another network begins anew.
    pub(crate) fn take_up(&mut self, folder: &Path, step: u64) {
        let Ok(Some(mut kept)) = FilterHistory::open(folder) else {
            return;
        };
        kept.moments.retain(|moment| moment.step <= step);
        let own = &self.history;
        let same = kept.name == own.name && kept.shape == own.shape;
        if same && kept.steps_per_epoch == own.steps_per_epoch {
            self.history = kept;
        }
    }

    /// Writes what was kept into a run folder.
    pub(crate) fn save(&self, folder: &Path) -> Result<(), TrainError> {
        match self.moments {
            Some(_) => Ok(self.history.save(folder)?),
            None => Ok(()),
        }
    }
}

/// The weights of the first convolution in the order of execution.
fn first_convolution(network: &Graph) -> Option<&Value> {
    let convolutions = network
        .nodes
        .iter()
        .filter(|node| matches!(node.op, Op::Conv { .. }));
    let mut weights = convolutions.map(|node| network.value(node.inputs[1]));
    weights.find(|weights| matches!(weights.role, Role::Parameter { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> FilterHistory {
        let moment = |step| FilterMoment {
            step,
            values: vec![step as f32; 4],
        };
        FilterHistory {
            name: "conv1.weight".into(),
            shape: vec![1, 1, 2, 2],
            steps_per_epoch: 5,
            moments: [0, 9, 10, 100].map(moment).into(),
        }
    }

    #[test]
    fn a_history_comes_back_as_it_was_kept() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(FilterHistory::open(folder.path()).unwrap(), None);
        history().save(folder.path()).unwrap();
        assert_eq!(FilterHistory::open(folder.path()).unwrap(), Some(history()));
    }

    #[test]
    fn what_is_no_history_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |change: &dyn Fn(&mut TensorFile)| {
            let path = folder.path().join(FilterHistory::FILE);
            history().save(folder.path()).unwrap();
            let mut file = TensorFile::open(&path).unwrap();
            change(&mut file);
            file.save(&path, Precision::F32).unwrap();
            FilterHistory::open(folder.path()).unwrap_err().to_string()
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
            (
                refused(&|file| file.push("step.x", &[1], vec![0.0]).unwrap()),
                "`step.x`",
            ),
            (
                refused(&|file| file.push("step.7", &[1], vec![0.0]).unwrap()),
                "`step.7` has shape [1]",
            ),
        ];
        for (message, words) in cases {
            assert!(message.contains(words), "{message}");
        }
    }
}
