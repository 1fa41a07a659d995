//! A network as an ONNX file.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;
use formats::onnx::{Bindings, Element, Export, ExportError, ExportSettings, Source};
use formats::weights::TensorFile;
use graph::{Graph, passes};
use runtime::{Program, RuntimeOptions, initialise};
use train::ModelCard;
use zoo::BuildOptions;

use crate::cli::failure::usage;
use crate::cli::output::Messages;
use crate::cli::run::load;
use crate::cli::{model, trained};

/// What only an ONNX file takes.
#[derive(Args)]
pub(super) struct Settings {
    /// Version of ONNX's operators, 13 to 25 [default: 17]
    #[arg(long, value_name = "N")]
    opset: Option<i64>,
    /// The weights of a network of `convolve models`
    #[arg(long, value_name = "FILE.safetensors")]
    weights: Option<PathBuf>,
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

/// A network, and a program of it that holds the weights.
struct Subject {
    graph: Graph,
    program: Program,
    metadata: Vec<(String, String)>,
}

/// Writes the file.
pub(super) fn run(
    name: &str,
    file: &Path,
    settings: &Settings,
    messages: Messages,
) -> anyhow::Result<()> {
    let path = Path::new(name);
    let subject = match zoo::find(name) {
        Ok(found) => of_zoo(&found, settings, messages)?,
        Err(unknown) => {
            if let Some(flag) = settings.given().filter(|flag| *flag != "--opset") {
                let text = format!("{flag} goes with a network of `convolve models`");
                return Err(usage(text));
            }
            if model::is_onnx(path) {
                of_onnx(path)?
            } else if path.exists() || trained::is_trained(path) {
                of_run(path)?
            } else {
                return Err(unknown.into());
            }
        }
    };
    let defaults = ExportSettings::default();
    let export_settings = ExportSettings {
        opset: settings.opset.unwrap_or(defaults.opset),
        metadata: subject.metadata,
        ..defaults
    };
    let program = &subject.program;
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
    let export = Export::new(&subject.graph, find, &export_settings);
    let export = export.map_err(|error| named(name, error))?;
    export.save(file).map_err(|error| named(name, error))?;
    messages.say(format_args!(
        "next: convolve run {} --input X.npy --output DIR",
        file.display()
    ));
    Ok(())
}

/// A network of the zoo, with the weights of a file or, where there is none, fresh ones.
fn of_zoo(found: &zoo::Found, settings: &Settings, messages: Messages) -> anyhow::Result<Subject> {
    let defaults = found.model.options();
    let options = BuildOptions {
        classes: settings.num_classes.unwrap_or(defaults.classes),
        ..defaults
    };
    let graph = found.build(&options)?;
    let mut program = prepared(&graph)?;
    initialise(&mut program, 0);
    match &settings.weights {
        Some(weights) => load(&TensorFile::open(weights)?, weights, &mut program)?,
        None => messages.say(format_args!(
            "warning: the weights of {} are random; --weights takes others",
            found.name()
        )),
    }
    Ok(Subject {
        graph,
        program,
        metadata: Vec::new(),
    })
}

/// A trained network, with what its card says of classes and preprocessing.
fn of_run(path: &Path) -> anyhow::Result<Subject> {
    let checkpoint = trained::open(path)?;
    let graph = checkpoint.card.network(1)?;
    checkpoint.check_fits(&graph)?;
    let mut program = prepared(&graph)?;
    checkpoint.restore(&mut program)?;
    Ok(Subject {
        graph,
        program,
        metadata: metadata(&checkpoint.card)?,
    })
}

/// Another ONNX file, whose operators are written anew.
fn of_onnx(path: &Path) -> anyhow::Result<Subject> {
    let onnx = model::open(path)?;
    let import = model::import(path, &onnx, &Bindings::batch(1))?;
    for edge in import.inputs.iter().chain(&import.outputs) {
        let kept = match &edge.source {
            Source::Real(_) => edge.element == Element::F32,
            Source::Index(_, numbering) => !numbering.column_major,
            Source::Constant(_) | Source::Unread => false,
        };
        if !kept {
            return Err(anyhow!(
                "{}: `{}` would change its place or its elements, {}; only models of float32 are written anew",
                path.display(),
                edge.name,
                edge.element
            ));
        }
    }
    let metadata = onnx.metadata().to_vec();
    drop(onnx);
    let mut program = prepared(&import.graph)?;
    model::load(&import, &mut program).map_err(|error| model::named(path, error))?;
    Ok(Subject {
        graph: import.graph,
        program,
        metadata,
    })
}

/// A program that only holds the weights: it never runs, so the memory for it is never touched.
fn prepared(graph: &Graph) -> anyhow::Result<Program> {
    let options = RuntimeOptions {
        threads: 1,
        ..RuntimeOptions::default()
    };
    Ok(Program::new(passes::inference(graph)?, &options)?)
}

/// The card under the names that checkpoints have for it.
fn metadata(card: &ModelCard) -> anyhow::Result<Vec<(String, String)>> {
    Ok(vec![
        ("model".to_owned(), card.model.clone()),
        ("classes".to_owned(), serde_json::to_string(&card.classes)?),
        (
            "preprocess".to_owned(),
            serde_json::to_string(&card.preprocess)?,
        ),
    ])
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
