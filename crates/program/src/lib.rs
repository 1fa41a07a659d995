//! The program `convolve`: one file a verb.
//!
//! It is a library only so that it is compiled while the kernels are; the program in `convolve` calls [`run`].

mod answering;
mod arith;
mod arrays;
mod bar;
mod bench;
mod compare;
mod cost;
mod destination;
mod doctor;
#[cfg(test)]
mod documented;
mod draw;
mod engine;
mod eval;
mod explain;
mod export;
mod failure;
mod field;
mod guessing;
mod held_out;
mod help;
mod input_shape;
mod interrupt;
mod model;
mod models;
mod op;
mod output;
mod places;
mod predict;
mod printable;
mod report;
mod rf;
mod run;
mod signals;
mod summary;
mod table;
mod train;
mod trained;
mod weights;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Arg, CommandFactory, FromArgMatches, Parser, Subcommand};

use self::output::Messages;

/// Where a flag of all verbs stands among their own: behind them.
const LAST: usize = 900;

/// Convolutional networks: describe once, measure, train and run.
#[derive(Parser)]
#[command(
    name = "convolve",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
struct CommandLine {
    #[command(subcommand)]
    verb: Verb,
    /// Tell nothing but data and errors
    #[arg(short, long, global = true, display_order = LAST)]
    quiet: bool,
}

#[derive(Subcommand)]
enum Verb {
    /// Train a network on pictures; on the built-in shapes if nothing else is said
    Train(Box<train::Arguments>),
    /// Measure how well a trained network does
    Eval(eval::Arguments),
    /// Show a run on one page: curves, mistakes, examples, filters and settings
    Report(report::Arguments),
    /// Name what is on pictures
    Predict(predict::Arguments),
    /// Write a network with its weights as one file to hand on: .safetensors or .onnx
    Export(export::Arguments),
    /// List the networks of the zoo
    Models(models::Arguments),
    /// Show layers, shapes, parameters and multiply-accumulates of a network
    Summary(summary::Arguments),
    /// Show two networks side by side
    Compare(compare::Arguments),
    /// Show what each layer of a network sees of its input, or which pixels one neuron sees
    Rf(rf::Arguments),
    /// Look for what ails a network: in its shape, its weights, and on pictures
    Doctor(doctor::Arguments),
    /// Work problems out step by step: sizes, padding, what is never read, the transposed partner
    Arith(arith::Arguments),
    /// Compare what the kinds of convolution cost
    Cost(cost::Arguments),
    /// Draw a convolution, a block or a network: .svg, .png or .gif
    Draw(Box<draw::Arguments>),
    /// Show what a network sees on a picture: where it looks, its filters, its feature maps
    Explain(explain::Arguments),
    /// Measure a network, single problems, or the processor itself
    Bench(bench::Arguments),
    /// Run a network on arrays: an ONNX file, a network of the zoo or a trained one
    Run(run::Arguments),
    /// Compute one convolution on given arrays, or many listed in a file
    Op(op::Arguments),
    /// Print this message or the help of a verb
    Help(help::Arguments),
}

/// Runs the program on the arguments of the process.
pub fn run() -> ExitCode {
    signals::ignore_file_size_limit();
    let line = match parse() {
        Ok(line) => line,
        Err(error) => return refuse(&error),
    };
    let messages = Messages { quiet: line.quiet };
    let done = match line.verb {
        Verb::Train(arguments) => train::run(*arguments, messages),
        Verb::Eval(arguments) => eval::run(arguments, messages),
        Verb::Report(arguments) => report::run(arguments, messages),
        Verb::Predict(arguments) => predict::run(arguments, messages),
        Verb::Export(arguments) => export::run(arguments, messages),
        Verb::Models(arguments) => models::run(arguments),
        Verb::Summary(arguments) => summary::run(arguments, messages),
        Verb::Compare(arguments) => compare::run(arguments, messages),
        Verb::Rf(arguments) => rf::run(arguments, messages),
        Verb::Doctor(arguments) => doctor::run(arguments, messages),
        Verb::Arith(arguments) => arith::run(arguments),
        Verb::Cost(arguments) => cost::run(arguments),
        Verb::Draw(arguments) => draw::run(*arguments, messages),
        Verb::Explain(arguments) => explain::run(arguments, messages),
        Verb::Bench(arguments) => bench::run(arguments, messages),
        Verb::Run(arguments) => run::run(arguments, messages),
        Verb::Op(arguments) => op::run(arguments),
        Verb::Help(arguments) => match CommandLine::try_parse_from(arguments.command_line()) {
            Ok(_) => Ok(()),
            Err(help) => return refuse(&help),
        },
    };
    end(done)
}

/// Reads the arguments.
fn parse() -> Result<CommandLine, clap::Error> {
    CommandLine::from_arg_matches(&program().try_get_matches()?)
}

/// What the program understands. A negative number is a value, wrong or not, and no flag.
fn program() -> clap::Command {
    let negative = |argument: Arg| match argument.get_action().takes_values() {
        true => argument.allow_negative_numbers(true),
        false => argument,
    };
    let mut program = CommandLine::command();
    let verbs: Vec<String> = program
        .get_subcommands()
        .map(|verb| verb.get_name().to_owned())
        .collect();
    for verb in verbs {
        program = program.mut_subcommand(verb, |verb| verb.mut_args(negative));
    }
    program
}

/// Reports an error, if there was one, and gives the exit code.
fn end(done: anyhow::Result<()>) -> ExitCode {
    let Err(error) = done else {
        return ExitCode::SUCCESS;
    };
    let code = failure::exit_code(&error);
    match code {
        0 => {}
        130 => output::remark(error),
        _ => report(&failure::message(&error)),
    }
    ExitCode::from(code)
}

/// Shows help and version where they belong, and brings an error down to its first paragraph.
fn refuse(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            end(output::data(text.trim_end()).map_err(anyhow::Error::from))
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            output::remark(text.trim_end());
            ExitCode::from(2)
        }
        _ => {
            let first = text.split("\n\nUsage:").next().unwrap_or_default();
            let first = first.split("\n\nFor more information").next();
            let first = first.unwrap_or_default().trim_start_matches("error:");
            // A tip is a paragraph of its own, so nothing separates it once all is one line.
            report(
                &first
                    .replace("\n\n  tip:", "; tip:")
                    .replace("\n  tip:", "; tip:"),
            );
            ExitCode::from(2)
        }
    }
}

fn report(text: &str) {
    output::remark(format_args!("error: {}", failure::one_line(text)));
}
