//! How the numbers that layers make are spread.

use crate::error::ExplainError;
use crate::forward::Forward;
use crate::subject::Subject;

/// How some numbers are spread.
///
/// ```
/// use explain::Statistics;
/// let spread = Statistics::of(&[0.0, 0.0, 3.0, 1.0]);
/// assert_eq!((spread.mean, spread.zeros, spread.max), (1.0, 0.5, 3.0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Statistics {
    /// Mean.
    pub mean: f64,
    /// Standard deviation, of the numbers themselves.
    pub deviation: f64,
    /// The least.
    pub min: f32,
    /// The largest.
    pub max: f32,
    /// Share of zeros: behind a ReLU, of neurons that are off.
    pub zeros: f64,
}

impl Statistics {
    /// Of some numbers; all 0 where there are none.
    pub fn of(values: &[f32]) -> Self {
        let mut numbers = values.iter().copied();
        let Some(first) = numbers.next() else {
            return Self::default();
        };
        let count = values.len() as f64;
        let mean = values.iter().copied().map(f64::from).sum::<f64>() / count;
        let squares = values.iter().map(|&x| (f64::from(x) - mean).powi(2));
        let zeros = values.iter().filter(|&&x| x == 0.0).count();
        Self {
            mean,
            deviation: (squares.sum::<f64>() / count).sqrt(),
            min: numbers.clone().fold(first, f32::min),
            max: numbers.fold(first, f32::max),
            zeros: zeros as f64 / count,
        }
    }
}

/// What a layer makes of an image, in few numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerStatistics {
    /// The layer.
    pub layer: String,
    /// Its operator.
    pub op: &'static str,
    /// The shape it makes, batch first.
    pub output: Vec<usize>,
    /// How its numbers are spread.
    pub statistics: Statistics,
    /// Share of its feature maps that are 0 everywhere.
    pub dead_maps: f64,
}

/// What every layer makes of an image, in the order of execution. All layers are kept at once.
///
/// # Errors
/// [`ExplainError::Image`], and a network that cannot be run.
pub fn statistics(subject: &Subject, image: &[f32]) -> Result<Vec<LayerStatistics>, ExplainError> {
    let layers = subject.layers();
    let names: Vec<&str> = layers.iter().map(|layer| layer.name.as_str()).collect();
    let mut forward = Forward::new(subject, 1, &names)?;
    forward.run(&[image])?;
    let rows = layers.iter().enumerate().map(|(place, layer)| {
        let values = forward.layer(place, 0);
        let channels = layer.output.get(1).copied().unwrap_or(1).max(1);
        let maps = values.chunks_exact((values.len() / channels).max(1));
        let dead = maps.filter(|map| map.iter().all(|&x| x == 0.0)).count();
        LayerStatistics {
            layer: layer.name.clone(),
            op: layer.op,
            output: layer.output.clone(),
            statistics: Statistics::of(values),
            dead_maps: dead as f64 / channels as f64,
        }
    });
    Ok(rows.collect())
}
