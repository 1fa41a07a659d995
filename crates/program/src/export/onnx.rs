//! A network as an ONNX file.

use std::collections::HashMap;
use std::path::Path;

use anyhow::anyhow;
use clap::Args;
use formats::Preprocess;
use formats::onnx::{Element, Export, ExportError, ExportSettings, Import, Source};
use graph::passes;
use runtime::{Program, RuntimeOptions};
use train::ModelCard;
use zoo::BuildOptions;

use crate::failure::usage;
use crate::input_shape::InputShape;
use crate::model::{Origin, Subject};
use crate::output::Messages;
use crate::printable::printable;
use crate::weights::Asked;

/// What an ONNX file takes. The weights are those of a network in any file.
#[derive(Args)]
pub(super) struct Settings {
    /// Version of ONNX's operators, 13 to 25 [default: 17]
    #[arg(long, value_name = "N")]
    opset: Option<i64>,
    /// The weights of a network of `convolve models`: a .safetensors or .onnx file, a run folder, or
    /// hf-hub:ORG/NAME
    #[arg(long, value_name = "FILE|RUN|hf-hub:ORG/NAME")]
    weights: Option<String>,
    /// Classes that a network of `convolve models` is to tell apart
    #[arg(long, value_name = "N")]
    num_classes: Option<usize>,
    /// Channels, height and width of an image, where an ONNX file leaves them open or a network of
    /// `convolve models` is to have others than it was made for
    #[arg(long, value_name = "CxHxW")]
    input: Option<InputShape>,
}

impl Settings {
    /// Where the weights are, if that was said.
    pub(super) fn weights(&self) -> Option<&str> {
        self.weights.as_deref()
    }

    /// The first of those that no other file takes.
    pub(super) fn given(&self) -> Option<&'static str> {
        let given = [
            ("--opset", self.opset.is_some()),
            ("--num-classes", self.num_classes.is_some()),
            ("--input", self.input.is_some()),
        ];
        given
            .into_iter()
            .find(|(_, given)| *given)
            .map(|(flag, _)| flag)
    }
}

/// Writes the file.
pub(super) fn run(
    name: &str,
    file: &Path,
    settings: &Settings,
    messages: Messages,
) -> anyhow::Result<()> {
    let asked = Asked {
        model: name,
        weights: settings.weights.as_deref(),
        classes: settings.num_classes,
        input: settings.input,
    };
    let mut subject = Subject::open(&asked, 1, messages)?;
    // It only holds the weights and never runs, so the memory for that is never touched.
    let options = RuntimeOptions {
        threads: 1,
        ..RuntimeOptions::default()
    };
    let mut program = Program::new(passes::inference(&subject.network)?, &options)?;
    subject.fill(&mut program)?;
    let mut random = None;
    let metadata = match &subject.origin {
        Origin::Named(named) => match &named.weights {
            Some(weights) if named.options.classes == weights.card().classes.len() => {
                let mut card = weights.card().clone();
                let BuildOptions {
                    channels,
                    height,
                    width,
                    ..
                } = named.options;
                card.preprocess.input = (height, width);
                card.preprocess.channels = channels;
                card.entries()
            }
            weights => {
                let model = named.architecture.name();
                random = Some(match weights {
                    Some(weights) => format!(
                        "the head's weights of {model} are random: {} classes are asked for, and {} tells {} apart",
                        named.options.classes,
                        printable(weights.origin()),
                        weights.card().classes.len()
                    ),
                    None => format!("the weights of {model} are random; --weights takes others"),
                });
                Vec::new()
            }
        },
        Origin::Onnx(import, metadata) => {
            check_edges(name, import)?;
            let mut metadata = metadata.clone();
            if let &[_, height, width] = subject.image.as_slice() {
                resize(&mut metadata, (height, width));
            }
            metadata
        }
    };
    let defaults = ExportSettings::default();
    let settings = ExportSettings {
        opset: settings.opset.unwrap_or(defaults.opset),
        metadata,
        ..defaults
    };
    let weights: HashMap<_, _> = program.kept().collect();
    let find = |name: &str| weights.get(name).copied();
    let export = Export::new(&subject.network, find, &settings);
    let export = export.map_err(|error| named(name, error))?;
    export.save(file).map_err(|error| named(name, error))?;
    if let Some(what) = random {
        messages.say(format_args!("warning: {what}"));
    }
    messages.say(format_args!(
        "next: convolve run {} --input X.npy --output DIR",
        file.display()
    ));
    Ok(())
}

/// Makes the preprocessing that a model's metadata speak of, if they do, that for images of another size.
fn resize(metadata: &mut [(String, String)], size: (usize, usize)) {
    let entry = metadata
        .iter_mut()
        .find(|(key, _)| key == ModelCard::PREPROCESS);
    let Some((_, text)) = entry else {
        return;
    };
    let read = serde_json::from_str::<Preprocess>(text);
    let written = read.and_then(|mut preprocess| {
        preprocess.input = size;
        serde_json::to_string(&preprocess)
    });
    // What another program means by the entry stays as it is.
    if let Ok(written) = written {
        *text = written;
    }
}

/// Refuses a model whose edges would not be written as they are.
fn check_edges(name: &str, import: &Import) -> anyhow::Result<()> {
    for edge in import.inputs.iter().chain(&import.outputs) {
        let kept = match &edge.source {
            Source::Real(_) => edge.element == Element::F32,
            Source::Index(_, numbering) => !numbering.column_major,
            Source::Constant(_) | Source::Unread => false,
        };
        if !kept {
            return Err(anyhow!(
                "{name}: `{}` would change its place or its elements, {}; only models of float32 are written anew",
                edge.name,
                edge.element
            ));
        }
    }
    Ok(())
}

/// An error with what it is about: a file names itself, settings are the caller's, and all else the network's.
fn named(name: &str, error: ExportError) -> anyhow::Error {
    match error {
        ExportError::Io { .. } => error.into(),
        ExportError::OperatorSet { .. } => usage(format!("--opset: {error}")),
        ExportError::Older { .. } => usage(format!("--opset: {name}: {error}")),
        error => anyhow!("{name}: {error}"),
    }
}
