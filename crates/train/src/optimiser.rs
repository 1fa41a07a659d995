//! Optimisers: one step over the flat parameter buffer, with the semantics of `torch.optim`.
//!
//! A [`Rule`] says how a gradient moves a parameter. An [`Optimiser`] holds the rule's running averages ("moments")
//! in flat buffers laid out exactly as the parameters are, so that a step is a few plain loops over a few slices,
//! which the compiler turns into vector code, and so that a checkpoint can cut the moments into tensors by the same
//! ranges as the parameters.
//!
//! A step runs on one thread and visits every element in order: it is deterministic by construction.

mod adam;
pub(crate) mod clip;
mod rmsprop;
mod sgd;

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use graph::ParameterKind;
use runtime::Program;
use serde::{Deserialize, Serialize};
use tensor::MemoryError;
use tensor::memory::try_zeros;

/// How a gradient moves a parameter.
///
/// `FromStr` reads the names `sgd`, `rmsprop`, `adam` and `adamw` with the customary constants.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "lowercase", deny_unknown_fields)]
pub enum Rule {
    /// Stochastic gradient descent with (Nesterov) momentum, as `torch.optim.SGD`.
    Sgd {
        /// Weight of the past velocity; 0 is plain descent.
        momentum: f32,
        /// Look ahead along the velocity (Sutskever et al. 2013).
        nesterov: bool,
    },
    /// Divides by a running root mean square (Hinton, Coursera lecture 6e), as `torch.optim.RMSprop`.
    RmsProp {
        /// Weight of the past in the mean square.
        alpha: f32,
        /// Added to the root.
        epsilon: f32,
        /// Weight of the past velocity.
        momentum: f32,
    },
    /// Kingma and Ba 2015; weight decay is added to the gradient, as `torch.optim.Adam`.
    Adam {
        /// Weight of the past in the mean.
        beta1: f32,
        /// Weight of the past in the mean square.
        beta2: f32,
        /// Added to the root.
        epsilon: f32,
    },
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019), as `torch.optim.AdamW`.
    AdamW {
        /// Weight of the past in the mean.
        beta1: f32,
        /// Weight of the past in the mean square.
        beta2: f32,
        /// Added to the root.
        epsilon: f32,
    },
}

impl Rule {
    /// Names that [`FromStr`] reads.
    pub const NAMES: [&'static str; 4] = ["sgd", "rmsprop", "adam", "adamw"];

    /// The rule's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sgd { .. } => "sgd",
            Self::RmsProp { .. } => "rmsprop",
            Self::Adam { .. } => "adam",
            Self::AdamW { .. } => "adamw",
        }
    }

    /// A peak learning rate that suits the rule with batches of 128 small pictures.
    pub fn usual_learning_rate(&self) -> f64 {
        match self {
            Self::Sgd { .. } => 0.2,
            Self::RmsProp { .. } => 1e-3,
            Self::Adam { .. } | Self::AdamW { .. } => 4e-3,
        }
    }

    /// A weight decay that suits the rule.
    pub fn usual_weight_decay(&self) -> f32 {
        match self {
            Self::Sgd { .. } => 5e-4,
            Self::RmsProp { .. } => 1e-5,
            Self::Adam { .. } => 0.0,
            Self::AdamW { .. } => 0.05,
        }
    }

    /// The first constant that makes no sense, if there is one. Averages weigh the past by a part of one: with more
    /// they grow without bound.
    pub(crate) fn fault(&self) -> Option<String> {
        let (parts, epsilon) = match *self {
            Self::Sgd { momentum, .. } => (vec![("momentum", momentum)], 1.0),
            Self::RmsProp {
                alpha,
                epsilon,
                momentum,
            } => (vec![("alpha", alpha), ("momentum", momentum)], epsilon),
            Self::Adam {
                beta1,
                beta2,
                epsilon,
            }
            | Self::AdamW {
                beta1,
                beta2,
                epsilon,
            } => (vec![("beta1", beta1), ("beta2", beta2)], epsilon),
        };
        if let Some((name, value)) = parts.iter().find(|(_, part)| !(0.0..1.0).contains(part)) {
            return Some(format!("{name}: {value}, must be in [0, 1)"));
        }
        let sound = epsilon > 0.0 && epsilon.is_finite();
        (!sound).then(|| format!("epsilon: {epsilon}, must be above 0"))
    }

    /// Names of the running averages, as `torch.optim` calls them.
    fn moments(&self) -> &'static [&'static str] {
        match self {
            Self::Sgd { .. } => &["momentum_buffer"],
            Self::RmsProp { .. } => &["square_avg", "momentum_buffer"],
            Self::Adam { .. } | Self::AdamW { .. } => &["exp_avg", "exp_avg_sq"],
        }
    }
}

impl Default for Rule {
    fn default() -> Self {
        Self::Sgd {
            momentum: 0.9,
            nesterov: true,
        }
    }
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (beta1, beta2, epsilon) = (0.9, 0.999, 1e-8);
        Ok(match text {
            "sgd" => Self::default(),
            "rmsprop" => Self::RmsProp {
                alpha: 0.9,
                epsilon,
                momentum: 0.9,
            },
            "adam" => Self::Adam {
                beta1,
                beta2,
                epsilon,
            },
            "adamw" => Self::AdamW {
                beta1,
                beta2,
                epsilon,
            },
            _ => {
                let names = Self::NAMES.join(", ");
                return Err(format!("optimiser '{text}' is none of {names}"));
            }
        })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A stretch of the flat parameter buffer that is treated alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where it lies.
    pub range: Range<usize>,
    /// Weight decay applies: usually to weights, not to norms and biases.
    pub decays: bool,
}

impl Segment {
    /// The parameters of a program that learn: all but the frozen ones. Norms and biases decay only if asked to.
    pub fn of(program: &Program, decay_norm_and_bias: bool) -> Vec<Self> {
        let learn = program.slots().iter().filter(|slot| slot.trainable);
        let segment = |slot: &runtime::Slot| Self {
            range: slot.range.clone(),
            decays: slot.kind == ParameterKind::Weight || decay_norm_and_bias,
        };
        learn.map(segment).collect()
    }
}

/// One running average of an [`Optimiser`].
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// As `torch.optim` calls it: `momentum_buffer`, `exp_avg`, ….
    pub name: &'static str,
    /// As many values as there are parameters, in the same places.
    pub values: Vec<f32>,
}

/// A [`Rule`] with its running averages.
///
/// ```
/// use train::{Optimiser, Rule, Segment};
/// let segments = vec![Segment { range: 0..2, decays: false }];
/// let rule = Rule::Sgd { momentum: 0.0, nesterov: false };
/// let mut optimiser = Optimiser::new(rule, 0.0, segments, 2)?;
/// let mut parameters = [1.0, 2.0];
/// optimiser.step(&mut parameters, &[4.0, -4.0], 0.25);
/// assert_eq!(parameters, [0.0, 3.0]);
/// # Ok::<(), tensor::MemoryError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Optimiser {
    rule: Rule,
    weight_decay: f32,
    segments: Vec<Segment>,
    moments: Vec<Moment>,
    steps: u64,
}

impl Optimiser {
    /// An optimiser at rest for a buffer of `len` parameters. Elements outside the segments are never touched.
    ///
    /// # Errors
    /// No memory for the averages.
    ///
    /// # Panics
    /// When a segment ends past `len`.
    pub fn new(
        rule: Rule,
        weight_decay: f32,
        segments: Vec<Segment>,
        len: usize,
    ) -> Result<Self, MemoryError> {
        for segment in &segments {
            let range = &segment.range;
            assert!(range.end <= len, "{range:?} of {len} parameters");
        }
        let moment = |name: &&'static str| {
            let values = try_zeros(len)?;
            Ok(Moment { name, values })
        };
        let moments = rule.moments().iter().map(moment);
        Ok(Self {
            rule,
            weight_decay,
            segments,
            moments: moments.collect::<Result<_, MemoryError>>()?,
            steps: 0,
        })
    }

    /// Moves the parameters against their gradients.
    ///
    /// # Panics
    /// When the slices differ in length from each other or from what [`Optimiser::new`] was told.
    pub fn step(&mut self, parameters: &mut [f32], gradients: &[f32], learning_rate: f64) {
        self.steps += 1;
        let (rule, weight_decay) = (self.rule, self.weight_decay);
        let mut moments = self.moments.iter_mut().map(|moment| &mut *moment.values);
        let (first, mut second) = (moments.next().unwrap_or_default(), moments.next());
        assert_eq!(parameters.len(), gradients.len(), "parameters, gradients");
        assert_eq!(parameters.len(), first.len(), "parameters, moments");
        for Segment { range, decays } in &self.segments {
            let decay = if *decays { weight_decay } else { 0.0 };
            let slot = Slot {
                parameters: &mut parameters[range.clone()],
                gradients: &gradients[range.clone()],
                first: &mut first[range.clone()],
                second: match &mut second {
                    Some(values) => &mut values[range.clone()],
                    None => &mut [],
                },
                learning_rate: learning_rate as f32,
                decay,
            };
            match rule {
                Rule::Sgd { momentum, nesterov } => sgd::step(slot, momentum, nesterov),
                Rule::RmsProp {
                    alpha,
                    epsilon,
                    momentum,
                } => rmsprop::step(slot, alpha, epsilon, momentum),
                Rule::Adam {
                    beta1,
                    beta2,
                    epsilon,
                } => adam::step(
                    slot,
                    adam::Constants::new(beta1, beta2, epsilon, self.steps),
                ),
                Rule::AdamW {
                    beta1,
                    beta2,
                    epsilon,
                } => {
                    let slot = adam::decay_decoupled(slot);
                    adam::step(
                        slot,
                        adam::Constants::new(beta1, beta2, epsilon, self.steps),
                    );
                }
            }
        }
    }

    /// Steps taken so far; Adam corrects its averages by it.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The running averages, for a checkpoint.
    pub fn moments(&self) -> &[Moment] {
        &self.moments
    }

    /// The running averages and the number of steps, to be filled from a checkpoint.
    pub fn restore(&mut self) -> (&mut [Moment], &mut u64) {
        (&mut self.moments, &mut self.steps)
    }
}

/// What a rule works on: one segment of every buffer, all of one length.
struct Slot<'a> {
    parameters: &'a mut [f32],
    gradients: &'a [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
    learning_rate: f32,
    decay: f32,
}

#[cfg(test)]
mod tests;
