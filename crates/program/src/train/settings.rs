//! The flags of `train` that become the settings of a run, named as timm and torchvision name them.

use std::path::Path;

use clap::Args;
use train::{Architecture, Augment, Crop, Recipe, Rule, Shape, TrainConfig, Weights};

use crate::engine::Engine;
use crate::failure::usage;
use crate::held_out;
use crate::output::Messages;
use crate::weights;

/// Flags whose values a resumed run must keep, so they cannot be given with `--resume`.
pub(super) const DECISIVE: [&str; 25] = [
    "model",
    "weights",
    "num_classes",
    "freeze",
    "recipe",
    "clip_norm",
    "val_fraction",
    "img_size",
    "epochs",
    "batch_size",
    "lr",
    "optimizer",
    "momentum",
    "no_nesterov",
    "weight_decay",
    "schedule",
    "warmup_epochs",
    "label_smoothing",
    "no_augment",
    "crop",
    "no_flip",
    "cutout",
    "seed",
    "cache_mib",
    "layout",
];

/// What is left out takes the value that suits the data and the model.
#[derive(Args)]
pub(super) struct Settings {
    /// The built-in shapes, a folder of images, an IDX file, or CIFAR-10 binary [default: shapes]
    #[arg(long, visible_alias = "data-dir", value_name = "shapes|DIR|FILE")]
    data: Option<String>,
    /// A network of `convolve models`, with a width multiplier if wanted: resnet20:1.5; or an ONNX
    /// file, whose weights are trained further [default: that of the weights or the recipe, else
    /// resnet20]
    #[arg(long)]
    model: Option<String>,
    /// Weights to begin with, and with them their preprocessing: a .safetensors or .onnx file, a run
    /// folder, or hf-hub:ORG/NAME; of another number of classes all but the head. The learning rate is then a
    /// tenth by default
    #[arg(long, value_name = "FILE|RUN|hf-hub:ORG/NAME")]
    weights: Option<String>,
    /// Classes to tell apart, to be sure that the data have so many [default: those of the data]
    #[arg(long, value_name = "N")]
    num_classes: Option<usize>,
    /// Parameters that do not learn, norms with their statistics: names, with all below them, in which
    /// `*` and `?` stand for letters, or body for all but the head and heads for training only; may be given
    /// several times
    #[arg(long, value_name = "PATTERN", num_args = 1..)]
    freeze: Vec<String>,
    /// Settings of a paper, which single flags change: inception-v3 (RMSProp, a rate of 0.045 for 32
    /// pictures and in proportion for others, exponential schedule, smoothing 0.1, clipping at 2)
    #[arg(long, value_name = "NAME")]
    recipe: Option<String>,
    /// The part to hold out of data that have no held-out part; 0 for none [default: 0.1, or that of the run whose
    /// weights go on on its own pictures]
    #[arg(long, allow_negative_numbers = true, value_name = "PART")]
    val_fraction: Option<f64>,
    /// Side of the network's input, 32 or 48x64 [default: that of the pictures]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    img_size: Option<(usize, usize)>,
    /// Rounds through the pictures, each in an order of its own and without what fills no whole
    /// batch [default: 3 for shapes, 24 else]
    #[arg(long)]
    epochs: Option<u64>,
    /// Pictures of a step [default: 128; 32 for shapes, 64 for large
    /// networks]
    #[arg(short, long)]
    batch_size: Option<usize>,
    /// Highest learning rate [default: as suits optimizer and data]
    #[arg(long, allow_negative_numbers = true)]
    lr: Option<f64>,
    /// sgd, rmsprop, adam or adamw [default: sgd]
    #[arg(long, visible_alias = "opt")]
    optimizer: Option<Rule>,
    /// Momentum of sgd and rmsprop [default: 0.9]
    #[arg(long, allow_negative_numbers = true)]
    momentum: Option<f32>,
    /// Plain momentum instead of Nesterov's
    #[arg(long)]
    no_nesterov: bool,
    /// How strongly weights, not norms and biases, are pulled to zero [default: as suits the
    /// optimizer]
    #[arg(long, allow_negative_numbers = true)]
    weight_decay: Option<f32>,
    /// constant, step, exponential (0.94 every second epoch), cosine or one-cycle [default: one-cycle]
    #[arg(long, visible_alias = "sched")]
    schedule: Option<Shape>,
    /// Epochs of linear warm-up before the schedule [default: 0]
    #[arg(long, allow_negative_numbers = true, value_name = "EPOCHS")]
    warmup_epochs: Option<f64>,
    /// Part of the target that is spread over all classes [default: 0]
    #[arg(
        long,
        allow_negative_numbers = true,
        visible_alias = "smoothing",
        value_name = "PART"
    )]
    label_smoothing: Option<f32>,
    /// Scale gradients down to this norm where theirs is larger
    #[arg(
        long,
        allow_negative_numbers = true,
        visible_alias = "clip-grad",
        value_name = "NORM"
    )]
    clip_norm: Option<f64>,
    /// Show the training pictures as they are
    #[arg(long, conflicts_with_all = ["crop", "no_flip", "cutout"])]
    no_augment: bool,
    /// whole, padded (a window in a border of 4), padded:BORDER or random-resized [default: whole for
    /// shapes, random-resized for large networks, padded else]
    #[arg(long, value_parser = parse_crop)]
    crop: Option<Crop>,
    /// Do not mirror pictures
    #[arg(long)]
    no_flip: bool,
    /// Side of a square hole at a random place [default: 0]
    #[arg(long, value_name = "SIDE")]
    cutout: Option<usize>,
    /// Decides weights, order, augmentation and what is held out [default: 0, or that of the run whose weights go on
    /// on its own pictures]
    #[arg(long)]
    seed: Option<u64>,
    /// Steps between checkpoints within an epoch; 0 for none but at its end [default: 0]
    #[arg(long, value_name = "STEPS")]
    checkpoint_steps: Option<u64>,
    /// Pictures that take at most so many MiB decoded are held in memory [default: 256]
    #[arg(long, value_name = "MIB")]
    cache_mib: Option<u64>,
    #[command(flatten)]
    engine: Engine,
}

/// `32` or `48x64`, height first.
fn parse_size(text: &str) -> Result<(usize, usize), String> {
    let (height, width) = text.split_once('x').unwrap_or((text, text));
    match (height.parse(), width.parse()) {
        (Ok(height), Ok(width)) => Ok((height, width)),
        _ => Err("a side or height and width are wanted, as in 32 or 48x64".to_owned()),
    }
}

fn parse_crop(text: &str) -> Result<Crop, String> {
    let border = text.strip_prefix("padded:").map(str::parse);
    match (text, border) {
        ("whole", _) => Ok(Crop::Whole),
        ("padded", _) => Ok(Crop::Padded { pad: 4 }),
        ("random-resized", _) => Ok(Augment::LARGE_PHOTOS.crop),
        (_, Some(Ok(pad))) => Ok(Crop::Padded { pad }),
        _ => Err("whole, padded, padded:BORDER or random-resized are possible".to_owned()),
    }
}

impl Settings {
    /// The settings of a new run. Weights of the hub are downloaded.
    pub(super) fn config(&self, messages: Messages) -> anyhow::Result<TrainConfig> {
        let data = self.data.as_deref().unwrap_or("shapes");
        let recipe = self.recipe.as_deref().map(Recipe::find).transpose()?;
        let weights = self.weights.as_deref();
        let place = weights.map(|weights| weights::locate(weights, messages));
        let place = place.transpose()?;
        let model = self.model(place.as_deref())?;
        // What a run has held out is held out of the same pictures again: the weights have learned all others.
        let begun = match &place {
            Some(place) => held_out::settings_on(place, data)?,
            None => None,
        };
        let mut config = match recipe {
            Some(recipe) => recipe.config(data, model.as_deref())?,
            None => TrainConfig::new(data, model.as_deref().unwrap_or("resnet20"))?,
        };
        set(&mut config.batch_size, self.batch_size);
        if let Some(recipe) = recipe {
            config.learning_rate = recipe.learning_rate(config.batch_size);
        }
        self.set_optimiser(&mut config)?;
        self.set_augmentation(&mut config);
        let held_out = begun.as_ref().map(|begun| begun.val_fraction);
        set(&mut config.val_fraction, self.val_fraction.or(held_out));
        set(&mut config.epochs, self.epochs);
        config.weights.clone_from(&self.weights);
        config.freeze.clone_from(&self.freeze);
        config.clip_norm = self.clip_norm.or(config.clip_norm);
        set(&mut config.warm_up_epochs, self.warmup_epochs);
        set(&mut config.label_smoothing, self.label_smoothing);
        set(&mut config.schedule, self.schedule.clone());
        let seed = begun.as_ref().map(|begun| begun.seed);
        set(&mut config.seed, self.seed.or(seed));
        set(&mut config.cache_mib, self.cache_mib);
        config.image_size = self.img_size;
        config.layout = self.engine.layout;
        self.adjust(&mut config);
        config.check()?;
        Ok(config)
    }

    /// The network asked for, or that of the weights in a place. Whether they fit the one asked for is found out here too.
    fn model(&self, weights: Option<&Path>) -> anyhow::Result<Option<String>> {
        let Some(place) = weights else {
            return Ok(self.model.clone());
        };
        let weights = Weights::open(place, self.model.as_deref())?;
        Ok(Some(weights.architecture().reference()))
    }

    /// Refuses data of another number of classes than was asked for.
    pub(super) fn check_classes(&self, found: usize) -> anyhow::Result<()> {
        match self.num_classes {
            Some(asked) if asked != found => Err(usage(format!(
                "--num-classes {asked}, but the data have {found} classes"
            ))),
            _ => Ok(()),
        }
    }

    /// Whether it was said where the pictures are.
    pub(super) fn names_data(&self) -> bool {
        self.data.is_some()
    }

    /// Changes the settings that the result of a run does not depend on.
    pub(super) fn adjust(&self, config: &mut TrainConfig) {
        set(&mut config.data, self.data.clone());
        set(&mut config.checkpoint_steps, self.checkpoint_steps);
        set(&mut config.threads, self.engine.asked_threads());
    }

    /// The rule first: it brings a learning rate and a weight decay of its own.
    fn set_optimiser(&self, config: &mut TrainConfig) -> anyhow::Result<()> {
        if let Some(rule) = self.optimizer {
            config.set_optimiser(rule);
        }
        // What has been learned is not to be thrown over in the first steps.
        if self.weights.is_some() || Architecture::is_onnx(Path::new(&config.model)) {
            config.learning_rate /= 10.0;
        }
        set(&mut config.learning_rate, self.lr);
        set(&mut config.weight_decay, self.weight_decay);
        let name = config.optimiser.name();
        match &mut config.optimiser {
            Rule::Sgd { momentum, nesterov } => {
                set(momentum, self.momentum);
                *nesterov &= !self.no_nesterov;
                return Ok(());
            }
            Rule::RmsProp { momentum, .. } => set(momentum, self.momentum),
            _ if self.momentum.is_some() => {
                return Err(usage(format!("{name} has betas instead of --momentum")));
            }
            _ => {}
        }
        match self.no_nesterov {
            true => Err(usage(format!("--no-nesterov is for sgd, not for {name}"))),
            false => Ok(()),
        }
    }

    fn set_augmentation(&self, config: &mut TrainConfig) {
        let augment = &mut config.augment;
        if self.no_augment {
            *augment = Augment::NONE;
        }
        set(&mut augment.crop, self.crop);
        set(&mut augment.cutout, self.cutout);
        augment.flip &= !self.no_flip;
    }
}

fn set<T>(setting: &mut T, asked: Option<T>) {
    if let Some(asked) = asked {
        *setting = asked;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crops_and_sizes_are_read() {
        assert_eq!(parse_crop("padded:2"), Ok(Crop::Padded { pad: 2 }));
        assert_eq!(parse_crop("whole"), Ok(Crop::Whole));
        assert!(parse_crop("padded:").is_err());
        assert_eq!(parse_size("48x64"), Ok((48, 64)));
        assert_eq!(parse_size("32"), Ok((32, 32)));
        assert!(parse_size("32x").is_err());
    }
}
