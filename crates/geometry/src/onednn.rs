//! The problem notation of oneDNN's benchmark program, so that its public lists can be run as they are.
//!
//! ```text
//! g1mb1_ic64ih56iw56_oc64oh56ow56_kh3kw3_sh1sw1_ph1pw1_dh0dw0_n"resnet_50:conv2"
//! ```
//! A descriptor is a row of letters and numbers in any order; `_` means nothing, a later number
//! replaces an earlier one, and the name ends it. From what oneDNN documents (its `driver_conv.md` and
//! `knobs_desc.md`) and does:
//!
//! * `mb` is 2 and `g` is 1 unless given; `ic` and `oc` count the channels of all groups.
//! * Dilation is counted from 0: `dh1` leaves one element out between two taps.
//! * A descriptor with `d` sizes alone is a cube, one with `h` sizes alone a square; with `w` sizes
//!   alone it has one axis, with `h` and `w` two, with all three letters three.
//! * Without an output size it follows from the padding, which is 0 unless given, on both sides.
//! * With an output size the padding behind follows from it, and may differ from that before; without
//!   a padding, half of what the output needs lies before, rounded down.
//!
//! ```
//! let listed = geometry::onednn::parse(r#"ic3ih227oc96oh55kh11sh4ph0n"alexnet:conv1""#)?;
//! assert_eq!(listed.name.as_deref(), Some("alexnet:conv1"));
//! assert_eq!(listed.problem().to_string(), "conv:n2c3h227w227:o96k11s4p0");
//! # Ok::<(), geometry::onednn::DescriptorError>(())
//! ```

use std::fmt;

use crate::window::{effective_kernel, reach};
use crate::{ConvDesc, GeometryError, InputShape, MAX_RANK, Padding, PaddingMode, Problem};

/// A convolution as a list names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Descriptor {
    /// Its name, without the quotation marks.
    pub name: Option<String>,
    /// Shape of the input.
    pub shape: InputShape,
    /// The convolution; padding is explicit on every side.
    pub desc: ConvDesc,
}

impl Descriptor {
    /// The problem without its name.
    pub fn problem(self) -> Problem {
        Problem::Conv(self.shape, self.desc)
    }
}

/// Why a text is not a descriptor, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescriptorError {
    text: String,
    at: usize,
    reason: Reason,
}

impl DescriptorError {
    /// The byte of the descriptor at which reading stopped; its end where something is missing.
    pub fn at(&self) -> usize {
        self.at
    }

    /// What is wrong there.
    pub fn reason(&self) -> &Reason {
        &self.reason
    }
}

/// What is wrong with a descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// A letter that begins no key.
    UnknownKey,
    /// A key without a number.
    NumberExpected {
        /// The key.
        key: &'static str,
    },
    /// A number too large to be a size.
    NumberTooLarge {
        /// Its key.
        key: &'static str,
    },
    /// A number that must be at least 1 is 0.
    Zero {
        /// Its key.
        key: &'static str,
    },
    /// A key that must be given is not.
    Missing {
        /// The key.
        key: &'static str,
    },
    /// There is no spatial axis.
    NoAxis,
    /// Three axes, of which either `h` or `w` is left out, but not both.
    HalfACube,
    /// The output is so small that the last `unused` elements of the input, a stride or more, would
    /// be in no window. oneDNN refuses that too.
    OutputTooSmall {
        /// `od`, `oh` or `ow`.
        key: &'static str,
        /// The output size given.
        output: usize,
        /// Elements of the padded input behind the last window.
        unused: usize,
    },
    /// Sizes whose sum or product overflows.
    Overflow,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey => f.write_str("expected a key like ic, oh or kw"),
            Self::NumberExpected { key } => write!(f, "expected a number after {key}"),
            Self::NumberTooLarge { key } => write!(f, "the number after {key} is too large"),
            Self::Zero { key } => write!(f, "{key} must be at least 1"),
            Self::Missing { key } => write!(f, "{key} is missing"),
            Self::NoAxis => f.write_str("no spatial axis is given"),
            Self::HalfACube => {
                f.write_str("with three axes give both h and w sizes, or neither of them")
            }
            Self::OutputTooSmall {
                key,
                output,
                unused,
            } => write!(
                f,
                "{key}{output} leaves {unused} elements behind the last window, a stride or more"
            ),
            Self::Overflow => f.write_str("the sizes overflow the address space"),
        }
    }
}

impl fmt::Display for DescriptorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "oneDNN descriptor '{}': {} at position {} \
             (example: mb1ic64ih56oc64oh56kh3ph1n\"name\")",
            self.text, self.reason, self.at
        )
    }
}

impl std::error::Error for DescriptorError {}

// ----------------------------------------------------------------------------------- reading

/// The keys of an axis: input, output, kernel, stride, padding, dilation.
const AXES: [[&str; 6]; MAX_RANK] = [
    ["id", "od", "kd", "sd", "pd", "dd"],
    ["ih", "oh", "kh", "sh", "ph", "dh"],
    ["iw", "ow", "kw", "sw", "pw", "dw"],
];

/// Sizes are far below this, so that sums and products of two of them do not overflow.
const LARGEST: usize = 1 << 31;

/// The numbers of one axis; an input, output or kernel of 0 was not given.
#[derive(Clone, Copy)]
struct AxisNumbers {
    input: usize,
    output: usize,
    kernel: usize,
    stride: usize,
    padding: Option<usize>,
    dilation: usize,
}

impl AxisNumbers {
    const NONE: Self = Self {
        input: 0,
        output: 0,
        kernel: 0,
        stride: 1,
        padding: None,
        dilation: 0,
    };

    /// Whether anything was said of the axis; defaults say nothing.
    fn is_given(&self) -> bool {
        self.input + self.output + self.kernel + self.dilation > 0
            || self.stride != 1
            || self.padding.is_some_and(|p| p > 0)
    }

    /// The padding (before, after).
    fn sides(&self, keys: &[&'static str; 6]) -> Result<(usize, usize), Reason> {
        for (key, value) in [(keys[0], self.input), (keys[2], self.kernel)] {
            if value == 0 {
                return Err(Reason::Missing { key });
            }
        }
        if self.output == 0 {
            let both = self.padding.unwrap_or(0);
            return Ok((both, both));
        }
        let effective = effective_kernel(self.kernel, self.dilation + 1);
        let effective = effective.map_err(|_| Reason::Overflow)?;
        let reach = reach(self.output, self.stride, effective).ok_or(Reason::Overflow)?;
        let before = match self.padding {
            Some(before) => before,
            None => reach.saturating_sub(self.input) / 2,
        };
        let reached = self.input + before;
        let unused = reached.saturating_sub(reach);
        if unused >= self.stride {
            return Err(Reason::OutputTooSmall {
                key: keys[1],
                output: self.output,
                unused,
            });
        }
        Ok((before, reach.saturating_sub(reached)))
    }
}

/// Reads one descriptor.
///
/// # Errors
/// What stands in [`Reason`], with its place.
pub fn parse(text: &str) -> Result<Descriptor, DescriptorError> {
    let error = |at: usize, reason: Reason| DescriptorError {
        text: text.to_owned(),
        at,
        reason,
    };
    let mut numbers = [AxisNumbers::NONE; MAX_RANK];
    let (mut groups, mut batch, mut in_channels, mut out_channels) = (1, 2, None, None);
    let mut name = None;
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        match first {
            '_' => at += 1,
            'n' => {
                let quoted = text[at + 1..].trim_end();
                let bare = quoted.strip_prefix('"').unwrap_or(quoted);
                name = Some(bare.strip_suffix('"').unwrap_or(bare).to_owned());
                break;
            }
            _ => {
                let rest = &text[at..];
                let key = ["g", "mb", "ic", "oc"]
                    .into_iter()
                    .chain(AXES.into_iter().flatten())
                    .find(|key| rest.starts_with(key))
                    .ok_or_else(|| error(at, Reason::UnknownKey))?;
                let digits = &rest[key.len()..];
                let digits = &digits[..digits.bytes().take_while(u8::is_ascii_digit).count()];
                let place = at + key.len();
                if digits.is_empty() {
                    return Err(error(place, Reason::NumberExpected { key }));
                }
                let value = digits
                    .parse()
                    .ok()
                    .filter(|&value| value <= LARGEST)
                    .ok_or_else(|| error(place, Reason::NumberTooLarge { key }))?;
                if value == 0 && (key == "g" || key.starts_with('s') || key.ends_with('c')) {
                    return Err(error(place, Reason::Zero { key }));
                }
                match key {
                    "g" => groups = value,
                    "mb" => batch = value,
                    "ic" => in_channels = Some(value),
                    "oc" => out_channels = Some(value),
                    _ => set(&mut numbers, key, value),
                }
                at = place + digits.len();
            }
        }
    }
    let at_end = |reason: Reason| error(text.len(), reason);
    let missing = |key: &'static str| at_end(Reason::Missing { key });
    let in_channels = in_channels.ok_or_else(|| missing("ic"))?;
    let out_channels = out_channels.ok_or_else(|| missing("oc"))?;

    let axes = given_axes(&numbers).map_err(at_end)?;
    let mut dims = vec![batch, in_channels];
    let mut sides = Vec::with_capacity(axes.len());
    for (axis, keys) in &axes {
        sides.push(axis.sides(keys).map_err(at_end)?);
        dims.push(axis.input);
    }
    let each = |number: fn(&AxisNumbers) -> usize| -> Vec<usize> {
        axes.iter().map(|(axis, _)| number(axis)).collect()
    };
    Ok(Descriptor {
        name,
        shape: InputShape { dims },
        desc: ConvDesc {
            out_channels,
            kernel: each(|axis| axis.kernel).into(),
            stride: each(|axis| axis.stride).into(),
            dilation: each(|axis| axis.dilation + 1).into(),
            padding: Padding::Explicit(sides),
            padding_mode: PaddingMode::Zeros,
            groups,
        },
    })
}

fn set(numbers: &mut [AxisNumbers; MAX_RANK], key: &str, value: usize) {
    for (axis, keys) in numbers.iter_mut().zip(AXES) {
        match keys.iter().position(|&other| other == key) {
            Some(0) => axis.input = value,
            Some(1) => axis.output = value,
            Some(2) => axis.kernel = value,
            Some(3) => axis.stride = value,
            Some(4) => axis.padding = Some(value),
            Some(_) => axis.dilation = value,
            None => {}
        }
    }
}

/// The numbers of each axis of the problem, outermost first, with the keys to blame for them.
fn given_axes(
    numbers: &[AxisNumbers; MAX_RANK],
) -> Result<Vec<(AxisNumbers, [&'static str; 6])>, Reason> {
    let pair = |axis: usize| (numbers[axis], AXES[axis]);
    let copy = |axis: usize, times: usize| vec![pair(axis); times];
    match numbers.map(|axis| axis.is_given()) {
        [true, false, false] => Ok(copy(0, 3)),
        [true, true, true] => Ok(vec![pair(0), pair(1), pair(2)]),
        [true, _, _] => Err(Reason::HalfACube),
        [false, true, false] => Ok(copy(1, 2)),
        [false, true, true] => Ok(vec![pair(1), pair(2)]),
        [false, false, true] => Ok(copy(2, 1)),
        [false, false, false] => Err(Reason::NoAxis),
    }
}

// ------------------------------------------------------------------------------------- lists

/// A list of descriptors, as oneDNN's benchmark program reads it from a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    /// The convolutions, each with the line it stands on, counted from 1.
    pub problems: Vec<(usize, Descriptor)>,
    /// Options (`--dir=BWD_W`), each with its line: they say how to measure and change no problem,
    /// except for `--mb`, which is not obeyed.
    pub options: Vec<(usize, String)>,
}

/// A line of a list that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with the descriptor on it.
    pub error: DescriptorError,
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.error)
    }
}

impl std::error::Error for ListError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Reads a whole list: descriptors separated by white space, usually one a line, comments from `#` to
/// the end of the line, and options that begin with `-`. An option whose text ends in a comma goes on
/// behind the white space, and a `\` at the end of a line joins it to the next one.
///
/// # Errors
/// The first descriptor that is none, with its line.
pub fn parse_list(text: &str) -> Result<List, ListError> {
    let mut list = List::default();
    // Whether the last word of an option asked for more.
    let mut open = false;
    for (index, line) in text.lines().enumerate() {
        let line_number = index + 1;
        let mut joined = false;
        for word in (Words { rest: line }) {
            joined = word == "\\";
            if joined {
                continue;
            }
            if open || word.starts_with('-') {
                match list.options.last_mut() {
                    Some((_, option)) if open => {
                        option.push(' ');
                        option.push_str(word);
                    }
                    _ => list.options.push((line_number, word.to_owned())),
                }
                open = word.ends_with(',');
                continue;
            }
            match parse(word) {
                Ok(problem) => list.problems.push((line_number, problem)),
                Err(error) => {
                    return Err(ListError {
                        line: line_number,
                        error,
                    });
                }
            }
        }
        open &= joined;
    }
    Ok(list)
}

/// The words of a line up to a comment; white space and `#` within quotation marks belong to a word.
struct Words<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest.trim_start();
        if rest.is_empty() || rest.starts_with('#') {
            return None;
        }
        let mut quoted = false;
        let end = rest
            .char_indices()
            .find(|&(_, letter)| {
                quoted ^= letter == '"';
                !quoted && letter.is_whitespace()
            })
            .map_or(rest.len(), |(end, _)| end);
        let (word, rest) = rest.split_at(end);
        self.rest = rest;
        Some(word)
    }
}

// ----------------------------------------------------------------------------------- writing

/// Writes a convolution as a descriptor that [`parse`] reads back as the same convolution: every size
/// is named, and the output size says how much padding lies behind. Padding that no window reaches is
/// lost on the way.
///
/// # Errors
/// What [`ConvDesc::resolve`] says of a problem without meaning, or a padding mode other than zeros,
/// for which the notation has no letter.
pub fn write(
    shape: &InputShape,
    desc: &ConvDesc,
    name: Option<&str>,
) -> Result<String, GeometryError> {
    let geometry = desc.resolve(&shape.dims)?;
    if desc.padding_mode != PaddingMode::Zeros {
        return Err(GeometryError::ZerosOnly {
            what: "oneDNN's notation",
            mode: desc.padding_mode,
        });
    }
    let mut text = format!(
        "g{}mb{}ic{}oc{}",
        geometry.groups, geometry.batch, geometry.in_channels, geometry.out_channels
    );
    let first = MAX_RANK - geometry.rank;
    for (window, keys) in geometry.spatial().iter().zip(&AXES[first..]) {
        let numbers = [
            window.input,
            window.output,
            window.kernel,
            window.stride,
            window.before,
            window.dilation - 1,
        ];
        text.push('_');
        for (key, number) in keys.iter().zip(numbers) {
            text += &format!("{key}{number}");
        }
    }
    if let Some(name) = name {
        text += &format!("_n\"{name}\"");
    }
    Ok(text)
}
