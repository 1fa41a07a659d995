//! Gradient-weighted class activation maps (Selvaraju et al. 2017, "Grad-CAM").

use geometry::ResizeDesc;
use graph::RectifierRule;
use tensor::Tensor;

use crate::error::ExplainError;
use crate::map::Map;
use crate::pullback::Pullback;
use crate::subject::Subject;

/// Which regions of an image speak for a class.
///
/// Every feature map `A_k` of a layer is weighted by how much the class's logit `y` grows with it, and what remains above 0
/// of their sum is the map:
///
/// ```text
/// α_k = mean over places of ∂y/∂A_k       map = max(Σ_k α_k·A_k, 0)
/// ```
#[derive(Clone, Debug)]
pub struct GradCam {
    /// The layer.
    pub layer: String,
    /// α, one a channel of the layer.
    pub weights: Vec<f32>,
    /// `Σ α·A` at the places of the layer's maps, before what is below 0 is cut off.
    pub raw: Map,
    /// The map over the image: what is above 0, interpolated linearly between the centres of the layer's places.
    pub map: Map,
}

/// The map of a layer, by default of the [last feature map](Subject::last_feature_map).
///
/// ```no_run
/// use explain::{ExplainError, Subject, grad_cam};
///
/// fn where_is_the_dog(subject: &Subject, image: &[f32]) -> Result<(), ExplainError> {
///     let cam = grad_cam(subject, image, 207, None)?;
///     println!("{}: from {:?}", cam.layer, cam.raw.range());
///     Ok(())
/// }
/// ```
///
/// # Errors
/// A class or layer that there is not, a layer without maps, an operator on the way without a gradient.
pub fn grad_cam(
    subject: &Subject,
    image: &[f32],
    class: usize,
    layer: Option<&str>,
) -> Result<GradCam, ExplainError> {
    subject.check_class(class)?;
    let layer = match layer {
        Some(layer) => layer.to_owned(),
        None => subject.last_feature_map()?,
    };
    let [_, height, width] = subject.feature_map(&layer)?;
    let mut pullback = Pullback::new(subject, None, Some(&layer), RectifierRule::Slope)?;
    pullback.see(image)?;
    pullback.upstream()[class] = 1.0;
    pullback.run();

    let plane = height * width;
    let mean = |map: &[f32]| {
        let sum: f64 = map.iter().copied().map(f64::from).sum();
        (sum / plane as f64) as f32
    };
    let weights: Vec<f32> = pullback.gradient().chunks_exact(plane).map(mean).collect();
    let mut sums = vec![0.0_f64; plane];
    for (map, &weight) in pullback.layer().chunks_exact(plane).zip(&weights) {
        for (sum, &a) in sums.iter_mut().zip(map) {
            *sum += f64::from(weight) * f64::from(a);
        }
    }
    let raw: Vec<f32> = sums.into_iter().map(|sum| sum as f32).collect();
    let above: Vec<f32> = raw.iter().map(|x| x.max(0.0)).collect();
    let above = Tensor::from_slice(&[1, 1, height, width], &above)?;
    let [_, rows, columns] = subject.image();
    let over_image = subject.eager();
    let over_image = over_image.resize(&above, ResizeDesc::linear([rows, columns]))?;
    let map = |height, width, values| {
        Map::new(height, width, values).expect("a resizing makes the size that it is asked for")
    };
    Ok(GradCam {
        layer,
        weights,
        raw: map(height, width, raw),
        map: map(rows, columns, over_image.data().to_vec()),
    })
}
