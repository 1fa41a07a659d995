//! The pictures that a trained network is measured on: those its run held out, or others that were named.

use std::path::Path;
use std::sync::Arc;

use formats::{Dataset, HeldOut, OpenOptions, Source, Splits};
use train::{ClassPlaces, RunFolder, TrainConfig, TrainError};

use super::failure::usage;
use super::output::Messages;
use super::trained;

/// What is said of pictures of which none are held out.
const ALL: &str = "pictures, none held out";

/// Pictures, where they lie, what they are, and whether they are of the data that the run was trained on.
pub(crate) struct Pictures {
    pub(crate) dataset: Arc<dyn Dataset>,
    pub(crate) data: String,
    pub(crate) part: String,
    of_run: bool,
}

impl Pictures {
    /// What is to be said where the network has learned from these very pictures.
    pub(crate) fn trained_on(&self) -> Option<&'static str> {
        let own = self.of_run && self.part == ALL;
        own.then_some("the network was trained on these pictures: none were held out")
    }

    /// The same for whoever can choose what is held out: of other data it is not known.
    pub(crate) fn caution(&self) -> Option<&'static str> {
        let unknown = !self.of_run && self.part == ALL;
        let said = unknown.then_some(
            "pictures that the network was trained on may be among them; --val-fraction and --seed of its run leave those \
             out",
        );
        said.or(self.trained_on())
    }
}

/// What was asked for; by default what the run says.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wanted<'a> {
    pub(crate) data: Option<&'a str>,
    pub(crate) val_fraction: Option<f64>,
    pub(crate) seed: Option<u64>,
}

impl Wanted<'_> {
    /// The data named, or those of the run in `place`. What a run held out is held out here as well.
    ///
    /// # Errors
    /// Data that cannot be read, or nobody who says which.
    pub(crate) fn open(&self, place: &Path) -> anyhow::Result<Pictures> {
        let settings = settings(place)?;
        let data = match (self.data, &settings) {
            (Some(data), _) => data,
            (None, Some(settings)) => &settings.data,
            (None, None) => {
                let what = match place.is_dir() {
                    true => "a folder without config.toml",
                    false => "a weights file",
                };
                return Err(usage(format!(
                    "{}: {what} does not say what it was trained on; --data is needed",
                    place.display()
                )));
            }
        };
        let settings = settings
            .as_ref()
            .filter(|settings| is_same_data(data, settings));
        let held_out = settings.map(|settings| settings.val_fraction);
        let options = OpenOptions {
            val_fraction: self
                .val_fraction
                .or(held_out.filter(|&fraction| fraction > 0.0)),
            seed: self
                .seed
                .or(settings.map(|settings| settings.seed))
                .unwrap_or_default(),
            ..OpenOptions::default()
        };
        let Ok(source) = data.parse::<Source>();
        let opened = formats::open(&source, &options);
        let splits = match self.data {
            Some(_) => opened?,
            None => opened.map_err(trained::own_data_missing)?,
        };
        let (dataset, part) = chosen_part(splits);
        Ok(Pictures {
            of_run: settings.is_some(),
            data: data.to_owned(),
            dataset,
            part,
        })
    }
}

/// Says that classes were taken by their order, if they were.
pub(crate) fn say_order(found: &ClassPlaces, messages: Messages) {
    if found.by_order {
        messages.say(
            "the network's classes have no names: they are taken to be in the order of the data's",
        );
    }
}

/// The settings of the run in a place, if it is one. Somebody may have kept the weights alone.
///
/// # Errors
/// Settings that cannot be read.
pub(crate) fn settings(place: &Path) -> Result<Option<TrainConfig>, TrainError> {
    match place.is_dir().then(|| RunFolder::config(place)) {
        None | Some(Err(TrainError::NoRun { .. })) => Ok(None),
        Some(settings) => settings.map(Some),
    }
}

/// The settings of the run in a place, if it is one and was trained on these pictures.
///
/// # Errors
/// Settings that cannot be read.
pub(crate) fn settings_on(place: &Path, data: &str) -> Result<Option<TrainConfig>, TrainError> {
    let settings = settings(place)?;
    Ok(settings.filter(|settings| is_same_data(data, settings)))
}

/// Whether pictures are those that a run was trained on: in the same place, or under the same name where that
/// place is no longer there.
fn is_same_data(data: &str, settings: &TrainConfig) -> bool {
    let (Ok(given), Ok(own)) = (data.parse::<Source>(), settings.data.parse::<Source>());
    let name = |source: &Source| match source {
        Source::Path(path) => path.file_name().map(ToOwned::to_owned),
        Source::Shapes => None,
    };
    let gone = matches!(&own, Source::Path(path) if !path.exists());
    let (given, own) = (given.absolute(), own.absolute());
    given == own || (gone && name(&given).is_some() && name(&given) == name(&own))
}

/// The part of a data set that was held out, and what it is; all of it where none was.
fn chosen_part(splits: Splits) -> (Arc<dyn Dataset>, String) {
    match splits.held_out {
        Some(held_out) => {
            let part = match splits.held_out_from {
                HeldOut::Fraction(fraction) => {
                    format!("pictures, the {} % that were held out", 100.0 * fraction)
                }
                HeldOut::Own | HeldOut::None => "held-out pictures".to_owned(),
            };
            (held_out, part)
        }
        None => (splits.train, ALL.to_owned()),
    }
}
