//! Pictures of four classes: stripes across or down, reddish or bluish, with noise.

use explain::doctor::Sample;

pub(crate) const CLASSES: usize = 4;
pub(crate) const SIDE: usize = 12;

const MEAN: f32 = 0.45;
const STD: f32 = 0.2;

/// Pictures as the network is trained on, a class in turn.
pub(crate) fn sample(count: usize, seed: u64) -> Sample {
    prepared(count, seed, |pixel| (pixel - MEAN) / STD)
}

/// Pictures whose pixels between 0 and 1 are prepared in any way.
fn prepared(count: usize, seed: u64, prepare: impl Fn(f32) -> f32) -> Sample {
    let mut noise = Noise(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut images = Vec::new();
    let labels = (0..count).map(|place| (place % CLASSES) as u32);
    let labels: Vec<u32> = labels.collect();
    for &label in &labels {
        let phase = (4.0 * noise.next()) as usize;
        for channel in 0..3 {
            for y in 0..SIDE {
                for x in 0..SIDE {
                    let along = if label % 2 == 0 { y } else { x };
                    let stripe = if (along + phase) % 4 < 2 { 0.15 } else { -0.15 };
                    let colour = match (label / 2, channel) {
                        (0, 0) | (1, 2) => 0.2,
                        (0, 2) | (1, 0) => -0.2,
                        _ => 0.0,
                    };
                    let pixel = 0.5 + stripe + colour + 0.2 * (noise.next() - 0.5);
                    images.push(prepare(pixel.clamp(0.0, 1.0)));
                }
            }
        }
    }
    Sample {
        images,
        labels,
        mean: vec![MEAN; 3],
        std: vec![STD; 3],
        classes: ["red across", "red down", "blue across", "blue down"]
            .map(str::to_owned)
            .to_vec(),
    }
}

/// The pictures of [`sample`] as bytes from 0 to 1, prepared with a mean and deviation that are not the training's.
pub(crate) fn unprepared(count: usize, seed: u64, mean: f32, std: f32) -> Sample {
    Sample {
        mean: vec![mean; 3],
        std: vec![std; 3],
        ..prepared(count, seed, |pixel| (pixel - mean) / std)
    }
}

/// The pictures with the channels the other way round.
pub(crate) fn turned_round(mut sample: Sample) -> Sample {
    let plane = SIDE * SIDE;
    for picture in sample.images.chunks_exact_mut(3 * plane) {
        let (front, back) = picture.split_at_mut(2 * plane);
        front[..plane].swap_with_slice(back);
    }
    sample
}

/// Numbers from 0 to 1 (xorshift, Marsaglia 2003).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1 << 24) as f32
    }
}
