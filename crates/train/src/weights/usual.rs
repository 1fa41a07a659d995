//! What published weights mean where nothing is written beside them.

use formats::{CropMode, Interpolation, Preprocess, imagenet};

/// Names that timm gives to networks which the zoo calls otherwise.
const OTHER_NAMES: [(&str, &str); 4] = [
    ("mobilenetv1_100", "mobilenet_v1"),
    ("mobilenetv1_075", "mobilenet_v1:0.75"),
    ("mobilenetv1_050", "mobilenet_v1:0.5"),
    ("legacy_xception", "xception"),
];

/// The name in the zoo of one of timm's architectures: the same, in most cases.
pub(super) fn registry_name(architecture: &str) -> String {
    let known = OTHER_NAMES.iter().find(|(timm, _)| *timm == architecture);
    known.map_or(architecture, |(_, name)| name).to_owned()
}

/// Networks whose weights torchvision took over from TensorFlow: its own code brings their input to ±1.
const OF_TENSORFLOW: [&str; 2] = ["googlenet", "inception_v3"];

/// How torchvision prepares pictures for its first weights of a network: the short side to 256, or 342 for an input
/// of 299, bilinear, the centre, ImageNet's mean and deviation. Networks of small pictures get them whole.
pub(crate) fn preprocess(model: &str, [channels, height, width]: [usize; 3]) -> Preprocess {
    let (mean, std) = match OF_TENSORFLOW.contains(&model) {
        true => ([0.5; 3], [0.5; 3]),
        false => (imagenet::MEAN, imagenet::STD),
    };
    // A network of grey pictures sees the mean of the three colours.
    let of_channels = |values: [f32; 3]| match channels {
        3 => values.to_vec(),
        _ => vec![values.iter().sum::<f32>() / 3.0; channels],
    };
    Preprocess {
        input: (height, width),
        channels,
        mean: of_channels(mean),
        std: of_channels(std),
        crop_fraction: crop_fraction(height),
        interpolation: Interpolation::Bilinear,
        crop_mode: CropMode::Center,
    }
}

/// The part of the short side that is kept of a picture for an input of such a height.
fn crop_fraction(height: usize) -> f64 {
    match height {
        0..=64 => 1.0,
        // 299 / 0.874 is 342.1; the quotient of the whole numbers might come out below 342.
        299 => 0.874,
        _ => 0.875,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_sides_are_those_of_torchvision() {
        for (input, short) in [(224, 256), (299, 342), (32, 32)] {
            let side = input as f64 / crop_fraction(input);
            assert_eq!(side.floor() as usize, short);
        }
    }
}
