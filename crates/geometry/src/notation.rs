//! The problem notation: one token names one problem.
//!
//! ```text
//! conv:n1c64h56w56:o64k3s1p1         pool-max:n1c64h112w112:k3s2p1
//! └op┘ └─ input ─┘ └settings┘
//! ```
//! Printing and parsing live side by side so that they cannot drift apart.

use std::fmt;
use std::str::FromStr;

use crate::names;
use crate::{
    AdaptiveDesc, AdaptiveKind, Axes, ConvDesc, DeformableDesc, GeometryError, MAX_RANK, NormOrder,
    Padding, PaddingMode, PoolDesc, PoolKind, SeparableDesc, TransposedDesc,
};

/// Batch, channels and one to three spatial axes, as the notation writes them: `n1c64h56w56`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InputShape {
    /// `[n, c, spatial…]`
    pub dims: Vec<usize>,
}

impl InputShape {
    /// A shape `[n, c, spatial…]`.
    ///
    /// # Errors
    /// [`GeometryError::Rank`] unless it has one to three spatial axes.
    pub fn new(dims: &[usize]) -> Result<Self, GeometryError> {
        crate::conv::split_shape(dims)?;
        Ok(Self {
            dims: dims.to_vec(),
        })
    }

    fn rank(&self) -> usize {
        self.dims.len() - 2
    }
}

/// A problem: an operator, its settings and the shape of its input.
///
/// `Display` and `FromStr` round-trip:
/// ```
/// use geometry::Problem;
///
/// let text = "conv:n8c32h28w28:o32k1x7p0x3";
/// let problem: Problem = text.parse()?;
/// assert_eq!(problem.to_string(), text);
/// # Ok::<(), geometry::NotationError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Problem {
    /// `conv:`
    Conv(InputShape, ConvDesc),
    /// `conv-transposed:`; the channels of the shape are the input of the transposed operation.
    ConvTransposed(InputShape, TransposedDesc),
    /// `conv-deformable:`
    ConvDeformable(InputShape, DeformableDesc),
    /// `conv-separable:`
    ConvSeparable(InputShape, SeparableDesc),
    /// `pool-max:`, `pool-avg:`, and `pool-l2:` with the order of the norm in its name (`pool-l1.5:`)
    Pool(InputShape, PoolDesc),
    /// `pool-adaptive-max:`, `pool-adaptive-avg:`, `pool-adaptive-l2:`; `o` is the number of bins an
    /// axis: `pool-adaptive-avg:n1c64h13w17:o3x2`.
    AdaptivePool(InputShape, AdaptiveDesc),
}

/// Why a text is not a problem, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotationError {
    text: String,
    at: usize,
    expected: String,
    example: &'static str,
}

impl fmt::Display for NotationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "problem '{}': {} at position {} (example: {})",
            self.text, self.expected, self.at, self.example
        )
    }
}

impl std::error::Error for NotationError {}

/// Characters of a text that a message quotes.
const QUOTED: usize = 80;

/// How the name of a pool by a norm begins; its order follows.
const LP: &str = "pool-l";

/// [`LP`] to a given number of bins.
const ADAPTIVE_LP: &str = "pool-adaptive-l";

/// How every kind of problem begins, and a problem of that kind.
const KINDS: [(&str, &str); 10] = [
    ("conv:", "conv:n1c64h56w56:o64k3s1p1"),
    ("conv-transposed:", "conv-transposed:n1c64h28w28:o64k4s2p1"),
    ("conv-deformable:", "conv-deformable:n1c64h28w28:o64k3p1f1m"),
    ("conv-separable:", "conv-separable:n1c64h56w56:o64k3p1m1"),
    ("pool-max:", "pool-max:n1c64h56w56:k3s2p1"),
    ("pool-avg:", "pool-avg:n1c64h56w56:k2s2"),
    (LP, "pool-l2:n1c64h56w56:k2s2"),
    ("pool-adaptive-max:", "pool-adaptive-max:n1c64h56w56:o7"),
    ("pool-adaptive-avg:", "pool-adaptive-avg:n1c64h56w56:o7"),
    (ADAPTIVE_LP, "pool-adaptive-l2:n1c64h56w56:o7"),
];

// ---------------------------------------------------------------------------------- printing

impl fmt::Display for InputShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}c{}", self.dims[0], self.dims[1])?;
        for (letter, size) in spatial_letters(self.rank()).iter().zip(&self.dims[2..]) {
            write!(f, "{letter}{size}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conv(shape, desc) => {
                write!(f, "conv:{shape}:o{}", desc.out_channels)?;
                write_window(f, shape, desc)?;
                write_mode(f, desc)
            }
            Self::ConvTransposed(shape, desc) => {
                write!(f, "conv-transposed:{shape}:o{}", desc.conv.out_channels)?;
                write_window(f, shape, &desc.conv)?;
                write_axes(f, 'a', &desc.output_padding, Some(0))?;
                write_mode(f, &desc.conv)
            }
            Self::ConvDeformable(shape, desc) => {
                write!(f, "conv-deformable:{shape}:o{}", desc.conv.out_channels)?;
                write_window(f, shape, &desc.conv)?;
                write!(f, "f{}", desc.offset_groups)?;
                f.write_str(if desc.modulated { "m" } else { "" })?;
                write_mode(f, &desc.conv)
            }
            Self::ConvSeparable(shape, desc) => {
                write!(f, "conv-separable:{shape}:o{}", desc.conv.out_channels)?;
                write_window(f, shape, &desc.conv)?;
                write!(f, "m{}", desc.multiplier)?;
                write_mode(f, &desc.conv)
            }
            Self::Pool(shape, desc) => {
                let counts = match desc.kind {
                    PoolKind::Max => {
                        f.write_str("pool-max")?;
                        true
                    }
                    PoolKind::Average { count_padding } => {
                        f.write_str("pool-avg")?;
                        count_padding
                    }
                    PoolKind::Lp { order } => {
                        write!(f, "pool-l{order}")?;
                        true
                    }
                };
                write!(f, ":{shape}:")?;
                write_axes(f, 'k', &desc.kernel, None)?;
                write_axes(f, 's', &desc.stride, Some(1))?;
                write_padding(f, shape, &desc.padding)?;
                write_axes(f, 'd', &desc.dilation, Some(1))?;
                f.write_str(if desc.ceil { ",ceil" } else { "" })?;
                f.write_str(if counts { "" } else { ",nopad" })
            }
            Self::AdaptivePool(shape, desc) => {
                f.write_str("pool-adaptive-")?;
                match desc.kind {
                    AdaptiveKind::Max => f.write_str("max")?,
                    AdaptiveKind::Average => f.write_str("avg")?,
                    AdaptiveKind::Lp(order) => write!(f, "l{order}")?,
                }
                write!(f, ":{shape}:")?;
                write_axes(f, 'o', &desc.output, None)
            }
        }
    }
}

fn spatial_letters(rank: usize) -> &'static [char] {
    &['d', 'h', 'w'][MAX_RANK - rank..]
}

fn write_window(f: &mut fmt::Formatter<'_>, shape: &InputShape, desc: &ConvDesc) -> fmt::Result {
    write_axes(f, 'k', &desc.kernel, None)?;
    write_axes(f, 's', &desc.stride, Some(1))?;
    write_padding(f, shape, &desc.padding)?;
    write_axes(f, 'd', &desc.dilation, Some(1))?;
    if desc.groups != 1 {
        write!(f, "g{}", desc.groups)?;
    }
    Ok(())
}

/// `,reflect` and the like; nothing for zeros.
fn write_mode(f: &mut fmt::Formatter<'_>, desc: &ConvDesc) -> fmt::Result {
    match desc.padding_mode {
        PaddingMode::Zeros => Ok(()),
        mode => write!(f, ",{mode}"),
    }
}

/// `k3` when all axes agree, `k1x7` otherwise, nothing when they equal the default.
fn write_axes(
    f: &mut fmt::Formatter<'_>,
    letter: char,
    axes: &Axes,
    default: Option<usize>,
) -> fmt::Result {
    let values = axes.as_slice();
    if values.iter().all(|&v| Some(v) == default) {
        return Ok(());
    }
    write!(f, "{letter}")?;
    write_joined(f, values)
}

fn write_joined(f: &mut fmt::Formatter<'_>, values: &[usize]) -> fmt::Result {
    if values.windows(2).all(|pair| pair[0] == pair[1]) {
        return write!(f, "{}", values[0]);
    }
    for (index, value) in values.iter().enumerate() {
        write!(f, "{}{value}", if index == 0 { "" } else { "x" })?;
    }
    Ok(())
}

fn write_padding(f: &mut fmt::Formatter<'_>, shape: &InputShape, padding: &Padding) -> fmt::Result {
    let pairs = match padding {
        Padding::Valid => return Ok(()),
        Padding::Same => return f.write_str("psame"),
        Padding::SameLower => return f.write_str("psame-lower"),
        Padding::Full => return f.write_str("pfull"),
        Padding::Explicit(pairs) => pairs,
    };
    if pairs.iter().all(|&(before, after)| before == after) {
        let amounts: Vec<usize> = pairs.iter().map(|pair| pair.0).collect();
        f.write_str("p")?;
        return write_joined(f, &amounts);
    }
    // One pair may stand for all axes; the asymmetric list always names each of them.
    let pair = |axis: usize| pairs[axis.min(pairs.len() - 1)];
    let befores = (0..shape.rank()).map(|axis| pair(axis).0);
    let afters = (0..shape.rank()).map(|axis| pair(axis).1);
    for (index, amount) in befores.chain(afters).enumerate() {
        write!(f, "{}{amount}", if index == 0 { "p" } else { "," })?;
    }
    Ok(())
}

// ----------------------------------------------------------------------------------- parsing

impl FromStr for Problem {
    type Err = NotationError;

    fn from_str(text: &str) -> Result<Self, NotationError> {
        let mut cursor = Cursor {
            text,
            at: 0,
            example: KINDS[0].1,
        };
        let found = KINDS.into_iter().find(|(kind, _)| cursor.eat(kind));
        let (kind, example) = found.ok_or_else(|| cursor.unknown_kind())?;
        cursor.example = example;
        let order = match kind {
            LP | ADAPTIVE_LP => cursor.order()?,
            _ => NormOrder::TWO,
        };
        let shape = parse_shape(&mut cursor)?;
        cursor.need(":")?;
        let problem = if kind.starts_with("pool-adaptive") {
            cursor.need("o")?;
            let desc = AdaptiveDesc {
                kind: match kind {
                    "pool-adaptive-max:" => AdaptiveKind::Max,
                    ADAPTIVE_LP => AdaptiveKind::Lp(order),
                    _ => AdaptiveKind::Average,
                },
                output: cursor.axes(shape.rank())?,
            };
            Problem::AdaptivePool(shape, desc)
        } else {
            let settings = Settings::parse(&mut cursor, kind, &shape)?;
            settings.into_problem(&cursor, kind, order, shape)?
        };
        if cursor.at < text.len() {
            return Err(cursor.expected("unexpected text"));
        }
        Ok(problem)
    }
}

fn parse_shape(cursor: &mut Cursor<'_>) -> Result<InputShape, NotationError> {
    cursor.need("n")?;
    let mut dims = vec![cursor.number()?];
    cursor.need("c")?;
    dims.push(cursor.number()?);
    for letter in ["d", "h", "w"] {
        if cursor.eat(letter) {
            dims.push(cursor.number()?);
        } else if letter == "w" || dims.len() > 2 {
            return Err(cursor.expected(&format!("expected '{letter}' and a size")));
        }
    }
    Ok(InputShape { dims })
}

/// Everything that can follow the shape; which of it is legal depends on the operator.
struct Settings {
    out_channels: Option<usize>,
    kernel: Option<Axes>,
    stride: Axes,
    dilation: Axes,
    padding: Padding,
    padding_mode: Option<PaddingMode>,
    groups: usize,
    output_padding: Axes,
    offset_groups: usize,
    /// `m` alone, or `m` and a number.
    m: Option<Option<usize>>,
    ceil: bool,
    count_padding: bool,
}

impl Settings {
    fn parse(
        cursor: &mut Cursor<'_>,
        kind: &str,
        shape: &InputShape,
    ) -> Result<Self, NotationError> {
        let rank = shape.rank();
        let mut settings = Self {
            out_channels: None,
            kernel: None,
            stride: vec![1; rank].into(),
            dilation: vec![1; rank].into(),
            padding: Padding::Valid,
            padding_mode: None,
            groups: 1,
            output_padding: vec![0; rank].into(),
            offset_groups: 1,
            m: None,
            ceil: false,
            count_padding: true,
        };
        let legal = match kind {
            "conv-transposed:" => "oksdpga",
            "conv-deformable:" => "oksdpgfm",
            "conv-separable:" => "oksdpm,",
            "conv:" => "oksdpg,",
            _ => "ksdp,",
        };
        let mut seen = String::new();
        while let Some(letter) = cursor.peek() {
            // Flags stand after everything else.
            let late = letter != ',' && seen.contains([letter, ',']);
            if !legal.contains(letter) || late {
                return Err(cursor.expected(&format!("unexpected, repeated or late '{letter}'")));
            }
            seen.push(letter);
            cursor.at += letter.len_utf8();
            match letter {
                'o' => settings.out_channels = Some(cursor.number()?),
                'k' => settings.kernel = Some(cursor.axes(rank)?),
                's' => settings.stride = cursor.axes(rank)?,
                'd' => settings.dilation = cursor.axes(rank)?,
                'p' => settings.padding = cursor.padding(rank)?,
                'g' => settings.groups = cursor.number()?,
                'a' => settings.output_padding = cursor.axes(rank)?,
                'f' => settings.offset_groups = cursor.number()?,
                'm' if kind == "conv-deformable:" => settings.m = Some(None),
                'm' => settings.m = Some(Some(cursor.number()?)),
                _ => settings.flag(cursor, kind)?,
            }
        }
        Ok(settings)
    }

    /// What follows a comma.
    fn flag(&mut self, cursor: &mut Cursor<'_>, kind: &str) -> Result<(), NotationError> {
        if kind.starts_with("conv") {
            let mode = PaddingMode::ALL
                .into_iter()
                .find(|mode| cursor.eat(&mode.to_string()));
            if mode.is_none() || self.padding_mode.is_some() {
                return Err(cursor.expected("expected one of zeros, reflect, replicate, circular"));
            }
            self.padding_mode = mode;
        } else if !self.ceil && cursor.eat("ceil") {
            self.ceil = true;
        } else if kind == "pool-avg:" && self.count_padding && cursor.eat("nopad") {
            self.count_padding = false;
        } else {
            return Err(cursor.expected("expected the flag ceil, or nopad of pool-avg, each once"));
        }
        Ok(())
    }

    fn into_problem(
        self,
        cursor: &Cursor<'_>,
        kind: &str,
        order: NormOrder,
        shape: InputShape,
    ) -> Result<Problem, NotationError> {
        let kernel = self
            .kernel
            .ok_or_else(|| cursor.expected("expected a kernel (k3)"))?;
        if kind.starts_with("pool") {
            let pool_kind = match kind {
                "pool-max:" => PoolKind::Max,
                LP => PoolKind::Lp { order },
                _ => PoolKind::Average {
                    count_padding: self.count_padding,
                },
            };
            let desc = PoolDesc {
                kind: pool_kind,
                kernel,
                stride: self.stride,
                dilation: self.dilation,
                padding: self.padding,
                ceil: self.ceil,
            };
            return Ok(Problem::Pool(shape, desc));
        }
        let conv = ConvDesc {
            out_channels: self
                .out_channels
                .ok_or_else(|| cursor.expected("expected output channels (o64)"))?,
            kernel,
            stride: self.stride,
            dilation: self.dilation,
            padding: self.padding,
            padding_mode: self.padding_mode.unwrap_or_default(),
            groups: self.groups,
        };
        Ok(match kind {
            "conv:" => Problem::Conv(shape, conv),
            "conv-transposed:" => Problem::ConvTransposed(
                shape,
                TransposedDesc {
                    conv,
                    output_padding: self.output_padding,
                },
            ),
            "conv-deformable:" => Problem::ConvDeformable(
                shape,
                DeformableDesc {
                    conv,
                    offset_groups: self.offset_groups,
                    modulated: self.m.is_some(),
                },
            ),
            _ => Problem::ConvSeparable(
                shape,
                SeparableDesc {
                    conv,
                    multiplier: self.m.flatten().unwrap_or(1),
                },
            ),
        })
    }
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
    /// A problem of the kind that is read.
    example: &'static str,
}

impl Cursor<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn need(&mut self, token: &str) -> Result<(), NotationError> {
        if self.eat(token) {
            Ok(())
        } else {
            Err(self.expected(&format!("expected '{token}'")))
        }
    }

    fn number(&mut self) -> Result<usize, NotationError> {
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return Err(self.expected("expected a number"));
        }
        let value = self.rest()[..digits]
            .parse()
            .map_err(|_| self.expected("number too large"))?;
        self.at += digits;
        Ok(value)
    }

    /// The order of a norm and the colon behind it: `2:`, `1.5:`.
    fn order(&mut self) -> Result<NormOrder, NotationError> {
        let text = self.rest().split(':').next().unwrap_or_default();
        let len = text.len();
        let order = text
            .parse()
            .map_err(|_| self.expected("expected the order of the norm, at least 1 (pool-l2:)"))?;
        self.at += len;
        self.need(":")?;
        Ok(order)
    }

    /// `3` or `1x7`, one number for every axis of the shape.
    fn axes(&mut self, rank: usize) -> Result<Axes, NotationError> {
        let start = self.at;
        let mut values = vec![self.number()?];
        while self.eat("x") {
            values.push(self.number()?);
        }
        if values.len() == 1 {
            values = vec![values[0]; rank];
        }
        if values.len() != rank {
            self.at = start;
            return Err(self.expected(&format!("expected one number or {rank} joined by 'x'")));
        }
        Ok(values.into())
    }

    /// What follows `p`: a word, `1`, `0x3`, or all befores then all afters joined by commas.
    fn padding(&mut self, rank: usize) -> Result<Padding, NotationError> {
        let words = [
            ("same-lower", Padding::SameLower),
            ("same", Padding::Same),
            ("valid", Padding::Valid),
            ("full", Padding::Full),
        ];
        for (word, padding) in words {
            if self.eat(word) {
                return Ok(padding);
            }
        }
        let start = self.at;
        let symmetric = self.axes(rank);
        let digit_follows = |cursor: &Self| {
            let mut next = cursor.rest().chars();
            next.next() == Some(',') && next.next().is_some_and(|c| c.is_ascii_digit())
        };
        if !digit_follows(self) {
            let amounts = symmetric?;
            return Ok(if amounts.as_slice().iter().all(|&p| p == 0) {
                Padding::Valid
            } else {
                Padding::per_axis(amounts.as_slice())
            });
        }
        self.at = start;
        let mut amounts = vec![self.number()?];
        while digit_follows(self) {
            self.at += 1;
            amounts.push(self.number()?);
        }
        if amounts.len() != 2 * rank {
            self.at = start;
            let mut expected = format!(
                "expected {} paddings, all befores then all afters",
                2 * rank
            );
            if amounts.len() == rank {
                let amounts: Vec<_> = amounts.iter().map(usize::to_string).collect();
                expected += &format!("; the same before and after is p{}", amounts.join("x"));
            }
            return Err(self.expected(&expected));
        }
        let (befores, afters) = amounts.split_at(rank);
        Ok(Padding::Explicit(
            befores
                .iter()
                .copied()
                .zip(afters.iter().copied())
                .collect(),
        ))
    }

    /// A name that no kind has: those it is most like, or all there are.
    fn unknown_kind(&self) -> NotationError {
        let name = match self.text.split_once(':') {
            Some((name, _)) => name,
            None => self.text,
        };
        let kinds = KINDS.map(|(_, example)| example.split(':').next().unwrap_or_default());
        let near = names::like(name, kinds);
        let of_first = |near: &&str| kinds.iter().position(|kind| kind == near);
        let example = near.first().and_then(of_first);
        let example = example.map_or(self.example, |place| KINDS[place].1);
        let offered = match near.as_slice() {
            [] => &kinds,
            near => near,
        };
        let error = self.expected(&match offered {
            [kind] => format!("expected {kind}:"),
            kinds => {
                let kinds: Vec<_> = kinds.iter().map(|kind| format!("{kind}:")).collect();
                format!("expected one of {}", kinds.join(", "))
            }
        });
        NotationError { example, ..error }
    }

    fn expected(&self, expected: &str) -> NotationError {
        NotationError {
            example: self.example,
            text: match self.text.char_indices().nth(QUOTED) {
                Some((end, _)) => format!("{}…", &self.text[..end]),
                None => self.text.to_owned(),
            },
            at: self.at,
            expected: expected.to_owned(),
        }
    }
}
