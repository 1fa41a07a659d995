//! What layers make of an image.

use tensor::Tensor;

use crate::error::ExplainError;
use crate::forward::Forward;
use crate::statistics::Statistics;
use crate::subject::Subject;

/// The feature maps of a layer on one image.
#[derive(Clone, Debug)]
pub struct FeatureMaps {
    /// The layer.
    pub layer: String,
    /// `[channels, height, width]`
    pub maps: Tensor,
    /// How the numbers of each map are spread.
    pub statistics: Vec<Statistics>,
}

impl FeatureMaps {
    /// One map, row by row.
    ///
    /// # Panics
    /// When there is no such channel.
    pub fn channel(&self, channel: usize) -> &[f32] {
        let plane: usize = self.maps.dims()[1..].iter().product();
        &self.maps.data()[channel * plane..][..plane]
    }

    /// The channels, that of the largest mean magnitude first.
    pub fn by_strength(&self) -> Vec<usize> {
        let strength = |&channel: &usize| {
            let map = self.channel(channel).iter();
            map.map(|&x| f64::from(x).abs()).sum::<f64>()
        };
        let mut channels: Vec<usize> = (0..self.statistics.len()).collect();
        channels.sort_by(|a, b| strength(b).total_cmp(&strength(a)));
        channels
    }
}

/// The feature maps of some layers, in their order; of [`Subject::stages`] they show how an image evolves from edges to
/// parts, by depth (Zeiler and Fergus 2014).
///
/// # Errors
/// [`ExplainError::NoLayer`], [`ExplainError::NoMap`], [`ExplainError::Image`], and a network that cannot be run.
pub fn feature_maps(
    subject: &Subject,
    image: &[f32],
    layers: &[&str],
) -> Result<Vec<FeatureMaps>, ExplainError> {
    let (_, maps) = run(subject, image, layers)?;
    Ok(maps)
}

/// The probabilities of the classes and the feature maps of a layer, by one run of the network.
///
/// # Errors
/// As [`feature_maps`]; [`ExplainError::NotFinite`].
pub fn glance(
    subject: &Subject,
    image: &[f32],
    layer: &str,
) -> Result<(Vec<f32>, FeatureMaps), ExplainError> {
    let (forward, mut maps) = run(subject, image, &[layer])?;
    let maps = maps.pop().expect("one layer, one entry");
    Ok((forward.probabilities(0)?.to_vec(), maps))
}

fn run<'a>(
    subject: &'a Subject,
    image: &[f32],
    layers: &[&str],
) -> Result<(Forward<'a>, Vec<FeatureMaps>), ExplainError> {
    let shapes = layers.iter().map(|layer| subject.feature_map(layer));
    let shapes = shapes.collect::<Result<Vec<_>, _>>()?;
    let mut forward = Forward::new(subject, 1, layers)?;
    forward.run(&[image])?;
    let found = layers.iter().zip(shapes).enumerate();
    let maps = found.map(|(place, (layer, shape))| {
        let maps = Tensor::from_slice(&shape, forward.layer(place, 0))?;
        let [_, height, width] = shape;
        let channels = maps.data().chunks_exact(height * width);
        Ok(FeatureMaps {
            layer: (*layer).to_owned(),
            statistics: channels.map(Statistics::of).collect(),
            maps,
        })
    });
    let maps = maps.collect::<Result<_, ExplainError>>()?;
    Ok((forward, maps))
}
