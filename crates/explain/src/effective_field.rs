//! How much of its receptive field a neuron uses (Luo et al. 2016, "Understanding the effective receptive field in deep
//! convolutional neural networks").

use geometry::Region;
use graph::{Neuron, RectifierRule};
use tensor::memory::{try_room, try_zeros};

use crate::error::ExplainError;
use crate::map::Map;
use crate::pullback::Pullback;
use crate::subject::Subject;

/// The effective receptive field of the middle of a layer's maps, over the theoretical one.
#[derive(Clone, Debug)]
pub struct EffectiveField {
    /// The layer.
    pub layer: String,
    /// Row and column of the neuron.
    pub at: [usize; 2],
    /// At every pixel the magnitude of the gradient, summed over the channels of the image, the mean of all images.
    pub map: Map,
    /// The pixels that the neuron can see at all.
    pub theoretical: Region,
    /// Images that it is the mean of.
    pub images: usize,
}

/// What two standard deviations leave of a bell curve's middle: Luo et al. call a pixel part of the effective field
/// whose gradient is more than that share of the largest.
const TWO_DEVIATIONS: f32 = 1.0 - 0.9545;

impl EffectiveField {
    /// Pixels whose gradient is more than 4.55 % of the largest, as Luo et al. count them.
    pub fn area(&self) -> usize {
        let least = TWO_DEVIATIONS * self.map.range().1;
        self.map.values().iter().filter(|&&x| x > least).count()
    }

    /// The side of a square of that area.
    pub fn side(&self) -> f64 {
        (self.area() as f64).sqrt()
    }

    /// The part of the theoretical field that is used.
    pub fn share(&self) -> f64 {
        self.area() as f64 / self.theoretical.len().max(1) as f64
    }
}

/// The field of a layer, by default of the [last feature map](Subject::last_feature_map): the gradient of the neurons of
/// all its channels in the middle by every pixel, averaged over images, which may be [noise](Subject::noise).
///
/// ```no_run
/// use explain::{ExplainError, Subject, effective_field};
///
/// fn field(subject: &Subject) -> Result<(), ExplainError> {
///     let noise = (0..20).map(|seed| subject.noise(seed));
///     let field = effective_field(subject, Some("layer3.5.relu_2"), noise)?;
///     println!("{:.0} of {} pixels", field.area(), field.theoretical.len());
///     Ok(())
/// }
/// ```
///
/// # Errors
/// [`ExplainError::NoImages`], a layer that there is not or that makes no maps, an operator on the way without a gradient.
pub fn effective_field(
    subject: &Subject,
    layer: Option<&str>,
    images: impl IntoIterator<Item = impl AsRef<[f32]>>,
) -> Result<EffectiveField, ExplainError> {
    let layer = match layer {
        Some(layer) => layer.to_owned(),
        None => subject.last_feature_map()?,
    };
    let [_, height, width] = subject.feature_map(&layer)?;
    let at = [height / 2, width / 2];
    let theoretical = Neuron::trace(subject.network(), &layer, &at, 0)?.pixels;

    let mut pullback = Pullback::new(subject, Some(&layer), None, RectifierRule::Slope)?;
    let middle = at[0] * width + at[1];
    for map in pullback.upstream().chunks_exact_mut(height * width) {
        map[middle] = 1.0;
    }
    let [_, rows, columns] = subject.image();
    let mut sums: Vec<f64> = try_zeros(rows * columns)?;
    let mut count = 0;
    for image in images {
        pullback.see(image.as_ref())?;
        pullback.run();
        for channel in pullback.gradient().chunks_exact(rows * columns) {
            for (sum, &x) in sums.iter_mut().zip(channel) {
                *sum += f64::from(x.abs());
            }
        }
        count += 1;
    }
    if count == 0 {
        let what = "an effective receptive field";
        return Err(ExplainError::NoImages { what });
    }
    let mut values = try_room(rows * columns)?;
    values.extend(sums.into_iter().map(|sum| (sum / count as f64) as f32));
    Ok(EffectiveField {
        layer,
        at,
        map: Map::new(rows, columns, values).expect("one number a pixel"),
        theoretical,
        images: count,
    })
}
