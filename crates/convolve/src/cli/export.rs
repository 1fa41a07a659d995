//! `convolve export`: a network with its weights as one file to hand on.

mod onnx;

use std::path::PathBuf;

use clap::Args;
use formats::weights::Precision;
use train::Architecture;

use super::failure::usage;
use super::output::Messages;
use super::{model, trained};

/// What `export` takes.
#[derive(Args)]
#[command(after_help = "\
The file's extension says which it is: .safetensors for this program, .onnx for others.

Examples: convolve export runs/resnet20-shapes-1 shapes.safetensors --half
          convolve export runs/resnet20-shapes-1 shapes.onnx
          convolve export resnet18 resnet18.onnx --weights resnet18.safetensors --opset 21")]
pub(crate) struct Arguments {
    /// A run folder, whose best weights are taken, or a weights file; for .onnx also a network of
    /// `convolve models` or another ONNX file
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
    if model::is_onnx(&arguments.file) {
        if arguments.half {
            return Err(usage("--half is for .safetensors files"));
        }
        return onnx::run(&arguments.model, &arguments.file, &arguments.onnx, messages);
    }
    if let Some(flag) = arguments.onnx.given() {
        return Err(usage(format!("{flag} is for .onnx files")));
    }
    let precision = match arguments.half {
        true => Precision::F16,
        false => Precision::F32,
    };
    if !trained::has_extension(&arguments.file) {
        return Err(usage(format!(
            "{}: the name of a weights file ends in .safetensors or .onnx",
            arguments.file.display()
        )));
    }
    let weights = trained::open(arguments.model.as_ref())?.into_weights();
    // Whoever gets the file has nothing else to go by.
    weights.network(1)?;
    if let Architecture::Onnx(network) = weights.architecture()? {
        return Err(usage(format!(
            "{}: the run trains {}, which no weights file says how to build; export it to an .onnx file",
            arguments.model,
            network.name()
        )));
    }
    weights.save(&arguments.file, precision)?;
    messages.say(format_args!(
        "next: convolve predict {} PICTURE",
        arguments.file.display()
    ));
    Ok(())
}
