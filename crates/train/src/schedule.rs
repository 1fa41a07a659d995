//! Learning-rate schedules: pure functions of the step, so a resumed run needs nothing but the step's number.

use std::f64::consts::PI;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::TrainConfig;

/// The shape of the learning rate over a run, in units of its peak.
///
/// `FromStr` reads the names `constant`, `step`, `exponential`, `cosine` and `one-cycle` with the customary constants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "shape", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Shape {
    /// The peak throughout.
    Constant,
    /// Multiplied by `gamma` at every milestone (He et al. 2015), as `MultiStepLR`.
    Step {
        /// Parts of the run, in (0, 1), after which the rate drops.
        milestones: Vec<f64>,
        /// What the rate is multiplied by.
        gamma: f64,
    },
    /// Multiplied by `gamma` each time so many epochs are over (Szegedy et al. 2015).
    Exponential {
        /// What the rate is multiplied by.
        gamma: f64,
        /// Epochs from one time to the next.
        epochs: f64,
    },
    /// Half a period of a cosine from the peak to zero (Loshchilov and Hutter 2017), as `CosineAnnealingLR`.
    Cosine,
    /// Up along half a cosine from `1 / start` of the peak, then down along another to `1 / end` of the start
    /// (Smith and Topin 2019), as `OneCycleLR` with `anneal_strategy="cos"`.
    OneCycle {
        /// Part of the run that goes up (`pct_start`).
        rise: f64,
        /// The first rate is the peak divided by this (`div_factor`).
        start: f64,
        /// The last rate is the first one divided by this (`final_div_factor`).
        end: f64,
    },
}

impl Shape {
    /// Names that [`FromStr`] reads.
    pub const NAMES: [&'static str; 5] = ["constant", "step", "exponential", "cosine", "one-cycle"];

    /// The value at `step` of `total`, in units of the peak.
    fn at(&self, step: f64, total: f64, steps_per_epoch: f64) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Step { milestones, gamma } => {
                let passed = milestones
                    .iter()
                    .filter(|part| step >= (**part * total).round());
                gamma.powi(passed.count() as i32)
            }
            Self::Exponential { gamma, epochs } => {
                let over = (step / (epochs * steps_per_epoch).max(1.0)).floor();
                gamma.powf(over)
            }
            Self::Cosine => between(1.0, 0.0, step / total),
            Self::OneCycle { rise, start, end } => {
                // PyTorch counts both phases to their last step, which is why one is subtracted.
                let (top, last) = (rise * total - 1.0, total - 1.0);
                if step <= top {
                    between(1.0 / start, 1.0, part(step, top))
                } else {
                    between(1.0, 1.0 / (start * end), part(step - top, last - top))
                }
            }
        }
    }
}

/// From `from` to `to` along half a cosine.
fn between(from: f64, to: f64, part: f64) -> f64 {
    to + (from - to) * (1.0 + (PI * part).cos()) / 2.0
}

/// A phase without length is over at once.
fn part(step: f64, length: f64) -> f64 {
    if length > 0.0 {
        (step / length).min(1.0)
    } else {
        1.0
    }
}

impl Default for Shape {
    fn default() -> Self {
        Self::OneCycle {
            rise: 0.3,
            start: 25.0,
            end: 1e4,
        }
    }
}

impl FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "constant" => Self::Constant,
            "step" => Self::Step {
                milestones: vec![0.5, 0.75],
                gamma: 0.1,
            },
            "exponential" => Self::Exponential {
                gamma: 0.94,
                epochs: 2.0,
            },
            "cosine" => Self::Cosine,
            "one-cycle" | "onecycle" => Self::default(),
            _ => {
                let names = Self::NAMES.join(", ");
                return Err(format!("schedule '{text}' is none of {names}"));
            }
        })
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Constant => "constant",
            Self::Step { .. } => "step",
            Self::Exponential { .. } => "exponential",
            Self::Cosine => "cosine",
            Self::OneCycle { .. } => "one-cycle",
        })
    }
}

/// The learning rate of every step of a run.
///
/// ```
/// use train::{Schedule, Shape};
/// let (steps_per_epoch, total_steps) = (5, 10);
/// let schedule = Schedule { peak: 0.1, shape: Shape::Cosine, warm_up_steps: 0, steps_per_epoch, total_steps };
/// assert_eq!(schedule.rate(0), 0.1);
/// assert!((schedule.rate(5) - 0.05).abs() < 1e-12);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// The highest rate.
    pub peak: f64,
    /// The course of the rate after the warm-up.
    pub shape: Shape,
    /// So many steps rise in a straight line from nearly zero to the shape's first value.
    pub warm_up_steps: u64,
    /// Steps of an epoch.
    pub steps_per_epoch: u64,
    /// Steps of the whole run, the warm-up among them.
    pub total_steps: u64,
}

impl Schedule {
    /// The schedule of a run whose epochs have so many steps.
    pub fn of(config: &TrainConfig, steps_per_epoch: u64) -> Self {
        Self {
            peak: config.learning_rate,
            shape: config.schedule.clone(),
            steps_per_epoch,
            warm_up_steps: (config.warm_up_epochs * steps_per_epoch as f64).round() as u64,
            total_steps: config.epochs.saturating_mul(steps_per_epoch),
        }
    }

    /// The rate at `step`, counted from 0. Steps past the end have the last rate.
    pub fn rate(&self, step: u64) -> f64 {
        let warm_up = self.warm_up_steps;
        let total = self.total_steps.saturating_sub(warm_up).max(1);
        let shape = |step: u64| {
            self.shape
                .at(step as f64, total as f64, self.steps_per_epoch as f64)
        };
        let value = if step < warm_up {
            shape(0) * (step as f64 + 1.0) / (warm_up as f64 + 1.0)
        } else {
            shape((step - warm_up).min(total - 1))
        };
        self.peak * value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(shape: &str, peak: f64, warm_up_steps: u64, total_steps: u64) -> Vec<f64> {
        let schedule = Schedule {
            peak,
            shape: shape.parse().unwrap(),
            warm_up_steps,
            steps_per_epoch: 2,
            total_steps,
        };
        (0..total_steps).map(|step| schedule.rate(step)).collect()
    }

    #[track_caller]
    fn assert_close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (step, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!(
                (found - expected).abs() < 1e-12,
                "step {step}: {found} {expected}"
            );
        }
    }

    /// `OneCycleLR(max_lr=0.4, total_steps=20, pct_start=0.3)` of PyTorch 2.
    #[test]
    fn one_cycle_is_pytorchs() {
        assert_close(
            &rates("one-cycle", 0.4, 0, 20),
            &[
                0.016000000000000014,
                0.05266873708001013,
                0.1486687370800101,
                0.2673312629199899,
                0.3633312629199899,
                0.4,
                0.39498560249403497,
                0.38019385280538953,
                0.35636647102842,
                0.3246982615799052,
                0.28677720071652035,
                0.24450480877451572,
                0.2000008,
                0.1554967912254843,
                0.11322439928347969,
                0.0753033384200948,
                0.04363512897158001,
                0.019807747194610516,
                0.005015997505965022,
                1.6e-06,
            ],
        );
    }

    /// `CosineAnnealingLR(T_max=10)` of PyTorch 2 from 0.1.
    #[test]
    fn cosine_is_pytorchs() {
        assert_close(
            &rates("cosine", 0.1, 0, 10),
            &[
                0.1,
                0.09755282581475769,
                0.09045084971874738,
                0.07938926261462367,
                0.06545084971874739,
                0.05,
                0.03454915028125264,
                0.020610737385376353,
                0.009549150281252635,
                0.002447174185242324,
            ],
        );
    }

    #[test]
    fn steps_drop_at_their_milestones() {
        assert_close(
            &rates("step", 1.0, 0, 8),
            &[1.0, 1.0, 1.0, 1.0, 0.1, 0.1, 0.01, 0.01],
        );
    }

    /// 0.94 after every second epoch, of two steps each.
    #[test]
    fn the_exponential_drops_by_epochs() {
        let (one, two) = (0.94, 0.94 * 0.94);
        assert_close(
            &rates("exponential", 1.0, 0, 10),
            &[1.0, 1.0, 1.0, 1.0, one, one, one, one, two, two],
        );
    }

    #[test]
    fn warm_up_rises_in_a_line_and_the_rest_follows_the_shape() {
        assert_close(
            &rates("constant", 0.8, 3, 6),
            &[0.2, 0.4, 0.6, 0.8, 0.8, 0.8],
        );
        let warm = rates("cosine", 0.1, 5, 15);
        assert_close(&warm[5..], &rates("cosine", 0.1, 0, 10));
    }

    /// Runs of one step or of nothing but warm-up still have finite rates.
    #[test]
    fn short_runs_have_rates() {
        for shape in Shape::NAMES {
            for (warm_up, total) in [(0, 1), (0, 2), (5, 3), (3, 3)] {
                for rate in rates(shape, 0.1, warm_up, total) {
                    assert!((0.0..=0.1).contains(&rate), "{shape} {warm_up}/{total}");
                }
            }
        }
    }

    #[test]
    fn no_warm_up_is_too_long_to_count() {
        let schedule = Schedule {
            peak: 0.1,
            shape: Shape::Constant,
            warm_up_steps: u64::MAX,
            steps_per_epoch: 5,
            total_steps: 10,
        };
        assert!((0.0..1e-18).contains(&schedule.rate(0)));
        assert!(schedule.rate(9) > schedule.rate(0));
    }

    #[test]
    fn names_are_read_and_written_alike() {
        for name in Shape::NAMES {
            assert_eq!(name.parse::<Shape>().unwrap().to_string(), name);
        }
        assert!("linear".parse::<Shape>().is_err());
    }
}
