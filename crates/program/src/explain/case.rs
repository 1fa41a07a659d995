//! What is asked about: a network, an image, a class, a layer.

use std::path::Path;

use anyhow::anyhow;
use explain::{ExplainError, Subject, glance};
use formats::{Picture, Preprocess};
use geometry::names;
use graph::OutputActivation;
use runtime::{Program, RuntimeOptions};
use train::{Architecture, Checkpoint, ModelCard, TrainError};

use super::occlusion::Window;
use super::photo::Photo;
use crate::answering::{Answering, BUILT_IN, BUILT_IN_NAME};
use crate::failure::usage;
use crate::output::Messages;
use crate::weights;

/// A network on an image.
pub(super) struct Case {
    pub(super) subject: Subject,
    pub(super) card: ModelCard,
    pub(super) photo: Photo,
    /// Of every class.
    pub(super) probabilities: Vec<f32>,
    /// The class that is explained.
    pub(super) class: usize,
    /// What is looked at inside; nothing of a network none of whose layers makes maps.
    pub(super) watched: Option<Watched>,
    pub(super) window: Window,
    pub(super) messages: Messages,
}

/// A layer's maps.
pub(super) struct Watched {
    /// The layer: the one asked for, or that of the last feature maps.
    pub(super) layer: String,
    /// One of its maps: the one asked for, or the strongest on the image.
    pub(super) channel: usize,
}

/// What of a network and an image is asked about.
pub(super) struct Question<'a> {
    /// By name or number; the likeliest by default.
    pub(super) class: Option<&'a str>,
    pub(super) layer: Option<&'a str>,
    pub(super) channel: Option<usize>,
    pub(super) window: Window,
}

/// A network, ready to be looked into.
pub(crate) struct Opened {
    pub(crate) subject: Subject,
    pub(crate) card: ModelCard,
}

impl Opened {
    /// Opens the network that answers.
    ///
    /// # Errors
    /// As `predict`; a network that does not give one logit a class.
    pub(crate) fn new(
        answering: &Answering,
        options: &RuntimeOptions,
        messages: Messages,
    ) -> anyhow::Result<Self> {
        match answering {
            Answering::Weights { model, weights } => {
                let mut weights = weights::open(weights, model.as_deref(), messages)?;
                let card = weights.card().clone();
                let architecture = weights.architecture().clone().classifier()?;
                let activation = weights.activation();
                Self::with(architecture, activation, card, options, |program| {
                    Ok(weights.restore(program)?)
                })
            }
            Answering::BuiltIn => {
                let checkpoint = Checkpoint::from_bytes(BUILT_IN, BUILT_IN_NAME)?;
                let architecture = checkpoint.architecture()?.classifier()?;
                let card = checkpoint.card.clone();
                let activation = OutputActivation::usual(card.classes.len());
                Self::with(architecture, activation, card, options, |program| {
                    Ok(checkpoint.restore(program)?)
                })
            }
        }
    }

    fn with(
        architecture: Architecture,
        activation: OutputActivation,
        card: ModelCard,
        options: &RuntimeOptions,
        restore: impl FnOnce(&mut Program) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        card.preprocess.check()?;
        let network = architecture.build(&card.options(1))?;
        let network = graph::passes::inference(&network).map_err(TrainError::from)?;
        let mut program = Program::new(network, options).map_err(TrainError::from)?;
        restore(&mut program)?;
        let of = card.options(1);
        let build = move |batch| {
            let options = zoo::BuildOptions {
                batch,
                ..of.clone()
            };
            Ok(architecture.build(&options)?)
        };
        let subject = Subject::of_logits(build, activation, program, options)?;
        Ok(Self { subject, card })
    }

    /// Looks at an image.
    ///
    /// # Errors
    /// A class, layer or map that there is not, a picture that cannot be read, an answer that is no number.
    pub(super) fn case(
        self,
        image: &Path,
        question: &Question<'_>,
        messages: Messages,
    ) -> anyhow::Result<Case> {
        let Self { subject, card } = self;
        let class = question
            .class
            .map(|class| self::class(class, &card.classes));
        let class = class.transpose()?;
        let layer = match question.layer {
            Some(layer) => Some(layer.to_owned()),
            None if question.channel.is_some() => Some(subject.last_feature_map()?),
            None => subject.last_feature_map().ok(),
        };
        if let Some(layer) = &layer {
            check_channel(&subject, layer, question.channel)?;
        }
        let picture = Picture::open(image)?;
        let photo = Photo::new(&picture, &card.preprocess)
            .map_err(|error| anyhow!("{}: {error}", image.display()))?;
        let (probabilities, watched) = match layer {
            Some(layer) => {
                let (probabilities, maps) = glance(&subject, &photo.numbers, &layer)?;
                let strongest = || maps.by_strength().first().copied().unwrap_or(0);
                let channel = question.channel.unwrap_or_else(strongest);
                (probabilities, Some(Watched { layer, channel }))
            }
            None => (subject.probabilities(&photo.numbers)?, None),
        };
        let mut case = Case {
            class: 0,
            subject,
            card,
            photo,
            probabilities,
            watched,
            window: question.window,
            messages,
        };
        case.class = class.unwrap_or_else(|| case.top(1)[0]);
        Ok(case)
    }
}

/// Refuses a layer without maps, and a map that it does not have.
fn check_channel(
    subject: &Subject,
    layer: &str,
    channel: Option<usize>,
) -> Result<(), ExplainError> {
    let [channels, ..] = subject.feature_map(layer)?;
    match channel {
        Some(channel) if channel >= channels => Err(ExplainError::Channel {
            layer: layer.to_owned(),
            channel,
            channels,
        }),
        _ => Ok(()),
    }
}

impl Case {
    /// The layer whose maps are looked at, and one of them.
    ///
    /// # Errors
    /// A network without.
    pub(super) fn watched(&self) -> Result<&Watched, ExplainError> {
        self.watched
            .as_ref()
            .ok_or_else(|| ExplainError::NoFeatureMap {
                name: self.subject.network().name.clone(),
            })
    }

    /// What the network reads.
    pub(super) fn image(&self) -> &[f32] {
        &self.photo.numbers
    }

    /// The name of a class.
    pub(super) fn label(&self, class: usize) -> &str {
        self.card.classes.get(class).map_or("?", String::as_str)
    }

    /// The name of the class that is explained.
    pub(super) fn own_label(&self) -> &str {
        self.label(self.class)
    }

    /// How pictures become what the network reads.
    pub(super) fn preprocess(&self) -> &Preprocess {
        &self.card.preprocess
    }

    /// Rows and columns of what the network reads.
    pub(super) fn extents(&self) -> [usize; 2] {
        let [_, height, width] = self.subject.image();
        [height, width]
    }

    /// Classes, the likeliest first.
    pub(super) fn top(&self, count: usize) -> Vec<usize> {
        let mut classes: Vec<usize> = (0..self.probabilities.len()).collect();
        classes.sort_by(|&a, &b| self.probabilities[b].total_cmp(&self.probabilities[a]));
        classes.truncate(count);
        classes
    }
}

/// A class by its number or its name.
fn class(asked: &str, classes: &[String]) -> anyhow::Result<usize> {
    let last = classes.len().saturating_sub(1);
    // A name comes first: classes may be called by numbers.
    if let Some(class) = classes.iter().position(|class| class == asked) {
        return Ok(class);
    }
    match asked.parse::<usize>() {
        Ok(class) if class <= last => Ok(class),
        Ok(class) => Err(usage(format!(
            "class {class}: the network tells {} classes apart, 0 to {last}",
            classes.len()
        ))),
        Err(_) => {
            let known = classes.iter().map(String::as_str);
            let end = match names::like(asked, known).as_slice() {
                [] => format!("; classes have numbers too, 0 to {last}"),
                like => names::suggestion(like),
            };
            Err(usage(format!(
                "class '{asked}': no class of the network is called so{end}"
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_found_by_name_and_number() {
        let classes = ["cat", "dog", "0"].map(str::to_owned);
        let found = |asked| class(asked, &classes).map_err(|error| error.to_string());
        assert_eq!(found("dog"), Ok(1));
        assert_eq!(found("1"), Ok(1));
        assert_eq!(found("0"), Ok(2));
        assert!(found("3").unwrap_err().contains("0 to 2"));
        assert!(found("DO").unwrap_err().contains("did you mean dog?"));
        assert!(found("bird").unwrap_err().contains("'bird'"));
        assert!(found("catt").unwrap_err().contains("did you mean cat?"));
        assert!(!found("").unwrap_err().contains("did you mean"));
    }
}
