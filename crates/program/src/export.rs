//! `convolve export`: a network with its weights as one file to hand on.

mod onnx;

use std::path::{Path, PathBuf};

use clap::Args;
use formats::weights::Precision;
use train::{Architecture, Checkpoint};

use super::destination;
use super::failure::usage;
use super::output::Messages;
use super::{model, trained, weights};

/// What `export` takes.
#[derive(Args)]
#[command(after_help = "\
The file's extension says which it is: .safetensors for this program, .onnx for others.

Examples: convolve export runs/resnet20-shapes-1 shapes.safetensors --half
          convolve export resnet18 r18.safetensors --weights hf-hub:timm/resnet18.a1_in1k
          convolve export runs/resnet20-shapes-1 shapes.onnx
          convolve export resnet18 resnet18.onnx --weights resnet18.safetensors --opset 21")]
pub(crate) struct Arguments {
    /// A run folder, whose best weights are taken, or a weights file; or a network of `convolve models`, for
    /// .safetensors with --weights; for .onnx also another ONNX file
    #[arg(value_name = "MODEL|RUN")]
    model: String,
    /// The file to write: .safetensors or .onnx
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Sixteen bits a number: half the size, three decimal digits; .safetensors alone
    #[arg(long)]
    half: bool,
    #[command(flatten)]
    onnx: onnx::Settings,
}

/// Writes weights, classes and preprocessing, without what only a continued training needs.
pub(crate) fn run(arguments: Arguments, messages: Messages) -> anyhow::Result<()> {
    let (model, file) = (&arguments.model, &arguments.file);
    let to_onnx = model::is_onnx(file);
    if !to_onnx && !trained::has_extension(file) {
        return Err(usage(format!(
            "{}: the name of a weights file ends in .safetensors or .onnx",
            file.display()
        )));
    }
    // Before anything is read: whether the file can go there.
    destination::of(file)?;
    let sources = [Some(model.as_str()), arguments.onnx.weights()];
    for source in sources.into_iter().flatten() {
        must_differ(source, file)?;
    }
    if to_onnx {
        if arguments.half {
            return Err(usage("--half is for .safetensors files"));
        }
        return onnx::run(model, file, &arguments.onnx, messages);
    }
    if let Some(flag) = arguments.onnx.given() {
        return Err(usage(format!("{flag} is for .onnx files")));
    }
    if model::is_onnx(model.as_ref()) {
        return Err(usage(format!(
            "{model}: an ONNX model is exported to an .onnx file; no weights file says how to build it"
        )));
    }
    let precision = match arguments.half {
        true => Precision::F16,
        false => Precision::F32,
    };
    match arguments.onnx.weights() {
        Some(reference) => {
            weights::must_need_weights(model)?;
            weights::open(reference, Some(model), messages)?.save(file, precision)?;
        }
        None if weights::lacks_weights(model.as_ref()) => return Err(weights::lacking(model)),
        None => of_trained(model, file, precision)?,
    }
    messages.say(format_args!(
        "next: convolve predict {} PICTURE",
        file.display()
    ));
    Ok(())
}

/// Writes the weights of a run or of a file of this program, and what they reached.
fn of_trained(model: &str, file: &Path, precision: Precision) -> anyhow::Result<()> {
    let weights = trained::open(model.as_ref())?.into_weights();
    // Whoever gets the file has nothing else to go by.
    weights.network(1)?;
    if let Architecture::Onnx(network) = weights.architecture()? {
        return Err(usage(format!(
            "{}: the run trains {}, which no weights file says how to build; export it to an .onnx file",
            model,
            network.name()
        )));
    }
    Ok(weights.save(file, precision)?)
}

/// Refuses to write over what is read: it would be lost for a copy with less in it.
fn must_differ(source: &str, file: &Path) -> anyhow::Result<()> {
    let source = Path::new(source);
    let run = [Checkpoint::BEST, Checkpoint::LAST].map(|name| source.join(name));
    let place = |path: &Path| path.canonicalize().ok();
    let target = place(file);
    let mut read = run.iter().map(PathBuf::as_path).chain([source]);
    match target.is_some() && read.any(|path| place(path) == target) {
        true => Err(usage(format!(
            "{}: is what is exported; name another file to write",
            file.display()
        ))),
        false => Ok(()),
    }
}
