//! `convolve predict`: what is on pictures.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;
use formats::{DataError, Picture, images_below};
use graph::OutputActivation;
use serde_json::{Value, json};
use train::{Classifier, Prediction};

use super::answering::{Answering, BUILT_IN, BUILT_IN_NAME};
use super::engine::Engine;
use super::failure::{exit_code, message, usage};
use super::output::Messages;
use super::printable::printable;
use super::{output, report, weights};

/// What `predict` takes.
#[derive(Args)]
#[command(after_help = "\
Without RUN the network inside the program is asked: airplane, automobile, bird, cat, deer, dog,
frog, horse, ship or truck.

Published weights bring their preprocessing and labels in the config.json beside them. Without one,
pictures are prepared as torchvision does, and a thousand classes are those of ImageNet.

Examples: convolve predict photo.jpg
          convolve predict runs/resnet20-shapes-1 pictures/ --top 3 --json
          convolve predict hf-hub:timm/resnet18.a1_in1k photo.jpg
          convolve predict resnet18 --weights resnet18.safetensors photo.jpg")]
pub(crate) struct Arguments {
    /// A run folder, a .safetensors or .onnx file, hf-hub:ORG/NAME, or with --weights a network; then JPEG,
    /// PNG, WebP or BMP files; a folder stands for all images below it
    #[arg(value_name = "[RUN|MODEL] IMAGE", required = true)]
    paths: Vec<PathBuf>,
    /// The network's weights: a .safetensors or .onnx file, a run folder, or
    /// hf-hub:ORG/NAME
    #[arg(long, value_name = "FILE|RUN|hf-hub:ORG/NAME")]
    weights: Option<String>,
    /// How many classes to name
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    top: u16,
    #[command(flatten)]
    engine: Engine,
    /// One JSON object a picture: {"image": …, "activation": "softmax", "top": [{"label": …, "probability": …,
    /// "logit": …}]}; `image_bytes` too for a name that is not Unicode
    #[arg(long)]
    json: bool,
}

/// Names what is on every picture. One that cannot be read is named, and the next one follows.
pub(crate) fn run(arguments: Arguments, messages: Messages) -> anyhow::Result<()> {
    let (answering, pictures) = Answering::among(&arguments.paths, arguments.weights.as_deref())?;
    let options = arguments.engine.options();
    let mut classifier = match &answering {
        Answering::Weights { model, weights } => {
            let mut weights = weights::open(weights, model.as_deref(), messages)?;
            Classifier::from_weights(&mut weights, &options)?
        }
        Answering::BuiltIn => Classifier::from_bytes(BUILT_IN, BUILT_IN_NAME, &options)?,
    };
    let images: Vec<_> = pictures.iter().flat_map(|path| named_by(path)).collect();
    let mut answers = 0;
    let mut faults = Faults::among(images.len());
    for image in images {
        let opened = image.and_then(|image| Ok((Picture::open(&image)?, image)));
        let (picture, image) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                faults.note(error)?;
                continue;
            }
        };
        let top = match classifier.classify(&picture, arguments.top.into()) {
            Ok(top) => top,
            Err(error) => {
                faults.note(anyhow!("{}: {error}", image.display()))?;
                continue;
            }
        };
        if answers == 0 {
            messages.say(format_args!("answered by {answering}{}", how(&classifier)));
        }
        answers += 1;
        if arguments.json {
            output::json(&as_json(&image, &top, classifier.activation()))?;
        } else {
            let single = classifier.card().classes.len() == 1;
            output::data(as_text(&image, &top, single))?;
        }
    }
    faults.verdict()
}

/// How probabilities came about, where it is not by the usual softmax.
fn how(classifier: &Classifier) -> &'static str {
    match (classifier.activation(), classifier.card().classes.len()) {
        (OutputActivation::Softmax, _) => "",
        (OutputActivation::Sigmoid, 1) => ": the sigmoid of its only logit",
        (OutputActivation::Sigmoid, _) => ": a sigmoid of each class by itself",
    }
}

/// The images that an argument stands for, or the one reason why there are none.
fn named_by(path: &Path) -> Vec<anyhow::Result<PathBuf>> {
    if path
        .metadata()
        .is_ok_and(|found| !found.is_file() && !found.is_dir())
    {
        return vec![Err(anyhow!(
            "{}: neither a regular file nor a folder",
            path.display()
        ))];
    }
    match images_below(path) {
        Ok(images) => images.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(explained(path, error))],
    }
}

/// The name of a network where a picture should be is a likely slip.
fn explained(path: &Path, error: DataError) -> anyhow::Error {
    match error {
        DataError::Missing { .. } if weights::lacks_weights(path) => {
            weights::lacking(path.display())
        }
        error => error.into(),
    }
}

/// Pictures that could not be read.
struct Faults {
    /// Pictures, and arguments that stand for none.
    asked: usize,
    count: usize,
    wrong_usage: bool,
}

impl Faults {
    fn among(asked: usize) -> Self {
        Self {
            asked,
            count: 0,
            wrong_usage: false,
        }
    }

    /// Tells of a fault.
    ///
    /// # Errors
    /// The fault itself, where it is all there is to say.
    fn note(&mut self, error: anyhow::Error) -> anyhow::Result<()> {
        if self.asked == 1 {
            return Err(error);
        }
        self.count += 1;
        self.wrong_usage |= exit_code(&error) == 2;
        report(&message(&error));
        Ok(())
    }

    /// The end of it all; a file that is not there is wrong usage.
    fn verdict(self) -> anyhow::Result<()> {
        if self.count == 0 {
            return Ok(());
        }
        let text = format!("{} of {} could not be classified", self.count, self.asked);
        Err(match self.wrong_usage {
            true => usage(text),
            false => anyhow::Error::msg(text),
        })
    }
}

fn as_json(image: &Path, top: &[Prediction], activation: OutputActivation) -> Value {
    let guess = |guess: &Prediction| {
        json!({
            "label": guess.label, "probability": guess.probability, "logit": guess.logit,
        })
    };
    let mut answer = json!({
        "image": image.to_string_lossy(), "activation": activation.name(),
        "top": top.iter().map(guess).collect::<Vec<_>>(),
    });
    if image.to_str().is_none() {
        // JSON is Unicode, and not every name is: two of them may be shown alike, but their bytes differ.
        answer["image_bytes"] = image.as_os_str().as_encoded_bytes().into();
    }
    answer
}

/// A line; of a network with a single class with its logit, which may be meant as a number of its own.
fn as_text(image: &Path, top: &[Prediction], single: bool) -> String {
    let guesses: Vec<String> = top
        .iter()
        .map(|guess| {
            let label = printable(&guess.label);
            let probability = format!("{label} {:.1} %", 100.0 * guess.probability);
            match single {
                true => format!("{probability} (logit {})", guess.logit),
                false => probability,
            }
        })
        .collect();
    format!("{}: {}", printable(image.display()), guesses.join(", "))
}
