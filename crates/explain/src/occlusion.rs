//! What is lost when a window of the image is covered (Zeiler and Fergus 2014, "Visualizing and understanding
//! convolutional networks", 4.2).

use std::ops::Range;

use tensor::memory::{try_room, try_zeros};

use crate::backpropagation::strongest;
use crate::baseline::Baseline;
use crate::batches::run_all;
use crate::error::ExplainError;
use crate::map::Map;
use crate::subject::Subject;

/// A window that slides over the image.
///
/// Windows begin at every `stride`-th row and column, until one reaches the end of the image; that one is cut off there.
///
/// ```no_run
/// use explain::{ExplainError, Occlusion, Subject};
///
/// fn what_matters(subject: &Subject, image: &[f32]) -> Result<(), ExplainError> {
///     let occlusion = Occlusion::over(subject.image());
///     let maps = occlusion.of(subject, image, 207, &mut |done, all| eprintln!("{done}/{all}"))?;
///     println!("{:.3} without the window", maps.whole);
///     println!("at worst {:.3}", maps.probabilities.range().0);
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Occlusion {
    /// Its height and width.
    pub window: [usize; 2],
    /// Rows and columns from a window to the next.
    pub stride: [usize; 2],
    /// What it is filled with.
    pub baseline: Baseline,
    /// The layer whose strongest map is watched; the [last feature map](Subject::last_feature_map) where none is named.
    pub layer: Option<String>,
}

/// What the network makes of an image with a window covered, for every place of the window.
#[derive(Clone, Debug)]
pub struct OcclusionMaps {
    /// The class.
    pub class: usize,
    /// Its probability on the whole image.
    pub whole: f32,
    /// Its probability at every place of the window.
    pub probabilities: Map,
    /// The likeliest class at every place, row by row.
    pub labels: Vec<usize>,
    /// The strongest map of the layer; nothing where no layer makes maps.
    pub strongest: Option<Strongest>,
    /// At every pixel how much probability is lost, the mean of all windows that cover it.
    pub drop: Map,
}

/// The feature map of a layer whose sum is the largest on the whole image.
#[derive(Clone, Debug)]
pub struct Strongest {
    /// The layer.
    pub layer: String,
    /// The map.
    pub channel: usize,
    /// Its sum on the whole image.
    pub whole: f32,
    /// Its sum at every place of the window.
    pub sums: Map,
}

impl Occlusion {
    /// A window of such a height and width.
    pub fn new(window: [usize; 2], stride: [usize; 2]) -> Self {
        Self {
            window,
            stride,
            baseline: Baseline::default(),
            layer: None,
        }
    }

    /// A window of an eighth of the image along each axis, in steps of half of it: 225 windows on 224 × 224 pixels.
    pub fn over([_, height, width]: [usize; 3]) -> Self {
        let window = [height, width].map(|extent| extent.div_ceil(8));
        Self::new(window, window.map(|extent| extent.div_ceil(2)))
    }

    /// How many windows there are along each axis of an image.
    ///
    /// # Errors
    /// [`ExplainError::Setting`] for a window or stride that the image does not hold.
    pub fn places(&self, [_, height, width]: [usize; 3]) -> Result<[usize; 2], ExplainError> {
        let mut places = [0; 2];
        for (axis, extent) in [height, width].into_iter().enumerate() {
            let (window, stride) = (self.window[axis], self.stride[axis]);
            for (setting, given) in [("a window", window), ("a stride", stride)] {
                if given == 0 || given > extent {
                    return Err(ExplainError::Setting {
                        setting,
                        given,
                        what: ["rows", "columns"][axis],
                        extent,
                    });
                }
            }
            // Up to one that reaches the edge, if it begins before that: a stride may be longer than a window.
            let reaching = (extent - window).div_ceil(stride);
            places[axis] = reaching.min((extent - 1) / stride) + 1;
        }
        Ok(places)
    }

    /// The rows and columns under the window of a place.
    fn rows_and_columns(&self, extents: [usize; 2], place: [usize; 2]) -> [Range<usize>; 2] {
        [0, 1].map(|axis| {
            let start = place[axis] * self.stride[axis];
            start..(start + self.window[axis]).min(extents[axis])
        })
    }

    /// Runs the network on the image and on every copy of it with a window covered, several at once. `progress` is told
    /// how many are done, and of how many.
    ///
    /// # Errors
    /// A class or layer that there is not, a window that the image does not hold, [`ExplainError::NotFinite`], and a
    /// network that cannot be run.
    pub fn of(
        &self,
        subject: &Subject,
        image: &[f32],
        class: usize,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<OcclusionMaps, ExplainError> {
        subject.check_class(class)?;
        subject.check_image(image)?;
        let [channels, height, width] = subject.image();
        let [rows, columns] = self.places(subject.image())?;
        let baseline = self.baseline.of_channels(channels)?;
        let layer = self.watched(subject)?;
        let layers: Vec<&str> = layer.iter().map(|(name, _)| name.as_str()).collect();
        let windows = rows * columns;

        let (mut whole, mut channel, mut whole_sum) = (0.0, 0, 0.0);
        let mut probabilities = try_room(windows)?;
        let mut labels = try_room(windows)?;
        let mut sums = try_room(windows)?;
        let sum = |map: &[f32]| map.iter().copied().map(f64::from).sum::<f64>() as f32;
        // The image itself is the first.
        run_all(
            subject,
            &layers,
            1 + windows,
            |number, place| {
                place.copy_from_slice(image);
                if let Some(window) = number.checked_sub(1) {
                    let at = [window / columns, window % columns];
                    let window = self.rows_and_columns([height, width], at);
                    cover(place, [height, width], &window, &baseline);
                }
            },
            |forward, place, number| {
                let answer = forward.probabilities(place)?;
                let maps = layer.as_ref().map(|&(_, plane)| {
                    let maps = forward.layer(0, place).chunks_exact(plane);
                    maps.map(sum)
                });
                if number == 0 {
                    whole = answer[class];
                    let totals: Vec<f32> = maps.into_iter().flatten().collect();
                    channel = strongest(&totals);
                    whole_sum = totals.get(channel).copied().unwrap_or(0.0);
                    return Ok(());
                }
                probabilities.push(answer[class]);
                labels.push(strongest(answer));
                sums.extend(maps.and_then(|mut totals| totals.nth(channel)));
                Ok(())
            },
            progress,
        )?;

        let drops = probabilities.iter().map(|with| whole - with);
        let drop = self.spread([height, width], [rows, columns], drops)?;
        let map = |values| Map::new(rows, columns, values);
        Ok(OcclusionMaps {
            class,
            whole,
            drop,
            probabilities: map(probabilities).expect("one number a window"),
            labels,
            strongest: layer.zip(map(sums)).map(|((layer, _), sums)| Strongest {
                layer,
                channel,
                whole: whole_sum,
                sums,
            }),
        })
    }

    /// The layer that is watched, and the places of its maps.
    fn watched(&self, subject: &Subject) -> Result<Option<(String, usize)>, ExplainError> {
        let layer = match &self.layer {
            Some(layer) => layer.clone(),
            None => match subject.last_feature_map() {
                Ok(layer) => layer,
                Err(_) => return Ok(None),
            },
        };
        let [_, height, width] = subject.feature_map(&layer)?;
        Ok(Some((layer, height * width)))
    }

    /// Numbers of windows over the pixels, the mean of all windows that cover one; 0 where none does.
    fn spread(
        &self,
        extents: [usize; 2],
        [_, columns]: [usize; 2],
        numbers: impl Iterator<Item = f32>,
    ) -> Result<Map, ExplainError> {
        let [height, width] = extents;
        let mut sums: Vec<f64> = try_zeros(height * width)?;
        let mut covered: Vec<u32> = try_zeros(height * width)?;
        for (window, number) in numbers.enumerate() {
            let at = [window / columns, window % columns];
            let [rows, across] = self.rows_and_columns(extents, at);
            for row in rows {
                let pixels = row * width + across.start..row * width + across.end;
                sums[pixels.clone()]
                    .iter_mut()
                    .for_each(|sum| *sum += f64::from(number));
                covered[pixels].iter_mut().for_each(|count| *count += 1);
            }
        }
        let mut values = try_room(height * width)?;
        let means = sums.iter().zip(&covered);
        values.extend(means.map(|(sum, &count)| (sum / f64::from(count.max(1))) as f32));
        Ok(Map::new(height, width, values).expect("one number a pixel"))
    }
}

/// Fills a window in every channel.
fn cover(
    image: &mut [f32],
    [height, width]: [usize; 2],
    [rows, columns]: &[Range<usize>; 2],
    baseline: &[f32],
) {
    for (channel, &value) in image.chunks_exact_mut(height * width).zip(baseline) {
        for row in rows.clone() {
            channel[row * width..][columns.clone()].fill(value);
        }
    }
}
