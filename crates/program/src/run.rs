//! `convolve run`: a network on arrays.

mod onnx;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use clap::Args;
use formats::atomic::Draft;
use formats::onnx::{Array, Element};
use graph::passes;
use runtime::{Program, Run};
use tensor::{NpyFile, write_npy_bytes_to};

use super::destination;
use super::engine::Engine;
use super::failure::{in_words, usage};
use super::input_shape::InputShape;
use super::model::{self, Origin, Subject};
use super::output::Messages;
use super::weights::{Asked, lacking};

/// What `run` takes.
#[derive(Args)]
#[command(after_help = "\
Inputs are matched to those of the network in order. Every output goes to DIR/0.npy, DIR/1.npy, …
in the element type of the model.

Examples: convolve run resnet18.onnx --input images.npy --output out
          convolve run runs/resnet20-shapes-1 --input images.npy --output out")]
pub(crate) struct Arguments {
    /// An ONNX file, a network of `convolve models`, a run folder, a weights file, or hf-hub:ORG/NAME
    #[arg(value_name = "MODEL")]
    model: String,
    /// The weights of a network of `convolve models`: a .safetensors or .onnx file, a run folder, or
    /// hf-hub:ORG/NAME
    #[arg(long, value_name = "FILE|RUN|hf-hub:ORG/NAME")]
    weights: Option<String>,
    /// An input; given once for each
    #[arg(long = "input", value_name = "X.npy")]
    inputs: Vec<PathBuf>,
    /// The folder to write to
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    #[command(flatten)]
    engine: Engine,
}

/// Runs a network once.
pub(crate) fn run(arguments: Arguments, messages: Messages) -> anyhow::Result<()> {
    must_be_folder(&arguments.output)?;
    let inputs = arguments.inputs.iter().map(|path| read(path));
    let inputs = inputs.collect::<anyhow::Result<Vec<_>>>()?;
    let path = Path::new(&arguments.model);
    let outputs = if model::is_onnx(path) {
        if arguments.weights.is_some() {
            return Err(usage("an ONNX file has weights of its own"));
        }
        onnx::run(path, &inputs, &arguments.engine.options())?
    } else {
        of_network(&inputs, &arguments, messages)?
    };
    let folder = &arguments.output;
    let failed = |error: io::Error| anyhow!("{}: {}", folder.display(), in_words(&error));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let places = (0..outputs.len()).map(|index| folder.join(format!("{index}.npy")));
    let places: Vec<PathBuf> = places.collect();
    for place in &places {
        let mut read = arguments.inputs.iter();
        read.try_for_each(|read| destination::must_not_be_read(read, place))?;
    }
    // All or nothing, as far as the system lets it be: none takes its name before the last one is on the disk.
    let drafts = outputs.iter().zip(&places).map(|(array, place)| {
        let (descr, shape) = (array.element().npy(), array.shape());
        let fill = |file: &mut File| write_npy_bytes_to(file, descr, shape, array.bytes());
        Draft::write(place, fill).map_err(|error| destination::unwritable(place, &error))
    });
    let drafts = drafts.collect::<anyhow::Result<Vec<_>>>()?;
    for ((array, file), draft) in outputs.iter().zip(&places).zip(drafts) {
        let published = draft.publish();
        published.map_err(|error| destination::unwritable(file, &error))?;
        let shape = array.shape();
        messages.say(format_args!(
            "{}: {} {shape:?}",
            file.display(),
            array.element()
        ));
    }
    Ok(())
}

/// An array of any element type that a model may have.
fn read(path: &Path) -> anyhow::Result<Array> {
    let file = NpyFile::open(path)?;
    let (dims, descr) = (file.dims().to_vec(), file.descr().to_owned());
    let element = Element::from_npy(&descr)
        .ok_or_else(|| anyhow!("{}: elements of type {descr} are not read", path.display()))?;
    let bytes = file.read_bytes(element.size())?;
    let array = Array::from_bytes(element, &dims, bytes);
    array.map_err(|error| anyhow!("{}: {error}", path.display()))
}

/// Refuses a folder to write to that is, or would lie in, something else, before anything is computed.
fn must_be_folder(path: &Path) -> anyhow::Result<()> {
    match path.ancestors().find(|part| part.exists()) {
        Some(part) if !part.is_dir() => Err(usage(format!(
            "{}: exists and is no folder",
            part.display()
        ))),
        _ => Ok(()),
    }
}

/// Runs a network of the zoo, or a trained one.
fn of_network(
    inputs: &[Array],
    arguments: &Arguments,
    messages: Messages,
) -> anyhow::Result<Vec<Array>> {
    let [input] = inputs else {
        return Err(usage(format!(
            "{} inputs for a network that reads one",
            inputs.len()
        )));
    };
    let &[batch, channels, height, width] = input.shape() else {
        bail!("images [n, c, h, w] are wanted, not {:?}", input.shape());
    };
    let asked = Asked {
        model: &arguments.model,
        weights: arguments.weights.as_deref(),
        classes: None,
        input: Some(InputShape([channels, height, width])),
    };
    let mut subject = Subject::open(&asked, batch, messages)?;
    if matches!(&subject.origin, Origin::Named(named) if named.weights.is_none()) {
        return Err(lacking(&arguments.model));
    }
    let graph = passes::inference(&subject.network)?;
    let mut program = Program::new(graph, &arguments.engine.options())?;
    subject.fill(&mut program)?;
    let mut program = program.into_inference();
    input.write_f32(program.input_f32(0))?;
    program.run(Run::default());
    let graph = program.graph();
    let outputs = graph.outputs.iter().enumerate().map(|(place, &id)| {
        let values = program.output(place).iter().map(|&value| value.into());
        Array::from_reals(Element::F32, &graph.value(id).shape, values)
    });
    Ok(outputs.collect::<Result<_, _>>()?)
}
