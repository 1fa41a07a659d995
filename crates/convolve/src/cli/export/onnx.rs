//! A network as an ONNX file.

use std::collections::HashMap;
use std::path::Path;

use anyhow::anyhow;
use clap::Args;
use formats::onnx::{Element, Export, ExportError, ExportSettings, Import, Source};
use graph::passes;
use runtime::{Program, RuntimeOptions, initialise};

use crate::cli::failure::usage;
use crate::cli::model::{Origin, Subject};
use crate::cli::output::Messages;
use crate::cli::weights::Asked;

/// What only an ONNX file takes.
#[derive(Args)]
pub(super) struct Settings {
    /// Version of ONNX's operators, 13 to 25 [default: 17]
    #[arg(long, value_name = "N")]
    opset: Option<i64>,
    /// The weights of a network of `convolve models`: a .safetensors file, a run folder, or
    /// hf-hub:ORG/NAME
    #[arg(long, value_name = "FILE|RUN|hf-hub:ORG/NAME")]
    weights: Option<String>,
    /// Classes that a network of `convolve models` is to tell apart
    #[arg(long, value_name = "N")]
    num_classes: Option<usize>,
}

impl Settings {
    /// The first of them that was given.
    pub(super) fn given(&self) -> Option<&'static str> {
        let given = [
            ("--opset", self.opset.is_some()),
            ("--weights", self.weights.is_some()),
            ("--num-classes", self.num_classes.is_some()),
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
        input: None,
    };
    let mut subject = Subject::open(&asked, 1, messages)?;
    // It only holds the weights and never runs, so the memory for that is never touched.
    let options = RuntimeOptions {
        threads: 1,
        ..RuntimeOptions::default()
    };
    let mut program = Program::new(passes::inference(&subject.network)?, &options)?;
    initialise(&mut program, 0);
    subject.restore(&mut program)?;
    let mut random = None;
    let metadata = match &subject.origin {
        Origin::Named(named) => match &named.weights {
            Some(weights) if named.options.classes == weights.card().classes.len() => {
                weights.card().entries()
            }
            _ => {
                let what = match named.weights {
                    Some(_) => "the head's weights",
                    None => "the weights",
                };
                random = Some(format!("{what} of {}", named.architecture.name()));
                Vec::new()
            }
        },
        Origin::Onnx(import, metadata) => {
            check_edges(name, import)?;
            metadata.clone()
        }
    };
    let defaults = ExportSettings::default();
    let settings = ExportSettings {
        opset: settings.opset.unwrap_or(defaults.opset),
        metadata,
        ..defaults
    };
    let places = (program.slots().iter()).map(|slot| {
        (
            slot.name.as_str(),
            &program.parameters()[slot.range.clone()],
        )
    });
    let states = (program.states().iter())
        .map(|slot| (slot.name.as_str(), &program.state()[slot.range.clone()]));
    let weights: HashMap<_, _> = places.chain(states).collect();
    let find = |name: &str| weights.get(name).copied();
    let export = Export::new(&subject.network, find, &settings);
    let export = export.map_err(|error| named(name, error))?;
    export.save(file).map_err(|error| named(name, error))?;
    if let Some(what) = random {
        messages.say(format_args!(
            "warning: {what} are random; --weights takes others"
        ));
    }
    messages.say(format_args!(
        "next: convolve run {} --input X.npy --output DIR",
        file.display()
    ));
    Ok(())
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

/// An error with the network it is about; a file names itself, and settings are the caller's.
fn named(name: &str, error: ExportError) -> anyhow::Error {
    match error {
        ExportError::Io { .. } => error.into(),
        ExportError::OperatorSet { .. } | ExportError::Older { .. } => {
            usage(format!("{name}: {error}"))
        }
        error => anyhow!("{name}: {error}"),
    }
}
