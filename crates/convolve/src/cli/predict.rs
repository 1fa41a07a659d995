//! `convolve predict`: what is on pictures.

use std::path::{Path, PathBuf};

use clap::Args;
use formats::{DataError, Picture, images_below};
use serde_json::{Value, json};
use train::{Classifier, Prediction};

use super::engine::Engine;
use super::failure::{one_line, usage};
use super::{output, trained};

/// The network for those who have none: it tells the ten classes of CIFAR-10 apart.
static BUILT_IN: &[u8] = include_bytes!("../../assets/classifier.safetensors");

/// What `predict` takes.
#[derive(Args)]
#[command(after_help = "\
Without RUN the network inside the program is asked: airplane, automobile, bird, cat, deer, dog,
frog, horse, ship or truck.

Examples: convolve predict photo.jpg
          convolve predict runs/resnet20-shapes-1 pictures/ --top 3 --json")]
pub(crate) struct Arguments {
    /// A run folder or a .safetensors file, then JPEG, PNG, WebP or BMP files; a folder stands for
    /// all images below it
    #[arg(value_name = "[RUN] IMAGE", required = true)]
    paths: Vec<PathBuf>,
    /// How many classes to name
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    top: u16,
    #[command(flatten)]
    engine: Engine,
    /// One JSON object a picture: {"image": …, "top": [{"label": …, "probability": …}]}
    #[arg(long)]
    json: bool,
}

/// Names what is on every picture. One that cannot be read is named, and the next one follows.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let (network, pictures) = match arguments.paths.split_first() {
        Some((first, rest)) if trained::is_trained(first) => (Some(first), rest),
        _ => (None, arguments.paths.as_slice()),
    };
    if pictures.is_empty() {
        return Err(usage("a network alone says nothing; name a picture"));
    }
    let options = arguments.engine.options();
    let mut classifier = match network {
        Some(path) => Classifier::new(&trained::open(path)?, &options)?,
        None => Classifier::from_bytes(BUILT_IN, "the built-in classifier", &options)?,
    };
    let mut faults = Faults::default();
    for path in pictures {
        let images = match images_below(path) {
            Ok(images) => images,
            Err(error) => {
                faults.note(path, &error);
                continue;
            }
        };
        for image in images {
            let picture = match Picture::open(&image) {
                Ok(picture) => picture,
                Err(error) => {
                    faults.note(&image, &error);
                    continue;
                }
            };
            let top = classifier.classify(&picture, arguments.top.into())?;
            if arguments.json {
                output::json(&as_json(&image, &top))?;
            } else {
                output::data(as_text(&image, &top))?;
            }
        }
    }
    faults.verdict()
}

/// Pictures that could not be read.
#[derive(Default)]
struct Faults {
    count: usize,
    missing: bool,
}

impl Faults {
    fn note(&mut self, path: &Path, error: &DataError) {
        self.count += 1;
        if matches!(error, DataError::Missing { .. }) {
            self.missing = true;
            if let Some(found) = path.to_str().and_then(|name| zoo::find(name).ok()) {
                return output::remark(format_args!(
                    "error: {}: a network without weights; name a run folder or a .safetensors file",
                    found.name()
                ));
            }
        }
        output::remark(format_args!("error: {}", one_line(&error.to_string())));
    }

    /// The end of it all; a file that is not there is wrong usage.
    fn verdict(self) -> anyhow::Result<()> {
        let text = match self.count {
            0 => return Ok(()),
            1 => "1 picture could not be read".to_owned(),
            count => format!("{count} pictures could not be read"),
        };
        Err(match self.missing {
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
    json!({ "image": image.to_string_lossy(), "top": top })
}

fn as_text(image: &Path, top: &[Prediction]) -> String {
    let guesses: Vec<String> = top
        .iter()
        .map(|guess| format!("{} {:.1} %", guess.label, 100.0 * guess.probability))
        .collect();
    format!("{}: {}", image.display(), guesses.join(", "))
}
