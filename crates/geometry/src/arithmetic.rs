//! A problem worked out: its sizes step by step, what is never read, its partner, its cost.

use crate::conv::AXES;
use crate::window::Placements;
use crate::{
    Bins, ConvDesc, ConvGeometry, Field, GeometryError, IndexSet, MAX_RANK, Padding, PaddingMode,
    Problem, Reads, TransposedDesc, Window,
};

/// A step of a calculation: `formula = numbers = result`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// What is calculated.
    pub what: &'static str,
    /// In letters: n input, k kernel, s stride, d dilation, p padding (before and after), ke dilated
    /// kernel, a output padding.
    pub formula: &'static str,
    /// With the numbers put in.
    pub numbers: String,
    /// What comes of it.
    pub result: usize,
}

/// How the places of an axis are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AxisKind {
    /// A window walks over the axis; with `ceil` its placements are rounded up.
    Window {
        /// Round the output size up.
        ceil: bool,
    },
    /// A convolution turned round: the axis walks from its window's output to its input, and `added`
    /// places are put at the far side.
    Transposed {
        /// Output padding.
        added: usize,
    },
    /// Bins of an adaptive pool.
    Bins,
}

/// One axis of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AxisArithmetic {
    /// `depth`, `height` or `width`.
    pub name: &'static str,
    /// How its places are made.
    pub kind: AxisKind,
    /// The padding follows from a rule; nothing where amounts were given.
    rule: Option<Rule>,
    /// The window; of a transposed axis that of the convolution it turns round. Of bins it holds the
    /// extents alone.
    pub window: Window,
    reads: Reads,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Rule {
    Same,
    Full,
}

/// What of an axis no window reads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Unread {
    /// Elements behind the last window, padding among them: what is left where the stride does not
    /// divide.
    pub behind: usize,
    /// All input elements that no window reads: those of them that are no padding, and the gaps that a
    /// stride beyond the kernel leaves. Of a transposed axis these are the output places that nothing
    /// is written to.
    pub elements: IndexSet,
}

/// A problem worked out.
///
/// ```
/// use geometry::Arithmetic;
///
/// let worked = Arithmetic::of(&"conv:n1c3h6w6:o8k3s2p1".parse()?)?;
/// assert_eq!(worked.output, [1, 8, 3, 3]);
/// let height = &worked.axes[0];
/// assert_eq!(height.steps()?[0].numbers, "⌊(6 + 1 + 1 − 3) / 2⌋ + 1");
/// // The stride does not divide: the padding behind is never read, and the way back adds a row for it.
/// assert_eq!(height.unread()?.behind, 1);
/// let partner = worked.partner.unwrap().to_string();
/// assert_eq!(partner, "conv-transposed:n1c8h3w3:o3k3s2p1a1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Arithmetic {
    /// `[n, c, spatial…]`
    pub input: Vec<usize>,
    /// `[n, o, spatial…]`
    pub output: Vec<usize>,
    /// The axes of space, outermost first.
    pub axes: Vec<AxisArithmetic>,
    /// Weights, without biases; of a separable convolution those of both stages.
    pub parameters: usize,
    /// Multiply-accumulates of the whole batch.
    pub macs: usize,
    /// The convolution turned round: of a convolution the transposed one that leads from its output's
    /// shape back to its input's, and of a transposed one the convolution that it turns round.
    pub partner: Option<Problem>,
}

impl Arithmetic {
    /// Works a problem out.
    ///
    /// # Errors
    /// What the problem itself is refused for.
    pub fn of(problem: &Problem) -> Result<Self, GeometryError> {
        match problem {
            Problem::Conv(shape, desc) => {
                let conv = desc.resolve(&shape.dims)?;
                let mut worked = Self::of_conv(&conv, &desc.padding, false);
                worked.partner = transposed_of(&conv, desc)?;
                Ok(worked)
            }
            Problem::ConvDeformable(shape, desc) => {
                let conv = desc.resolve(&shape.dims)?.conv;
                Ok(Self::of_conv(&conv, &desc.conv.padding, false))
            }
            Problem::ConvSeparable(shape, desc) => {
                let both = desc.resolve(&shape.dims)?;
                let cost = both.cost();
                Ok(Self {
                    output: both.output_shape(),
                    parameters: cost.parameters,
                    macs: cost.macs,
                    ..Self::of_conv(&both.depthwise, &desc.conv.padding, false)
                })
            }
            Problem::ConvTransposed(shape, desc) => {
                let turned = desc.resolve(&shape.dims)?;
                let added = desc.output_padding.expand("output padding", turned.rank)?;
                let axes = turned.spatial().iter().zip(added).enumerate();
                let axes = axes.map(|(axis, (&window, added))| AxisArithmetic {
                    name: AXES[MAX_RANK - turned.rank + axis],
                    kind: AxisKind::Transposed { added },
                    rule: rule(&desc.conv.padding),
                    window,
                    reads: Reads::Transposed(window),
                });
                Ok(Self {
                    input: shape.dims.clone(),
                    output: turned.input_shape(),
                    axes: axes.collect(),
                    parameters: turned.weight_count(),
                    macs: turned.macs(),
                    partner: conv_of(&turned, shape.dims.as_slice())?,
                })
            }
            Problem::Pool(shape, desc) => {
                let pool = desc.resolve(&shape.dims)?;
                let windows = &pool.windows[MAX_RANK - pool.rank..];
                Ok(Self {
                    input: pool.input_shape(),
                    output: pool.output_shape(),
                    axes: axes(windows, PaddingMode::Zeros, &desc.padding, desc.ceil),
                    parameters: 0,
                    macs: 0,
                    partner: None,
                })
            }
            Problem::AdaptivePool(shape, desc) => {
                let pool = desc.resolve(&shape.dims)?;
                let first = MAX_RANK - pool.rank;
                let bins = pool.bins[first..].iter().enumerate();
                let axes = bins.map(|(axis, &bins)| AxisArithmetic {
                    name: AXES[first + axis],
                    kind: AxisKind::Bins,
                    rule: None,
                    window: Window {
                        input: bins.input,
                        output: bins.output,
                        ..Window::UNIT
                    },
                    reads: Reads::Bins(bins),
                });
                Ok(Self {
                    input: pool.input_shape(),
                    output: pool.output_shape(),
                    axes: axes.collect(),
                    parameters: 0,
                    macs: 0,
                    partner: None,
                })
            }
        }
    }

    fn of_conv(conv: &ConvGeometry, padding: &Padding, ceil: bool) -> Self {
        Self {
            input: conv.input_shape(),
            output: conv.output_shape(),
            axes: axes(conv.spatial(), conv.padding_mode, padding, ceil),
            parameters: conv.weight_count(),
            macs: conv.macs(),
            partner: None,
        }
    }

    /// The receptive field of problems that follow each other, an axis each; nothing along an axis of
    /// which one reads all.
    ///
    /// ```
    /// use geometry::Arithmetic;
    ///
    /// let stack = ["conv:n1c3h9w9:o8k3", "conv:n1c8h7w7:o8k3d2"];
    /// let stack: Vec<_> = stack.iter().map(|text| text.parse().unwrap()).collect();
    /// let worked = stack.iter().map(Arithmetic::of).collect::<Result<Vec<_>, _>>()?;
    /// let fields = Arithmetic::field_of_stack(&worked)?;
    /// assert_eq!(fields[0].unwrap().size().to_string(), "7");
    /// # Ok::<(), geometry::GeometryError>(())
    /// ```
    ///
    /// # Errors
    /// [`GeometryError::Chain`] where one does not read what the one before makes, and fields too large
    /// to be counted.
    pub fn field_of_stack(stack: &[Self]) -> Result<Vec<Option<Field>>, GeometryError> {
        for (place, pair) in stack.windows(2).enumerate() {
            if pair[0].output != pair[1].input {
                return Err(GeometryError::Chain {
                    place: place + 1,
                    made: pair[0].output.clone(),
                    read: pair[1].input.clone(),
                });
            }
        }
        let rank = stack.first().map_or(0, |first| first.axes.len());
        let along = |axis: usize| {
            let layers = stack.iter().map(|layer| layer.axes[axis].reads.field());
            layers
                .into_iter()
                .try_fold(Some(Field::INPUT), |before, next| match (before, next?) {
                    (Some(before), Some(next)) => before.then(&next).map(Some),
                    _ => Ok(None),
                })
        };
        (0..rank).map(along).collect()
    }
}

impl AxisArithmetic {
    /// Elements of the input.
    pub fn input(&self) -> usize {
        match self.kind {
            AxisKind::Transposed { .. } => self.window.output,
            _ => self.window.input,
        }
    }

    /// Elements of the output.
    pub fn output(&self) -> usize {
        match self.kind {
            AxisKind::Transposed { .. } => self.window.input,
            _ => self.window.output,
        }
    }

    /// Whether this axis is worked out with the same numbers as another.
    pub fn is_like(&self, other: &Self) -> bool {
        let name = other.name;
        Self { name, ..*self } == *other
    }

    /// How the output places read the input.
    pub fn reads(&self) -> &Reads {
        &self.reads
    }

    /// The size of the output, step by step; of adaptive pooling, which is given that, the size of its longest bin.
    ///
    /// # Errors
    /// None for what was resolved; else what a window is refused for.
    pub fn steps(&self) -> Result<Vec<Step>, GeometryError> {
        let w = &self.window;
        let (k, s, d) = (w.kernel, w.stride, w.dilation);
        let (pb, pa, ke) = (w.before, w.after, w.effective_kernel());
        let mut steps = Vec::new();
        let mut step = |what, formula, numbers, result| {
            steps.push(Step {
                what,
                formula,
                numbers,
                result,
            });
        };
        if self.kind == AxisKind::Bins {
            let bins = Bins {
                input: w.input,
                output: w.output,
            };
            let (input, output) = (bins.input, bins.output);
            let numbers = format!("⌈({input} + {output} − gcd({input}, {output})) / {output}⌉");
            step(
                "longest of the bins ⌊o·n / out⌋ … ⌈(o + 1)·n / out⌉ − 1",
                "⌈(n + out − gcd(n, out)) / out⌉",
                numbers,
                bins.longest(),
            );
            return Ok(steps);
        }
        if d > 1 {
            let numbers = format!("{d}·({k} − 1) + 1");
            step("dilated kernel", "ke = d(k − 1) + 1", numbers, ke);
        }
        let n = self.input();
        let transposed = matches!(self.kind, AxisKind::Transposed { .. });
        match self.rule {
            Some(Rule::Full) => step(
                "padding on both sides",
                "p = ke − 1",
                format!("{ke} − 1"),
                pb,
            ),
            Some(Rule::Same) if transposed => {
                let added = self.output_padding();
                let numbers = format!("max(({n} − 1)·{s} + {ke} + {added} − {n}·{s}, 0)");
                step(
                    "padding",
                    "max((n − 1)s + ke + a − n·s, 0)",
                    numbers,
                    pb + pa,
                );
            }
            Some(Rule::Same) => {
                let numbers = format!("max((⌈{n} / {s}⌉ − 1)·{s} + {ke} − {n}, 0)");
                step(
                    "padding",
                    "max((⌈n / s⌉ − 1)s + ke − n, 0)",
                    numbers,
                    pb + pa,
                );
            }
            None => {}
        }
        match self.kind {
            AxisKind::Transposed { added } => {
                let numbers = format!("({n} − 1)·{s} + {ke} + {added} − {pb} − {pa}");
                let formula = "(n − 1)s + ke + a − p − p";
                let result = w.input;
                match w.reach() + added == w.padded() {
                    true => step("output", formula, numbers, result),
                    // Padding by a rule takes off nothing, and n·s is more.
                    false => step("output", "n·s", format!("{n}·{s}"), result),
                }
            }
            AxisKind::Window { ceil } => {
                let Placements { fitting, kept } = w.placements(0, ceil)?;
                let (formula, numbers) = match ceil {
                    false => (
                        "⌊(n + p + p − ke) / s⌋ + 1",
                        format!("⌊({n} + {pb} + {pa} − {ke}) / {s}⌋ + 1"),
                    ),
                    true => (
                        "⌈(n + p + p − ke) / s⌉ + 1",
                        format!("⌈({n} + {pb} + {pa} − {ke}) / {s}⌉ + 1"),
                    ),
                };
                step("output", formula, numbers, fitting);
                if kept < fitting {
                    let numbers = format!("{fitting} − 1, as {}·{s} ≥ {n} + {pb}", fitting - 1);
                    let formula = "out − 1 where (out − 1)s ≥ n + p: it would begin in the padding";
                    step("output", formula, numbers, kept);
                }
            }
            AxisKind::Bins => {}
        }
        Ok(steps)
    }

    fn output_padding(&self) -> usize {
        match self.kind {
            AxisKind::Transposed { added } => added,
            _ => 0,
        }
    }

    /// What is never read; of a transposed axis, what is never written.
    ///
    /// # Errors
    /// [`GeometryError::Overflow`] where more windows stand apart than can be gone through.
    pub fn unread(&self) -> Result<Unread, GeometryError> {
        let w = &self.window;
        let reads = match self.reads {
            Reads::Transposed(window) => Reads::Window(window, PaddingMode::Zeros),
            reads => reads,
        };
        let read = reads.of(0..w.output)?;
        Ok(Unread {
            behind: match self.kind {
                AxisKind::Bins => 0,
                _ => w.behind(),
            },
            elements: read.complement(w.input),
        })
    }
}

fn axes(
    windows: &[Window],
    mode: PaddingMode,
    padding: &Padding,
    ceil: bool,
) -> Vec<AxisArithmetic> {
    let first = MAX_RANK - windows.len();
    let each = windows.iter().enumerate();
    each.map(|(axis, &window)| AxisArithmetic {
        name: AXES[first + axis],
        kind: AxisKind::Window { ceil },
        rule: rule(padding),
        window,
        reads: Reads::Window(window, mode),
    })
    .collect()
}

fn rule(padding: &Padding) -> Option<Rule> {
    match padding {
        Padding::Same | Padding::SameLower => Some(Rule::Same),
        Padding::Full => Some(Rule::Full),
        Padding::Valid | Padding::Explicit(_) => None,
    }
}

/// A convolution's settings with every number in its place.
fn settings(conv: &ConvGeometry, out_channels: usize) -> ConvDesc {
    let each = |number: fn(&Window) -> usize| -> Vec<usize> {
        conv.spatial().iter().map(number).collect()
    };
    let pads: Vec<_> = conv.spatial().iter().map(|w| (w.before, w.after)).collect();
    let padding = match pads.iter().all(|&pad| pad == (0, 0)) {
        true => Padding::Valid,
        false => Padding::Explicit(pads),
    };
    ConvDesc::new(out_channels, each(|w| w.kernel))
        .stride(each(|w| w.stride))
        .dilation(each(|w| w.dilation))
        .padding(padding)
        .groups(conv.groups)
}

/// The transposed convolution from the output's shape back to the input's.
fn transposed_of(conv: &ConvGeometry, desc: &ConvDesc) -> Result<Option<Problem>, GeometryError> {
    if desc.padding_mode != PaddingMode::Zeros || conv.batch == 0 {
        return Ok(None);
    }
    let remainders = conv.spatial().iter().map(|w| w.stretched().remainder);
    let back = TransposedDesc::new(settings(conv, conv.in_channels))
        .output_padding(remainders.collect::<Vec<_>>());
    let shape = crate::InputShape::new(&conv.output_shape())?;
    Ok(Some(Problem::ConvTransposed(shape, back)))
}

/// The convolution that a transposed one turns round, where it makes the same shape.
fn conv_of(turned: &ConvGeometry, input: &[usize]) -> Result<Option<Problem>, GeometryError> {
    let desc = settings(turned, turned.out_channels);
    let shape = crate::InputShape::new(&turned.input_shape())?;
    let fits = desc.resolve(&shape.dims)?.output_shape() == input;
    Ok(fits.then_some(Problem::Conv(shape, desc)))
}
