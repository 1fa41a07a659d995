//! What a neuron makes of the image, carried back to the pixels.
//!
//! - *Saliency* is the gradient of a class's logit by the pixels (Simonyan, Vedaldi and Zisserman 2014, "Deep inside
//!   convolutional networks").
//! - *Guided backpropagation* keeps of it at every ReLU only what speaks for the class (Springenberg et al. 2015,
//!   "Striving for simplicity").
//! - The *deconvolutional network* goes back through the same layers without asking where a ReLU was on; max pools
//!   return to the places of their maxima, the "switches" (Zeiler and Fergus 2014, "Visualizing and understanding
//!   convolutional networks").
//!
//! They differ in [`RectifierRule`] alone, which says what counts as a ReLU. The last two show what excites a neuron in
//! sharper lines and depend little on the weights behind it (Adebayo et al. 2018): see [`Randomisation`](crate::Randomisation).

use graph::RectifierRule;
use tensor::Tensor;

use crate::error::ExplainError;
use crate::pullback::Pullback;
use crate::subject::Subject;
use crate::target::Target;

/// A network prepared to carry a neuron's gradient back to images, one after the other.
///
/// ```no_run
/// use explain::{Backpropagation, ExplainError, RectifierRule, Subject, Target};
///
/// fn strongest_edge(subject: &Subject, image: &[f32]) -> Result<(), ExplainError> {
///     let neuron = Target::Neuron { layer: "layer2.0.relu".to_owned(), channel: 7, at: None };
///     let mut back = Backpropagation::new(subject, &neuron, RectifierRule::Deconvnet)?;
///     let pixels = back.of(image)?;
///     assert_eq!(pixels.dims(), subject.image());
///     Ok(())
/// }
/// ```
pub struct Backpropagation<'a> {
    subject: &'a Subject,
    pullback: Pullback<'a>,
    target: Target,
    /// Channels, height and width of what is gone back from; of logits the classes and one place.
    from: [usize; 3],
}

impl<'a> Backpropagation<'a> {
    /// Prepares the way back from a neuron.
    ///
    /// # Errors
    /// A class, layer, channel or place that there is not, an operator on the way without a gradient, or a network that
    /// cannot be run.
    pub fn new(
        subject: &'a Subject,
        target: &Target,
        rule: RectifierRule,
    ) -> Result<Self, ExplainError> {
        let (layer, from) = match target {
            Target::Class(class) => {
                subject.check_class(*class)?;
                (None, [subject.classes(), 1, 1])
            }
            Target::Neuron { layer, channel, at } => {
                let from = subject.feature_map(layer)?;
                check_neuron(layer, from, *channel, *at)?;
                (Some(layer.as_str()), from)
            }
        };
        Ok(Self {
            subject,
            pullback: Pullback::new(subject, layer, None, rule)?,
            target: target.clone(),
            from,
        })
    }

    /// What an image's numbers count for the neuron: `[channels, height, width]`.
    ///
    /// # Errors
    /// [`ExplainError::Image`]
    pub fn of(&mut self, image: &[f32]) -> Result<Tensor, ExplainError> {
        let [_, height, width] = self.from;
        let plane = height * width;
        self.pullback.see(image)?;
        let place = match self.target {
            Target::Class(class) => class,
            Target::Neuron { channel, at, .. } => {
                let at = match at {
                    Some([row, column]) => row * width + column,
                    None => {
                        self.pullback.run();
                        let map = &self.pullback.made()[channel * plane..][..plane];
                        strongest(map)
                    }
                };
                channel * plane + at
            }
        };
        let upstream = self.pullback.upstream();
        upstream.fill(0.0);
        upstream[place] = 1.0;
        self.pullback.run();
        let dims = self.subject.image();
        Ok(Tensor::from_slice(&dims, self.pullback.gradient())?)
    }
}

/// The place of the largest number, the first of equal ones.
pub(crate) fn strongest(map: &[f32]) -> usize {
    let places = map.iter().enumerate();
    let better = |best: (usize, f32), (place, &value): (usize, &f32)| match value > best.1 {
        true => (place, value),
        false => best,
    };
    places.fold((0, f32::NEG_INFINITY), better).0
}

fn check_neuron(
    layer: &str,
    [channels, height, width]: [usize; 3],
    channel: usize,
    at: Option<[usize; 2]>,
) -> Result<(), ExplainError> {
    let layer = layer.to_owned();
    if channel >= channels {
        return Err(ExplainError::Channel {
            layer,
            channel,
            channels,
        });
    }
    match at {
        Some([row, column]) if row >= height || column >= width => Err(ExplainError::Place {
            layer,
            at: [row, column],
            map: [height, width],
        }),
        _ => Ok(()),
    }
}

/// The gradient of a class's logit by every number of the image, `[channels, height, width]`, signs and all;
/// [`Map::magnitude`](crate::Map::magnitude) makes of it the map that Simonyan et al. show.
///
/// # Errors
/// As [`Backpropagation::new`] and [`Backpropagation::of`].
pub fn saliency(subject: &Subject, image: &[f32], class: usize) -> Result<Tensor, ExplainError> {
    of_class(subject, image, class, RectifierRule::Slope)
}

/// Guided backpropagation of a class's logit, `[channels, height, width]`.
///
/// # Errors
/// As [`saliency`].
pub fn guided(subject: &Subject, image: &[f32], class: usize) -> Result<Tensor, ExplainError> {
    of_class(subject, image, class, RectifierRule::Guided)
}

/// What the deconvolutional network makes of a class's logit, `[channels, height, width]`.
///
/// # Errors
/// As [`saliency`].
pub fn deconvnet(subject: &Subject, image: &[f32], class: usize) -> Result<Tensor, ExplainError> {
    of_class(subject, image, class, RectifierRule::Deconvnet)
}

fn of_class(
    subject: &Subject,
    image: &[f32],
    class: usize,
    rule: RectifierRule,
) -> Result<Tensor, ExplainError> {
    Backpropagation::new(subject, &Target::Class(class), rule)?.of(image)
}
