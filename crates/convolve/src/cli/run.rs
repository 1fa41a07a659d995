//! `convolve run`: a network on arrays.

mod onnx;

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::Args;
use formats::onnx::{Array, Element};
use formats::weights::TensorFile;
use graph::{Graph, passes};
use runtime::{Program, Run, initialise};
use tensor::{NpyFile, write_npy_bytes};
use zoo::BuildOptions;

use super::engine::Engine;
use super::failure::usage;
use super::output::Messages;
use super::{model, trained};

/// What `run` takes.
#[derive(Args)]
#[command(after_help = "\
Inputs are matched to those of the network in order. Every output goes to DIR/0.npy, DIR/1.npy, …
in the element type of the model.

Examples: convolve run resnet18.onnx --input images.npy --output out
          convolve run runs/resnet20-shapes-1 --input images.npy --output out")]
pub(crate) struct Arguments {
    /// An ONNX file, a network of `convolve models`, a run folder or a weights file
    #[arg(value_name = "MODEL")]
    model: String,
    /// The weights of a network of `convolve models`
    #[arg(long, value_name = "FILE.safetensors")]
    weights: Option<PathBuf>,
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
    let inputs = arguments.inputs.iter().map(|path| read(path));
    let inputs = inputs.collect::<anyhow::Result<Vec<_>>>()?;
    let path = Path::new(&arguments.model);
    let outputs = if model::is_onnx(path) {
        if arguments.weights.is_some() {
            return Err(usage("an ONNX file has its own weights"));
        }
        onnx::run(path, &inputs, &arguments.engine.options())?
    } else {
        vec![of_network(&inputs, &arguments)?]
    };
    let folder = &arguments.output;
    std::fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
    for (index, array) in outputs.iter().enumerate() {
        let file = folder.join(format!("{index}.npy"));
        write_npy_bytes(&file, array.element().npy(), array.shape(), array.bytes())?;
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
    Array::from_bytes(element, &dims, bytes).with_context(|| format!("{}", path.display()))
}

/// Runs a network of the zoo, or a trained one.
fn of_network(inputs: &[Array], arguments: &Arguments) -> anyhow::Result<Array> {
    let [images] = inputs else {
        return Err(usage(format!(
            "{} inputs for a network that reads one",
            inputs.len()
        )));
    };
    let &[batch, channels, height, width] = images.shape() else {
        bail!("images [n, c, h, w] are wanted, not {:?}", images.shape());
    };
    let of = |options: BuildOptions| BuildOptions {
        batch,
        channels,
        height,
        width,
        ..options
    };
    let path = Path::new(&arguments.model);
    let mut program;
    match zoo::find(&arguments.model) {
        Ok(found) => {
            let network = found.build(&of(found.model.options()))?;
            program = prepared(&network, arguments)?;
            initialise(&mut program, 0);
            let Some(weights) = &arguments.weights else {
                return Err(usage(format!(
                    "{} has no weights; name some with --weights",
                    found.name()
                )));
            };
            load(&TensorFile::open(weights)?, weights, &mut program)?;
        }
        Err(_) if path.exists() || trained::is_trained(path) => {
            let checkpoint = trained::open(path)?;
            let found = zoo::find(&checkpoint.card.model)?;
            let options = BuildOptions {
                classes: checkpoint.card.classes.len(),
                ..found.model.options()
            };
            let network = found.build(&of(options))?;
            checkpoint.check_fits(&network)?;
            program = prepared(&network, arguments)?;
            checkpoint.restore(&mut program)?;
        }
        Err(error) => return Err(error.into()),
    }
    images.write_f32(program.input_f32(0))?;
    program.run(Run::default());
    let shape = &program.graph().value(program.graph().outputs[0]).shape;
    let values = program.output(0).iter().map(|&value| value.into());
    Ok(Array::from_reals(Element::F32, shape, values)?)
}

fn prepared(network: &Graph, arguments: &Arguments) -> anyhow::Result<Program> {
    let graph = passes::inference(network)?;
    Ok(Program::new(graph, &arguments.engine.options())?)
}

/// Gives a program the tensors of a file, all that it needs.
fn load(file: &TensorFile, path: &Path, program: &mut Program) -> anyhow::Result<()> {
    let find = |name: &str, len: usize| match file.get(name) {
        Some(tensor) if tensor.values.len() == len => Ok(tensor.values.as_slice()),
        Some(tensor) => Err(anyhow!(
            "{}: `{name}` has shape {:?}, {len} numbers are wanted",
            path.display(),
            tensor.shape
        )),
        None => Err(anyhow!("{}: there is no `{name}`", path.display())),
    };
    for slot in program.slots().to_vec() {
        let values = find(&slot.name, slot.range.len())?;
        program.parameters_mut()[slot.range].copy_from_slice(values);
    }
    for slot in program.states().to_vec() {
        let values = find(&slot.name, slot.range.len())?;
        program.state_mut()[slot.range].copy_from_slice(values);
    }
    Ok(())
}
