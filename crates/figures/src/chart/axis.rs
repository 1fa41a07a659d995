//! An axis: its range, and round numbers on it.

use crate::number::short;

/// What runs along an edge of a chart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// What is counted, with its unit.
    pub label: String,
    /// From where to where; by default as far as the numbers go.
    pub range: Option<(f64, f64)>,
}

impl Axis {
    /// An axis as long as its numbers need.
    pub fn new(label: impl Into<String>) -> Self {
        let label = label.into();
        Self { label, range: None }
    }

    /// Sets where it begins and ends.
    pub fn range(mut self, low: f64, high: f64) -> Self {
        self.range = Some((low, high));
        self
    }

    /// The range for some numbers: never empty, always finite.
    pub(super) fn extent(&self, values: impl Iterator<Item = f64>) -> (f64, f64) {
        let reach =
            values
                .filter(|value| value.is_finite())
                .fold(None, |reach, value| match reach {
                    None => Some((value, value)),
                    Some((low, high)) => Some((f64::min(low, value), f64::max(high, value))),
                });
        let (low, high) = self.range.or(reach).unwrap_or((0.0, 1.0));
        match high > low && (high - low).is_finite() {
            true => (low, high),
            // One number alone stands in the middle.
            false => {
                let around = (low.abs() * 0.5).clamp(0.5, f64::MAX / 4.0);
                let low = low.clamp(-f64::MAX / 4.0, f64::MAX / 4.0);
                (low - around, low + around)
            }
        }
    }
}

/// Round numbers in a range, at most about so many, each with how it is written.
pub(super) fn labelled(range: (f64, f64), most: usize) -> Vec<(f64, String)> {
    let ticks = ticks(range, most);
    let labels = labels(&ticks);
    ticks.into_iter().zip(labels).collect()
}

/// Round numbers in a range, at steps of one, two or five times a power of ten, at most `most` of them.
fn ticks((low, high): (f64, f64), most: usize) -> Vec<f64> {
    let rough = (high - low) / most.max(2) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|factor| factor * power)
        .into_iter()
        .find(|&step| step >= rough * (1.0 - 1e-9))
        .unwrap_or(power * 10.0);
    let first = (low / step - 1e-9).ceil();
    (0..=most)
        .map(|place| (first + place as f64) * step)
        .take_while(|&tick| tick <= high + step * 1e-9)
        // No minus before a zero.
        .map(|tick| if tick == 0.0 { 0.0 } else { tick })
        .collect()
}

/// The numbers at some ticks, with as many decimals as tell them apart. What arithmetic adds in the last digits is left
/// out.
fn labels(ticks: &[f64]) -> Vec<String> {
    let exact = |tick: &f64| format!("{tick:.6e}").parse().unwrap_or(*tick);
    let step = ticks.windows(2).map(|pair| pair[1] - pair[0]).next();
    let decimals = step.map_or(0.0, |step| -(step * (1.0 + 1e-9)).log10().floor());
    let label =
        |tick: f64| match tick != 0.0 && (3.0..=5.0).contains(&decimals) && tick.abs() < 10.0 {
            // Fewer than these are what a short number has anyway.
            true => format!("{tick:.0$}", decimals as usize)
                .trim_end_matches('0')
                .replace('-', "−"),
            false => short(tick),
        };
    ticks.iter().map(exact).map(label).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let labels = |range| labels(&ticks(range, 5));
        assert_eq!(labels((0.0, 1.0)), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert_eq!(labels((0.0, 100.0)), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(labels((-0.3, 0.31)), ["−0.2", "0", "0.2"]);
        assert_eq!(labels((3.0, 17.0)), ["5", "10", "15"]);
        let rates = ["0", "0.005", "0.01", "0.015", "0.02"];
        assert_eq!(labels((0.0, 0.021)), rates);
        assert_eq!(
            labels((-2e-4, 2e-4)),
            ["−0.0002", "−0.0001", "0", "0.0001", "0.0002"]
        );
    }

    #[test]
    fn a_range_is_never_empty() {
        let axis = Axis::new("x");
        let (low, high) = axis.extent([f64::NAN, f64::INFINITY].into_iter());
        assert!(low < high && (high - low).is_finite());
        let (low, high) = axis.extent([7.0].into_iter());
        assert!(low < 7.0 && 7.0 < high);
    }
}
