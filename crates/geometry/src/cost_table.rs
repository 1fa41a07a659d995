//! The kinds of convolution side by side: what each costs from the same input to the same output.

use crate::rational::gcd;
use crate::{ConvDesc, Cost, Factors, GeometryError, Padding};

/// What is to be compared: channels, a kernel and a map, which all kinds keep at its size.
///
/// Setters name what some of the kinds need besides; defaults are those of their papers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CostDesc {
    /// Input channels, I.
    pub channels_in: usize,
    /// Output channels, O.
    pub channels_out: usize,
    /// Taps along each axis, k.
    pub kernel: usize,
    /// Height and width of the map.
    pub size: [usize; 2],
    /// Groups of the grouped and the shuffled kind, g; 2 by default (Krizhevsky et al. 2012).
    pub groups: usize,
    /// By what a bottleneck narrows its output, r; 4 by default (He et al. 2015).
    pub reduction: usize,
    /// By what an inverted residual widens its input, t; 6 by default (Sandler et al. 2018).
    pub expansion: usize,
}

/// What one kind costs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BlockCost {
    /// The kind.
    pub name: &'static str,
    /// Its weights in letters; every one is used once at each place of the map.
    pub formula: &'static str,
    /// With the numbers put in.
    pub numbers: String,
    /// Its convolutions, in order.
    pub stages: Vec<ConvDesc>,
    /// Weights and multiply-accumulates on one image, and how far it sees.
    pub cost: Cost,
    /// Its multiply-accumulates to those of the standard convolution, as a fraction in lowest terms;
    /// the same for its weights.
    pub ratio: (usize, usize),
}

impl CostDesc {
    /// A comparison on a map of `size`, height and width.
    pub fn new(channels_in: usize, channels_out: usize, kernel: usize, size: [usize; 2]) -> Self {
        Self {
            channels_in,
            channels_out,
            kernel,
            size,
            groups: 2,
            reduction: 4,
            expansion: 6,
        }
    }

    /// Sets the groups.
    pub fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// Sets the reduction of a bottleneck.
    pub fn reduction(mut self, reduction: usize) -> Self {
        self.reduction = reduction;
        self
    }

    /// Sets the expansion of an inverted residual.
    pub fn expansion(mut self, expansion: usize) -> Self {
        self.expansion = expansion;
        self
    }

    /// The table, the standard convolution first; of a kind that these numbers do not make, why.
    ///
    /// ```
    /// use geometry::CostDesc;
    ///
    /// let table = CostDesc::new(256, 256, 3, [14, 14]).table()?;
    /// let separable = table.iter().flatten().find(|kind| kind.name == "separable").unwrap();
    /// // 1/256 + 1/9
    /// assert_eq!(separable.ratio, (265, 2304));
    /// assert_eq!(separable.numbers, "256·3² + 256·256");
    /// # Ok::<(), geometry::GeometryError>(())
    /// ```
    ///
    /// # Errors
    /// When the standard convolution itself makes no sense.
    pub fn table(&self) -> Result<Vec<Result<BlockCost, Refused>>, GeometryError> {
        for (what, number) in [
            ("groups", self.groups),
            ("reduction", self.reduction),
            ("expansion", self.expansion),
        ] {
            if number == 0 {
                return Err(GeometryError::Zero { what });
            }
        }
        let standard = self.cost_of(&[self.conv(self.channels_out, self.kernel)])?;
        let kinds = self.kinds().into_iter().map(|kind| {
            let (name, formula, numbers, stages) = kind;
            let refused = |source| Refused { name, source };
            let stages = stages.map_err(refused)?;
            let cost = self.cost_of(&stages).map_err(refused)?;
            let divisor = gcd(cost.macs as u128, standard.macs as u128).max(1) as usize;
            Ok(BlockCost {
                name,
                formula,
                numbers,
                stages,
                ratio: (cost.macs / divisor, standard.macs / divisor),
                cost,
            })
        });
        Ok(kinds.collect())
    }

    fn kinds(&self) -> Vec<Kind> {
        let (i, o, k, g) = (
            self.channels_in,
            self.channels_out,
            self.kernel,
            self.groups,
        );
        let (r, t) = (self.reduction, self.expansion);
        let narrow = (o / r).max(1);
        let wide = i.saturating_mul(t);
        let spatial = |channels: usize, groups: usize| self.conv(channels, k).groups(groups);
        let mix = |channels: usize| ConvDesc::new(channels, 1);
        // Two kernels that see as far as one of k taps.
        let (first, second) = (k / 2 + 1, k - k / 2);
        vec![
            (
                "standard",
                "I·O·k²",
                format!("{i}·{o}·{k}²"),
                Ok(vec![spatial(o, 1)]),
            ),
            (
                "grouped",
                "I·O·k² / g",
                format!("{i}·{o}·{k}² / {g}"),
                Ok(vec![spatial(o, g)]),
            ),
            (
                "depthwise",
                "I·k²",
                format!("{i}·{k}²"),
                Ok(vec![spatial(i, i)]),
            ),
            ("pointwise", "I·O", format!("{i}·{o}"), Ok(vec![mix(o)])),
            (
                "separable",
                "I·k² + I·O",
                format!("{i}·{k}² + {i}·{o}"),
                Ok(vec![spatial(i, i), mix(o)]),
            ),
            (
                "bottleneck",
                "I·m + m²·k² + m·O, m = O / r",
                format!("{i}·{narrow} + {narrow}²·{k}² + {narrow}·{o}"),
                Ok(vec![mix(narrow), spatial(narrow, 1), mix(o)]),
            ),
            (
                "inverted residual",
                "I·m + m·k² + m·O, m = t·I",
                format!("{i}·{wide} + {wide}·{k}² + {wide}·{o}"),
                Ok(vec![mix(wide), spatial(wide, wide), mix(o)]),
            ),
            (
                "factorised 1×k, k×1",
                "I·O·k + O²·k",
                format!("{i}·{o}·{k} + {o}²·{k}"),
                self.factors(Factors::Asymmetric),
            ),
            (
                "factorised a×a, b×b",
                "I·O·a² + O²·b², a + b − 1 = k",
                format!("{i}·{o}·{first}² + {o}²·{second}²"),
                self.factors(Factors::Halves),
            ),
            (
                "shuffled",
                "I·m / g + m·k² + m·O / g, m = O / r",
                format!("{i}·{narrow} / {g} + {narrow}·{k}² + {narrow}·{o} / {g}"),
                Ok(vec![
                    mix(narrow).groups(g),
                    spatial(narrow, narrow),
                    mix(o).groups(g),
                ]),
            ),
        ]
    }

    fn conv(&self, channels: usize, kernel: usize) -> ConvDesc {
        ConvDesc::new(channels, kernel).padding(Padding::Same)
    }

    fn factors(&self, factors: Factors) -> Result<Vec<ConvDesc>, GeometryError> {
        let whole = self.conv(self.channels_out, self.kernel);
        let pair = whole.factorise(factors, self.channels_out, &self.input())?;
        Ok(vec![pair.first, pair.second])
    }

    fn input(&self) -> [usize; 4] {
        [1, self.channels_in, self.size[0], self.size[1]]
    }

    fn cost_of(&self, stages: &[ConvDesc]) -> Result<Cost, GeometryError> {
        let mut shape = self.input().to_vec();
        let mut resolved = Vec::with_capacity(stages.len());
        for stage in stages {
            let conv = stage.resolve(&shape)?;
            shape = conv.output_shape();
            resolved.push(conv);
        }
        Cost::of(&resolved)
    }
}

/// Name, formula, numbers and convolutions.
type Kind = (
    &'static str,
    &'static str,
    String,
    Result<Vec<ConvDesc>, GeometryError>,
);

/// A kind of convolution that some numbers do not make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The kind.
    pub name: &'static str,
    /// Why.
    pub source: GeometryError,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name, self.source)
    }
}

impl std::error::Error for Refused {}
