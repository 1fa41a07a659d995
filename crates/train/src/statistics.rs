//! Mean and deviation of the training pictures, by which inputs are normalised.

use formats::Dataset;

/// Pictures looked at; more of them move the third digit at most.
const SAMPLE: usize = 5_000;

/// Mean and standard deviation of every channel over all pixels, in units of the white level.
///
/// A large set is sampled evenly. Sums are integers, so the result depends on the pictures alone. A channel without
/// any variation gets a deviation of 1, and an empty or unreadable set the middle and half of the range.
///
/// ```
/// use formats::{Part, Shapes};
/// let (mean, std) = train::channel_statistics(&Shapes::new(0, Part::Train, 100), 3);
/// assert!(mean.iter().all(|mean| (0.2..0.8).contains(mean)));
/// assert!(std.iter().all(|std| (0.05..0.5).contains(std)));
/// ```
pub fn channel_statistics(dataset: &dyn Dataset, channels: usize) -> (Vec<f32>, Vec<f32>) {
    let sample = dataset.len().min(SAMPLE);
    let (mut sum, mut square) = (vec![0_u64; channels], vec![0_u64; channels]);
    let mut pixels = 0_u64;
    for place in 0..sample {
        // An unreadable picture is reported when the epoch comes to it.
        let Ok(picture) = dataset.picture(place * dataset.len() / sample) else {
            continue;
        };
        let Ok(picture) = picture.to_channels(channels) else {
            continue;
        };
        for pixel in picture.pixels.chunks_exact(channels) {
            for ((byte, sum), square) in pixel.iter().zip(&mut sum).zip(&mut square) {
                *sum += u64::from(*byte);
                *square += u64::from(*byte) * u64::from(*byte);
            }
        }
        pixels += (picture.pixels.len() / channels) as u64;
    }
    if pixels == 0 {
        return (vec![0.5; channels], vec![0.5; channels]);
    }
    let count = pixels as f64;
    let statistics = sum.iter().zip(&square).map(|(sum, square)| {
        let mean = *sum as f64 / count;
        let variance = (*square as f64 / count - mean * mean).max(0.0);
        let std = if variance > 0.0 {
            variance.sqrt()
        } else {
            255.0
        };
        ((mean / 255.0) as f32, (std / 255.0) as f32)
    });
    statistics.unzip()
}

#[cfg(test)]
mod tests {
    use formats::{DataError, Picture};

    use super::*;

    /// Two pictures of two pixels: (0, 100), (200, 100) and (100, 100), (100, 100) in two channels.
    struct Four(Vec<String>);

    impl Dataset for Four {
        fn len(&self) -> usize {
            2
        }
        fn classes(&self) -> &[String] {
            &self.0
        }
        fn label(&self, index: usize) -> usize {
            index
        }
        fn picture(&self, index: usize) -> Result<Picture, DataError> {
            let pixels = [vec![0, 0, 100, 200, 200, 100], vec![100; 6]];
            Ok(Picture {
                height: 1,
                width: 2,
                channels: 3,
                pixels: pixels[index].clone(),
            })
        }
        fn name(&self, index: usize) -> String {
            index.to_string()
        }
        fn fixed_size(&self) -> Option<(usize, usize)> {
            Some((1, 2))
        }
        fn channels(&self) -> usize {
            3
        }
    }

    #[test]
    fn means_and_deviations_are_those_of_the_pixels() {
        let (mean, std) = channel_statistics(&Four(Vec::new()), 3);
        assert_eq!(mean, [100.0 / 255.0; 3]);
        // Squared deviations 100², 100², 0, 0 of four pixels; a constant channel is left as it is.
        let varied = (5000.0_f64.sqrt() / 255.0) as f32;
        assert_eq!(std, [varied, varied, 1.0]);
    }
}
