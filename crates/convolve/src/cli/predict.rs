//! `convolve predict`: what is on pictures.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;
use formats::{DataError, Picture, images_below};
use serde_json::{Value, json};
use train::{Classifier, Prediction};

use super::engine::Engine;
use super::failure::{exit_code, message, usage};
use super::model;
use super::output::Messages;
use super::printable::printable;
use super::{output, report, trained, weights};

/// The network for those who have none: it tells the ten classes of CIFAR-10 apart.
static BUILT_IN: &[u8] = include_bytes!("../../assets/classifier.safetensors");

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
    /// One JSON object a picture: {"image": …, "top": [{"label": …, "probability": …}]}; `image_bytes`
    /// too for a name that is not Unicode
    #[arg(long)]
    json: bool,
}

/// Names what is on every picture. One that cannot be read is named, and the next one follows.
pub(crate) fn run(arguments: Arguments, messages: Messages) -> anyhow::Result<()> {
    let name = |path: &Path| path.to_string_lossy().into_owned();
    // What the weights are of and where they are; then the pictures.
    let (network, pictures) = match (arguments.paths.split_first(), &arguments.weights) {
        (Some((first, rest)), Some(weights)) if weights::lacks_weights(first) => {
            (Some((Some(name(first)), weights.clone())), rest)
        }
        (Some((first, _)), Some(_)) if trained::is_trained(first) || model::is_onnx(first) => {
            return Err(weights::has_weights(first.display()));
        }
        (_, Some(weights)) => (Some((None, weights.clone())), arguments.paths.as_slice()),
        (Some((first, rest)), None) if trained::is_trained(first) || model::is_onnx(first) => {
            (Some((None, name(first))), rest)
        }
        (Some((first, _)), None) if trained::is_foreign(first) => {
            return Err(usage(format!(
                "{}: networks in this form are not read; name a run folder or a .safetensors file",
                first.display()
            )));
        }
        (Some((first, [_, ..])), None) if weights::lacks_weights(first) => {
            return Err(weights::lacking(first.display()));
        }
        // It would have to be a network, and another one shall not answer in its place.
        (Some((first, [_, ..])), None) if !first.exists() && !names_a_picture(first) => {
            return Err(usage(format!(
                "{}: no such file or folder",
                first.display()
            )));
        }
        (Some((first, [_, ..])), None) if first.is_file() && !Picture::is_meant_by(first) => {
            return Err(usage(format!(
                "{}: neither a picture nor a trained network",
                first.display()
            )));
        }
        // Nor for one that is looked for in the wrong folder.
        (Some((first, [_, ..])), None) if is_bare(first) => {
            return Err(usage(format!(
                "{}: the folder holds neither weights nor pictures",
                first.display()
            )));
        }
        _ => (None, arguments.paths.as_slice()),
    };
    if pictures.is_empty() {
        return Err(usage("a network alone says nothing; name a picture"));
    }
    let answering = match &network {
        Some((Some(model), weights)) => format!("{model} with {}", printable(weights)),
        Some((None, weights)) => printable(weights),
        None => "the network inside the program".to_owned(),
    };
    let options = arguments.engine.options();
    let mut classifier = match network {
        Some((model, weights)) => {
            let mut weights = weights::open(&weights, model.as_deref(), messages)?;
            Classifier::from_weights(&mut weights, &options)?
        }
        None => Classifier::from_bytes(BUILT_IN, "the built-in classifier", &options)?,
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
            messages.say(format_args!("answered by {answering}"));
        }
        answers += 1;
        if arguments.json {
            output::json(&as_json(&image, &top))?;
        } else {
            output::data(as_text(&image, &top))?;
        }
    }
    faults.verdict()
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

/// Whether a path is a folder without pictures.
fn is_bare(path: &Path) -> bool {
    let bare = |error| {
        matches!(
            error,
            DataError::EmptyFolder { .. } | DataError::NoImages { .. }
        )
    };
    path.is_dir() && images_below(path).is_err_and(bare)
}

/// Whether a path that leads nowhere looks like a picture's.
fn names_a_picture(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending != "safetensors")
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

fn as_json(image: &Path, top: &[Prediction]) -> Value {
    let top: Vec<Value> = top
        .iter()
        .map(|guess| json!({ "label": guess.label, "probability": guess.probability }))
        .collect();
    let mut answer = json!({ "image": image.to_string_lossy(), "top": top });
    if image.to_str().is_none() {
        // JSON is Unicode, and not every name is: two of them may be shown alike, but their bytes differ.
        answer["image_bytes"] = image.as_os_str().as_encoded_bytes().into();
    }
    answer
}

fn as_text(image: &Path, top: &[Prediction]) -> String {
    let guesses: Vec<String> = top
        .iter()
        .map(|guess| {
            format!(
                "{} {:.1} %",
                printable(&guess.label),
                100.0 * guess.probability
            )
        })
        .collect();
    format!("{}: {}", printable(image.display()), guesses.join(", "))
}
