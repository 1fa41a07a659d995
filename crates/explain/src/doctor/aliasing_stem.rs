//! A first layer that takes steps too long for what its filters let through.
//!
//! A filter in steps of `s` pixels keeps every `s`-th of its answers. Frequencies beyond the step's Nyquist limit,
//! `π/s` along either axis, come out as lower ones that are not in the picture. Zeiler and Fergus (2013) saw such
//! patterns in AlexNet's second layer, blamed the first one's 11×11 windows in steps of 4, and made it 7×7 in steps
//! of 2.
//!
//! Measured is the share of the power of a filter's answers that lies beyond the limit. It depends on the pictures as
//! much as on the filter: where none are given, their power is that of photographs, which falls with the square of the
//! frequency. Filters that are still the noise they began with let everything through, and are not judged.

use graph::{AxisRoles, Graph};

use super::diagnosis::percent;
use super::filters::Filters;
use super::{Check, Finding, Findings, Parameters, Sample, Severity, Spectrum, Unevenness};

/// Mean share, in units of that of filters drawn at random, below which a layer has learned: it lets less of the fine through.
const DRAWN: f64 = 0.75;

/// Mean share beyond the limit from which on the first layer aliases.
const MUCH: f64 = 0.25;

/// The same, worth a note.
const SOME: f64 = 0.1;

/// The filters of a first layer and how much of what each answers is aliased.
#[derive(Clone, Debug, PartialEq)]
pub struct Stem {
    /// The layer.
    pub layer: String,
    /// `[channels, height, width]` of a filter.
    pub filter: [usize; 3],
    /// Down and to the right.
    pub stride: [usize; 2],
    /// All filters, one after the other.
    pub weights: Vec<f32>,
    /// The share of each filter's answers beyond the Nyquist limit; nothing where it answers nothing.
    pub folded: Vec<Option<f64>>,
    /// The power of each filter's answers by frequency, `[side, side]`, zero frequency first.
    pub spectra: Vec<Vec<f64>>,
    /// Frequencies along an axis of the spectra.
    pub side: usize,
    /// How uneven the filters' own spectra are: noise has flat ones. Nothing where that cannot be told.
    pub unevenness: Option<Unevenness>,
    /// The mean share that filters drawn at random would have.
    pub drawn: f64,
}

impl Stem {
    /// The first convolution over the picture's own channels, in front of the pictures of a sample, or of photographs
    /// as such.
    ///
    /// # Errors
    /// Why there is none to be measured.
    pub fn of(
        network: &Graph,
        parameters: &Parameters,
        sample: Option<&Sample>,
    ) -> Result<Self, String> {
        let [channels, height, width] =
            image(network).ok_or("the network does not read pictures")?;
        let filters = Filters::of(network, parameters).find(|filters| {
            let x = network.value(filters.node.inputs[0]);
            x.shape.get(1) == Some(&channels) && filters.desc.groups == 1
        });
        let filters = filters.ok_or("no convolution reads the picture's channels")?;
        let &[_, _, kh, kw] = filters.shape else {
            return Err("the first convolution is not one of planes".to_owned());
        };
        let stride = filters.desc.stride.expand("stride", 2);
        let stride = stride.map_err(|error| error.to_string())?;
        let measured = sample.and_then(|sample| Spectrum::of(sample, [channels, height, width]));
        let spectrum = measured.unwrap_or_else(|| Spectrum::natural(channels));
        let stride = [stride[0], stride[1]];
        let taps = dilated(&filters, [kh, kw])
            .ok_or("the filters of the first convolution are dilated too far to be measured")?;
        let [th, tw] = taps.extents;
        let spectra: Vec<Vec<f64>> = (taps.weights.chunks_exact(channels * th * tw))
            .map(|filter| spectrum.answer(filter, taps.extents))
            .collect();
        let shares = spectra.iter().map(|power| share(&spectrum, power, stride));
        Ok(Self {
            layer: filters.node.layer.clone(),
            filter: [channels, th, tw],
            stride,
            folded: shares.collect(),
            spectra,
            side: spectrum.side(),
            drawn: share(&spectrum, &spectrum.total(), stride).unwrap_or(0.0),
            unevenness: Unevenness::of(filters.weights, [channels, kh, kw]),
            weights: taps.weights,
        })
    }

    /// Whether the filters are still noise: each as flat as if it were drawn, and all together too. What they let through
    /// nothing has been learned of.
    pub fn is_noise(&self) -> bool {
        let flat = self.unevenness.is_some_and(|own| own.is_noise());
        flat && self.mean() > DRAWN * self.drawn
    }

    /// The mean over filters that answer anything.
    pub fn mean(&self) -> f64 {
        let shares: Vec<f64> = self.folded.iter().copied().flatten().collect();
        shares.iter().sum::<f64>() / shares.len().max(1) as f64
    }
}

/// Channels, height and width of what the network reads, in whatever order.
fn image(network: &Graph) -> Option<[usize; 3]> {
    let &input = network.inputs.first()?;
    let roles = AxisRoles::of(network, 0).ok()?;
    let &[height, width] = roles.space(network, input).as_slice() else {
        return None;
    };
    let shape = &network.value(input).shape;
    // A grey picture may have no axis of channels.
    let channels = roles.channels(network, input).map_or(1, |axis| shape[axis]);
    Some([channels, shape[height], shape[width]])
}

/// Filters with the zeros that a dilation puts between their weights.
struct Taps {
    weights: Vec<f32>,
    extents: [usize; 2],
}

/// Numbers of all filters with the zeros between them, at the most: 256 MB.
const MOST_TAPS: usize = 1 << 26;

/// Nothing where that would be too many numbers.
fn dilated(filters: &Filters<'_>, [kh, kw]: [usize; 2]) -> Option<Taps> {
    let dilation = filters.desc.dilation.expand("dilation", 2);
    let dilation = dilation.unwrap_or_else(|_| vec![1, 1]);
    let reach = |taps: usize, dilation: usize| (taps - 1).checked_mul(dilation)?.checked_add(1);
    let [th, tw] = [reach(kh, dilation[0])?, reach(kw, dilation[1])?];
    let planes = filters.len().checked_mul(filters.shape[1])?;
    let numbers = planes.checked_mul(th)?.checked_mul(tw)?;
    if numbers > MOST_TAPS {
        return None;
    }
    let mut weights = vec![0.0; numbers];
    let planes = filters
        .iter()
        .flat_map(|filter| filter.chunks_exact(kh * kw));
    for (plane, wide) in planes.zip(weights.chunks_exact_mut(th * tw)) {
        for (place, &weight) in plane.iter().enumerate() {
            wide[place / kw * dilation[0] * tw + place % kw * dilation[1]] = weight;
        }
    }
    Some(Taps {
        weights,
        extents: [th, tw],
    })
}

/// The share of a filter's answers beyond the Nyquist limit of steps of `stride`, to pictures of a spectrum;
/// `filter` is `[channels, height, width]`, its channels those of the spectrum. Nothing where it answers nothing.
///
/// ```
/// use explain::doctor::{Spectrum, folded};
///
/// // One weight lets everything through: of white pictures three quarters are lost in steps of two.
/// let share = folded(&Spectrum::white(1), &[1.0], [1, 1], [2, 2]).unwrap();
/// assert!((share - 0.75).abs() < 1e-12);
/// assert_eq!(folded(&Spectrum::white(1), &[1.0], [1, 1], [1, 1]), Some(0.0));
/// ```
pub fn folded(
    spectrum: &Spectrum,
    filter: &[f32],
    extents: [usize; 2],
    stride: [usize; 2],
) -> Option<f64> {
    let fits = spectrum.channels() * extents[0] * extents[1] == filter.len();
    if !fits || stride.contains(&0) {
        return None;
    }
    share(spectrum, &spectrum.answer(filter, extents), stride)
}

fn share(spectrum: &Spectrum, power: &[f64], stride: [usize; 2]) -> Option<f64> {
    let side = spectrum.side();
    let (mut kept, mut all) = (0.0, 0.0);
    for (place, power) in power.iter().enumerate() {
        let inside = within(spectrum.signed(place / side), side, stride[0])
            * within(spectrum.signed(place % side), side, stride[1]);
        kept += inside * power;
        all += power;
    }
    (all > 0.0).then(|| (1.0 - kept / all).max(0.0))
}

/// How much of the cell of a frequency lies within the limit: all, nothing, or half of the one on it. In steps of one
/// pixel nothing is beyond.
fn within(k: i64, side: usize, stride: usize) -> f64 {
    let (reach, limit) = (2 * k.unsigned_abs() * stride as u64, side as u64);
    match reach.cmp(&limit) {
        _ if stride == 1 => 1.0,
        std::cmp::Ordering::Less => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Greater => 0.0,
    }
}

pub(super) fn check(network: &Graph, parameters: &Parameters, sample: Option<&Sample>) -> Findings {
    let stem = Stem::of(network, parameters, sample)?;
    let mean = stem.mean();
    if mean < SOME {
        return Ok(Vec::new());
    }
    if let (true, Some(unevenness)) = (stem.is_noise(), stem.unevenness) {
        return Err(format!(
            "the filters of {} are still noise: unevenness of their spectra {:.1}, of drawn ones {:.1}; aliased {}, of drawn \
             ones {}",
            stem.layer,
            unevenness.mean,
            unevenness.drawn,
            percent(mean),
            percent(stem.drawn)
        ));
    }
    let [_, height, width] = stem.filter;
    let [down, right] = stem.stride;
    let half: Vec<usize> = (stem.folded.iter().enumerate())
        .filter(|(_, share)| share.is_some_and(|share| share > 0.5))
        .map(|(place, _)| place)
        .collect();
    let pictures = match sample {
        Some(_) => "these pictures",
        None => "pictures with the spectrum of photographs",
    };
    let evidence = format!(
        "{height}×{width} windows in steps of {}: of what the filters answer to {pictures}, {} lies beyond the \
         Nyquist limit of the step and comes out as patterns that are not there; of {} of {} filters more than half",
        match down == right {
            true => down.to_string(),
            false => format!("{down}×{right}"),
        },
        percent(mean),
        half.len(),
        stem.folded.len(),
    );
    Ok(vec![Finding {
        check: Check::AliasingStem,
        severity: Severity::warning_if(mean >= MUCH),
        layer: Some(stem.layer),
        evidence,
        numbers: vec![
            ("aliased", mean),
            ("filters_mostly_aliased", half.len() as f64),
            ("filters", stem.folded.len() as f64),
            ("stride", down as f64),
        ],
        channels: half,
        advice: match [height, width] {
            [1, 1] => {
                "Blur before the step, or give the layer a window at least as wide as its steps: a window of one pixel \
                 lets every frequency through"
            }
            _ => {
                "Halve the stride and shrink the window with it, as ZFNet did to AlexNet (11×11 in steps of 4 to 7×7 \
                 in steps of 2), or blur before the step"
            }
        },
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `|1 + e^(iω)|² = 4·cos²(ω/2)`: up to π/2 it holds `(π/2 + 1)/π` of its power along an axis.
    #[test]
    fn a_box_of_two_by_two_in_steps_of_two() {
        let box_filter = [1.0; 4];
        let share = folded(&Spectrum::white(1), &box_filter, [2, 2], [2, 2]).unwrap();
        let kept = 0.5 + std::f64::consts::FRAC_1_PI;
        assert!((share - (1.0 - kept * kept)).abs() < 1e-3, "{share}");
        // Along one axis only.
        let share = folded(&Spectrum::white(1), &box_filter, [2, 2], [1, 2]).unwrap();
        assert!((share - (1.0 - kept)).abs() < 1e-3, "{share}");
    }

    /// A cosine of 32 taps that fades out like Hann's window holds its power within four of 64 frequencies: steps of
    /// four keep one of a period of 16 pixels and fold one of a period of 4.
    #[test]
    fn gratings_fold_by_their_period() {
        use std::f64::consts::{PI, TAU};
        let fade = |x: usize| (PI * (x as f64 + 0.5) / 32.0).sin().powi(2);
        let grating = |period: f64| -> Vec<f32> {
            let taps = (0..32 * 32).map(|place| (place / 32, place % 32));
            taps.map(|(y, x)| (fade(y) * fade(x) * (TAU * x as f64 / period).cos()) as f32)
                .collect()
        };
        let share = |period| folded(&Spectrum::white(1), &grating(period), [32, 32], [4, 4]);
        assert!(share(16.0).unwrap() < 0.01, "{:?}", share(16.0));
        assert!(share(4.0).unwrap() > 0.99, "{:?}", share(4.0));
    }

    /// Two channels whose pictures are one another's negative: a filter that adds them answers nothing, one that
    /// subtracts them answers.
    #[test]
    fn channels_answer_together() {
        let plane: Vec<f32> = (0..64).map(|place| ((place * 37) % 11) as f32).collect();
        let images = plane
            .iter()
            .copied()
            .chain(plane.iter().map(|v| -v))
            .collect();
        let sample = Sample {
            images,
            labels: vec![0],
            mean: vec![0.0; 2],
            std: vec![1.0; 2],
            classes: vec![String::new()],
        };
        let spectrum = Spectrum::of(&sample, [2, 8, 8]).unwrap();
        let total = |filter: [f32; 2]| spectrum.answer(&filter, [1, 1]).iter().sum::<f64>();
        assert!(total([1.0, 1.0]) < 1e-9 * total([1.0, -1.0]));
    }
}
