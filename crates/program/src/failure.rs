//! What ends the program early, in one line, and the exit code that says what kind of end it was.

use std::io::{self, ErrorKind};

use explain::ExplainError;
use formats::hub::HubError;
use formats::onnx::OnnxError;
use formats::weights::WeightsError;
use formats::{DataError, ModelConfigError};
use tensor::NpyError;
use train::{ArchitectureError, CheckpointError, OnnxNetworkError, TrainError};
use zoo::ZooError;

/// What was asked for makes no sense, whatever the files hold.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(String);

/// Ctrl-C, after everything was put in order.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Interrupted(pub(crate) String);

/// [`Usage`] as an error of any kind.
pub(crate) fn usage(text: impl ToString) -> anyhow::Error {
    Usage(text.to_string()).into()
}

/// 0 done, 1 failed, 2 wrong usage or a missing file, 130 interrupted.
pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<Interrupted>() {
        return 130;
    }
    if error.is::<Usage>() || is_of_the_zoo(error) || names_nothing(error) {
        return 2;
    }
    match error.downcast_ref::<io::Error>() {
        // Nobody reads any more: `convolve models | head -1` is no failure.
        Some(error) if error.kind() == ErrorKind::BrokenPipe => 0,
        _ => 1,
    }
}

/// A network of the zoo cannot be built as it was asked for.
fn is_of_the_zoo(error: &anyhow::Error) -> bool {
    let architecture = error.downcast_ref::<ArchitectureError>();
    error.is::<ZooError>() || matches!(architecture, Some(ArchitectureError::Zoo(_)))
}

/// The message, with the program's own words for what the system says.
pub(crate) fn message(error: &anyhow::Error) -> String {
    let text = error.to_string();
    let causes = error.chain().filter_map(|cause| cause.downcast_ref());
    causes.fold(text, |text, cause: &io::Error| {
        text.replace(&cause.to_string(), &in_words(cause))
    })
}

/// What the system says of a file; what it often says in the same words on every system.
pub(crate) fn in_words(error: &io::Error) -> String {
    if error.raw_os_error().is_none() {
        return error.to_string();
    }
    let words = match error.kind() {
        ErrorKind::NotFound => "no such file or folder",
        ErrorKind::NotADirectory => "a part of the path is no folder",
        ErrorKind::IsADirectory => "is a folder",
        ErrorKind::PermissionDenied => "permission denied",
        ErrorKind::FileTooLarge => "the file would be larger than it may be",
        ErrorKind::StorageFull => "no space is left on the device",
        _ => return error.to_string(),
    };
    words.to_owned()
}

/// The message without line breaks: one error is one line.
pub(crate) fn one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}

/// Whether an argument names a file or folder that is not there, or settings that make no sense.
fn names_nothing(error: &anyhow::Error) -> bool {
    if let Some(error) = error.downcast_ref() {
        return is_missing_array(error);
    }
    if let Some(error) = error.downcast_ref() {
        return is_missing_data(error);
    }
    if let Some(error) = error.downcast_ref() {
        return is_missing_weights(error);
    }
    if let Some(error) = error.downcast_ref() {
        return is_missing_model(error);
    }
    if let Some(error) = error.downcast_ref() {
        return is_wrong_choice(error);
    }
    match error.downcast_ref() {
        Some(TrainError::Data(error)) => is_missing_data(error),
        Some(TrainError::Checkpoint(error)) => is_missing_weights(error),
        Some(TrainError::Onnx(error)) => is_missing_network(error),
        Some(
            TrainError::Config(_)
            | TrainError::Zoo(_)
            | TrainError::NoRun { .. }
            | TrainError::RunExists { .. },
        ) => true,
        _ => false,
    }
}

/// A layer, class or setting that the network does not have.
fn is_wrong_choice(error: &ExplainError) -> bool {
    matches!(
        error,
        ExplainError::NoLayer { .. }
            | ExplainError::NoMap { .. }
            | ExplainError::ReadsNoMap { .. }
            | ExplainError::NoFeatureMap { .. }
            | ExplainError::NoFilters { .. }
            | ExplainError::Class { .. }
            | ExplainError::Channel { .. }
            | ExplainError::Setting { .. }
    )
}

fn is_missing_model(error: &OnnxError) -> bool {
    match error {
        OnnxError::Io { source, .. } => source.kind() == ErrorKind::NotFound,
        OnnxError::OpenExtent { .. } => true,
        _ => false,
    }
}

fn is_missing_network(error: &OnnxNetworkError) -> bool {
    match error {
        OnnxNetworkError::Model { source, .. } => is_missing_model(source),
        OnnxNetworkError::NotKept { .. } => true,
        _ => false,
    }
}

fn is_missing_array(error: &NpyError) -> bool {
    matches!(error, NpyError::Io { source, .. } if source.kind() == ErrorKind::NotFound)
}

fn is_missing_data(error: &DataError) -> bool {
    matches!(
        error,
        DataError::Missing { .. } | DataError::Fraction { .. }
    )
}

fn is_missing_weights(error: &CheckpointError) -> bool {
    match error {
        CheckpointError::Weights(WeightsError::Io { source, .. })
        | CheckpointError::Config(ModelConfigError::Io { source, .. }) => {
            source.kind() == ErrorKind::NotFound
        }
        CheckpointError::Weights(WeightsError::Pickle { .. }) | CheckpointError::Zoo(_) => true,
        CheckpointError::Onnx(error) => is_missing_network(error),
        CheckpointError::Hub(error) => {
            matches!(
                error,
                HubError::Id { .. } | HubError::NoCache | HubError::NotCached { .. }
            )
        }
        _ => false,
    }
}
