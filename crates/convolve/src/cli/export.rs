//! `convolve export`: the weights of a run as one file to hand on.

use std::path::PathBuf;

use clap::Args;
use formats::weights::Precision;

use super::failure::usage;
use super::output::Messages;
use super::trained;

/// What `export` takes.
#[derive(Args)]
#[command(after_help = "Example: convolve export runs/resnet20-shapes-1 shapes.safetensors --half")]
pub(crate) struct Arguments {
    /// A run folder, whose best weights are taken, or a weights file
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The file to write
    #[arg(value_name = "FILE.safetensors")]
    file: PathBuf,
    /// Sixteen bits a number: half the size, three decimal digits
    #[arg(long)]
    half: bool,
}

/// Writes weights, classes and preprocessing, without what only a continued training needs.
pub(crate) fn run(arguments: Arguments, messages: Messages) -> anyhow::Result<()> {
    let precision = match arguments.half {
        true => Precision::F16,
        false => Precision::F32,
    };
    if !trained::has_extension(&arguments.file) {
        return Err(usage(format!(
            "{}: the name of a weights file ends in .safetensors",
            arguments.file.display()
        )));
    }
    let weights = trained::open(&arguments.run)?.into_weights();
    // Whoever gets the file has nothing else to go by.
    weights.network(1)?;
    weights.save(&arguments.file, precision)?;
    messages.say(format_args!(
        "next: convolve predict {} PICTURE",
        arguments.file.display()
    ));
    Ok(())
}
