//! The patches of images that excite a filter most (Zeiler and Fergus 2014).

use std::ops::Range;

use graph::Neuron;

use crate::backpropagation::strongest;
use crate::error::ExplainError;
use crate::forward::Forward;
use crate::subject::Subject;

/// A search through many images for what excites some filters of a layer most. Of every image only its strongest place
/// counts, so that nine patches show nine images.
///
/// ```no_run
/// use explain::{ExplainError, Subject, TopPatches};
///
/// fn nine(subject: &Subject, images: impl Iterator<Item = Vec<f32>>) -> Result<(), ExplainError> {
///     let mut search = TopPatches::new(subject, "layer2.1.relu_1", &[7], 9)?;
///     for image in images {
///         search.push(&image)?;
///     }
///     for patch in &search.finish()?[0] {
///         println!("{:.3} in image {} at {:?}", patch.activation, patch.image, patch.region);
///     }
///     Ok(())
/// }
/// ```
pub struct TopPatches<'a> {
    subject: &'a Subject,
    forward: Forward<'a>,
    layer: String,
    /// Height and width of the maps.
    map: [usize; 2],
    channels: Vec<usize>,
    count: usize,
    /// Of each channel, the strongest first.
    best: Vec<Vec<Found>>,
    /// Images that were run.
    done: usize,
    /// Images that wait for a run.
    waiting: usize,
}

/// The strongest place of an image.
#[derive(Clone, Copy, Debug)]
struct Found {
    image: usize,
    place: usize,
    activation: f32,
}

/// A part of an image that excites a filter.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    /// The image, by its number in the search.
    pub image: usize,
    /// Row and column of the neuron in its map.
    pub at: [usize; 2],
    /// What the neuron makes of it.
    pub activation: f32,
    /// Rows and columns of the image from the first to the last that the neuron sees.
    pub region: [Range<usize>; 2],
}

/// Images that are run at once.
const BATCH: usize = 8;

impl<'a> TopPatches<'a> {
    /// Prepares a search for the `count` strongest patches of each of some channels.
    ///
    /// # Errors
    /// A layer or channel that there is not, a layer without maps, and a network that cannot be run.
    pub fn new(
        subject: &'a Subject,
        layer: &str,
        channels: &[usize],
        count: usize,
    ) -> Result<Self, ExplainError> {
        let [of_layer, height, width] = subject.feature_map(layer)?;
        if let Some(&channel) = channels.iter().find(|&&channel| channel >= of_layer) {
            return Err(ExplainError::Channel {
                layer: layer.to_owned(),
                channel,
                channels: of_layer,
            });
        }
        Ok(Self {
            subject,
            forward: Forward::for_many(subject, BATCH, &[layer])?,
            layer: layer.to_owned(),
            map: [height, width],
            channels: channels.to_vec(),
            count,
            best: vec![Vec::new(); channels.len()],
            done: 0,
            waiting: 0,
        })
    }

    /// Adds an image; the first is number 0.
    ///
    /// # Errors
    /// [`ExplainError::Image`]
    pub fn push(&mut self, image: &[f32]) -> Result<(), ExplainError> {
        self.subject.check_image(image)?;
        self.forward.image_mut(self.waiting).copy_from_slice(image);
        self.waiting += 1;
        if self.waiting == self.forward.batch() {
            self.run();
        }
        Ok(())
    }

    fn run(&mut self) {
        self.forward.run_as_written();
        let plane = self.map[0] * self.map[1];
        for at in 0..self.waiting {
            let maps = self.forward.layer(0, at);
            for (&channel, best) in self.channels.iter().zip(&mut self.best) {
                let map = &maps[channel * plane..][..plane];
                let place = strongest(map);
                let found = Found {
                    image: self.done + at,
                    place,
                    activation: map[place],
                };
                // Of equal ones the earlier image stays in front.
                let rank = best.partition_point(|other| other.activation >= found.activation);
                if rank < self.count {
                    best.insert(rank, found);
                    best.truncate(self.count);
                }
            }
        }
        self.done += self.waiting;
        self.waiting = 0;
    }

    /// The patches of each channel, the strongest first; fewer where there were fewer images.
    ///
    /// # Errors
    /// [`ExplainError::Neuron`] for fields too large to be counted.
    pub fn finish(mut self) -> Result<Vec<Vec<Patch>>, ExplainError> {
        self.run();
        let patch = |found: &Found| {
            let at = [found.place / self.map[1], found.place % self.map[1]];
            let neuron = Neuron::trace(self.subject.network(), &self.layer, &at, 0)?;
            let bounds = neuron.pixels.bounds().unwrap_or_default();
            let along = |axis: usize| bounds.get(axis).cloned().unwrap_or_default();
            Ok(Patch {
                image: found.image,
                at,
                activation: found.activation,
                region: [along(0), along(1)],
            })
        };
        let of_channel = |best: &Vec<Found>| best.iter().map(patch).collect();
        self.best.iter().map(of_channel).collect()
    }
}
