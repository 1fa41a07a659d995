//! Functions of one element, by name.

/// A function of one element: every activation ONNX names, and plain arithmetic.
///
/// A description only; what computes it stands elsewhere. At ±∞ its value and its slope are the limits.
/// At a kink the slope is PyTorch's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unary {
    /// `max(x, 0)`; slope 0 at 0.
    Relu,
    /// `x` above 0, else `α·x`; slope `α` at 0 (Maas et al. 2013).
    LeakyRelu {
        /// α
        alpha: f32,
    },
    /// `x` above 0, else `α·(eˣ − 1)`; slope `α` at 0 (Clevert et al. 2015).
    Elu {
        /// α
        alpha: f32,
    },
    /// `γ` times [`Unary::Elu`] (Klambauer et al. 2017); see [`Unary::SELU`].
    Selu {
        /// α
        alpha: f32,
        /// γ
        gamma: f32,
    },
    /// `x` above 0, else `α·(e^(x/α) − 1)`, smooth (Barron 2017).
    Celu {
        /// α, above 0.
        alpha: f32,
    },
    /// `x` above `α`, else 0; slope 0 at `α` (Konda et al. 2015).
    ThresholdedRelu {
        /// α
        alpha: f32,
    },
    /// `σ(x) = 1/(1 + e⁻ˣ)`
    Sigmoid,
    /// `α·x + β`, cut off at 0 and 1; slope 0 where it is cut off. See [`Unary::HARD_SIGMOID`].
    HardSigmoid {
        /// α; 0.2 where ONNX says nothing.
        alpha: f32,
        /// β; 0.5 where ONNX says nothing.
        beta: f32,
    },
    /// `x·min(max(x + 3, 0), 6)/6`; slope 0 at −3 and 1 at 3 (Howard et al. 2019).
    HardSwish,
    /// `tanh x`
    Tanh,
    /// `ln(1 + eˣ)`
    Softplus,
    /// `x/(1 + |x|)`
    Softsign,
    /// `x·Φ(x)`, Φ the normal distribution (Hendrycks & Gimpel 2016).
    Gelu,
    /// [`Unary::Gelu`] with `Φ(x) ≈ σ(2·√(2/π)·(x + 0.044715·x³))`: the "tanh" approximation.
    GeluTanh,
    /// `x·tanh(softplus(x))` (Misra 2019).
    Mish,
    /// `x·σ(α·x)` (Ramachandran et al. 2017); see [`Unary::SILU`].
    Swish {
        /// α
        alpha: f32,
    },
    /// `min(max(x, min), max)`; the slope is 1 at either bound, as PyTorch's `clamp` long had it (its
    /// version 2.15 has 0), and 0 beyond.
    Clip {
        /// The least value; −∞ for none.
        min: f32,
        /// The largest value, also where it is below `min`; ∞ for none.
        max: f32,
    },
    /// As [`Unary::Clip`], but the slope is 0 at either bound: PyTorch's `hardtanh` and `relu6`.
    HardTanh {
        /// The least value.
        min: f32,
        /// The largest value.
        max: f32,
    },
    /// `x + bias` below `−λ`, `x − bias` above `λ`, 0 between; slope 0 at `±λ`. With bias 0 the hard
    /// shrinkage, with bias `λ` the soft one.
    Shrink {
        /// What is taken off the absolute value.
        bias: f32,
        /// λ
        lambd: f32,
    },
    /// `2/√π · ∫₀ˣ exp(−t²) dt`
    Erf,
    /// `eˣ`
    Exp,
    /// `ln x`; −∞ at 0, NaN below.
    Log,
    /// `√x`; NaN below 0, slope ∞ at 0.
    Sqrt,
    /// `−x`
    Neg,
    /// `|x|`; slope 0 at 0.
    Abs,
    /// `1/x`
    Reciprocal,
    /// The largest integer not above x; slope 0 everywhere, as of all that rounds.
    Floor,
    /// The least integer not below x.
    Ceil,
    /// The nearest integer, of two the even one.
    Round,
    /// 1 above 0, −1 below, 0 at 0; slope 0 everywhere.
    Sign,
    /// The whole part, brought to `min` … `max` and never −0, and 0 of NaN: a float as an integer type has it.
    Truncate {
        /// The least value.
        min: f32,
        /// The largest value.
        max: f32,
    },
    /// The nearest number of IEEE binary16, of two the even one, ±∞ beyond the largest; slope 1.
    Float16,
    /// The nearest number of bfloat16, the upper half of a binary32, likewise.
    Bfloat16,
}

impl Unary {
    /// `min(max(x, 0), 6)`; slope 0 at 0 and at 6 (Howard et al. 2017).
    pub const RELU6: Self = Self::HardTanh { min: 0.0, max: 6.0 };
    /// The self-normalising one.
    pub const SELU: Self = Self::Selu {
        alpha: 1.673_263_2,
        gamma: 1.050_701,
    };
    /// `x·σ(x)`
    pub const SILU: Self = Self::Swish { alpha: 1.0 };
    /// PyTorch's and MobileNet v3's `(x + 3)/6`.
    pub const HARD_SIGMOID: Self = Self::HardSigmoid {
        alpha: 1.0 / 6.0,
        beta: 0.5,
    };

    /// The name in listings and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Relu => "relu",
            Self::LeakyRelu { .. } => "leaky relu",
            Self::Elu { .. } => "elu",
            Self::Selu { .. } => "selu",
            Self::Celu { .. } => "celu",
            Self::ThresholdedRelu { .. } => "thresholded relu",
            Self::Sigmoid => "sigmoid",
            Self::HardSigmoid { .. } => "hard sigmoid",
            Self::HardSwish => "hard swish",
            Self::Tanh => "tanh",
            Self::Softplus => "softplus",
            Self::Softsign => "softsign",
            Self::Gelu => "gelu",
            Self::GeluTanh => "gelu tanh",
            Self::Mish => "mish",
            Self::Swish { .. } => "swish",
            Self::Clip { .. } => "clip",
            Self::HardTanh { .. } => "hard tanh",
            Self::Shrink { .. } => "shrink",
            Self::Erf => "erf",
            Self::Exp => "exp",
            Self::Log => "log",
            Self::Sqrt => "sqrt",
            Self::Neg => "neg",
            Self::Abs => "abs",
            Self::Reciprocal => "reciprocal",
            Self::Floor => "floor",
            Self::Ceil => "ceil",
            Self::Round => "round",
            Self::Sign => "sign",
            Self::Truncate { .. } => "truncate",
            Self::Float16 => "to float16",
            Self::Bfloat16 => "to bfloat16",
        }
    }
}
