//! How much of each frequency is in pictures, and in what a filter answers to them.
//!
//! A spectrum is kept on a square grid of `N × N` frequencies `2π·(ky, kx)/N` with `k = −N/2 … N/2 − 1`, in the order of
//! the discrete Fourier transform. At each stands the power of every pair of channels, a Hermitian matrix `S`: a filter
//! with the transform `W` of its channels answers with the power `W·S·W*`.

use std::f64::consts::TAU;

use super::Sample;

/// The power of pictures by frequency and pair of channels.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrum {
    side: usize,
    channels: usize,
    /// `[side·side, channels, channels]`
    power: Vec<Complex>,
}

/// Real and imaginary part.
pub(super) type Complex = [f64; 2];

/// Frequencies along an axis where the pictures do not say how many.
const SIDE: usize = 64;

/// Pictures that are transformed at most; the mean of their spectra is smooth by then.
const ENOUGH: usize = 64;

impl Spectrum {
    /// The same power at every frequency.
    pub fn white(channels: usize) -> Self {
        Self::independent(SIDE, channels, |_| 1.0)
    }

    /// What photographs have on average: power that falls with the square of the frequency (Field 1987), and no mean.
    pub fn natural(channels: usize) -> Self {
        Self::independent(SIDE, channels, |squared| match squared {
            0.0 => 0.0,
            squared => 1.0 / squared,
        })
    }

    /// Channels without anything in common, whose power is a function of `|k|²`.
    fn independent(side: usize, channels: usize, power: impl Fn(f64) -> f64) -> Self {
        let mut spectrum = Self {
            side,
            channels,
            power: vec![[0.0; 2]; side * side * channels * channels],
        };
        for place in 0..side * side {
            let k = |place: usize| spectrum.signed(place) as f64;
            let squared = k(place / side).powi(2) + k(place % side).powi(2);
            for channel in 0..channels {
                let at = (place * channels + channel) * channels + channel;
                spectrum.power[at] = [power(squared), 0.0];
            }
        }
        spectrum
    }

    /// What these pictures have: the mean over the middles of the first ones, `[n, channels, height, width]`. Each
    /// channel's mean is taken away and the borders fade out (Hann's window): as a torus has none, they would be edges.
    ///
    /// Nothing of pictures without extent.
    pub(super) fn of(sample: &Sample, [channels, height, width]: [usize; 3]) -> Option<Self> {
        let side = SIDE.min(height).min(width);
        let plane = height * width;
        if side < 4 || sample.picture() != channels * plane {
            return None;
        }
        let mut spectrum = Self::independent(side, channels, |_| 0.0);
        let [top, left] = [(height - side) / 2, (width - side) / 2];
        let roots = roots(side);
        let window: Vec<f64> = (0..side)
            .map(|place| 0.5 - 0.5 * (TAU * (place as f64 + 0.5) / side as f64).cos())
            .collect();
        for picture in sample.images.chunks_exact(channels * plane).take(ENOUGH) {
            let transforms: Vec<Vec<Complex>> = picture
                .chunks_exact(plane)
                .map(|pixels| {
                    let row = |y: usize| &pixels[(top + y) * width + left..][..side];
                    let middle: f64 = (0..side)
                        .flat_map(|y| row(y).iter())
                        .map(|&value| f64::from(value))
                        .sum();
                    let mean = middle / (side * side) as f64;
                    let mut faded = Vec::with_capacity(side * side);
                    for (y, fade) in window.iter().enumerate() {
                        let values = row(y).iter().zip(&window);
                        faded.extend(values.map(|(&v, f)| (f64::from(v) - mean) * fade * f));
                    }
                    transform(&faded, side, &roots)
                })
                .collect();
            spectrum.add(&transforms);
        }
        Some(spectrum)
    }

    /// Adds the powers of one picture.
    fn add(&mut self, transforms: &[Vec<Complex>]) {
        let pairs = self.channels * self.channels;
        for (place, powers) in self.power.chunks_exact_mut(pairs).enumerate() {
            for (pair, power) in powers.iter_mut().enumerate() {
                let a = transforms[pair / self.channels][place];
                let b = transforms[pair % self.channels][place];
                power[0] += a[0] * b[0] + a[1] * b[1];
                power[1] += a[1] * b[0] - a[0] * b[1];
            }
        }
    }

    /// Channels of the pictures.
    pub(super) fn channels(&self) -> usize {
        self.channels
    }

    /// Frequencies along an axis.
    pub(super) fn side(&self) -> usize {
        self.side
    }

    /// The frequency that stands at a place of an axis.
    pub(super) fn signed(&self, place: usize) -> i64 {
        let (place, side) = (place as i64, self.side as i64);
        if 2 * place < side {
            place
        } else {
            place - side
        }
    }

    /// The power of all channels by frequency, `[side, side]`: what filters drawn at random answer on average.
    pub(super) fn total(&self) -> Vec<f64> {
        let pairs = self.channels * self.channels;
        let own = |powers: &[Complex]| powers.iter().step_by(self.channels + 1).map(|p| p[0]).sum();
        self.power.chunks_exact(pairs).map(own).collect()
    }

    /// The power of what a filter `[channels, kh, kw]` answers, by frequency, `[side, side]`.
    pub(super) fn answer(&self, filter: &[f32], [height, width]: [usize; 2]) -> Vec<f64> {
        let (side, channels) = (self.side, self.channels);
        let roots = roots(side);
        let transforms: Vec<Vec<Complex>> = filter
            .chunks_exact(height * width)
            .map(|taps| filter_transform(taps, [height, width], side, &roots))
            .collect();
        let pairs = channels * channels;
        let powers = self.power.chunks_exact(pairs).enumerate();
        powers
            .map(|(place, powers)| {
                let mut sum = 0.0;
                for (pair, power) in powers.iter().enumerate() {
                    let a = transforms[pair / channels][place];
                    let b = transforms[pair % channels][place];
                    let product = [a[0] * b[0] + a[1] * b[1], a[1] * b[0] - a[0] * b[1]];
                    // A convolution of networks is a correlation: its transform is the conjugate.
                    sum += product[0] * power[0] + product[1] * power[1];
                }
                sum.max(0.0)
            })
            .collect()
    }
}

/// `e^(−2πi·j/side)` for every `j`.
fn roots(side: usize) -> Vec<Complex> {
    (0..side)
        .map(|j| {
            let angle = TAU * j as f64 / side as f64;
            [angle.cos(), -angle.sin()]
        })
        .collect()
}

/// The transform of a plane `[side, side]`, axis by axis.
fn transform(plane: &[f64], side: usize, roots: &[Complex]) -> Vec<Complex> {
    let mut rows = vec![[0.0; 2]; side * side];
    for (row, made) in plane.chunks_exact(side).zip(rows.chunks_exact_mut(side)) {
        for (k, made) in made.iter_mut().enumerate() {
            for (x, value) in row.iter().enumerate() {
                let root = roots[k * x % side];
                made[0] += value * root[0];
                made[1] += value * root[1];
            }
        }
    }
    columns(&rows, side, side, roots)
}

/// The transform of a filter `[kh, kw]`, which may be larger than the grid: it is then wrapped.
fn filter_transform(
    taps: &[f32],
    [height, width]: [usize; 2],
    side: usize,
    roots: &[Complex],
) -> Vec<Complex> {
    let mut rows = vec![[0.0; 2]; height * side];
    for (row, made) in taps.chunks_exact(width).zip(rows.chunks_exact_mut(side)) {
        for (k, made) in made.iter_mut().enumerate() {
            for (x, &tap) in row.iter().enumerate() {
                let root = roots[k * x % side];
                made[0] += f64::from(tap) * root[0];
                made[1] += f64::from(tap) * root[1];
            }
        }
    }
    columns(&rows, height, side, roots)
}

/// Transforms the columns of `[height, side]` to `[side, side]`.
fn columns(rows: &[Complex], height: usize, side: usize, roots: &[Complex]) -> Vec<Complex> {
    let mut made = vec![[0.0; 2]; side * side];
    for (k, made) in made.chunks_exact_mut(side).enumerate() {
        for (y, row) in rows.chunks_exact(side).take(height).enumerate() {
            let [re, im] = roots[k * y % side];
            for (made, value) in made.iter_mut().zip(row) {
                made[0] += value[0] * re - value[1] * im;
                made[1] += value[0] * im + value[1] * re;
            }
        }
    }
    made
}
