//! The folder of a run.
//!
//! ```text
//! RUN/.lock                  held by the process that trains; empty
//!     config.toml            the settings, all of them
//!     network/NAME.onnx      the ONNX model that is trained, if it is one, and the files of its weights
//!     metrics.jsonl          a line an epoch
//!     last.safetensors       to continue from
//!     best.safetensors       the weights that did best
//!     history.safetensors    how it went between them, and what the first layer looked like
//!     diverged.txt           why it ended, if its numbers were numbers no more
//!     events.out.tfevents.…  the curves, for TensorBoard
//! ```

mod divergence;
mod lock;
mod replaced;

use std::fs::{File, OpenOptions, create_dir_all, symlink_metadata};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use formats::atomic;
use formats::events::EventWriter;
use tensor::regular;

pub use self::lock::RunLock;
pub use self::replaced::Replaced;
use crate::architecture::KEPT;
use crate::{Architecture, Checkpoint, EpochReport, History, TrainConfig, TrainError};

const CONFIG: &str = "config.toml";
const METRICS: &str = "metrics.jsonl";

/// What a run writes under names that others may have used; the names of curves are never the same twice.
const FILES: [&str; 7] = [
    CONFIG,
    METRICS,
    Checkpoint::LAST,
    Checkpoint::BEST,
    History::FILE,
    KEPT,
    RunFolder::DIVERGED,
];

/// The folder of a run, open for writing.
#[derive(Debug)]
pub struct RunFolder {
    lock: RunLock,
    metrics: File,
    events: EventWriter,
}

impl RunFolder {
    /// Refuses a path where a new run would overwrite something. Changes nothing, so it can be asked before the data
    /// are read.
    ///
    /// # Errors
    /// [`TrainError::RunExists`], or [`TrainError::Io`] for a path that is no folder.
    pub fn check_free(path: &Path) -> Result<(), TrainError> {
        if path.exists() && !path.is_dir() {
            let error = io::Error::new(io::ErrorKind::NotADirectory, "exists and is no folder");
            return Err(io_error(path)(error));
        }
        let taken = |name: &&&str| symlink_metadata(path.join(name)).is_ok();
        match FILES.iter().find(taken) {
            Some(file) => Err(TrainError::RunExists {
                path: path.to_path_buf(),
                file,
            }),
            None => Ok(()),
        }
    }

    /// Makes the folder of a new run, with its settings in it, and its network where the program does not have it.
    ///
    /// # Errors
    /// As [`RunFolder::check_free`], [`TrainError::InUse`], [`TrainError::Io`].
    pub fn create(
        path: &Path,
        config: &TrainConfig,
        network: &Architecture,
    ) -> Result<Self, TrainError> {
        Self::check_free(path)?;
        create_dir_all(path).map_err(io_error(path))?;
        let lock = RunLock::take(path)?;
        // Another process may have been here between the question and the lock.
        Self::check_free(path)?;
        Self::restart(lock, config, network)
    }

    /// Begins the run of a folder, or begins it again: settings and network are written and metrics dropped.
    ///
    /// # Errors
    /// [`TrainError::Io`].
    pub fn restart(
        lock: RunLock,
        config: &TrainConfig,
        network: &Architecture,
    ) -> Result<Self, TrainError> {
        let file = lock.path().join(CONFIG);
        atomic::write(&file, config.to_toml().as_bytes()).map_err(io_error(&file))?;
        let metrics = lock.path().join(METRICS);
        atomic::write(&metrics, b"").map_err(io_error(&metrics))?;
        if let Architecture::Onnx(network) = network {
            let copied = network.copy_to(&lock.path().join(KEPT));
            copied.map_err(|(path, source)| TrainError::Io { path, source })?;
        }
        Self::with_open_files(lock)
    }

    /// Opens the folder of a run to continue it, `epochs` of which are done: what its curves say of later ones is
    /// dropped.
    ///
    /// # Errors
    /// [`TrainError::Io`].
    pub fn reopen(lock: RunLock, epochs: u64) -> Result<Self, TrainError> {
        let metrics = lock.path().join(METRICS);
        let text = metrics_in(lock.path())?;
        let kept: String = text
            .split_inclusive('\n')
            .filter(|line| epoch_of(line).is_some_and(|epoch| epoch <= epochs))
            .collect();
        if kept != text {
            atomic::write(&metrics, kept.as_bytes()).map_err(io_error(&metrics))?;
        }
        Self::with_open_files(lock)
    }

    fn with_open_files(lock: RunLock) -> Result<Self, TrainError> {
        let path = lock.path();
        for name in FILES.iter().filter(|name| **name != KEPT) {
            // Nobody else writes here while the lock is held.
            atomic::remove_abandoned(&path.join(name));
        }
        Self::forget_divergence(path);
        let metrics = path.join(METRICS);
        let file = OpenOptions::new().append(true).create(true).open(&metrics);
        Ok(Self {
            metrics: file.map_err(io_error(&metrics))?,
            events: EventWriter::create(path, now()).map_err(io_error(path))?,
            lock,
        })
    }

    /// The settings of the run in a folder.
    ///
    /// # Errors
    /// [`TrainError::NoRun`], [`TrainError::ConfigFile`], [`TrainError::Io`].
    pub fn config(path: &Path) -> Result<TrainConfig, TrainError> {
        let file = path.join(CONFIG);
        let text = match text_of(&file) {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Err(TrainError::NoRun {
                    path: path.to_path_buf(),
                    missing: CONFIG,
                });
            }
            read => read.map_err(io_error(&file))?,
        };
        let read = TrainConfig::from_toml(&text).and_then(|config| {
            let checked = config.check().map_err(|error| error.to_string());
            checked.map(|()| config)
        });
        read.map_err(|reason| TrainError::ConfigFile { path: file, reason })
    }

    /// What the metrics of a folder tell of its epochs. Half a line, as a run that was killed leaves it, is left out.
    ///
    /// # Errors
    /// [`TrainError::Io`], [`TrainError::Metrics`] for a whole line that is no report.
    pub fn metrics(path: &Path) -> Result<Vec<EpochReport>, TrainError> {
        let text = metrics_in(path)?;
        let whole = text.split_inclusive('\n').enumerate();
        let whole = whole.filter(|(_, line)| line.ends_with('\n'));
        whole
            .map(|(place, line)| {
                serde_json::from_str(line).map_err(|error| TrainError::Metrics {
                    path: path.join(METRICS),
                    line: place + 1,
                    reason: error.to_string(),
                })
            })
            .collect()
    }

    /// Whether the metrics of a folder end in half a line, which [`RunFolder::metrics`] leaves out.
    ///
    /// # Errors
    /// [`TrainError::Io`].
    pub fn has_half_a_line(path: &Path) -> Result<bool, TrainError> {
        let text = metrics_in(path)?;
        Ok(!text.is_empty() && !text.ends_with('\n'))
    }

    /// Epochs that the metrics of a folder tell of.
    ///
    /// # Errors
    /// [`TrainError::Io`].
    pub fn epochs_logged(path: &Path) -> Result<usize, TrainError> {
        Ok(metrics_in(path)?.lines().count())
    }

    /// Where the settings of the run in a folder stand.
    pub fn config_path(path: &Path) -> PathBuf {
        path.join(CONFIG)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.lock.path()
    }

    /// The checkpoint to continue from.
    pub fn last(&self) -> PathBuf {
        self.path().join(Checkpoint::LAST)
    }

    /// The weights that did best.
    pub fn best(&self) -> PathBuf {
        self.path().join(Checkpoint::BEST)
    }

    /// Adds an epoch to the metrics and the curves. Both are on their way to the disk when this returns.
    ///
    /// # Errors
    /// [`TrainError::Io`].
    pub fn log(&mut self, report: &EpochReport) -> Result<(), TrainError> {
        let failed = io_error(self.lock.path());
        let mut line = serde_json::to_string(report).expect("plain values have a JSON form");
        line.push('\n');
        self.metrics.write_all(line.as_bytes()).map_err(&failed)?;
        let mut values = vec![
            ("train/loss", report.train_loss as f32),
            ("train/accuracy", report.train_accuracy as f32),
            ("train/learning_rate", report.learning_rate as f32),
            ("train/images_per_second", report.images_per_second as f32),
        ];
        if let Some(score) = report.held_out {
            values.push(("held_out/loss", score.loss as f32));
            values.push(("held_out/accuracy", score.accuracy as f32));
        }
        self.events
            .scalars(now(), report.step, &values)
            .map_err(&failed)?;
        self.events.flush().map_err(&failed)
    }
}

/// The text of a regular file.
fn text_of(file: &Path) -> io::Result<String> {
    io::read_to_string(regular::open(file)?)
}

/// The content of the metrics; empty where there are none.
fn metrics_in(path: &Path) -> Result<String, TrainError> {
    let metrics = path.join(METRICS);
    match text_of(&metrics) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        read => read.map_err(io_error(&metrics)),
    }
}

/// The epoch of a whole line of metrics.
fn epoch_of(line: &str) -> Option<u64> {
    let line: serde_json::Value = serde_json::from_str(line.strip_suffix('\n')?).ok()?;
    line.get("epoch")?.as_u64()
}

/// Seconds since 1970.
fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |time| time.as_secs_f64())
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> TrainError {
    let path = path.to_path_buf();
    move |source| TrainError::Io {
        path: path.clone(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Score;

    fn network() -> Architecture {
        Architecture::find("lenet5").unwrap()
    }

    fn report(epoch: u64) -> EpochReport {
        EpochReport {
            epoch,
            step: epoch * 10,
            learning_rate: 0.1,
            train_loss: 1.5,
            train_accuracy: 0.5,
            held_out: Some(Score {
                accuracy: 0.25,
                loss: 2.0,
            }),
            best: epoch == 1,
            seconds: 3.0,
            images_per_second: 426.0,
        }
    }

    fn epochs_in(folder: &Path) -> Vec<u64> {
        let text = std::fs::read_to_string(folder.join(METRICS)).unwrap();
        text.split_inclusive('\n').filter_map(epoch_of).collect()
    }

    #[test]
    fn lines_after_the_checkpoint_are_dropped_and_so_is_half_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let config = TrainConfig::new("shapes", "lenet5").unwrap();
        let mut run = RunFolder::create(folder.path(), &config, &network()).unwrap();
        for epoch in 1..=4 {
            run.log(&report(epoch)).unwrap();
        }
        run.metrics.write_all(b"{\"epoch\":5,\"st").unwrap();
        drop(run);
        assert_eq!(epochs_in(folder.path()), [1, 2, 3, 4]);
        let mut run = RunFolder::reopen(RunLock::take(folder.path()).unwrap(), 2).unwrap();
        run.log(&report(3)).unwrap();
        assert_eq!(epochs_in(folder.path()), [1, 2, 3]);
        let text = std::fs::read_to_string(folder.path().join(METRICS)).unwrap();
        assert_eq!(text.lines().count(), 3);
        assert!(
            text.starts_with(
                r#"{"epoch":1,"step":10,"learning_rate":0.1,"train_loss":1.5,"train_accuracy":0.5,"held_out":{"accuracy":0.25,"loss":2.0},"best":true"#
            ),
            "{text}"
        );
        assert_eq!(RunFolder::config(folder.path()).unwrap(), config);
    }

    #[test]
    fn a_run_is_never_overwritten() {
        let config = TrainConfig::new("shapes", "lenet5").unwrap();
        for name in [
            "last.safetensors",
            "best.safetensors",
            "config.toml",
            "metrics.jsonl",
        ] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join(name), b"precious").unwrap();
            let message = RunFolder::create(folder.path(), &config, &network())
                .unwrap_err()
                .to_string();
            let expected =
                format!("holds a run already ({name}); resume it or choose another folder");
            assert!(message.ends_with(&expected), "{message}");
            assert_eq!(
                std::fs::read(folder.path().join(name)).unwrap(),
                b"precious"
            );
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn folders_without_a_readable_config_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = RunFolder::config(folder.path()).unwrap_err().to_string();
        assert!(
            error.ends_with("no run to resume here (no config.toml)"),
            "{error}"
        );
        std::fs::write(folder.path().join(CONFIG), "epochs = 'many'").unwrap();
        let error = RunFolder::config(folder.path()).unwrap_err();
        assert!(matches!(error, TrainError::ConfigFile { .. }), "{error}");
        let config = TrainConfig {
            threads: i64::MAX as usize,
            ..TrainConfig::new("shapes", "lenet5").unwrap()
        };
        std::fs::write(folder.path().join(CONFIG), config.to_toml()).unwrap();
        let error = RunFolder::config(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("config.toml: threads: 9223372036854775807"),
            "{error}"
        );
    }
}
