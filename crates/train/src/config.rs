//! The settings of a run, as `config.toml` holds them.

use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;

use crc::{CRC_64_XZ, Crc};
use formats::{OpenOptions, Preprocess, Source, Splits};
use kernels::Team;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tensor::Layout;

use crate::{Architecture, Augment, Crop, Rule, Shape, TrainError};

/// The settings of a run. Together with the data set they determine every bit of its result, whatever the number of
/// threads.
///
/// ```
/// use train::TrainConfig;
/// let config = TrainConfig::new("shapes", "resnet20")?;
/// let text = config.to_toml();
/// assert_eq!(TrainConfig::from_toml(&text).unwrap(), config);
/// # Ok::<(), train::TrainError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// Where the pictures come from, as [`Source`] reads it. A new run keeps it as a path that leads there from any
    /// folder.
    pub data: String,
    /// Part to hold out of a source that has no held-out part of its own; 0 for none.
    pub val_fraction: f64,
    /// Name in the zoo, `resnet20` or `mobilenet_v1:0.5`, or an ONNX file, which a new run keeps a copy of: it has
    /// weights to begin with, and mean, deviation and size of the input.
    pub model: String,
    /// Where the first weights come from, as [`Weights::locate`](crate::Weights::locate) reads it; drawn by default. Mean, deviation and
    /// size of the input are then those of the weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<String>,
    /// Parameters that do not learn: names, with all below them, in which `*` and `?` stand for letters, or `body`
    /// for all but the classifier. Frozen batch norms keep their running statistics.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub freeze: Vec<String>,
    /// Height and width of the input. By default those of the pictures, where a sample of 64 of the training
    /// pictures, spread evenly, agree on a size no larger than the model was made for; else what it was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_size: Option<(usize, usize)>,
    /// Times that every picture is visited.
    pub epochs: u64,
    /// Pictures of a step.
    pub batch_size: usize,
    /// Peak of the schedule.
    pub learning_rate: f64,
    /// Epochs of linear warm-up before the schedule; they count among `epochs`.
    pub warm_up_epochs: f64,
    /// How strongly weights are pulled to zero.
    pub weight_decay: f32,
    /// Pull norms and biases to zero as well.
    pub decay_norm_and_bias: bool,
    /// Part of the target that is spread over all classes.
    pub label_smoothing: f32,
    /// Gradients are scaled down to this Euclidean norm where theirs is larger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// Seed of the first weights, the order, the augmentation, dropout and the held-out part; below 2⁶³.
    pub seed: u64,
    /// How feature maps lie in memory: `nchw` or `nhwc`.
    #[serde(with = "as_text")]
    pub layout: Layout,
    /// Threads that compute, at most [`Team::MOST`]; 0 for one a core.
    pub threads: usize,
    /// Steps between checkpoints within an epoch; 0 for none but at its end.
    pub checkpoint_steps: u64,
    /// Data sets that take at most so many MiB decoded are held in memory.
    pub cache_mib: u64,
    /// Course of the learning rate.
    pub schedule: Shape,
    /// How gradients move the weights.
    pub optimiser: Rule,
    /// Random changes of the training pictures.
    pub augment: Augment,
}

impl TrainConfig {
    /// Settings that suit a data set and a model of the zoo.
    ///
    /// # Errors
    /// [`TrainError::Zoo`] or [`TrainError::Onnx`] for a model that is not there, or no classifier.
    pub fn new(data: &str, model: &str) -> Result<Self, TrainError> {
        let made_for = Architecture::find(model)?.classifier()?.options();
        let (channels, height) = (made_for.channels, made_for.height);
        let shapes = Source::from_str(data) == Ok(Source::Shapes);
        let rule = Rule::default();
        let photos = Self {
            data: data.to_owned(),
            val_fraction: 0.1,
            model: model.to_owned(),
            weights: None,
            freeze: Vec::new(),
            image_size: None,
            epochs: 24,
            batch_size: if height > 64 { 64 } else { 128 },
            learning_rate: rule.usual_learning_rate(),
            warm_up_epochs: 0.0,
            weight_decay: rule.usual_weight_decay(),
            decay_norm_and_bias: false,
            label_smoothing: 0.0,
            clip_norm: None,
            seed: 0,
            layout: Layout::default(),
            threads: 0,
            checkpoint_steps: 0,
            cache_mib: 256,
            schedule: Shape::default(),
            optimiser: rule,
            augment: if height > 64 {
                Augment::LARGE_PHOTOS
            } else {
                Augment {
                    // A network of grey pictures reads writing, which has no mirror image.
                    flip: channels > 1,
                    ..Augment::default()
                }
            },
        };
        if !shapes {
            return Ok(photos);
        }
        // Shapes are easy and already lie anywhere in the picture. What a minute of training lacks is steps, so
        // batches are small, the rate is as much smaller, and its peak comes early.
        Ok(Self {
            epochs: 3,
            batch_size: 32,
            learning_rate: rule.usual_learning_rate() / 2.0,
            schedule: Shape::OneCycle {
                rise: 0.2,
                start: 25.0,
                end: 1e4,
            },
            augment: Augment {
                crop: Crop::Whole,
                ..Augment::default()
            },
            ..photos
        })
    }

    /// Chooses a rule together with the learning rate and the weight decay that suit it.
    pub fn set_optimiser(&mut self, rule: Rule) {
        self.optimiser = rule;
        self.learning_rate = rule.usual_learning_rate();
        self.weight_decay = rule.usual_weight_decay();
    }

    /// Names the data, and an ONNX model, so that a later process finds them, wherever it is started.
    pub(crate) fn settle_paths(&mut self) {
        let Ok(source) = self.data.parse::<Source>();
        self.data = source.absolute().to_string();
        if Architecture::is_onnx(Path::new(&self.model))
            && let Ok(path) = std::path::absolute(&self.model)
            && let Some(path) = path.to_str()
        {
            self.model = path.to_owned();
        }
    }

    /// Where the first weights are: those that were asked for, or those of an ONNX model.
    pub(crate) fn first_weights(&self) -> Option<&str> {
        let own = Architecture::is_onnx(Path::new(&self.model)).then_some(&self.model);
        self.weights.as_ref().or(own).map(String::as_str)
    }

    /// Opens the data set and divides it: the same way every time.
    ///
    /// # Errors
    /// [`TrainError::Data`].
    pub fn open_data(&self) -> Result<Splits, TrainError> {
        let Ok(source) = self.data.parse::<Source>();
        let options = OpenOptions {
            val_fraction: Some(self.val_fraction).filter(|fraction| *fraction > 0.0),
            seed: self.seed,
            ..OpenOptions::default()
        };
        Ok(formats::open(&source, &options)?)
    }

    /// Threads that compute.
    pub fn resolved_threads(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        }
    }

    /// The content of `config.toml`.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("plain values and tables, the tables last")
    }

    /// Reads the content of `config.toml`.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.message().replace('\n', " "))
    }

    /// Refuses settings that make no sense.
    ///
    /// # Errors
    /// [`TrainError::Config`] naming the setting and its value.
    pub fn check(&self) -> Result<(), TrainError> {
        let fault = |text: String| Err(TrainError::Config(text));
        let positive = |value: f64| value > 0.0 && value.is_finite();
        if self.epochs == 0 {
            return fault("epochs: 0, at least 1 is needed".into());
        }
        if self.batch_size < 2 {
            return fault(format!(
                "batch size: {}, at least 2 are needed",
                self.batch_size
            ));
        }
        if !positive(self.learning_rate) {
            return fault(format!(
                "learning rate: {}, must be above 0",
                self.learning_rate
            ));
        }
        if !(0.0..1.0).contains(&self.val_fraction) {
            return fault(format!(
                "val fraction: {}, must be in [0, 1)",
                self.val_fraction
            ));
        }
        if !(0.0..1.0).contains(&self.label_smoothing) {
            return fault(format!(
                "label smoothing: {}, must be in [0, 1)",
                self.label_smoothing
            ));
        }
        if !(self.weight_decay >= 0.0 && self.weight_decay.is_finite()) {
            return fault(format!(
                "weight decay: {}, must be at least 0",
                self.weight_decay
            ));
        }
        if !(self.warm_up_epochs >= 0.0 && self.warm_up_epochs.is_finite()) {
            return fault(format!(
                "warm-up: {} epochs, must be at least 0",
                self.warm_up_epochs
            ));
        }
        if let Some(norm) = self.clip_norm.filter(|norm| !positive(*norm)) {
            return fault(format!("clip norm: {norm}, must be above 0"));
        }
        if self.warm_up_epochs > self.epochs as f64 {
            return fault(format!(
                "warm-up: {} epochs, but the run has only {}",
                self.warm_up_epochs, self.epochs
            ));
        }
        if self.threads > Team::MOST {
            return fault(format!(
                "threads: {}, must be at most {}",
                self.threads,
                Team::MOST
            ));
        }
        if i64::try_from(self.seed).is_err() {
            return fault(format!("seed: {}, must be below 2^63", self.seed));
        }
        let sides = 1..=Preprocess::MAX_SIDE;
        if let Some((height, width)) = self.image_size
            && !(sides.contains(&height) && sides.contains(&width))
        {
            return fault(format!(
                "image size: {height}×{width}, each side must be in [1, {}]",
                Preprocess::MAX_SIDE
            ));
        }
        if let Shape::OneCycle { rise, start, end } = self.schedule
            && !((0.0..=1.0).contains(&rise) && positive(start) && positive(end))
        {
            return fault(format!(
                "one-cycle schedule: rise {rise}, start {start}, end {end}"
            ));
        }
        if let Shape::Exponential { gamma, epochs } = self.schedule
            && !(gamma > 0.0 && gamma <= 1.0 && positive(epochs))
        {
            return fault(format!(
                "exponential schedule: gamma {gamma}, epochs {epochs}"
            ));
        }
        match self.optimiser.fault().or(self.augment.fault()) {
            Some(text) => fault(text),
            None => Ok(()),
        }
    }

    /// A number that differs when a setting differs that a resumed run must keep. Where data and weights lie, how many
    /// threads compute and when checkpoints are written leave the result as it is.
    pub(crate) fn fingerprint(&self) -> u64 {
        let decisive = Self {
            data: String::new(),
            weights: None,
            threads: 0,
            checkpoint_steps: 0,
            cache_mib: 0,
            ..self.clone()
        };
        Crc::<u64>::new(&CRC_64_XZ).checksum(decisive.to_toml().as_bytes())
    }
}

/// Types that are written as they are displayed.
mod as_text {
    use super::{Deserialize, Deserializer, Display, FromStr, Serializer};

    pub(super) fn serialize<T: Display, S: Serializer>(
        value: &T,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(super) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> TrainConfig {
        TrainConfig::new("some/folder", "resnet20").unwrap()
    }

    #[test]
    fn every_rule_and_schedule_comes_back_from_toml() {
        for rule in Rule::NAMES {
            for shape in Shape::NAMES {
                let mut config = config();
                config.set_optimiser(rule.parse().unwrap());
                config.schedule = shape.parse().unwrap();
                config.image_size = Some((48, 64));
                config.layout = Layout::Nchw;
                let text = config.to_toml();
                assert_eq!(TrainConfig::from_toml(&text), Ok(config), "{text}");
            }
        }
    }

    #[test]
    fn a_misspelt_setting_is_named_in_one_line() {
        let text = config().to_toml().replace("epochs", "epoch");
        let reason = TrainConfig::from_toml(&text).unwrap_err();
        assert!(reason.contains("unknown field `epoch`"), "{reason}");
        assert!(!reason.contains('\n'), "{reason}");
    }

    #[test]
    fn settings_of_fine_tuning_come_back_from_toml_and_are_absent_otherwise() {
        let plain = config().to_toml();
        assert!(
            !["weights", "freeze", "clip_norm"]
                .iter()
                .any(|key| plain.contains(&format!("{key} =")))
        );
        let tuned = TrainConfig {
            weights: Some("hf-hub:timm/resnet18.a1_in1k".into()),
            freeze: vec!["body".into(), "*.bias".into()],
            clip_norm: Some(2.0),
            ..config()
        };
        let text = tuned.to_toml();
        assert_eq!(TrainConfig::from_toml(&text).as_ref(), Ok(&tuned), "{text}");
        assert_ne!(tuned.fingerprint(), config().fingerprint());
        let moved = TrainConfig {
            weights: Some("elsewhere".into()),
            ..tuned.clone()
        };
        assert_eq!(tuned.fingerprint(), moved.fingerprint());
    }

    type Spoil = fn(&mut TrainConfig);

    fn sgd(momentum: f32) -> Rule {
        Rule::Sgd {
            momentum,
            nesterov: true,
        }
    }

    #[test]
    fn senseless_settings_are_refused() {
        let faults: [(Spoil, &str); 18] = [
            (
                |config| config.clip_norm = Some(0.0),
                "clip norm: 0, must be above 0",
            ),
            (
                |config| {
                    config.schedule = Shape::Exponential {
                        gamma: 1.5,
                        epochs: 2.0,
                    }
                },
                "exponential schedule: gamma 1.5, epochs 2",
            ),
            (
                |config| config.epochs = 0,
                "epochs: 0, at least 1 is needed",
            ),
            (
                |config| config.batch_size = 0,
                "batch size: 0, at least 2 are needed",
            ),
            (
                |config| config.learning_rate = f64::NAN,
                "learning rate: NaN, must be above 0",
            ),
            (
                |config| config.label_smoothing = 1.0,
                "label smoothing: 1, must be in [0, 1)",
            ),
            (
                |config| config.weight_decay = -1.0,
                "weight decay: -1, must be at least 0",
            ),
            (
                |config| config.warm_up_epochs = 24.5,
                "warm-up: 24.5 epochs, but the run has only 24",
            ),
            (
                |config| config.warm_up_epochs = u64::MAX as f64,
                "warm-up: 18446744073709552000 epochs, but the run has only 24",
            ),
            (
                |config| config.threads = i64::MAX as usize,
                "threads: 9223372036854775807, must be at most 1024",
            ),
            (
                |config| config.seed = 1 << 63,
                "seed: 9223372036854775808, must be below 2^63",
            ),
            (
                |config| config.optimiser = sgd(f32::NAN),
                "momentum: NaN, must be in [0, 1)",
            ),
            (
                |config| config.optimiser = sgd(2.0),
                "momentum: 2, must be in [0, 1)",
            ),
            (
                |config| {
                    config.optimiser = Rule::RmsProp {
                        alpha: 0.9,
                        epsilon: 1e-8,
                        momentum: -5.0,
                    }
                },
                "momentum: -5, must be in [0, 1)",
            ),
            (
                |config| config.image_size = Some((0, 32)),
                "image size: 0×32, each side must be in [1, 16384]",
            ),
            (
                |config| config.image_size = Some((32, 1_000_000)),
                "image size: 32×1000000, each side must be in [1, 16384]",
            ),
            (
                |config| config.augment.crop = Crop::Padded { pad: 99_999_999 },
                "crop: a border of 99999999 pixels, must be at most 16384",
            ),
            (
                |config| config.augment.cutout = usize::MAX,
                "cutout: 18446744073709551615 pixels, must be at most 16384",
            ),
        ];
        assert!(config().check().is_ok());
        for (spoil, expected) in faults {
            let mut config = config();
            spoil(&mut config);
            assert_eq!(config.check().unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn the_fingerprint_tells_decisive_settings_from_others() {
        let same = TrainConfig {
            data: "elsewhere".into(),
            threads: 7,
            checkpoint_steps: 3,
            ..config()
        };
        assert_eq!(same.fingerprint(), config().fingerprint());
        let other = TrainConfig {
            seed: 1,
            ..config()
        };
        assert_ne!(other.fingerprint(), config().fingerprint());
    }
}
