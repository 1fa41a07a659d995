//! `convolve doctor`: what ails a network.

mod board;
mod pictures;
mod text;

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;
use explain::doctor::{Diagnosis, Finding, Parameters, Patient, Severity, examine};
use formats::DataError;
use graph::passes;
use runtime::{Program, RuntimeOptions};
use serde_json::{Map, Value, json};
use train::Weights;

use self::pictures::Examined;
use super::destination;
use super::draw::Format;
use super::engine::THREADS;
use super::failure::usage;
use super::held_out::{self, Wanted};
use super::input_shape::InputShape;
use super::model::{Origin, Subject};
use super::output::{self, Messages};
use super::printable::printable;
use super::weights::{self, Asked};

/// What `doctor` takes.
#[derive(Args)]
#[command(after_help = "\
Of the network alone: layers whose field exceeds the image, branches that do not lie on each other.
With weights: dead and duplicate filters, a first layer whose stride is too long for its filters.
With pictures: maps that are constant or saturated, batch norms out of step with the pictures, gradients
that explode or vanish, pictures prepared otherwise than in training, classes in another order. A run's
own pictures are taken where --data names no others, of them those that were held out.

Examples: convolve doctor resnet50 --input 3x64x64
          convolve doctor runs/resnet20-photos-1
          convolve doctor resnet18 --weights resnet18.safetensors --data photos/ --strict")]
pub(crate) struct Arguments {
    /// A network of `convolve models`, an ONNX file, a run folder, a weights file, or hf-hub:ORG/NAME
    #[arg(value_name = "MODEL|RUN", required_unless_present = "data")]
    model: Option<String>,
    /// The network's weights: a .safetensors or .onnx file, a run folder, or
    /// hf-hub:ORG/NAME
    #[arg(long, value_name = "FILE|RUN|hf-hub:ORG/NAME")]
    weights: Option<String>,
    /// A folder of images, an IDX file, CIFAR-10 binary, or shapes
    #[arg(long, visible_alias = "data-dir", value_name = "shapes|DIR|FILE")]
    data: Option<String>,
    /// How many pictures to look at
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u16).range(2..))]
    pictures: u16,
    /// Channels, height and width of an image, where no pictures are looked at; by default those the
    /// network was made for
    #[arg(long, value_name = "CxHxW", conflicts_with = "data")]
    input: Option<InputShape>,
    /// End with exit code 1 if there is a warning
    #[arg(long)]
    strict: bool,
    /// Threads; one a core by default
    #[arg(short = 'j', long, value_parser = clap::value_parser!(u16).range(THREADS))]
    threads: Option<u16>,
    /// One JSON object
    #[arg(long)]
    json: bool,
    /// A picture of the first layer's filters and of the frequencies that its steps keep: .svg, .png or .gif
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

const NEEDS_NETWORK: &str = "--data names pictures for a network to be examined on, and no network is named: \
                             convolve doctor RUN --data DIR, or MODEL --weights FILE --data DIR";

/// Examines a network.
pub(crate) fn run(arguments: Arguments, messages: Messages) -> anyhow::Result<()> {
    let Some(model) = arguments.model.as_deref() else {
        return Err(usage(NEEDS_NETWORK));
    };
    let mut options = RuntimeOptions::default();
    options.threads = arguments.threads.map_or(options.threads, usize::from);
    let format = arguments.output.as_deref().map(Format::of).transpose()?;
    if let Some(path) = &arguments.output {
        destination::of(path)?;
    }
    let place = trained(model, arguments.weights.as_deref(), messages)?;
    if let (None, Some(data)) = (&place, &arguments.data) {
        messages.say(format_args!(
            "warning: the pictures of {} are not looked at: {} is without weights, which --weights names",
            printable(data),
            printable(model)
        ));
    }
    if arguments.input.is_some() && place.as_deref().is_some_and(has_pictures) {
        messages.say(
            "warning: the pictures of the run are not looked at, as --input names the size of an image",
        );
    }
    let examined = match &place {
        Some(place) if arguments.input.is_none() => {
            with_pictures(model, &arguments, place, &options, messages)?
        }
        _ => None,
    };
    let examined = match examined {
        Some(examined) => examined,
        None => alone(model, &arguments, &options, messages)?,
    };
    let diagnosis = examine(&Patient {
        network: &examined.network,
        parameters: examined.parameters.as_ref(),
        sample: examined.sample.as_ref(),
        options,
    })?;
    if let (Some(path), Some(format)) = (&arguments.output, format) {
        board::draw(&examined, path, format)?;
        destination::tell(path, messages);
    }
    let name = &examined.network.name;
    let warnings = diagnosis.count(Severity::Warning);
    if arguments.json {
        output::json(&as_json(name, &diagnosis))?;
    } else {
        output::data(text::of(name, &diagnosis))?;
    }
    match warnings {
        0 => Ok(()),
        _ if !arguments.strict => Ok(()),
        1 => Err(anyhow!("1 warning")),
        more => Err(anyhow!("{more} warnings")),
    }
}

/// Where the weights are; nowhere of a network by name alone.
fn trained(
    model: &str,
    given: Option<&str>,
    messages: Messages,
) -> anyhow::Result<Option<PathBuf>> {
    if given.is_some() {
        weights::must_need_weights(model)?;
    }
    match given {
        Some(reference) => Ok(Some(weights::locate(reference, messages)?)),
        None if !weights::stands_for_weights(model) || weights::lacks_weights(model.as_ref()) => {
            Ok(None)
        }
        None => Ok(Some(weights::locate(model, messages)?)),
    }
}

/// The network with pictures, if there are any: those that were named, or those of the run.
fn with_pictures(
    model: &str,
    arguments: &Arguments,
    place: &Path,
    options: &RuntimeOptions,
    messages: Messages,
) -> anyhow::Result<Option<Examined>> {
    let of_run = arguments.data.is_none();
    if of_run && held_out::settings(place)?.is_none() {
        return Ok(None);
    }
    let wanted = Wanted {
        data: arguments.data.as_deref(),
        ..Wanted::default()
    };
    let pictures = match wanted.open(place) {
        Ok(pictures) => pictures,
        // What needs no pictures is told all the same.
        Err(error) if of_run && is_missing(&error) => {
            messages.say(format_args!("{error}"));
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let model = arguments.weights.as_ref().map(|_| model);
    let weights = Weights::open(place, model)?;
    let count = arguments.pictures.into();
    pictures::examined(weights, pictures, count, options, messages).map(Some)
}

/// Whether weights are those of a run, whose settings name pictures.
fn has_pictures(place: &Path) -> bool {
    held_out::settings(place).is_ok_and(|settings| settings.is_some())
}

/// Whether the pictures of a run are where they were no more.
fn is_missing(error: &anyhow::Error) -> bool {
    error.is::<super::failure::Usage>()
        || matches!(error.downcast_ref(), Some(DataError::Missing { .. }))
}

/// A network without pictures.
fn alone(
    model: &str,
    arguments: &Arguments,
    options: &RuntimeOptions,
    messages: Messages,
) -> anyhow::Result<Examined> {
    let asked = Asked {
        model,
        weights: arguments.weights.as_deref(),
        classes: None,
        input: arguments.input,
    };
    let mut subject = Subject::open(&asked, 1, messages)?;
    let has_weights = match &subject.origin {
        Origin::Named(named) => named.weights.is_some(),
        Origin::Onnx(..) => true,
    };
    let network = subject.network.clone();
    let parameters = match has_weights {
        true => {
            let mut program = Program::new(passes::inference(&network)?, options)?;
            subject.fill(&mut program)?;
            let parameters = Parameters::of(&program);
            if let Some((name, value)) = parameters.not_finite() {
                let model = printable(model);
                return Err(anyhow!(
                    "{model}: `{name}` holds {value}; weights must be finite"
                ));
            }
            Some(parameters)
        }
        false => None,
    };
    Ok(Examined {
        network,
        parameters,
        sample: None,
    })
}

fn as_json(name: &str, diagnosis: &Diagnosis) -> Value {
    let findings: Vec<Value> = diagnosis.findings.iter().map(finding).collect();
    let made: Vec<&str> = diagnosis.made.iter().map(|check| check.name()).collect();
    let left_out = diagnosis.left_out.iter();
    let left_out: Vec<Value> = left_out
        .map(|left_out| json!({"check": left_out.check.name(), "reason": left_out.reason}))
        .collect();
    json!({
        "network": name,
        "pictures": diagnosis.score.map(|score| score.pictures),
        "accuracy": diagnosis.score.map(|score| score.accuracy),
        "warnings": diagnosis.count(Severity::Warning),
        "notes": diagnosis.count(Severity::Note),
        "findings": findings, "checked": made, "left_out": left_out,
    })
}

fn finding(finding: &Finding) -> Value {
    let numbers = finding.numbers.iter();
    let numbers: Map<String, Value> = numbers
        .map(|&(name, number)| (name.to_owned(), json!(number)))
        .collect();
    json!({
        "check": finding.check.name(), "severity": finding.severity.name(), "layer": finding.layer,
        "channels": finding.channels, "evidence": finding.evidence, "numbers": numbers,
        "advice": finding.advice,
    })
}
