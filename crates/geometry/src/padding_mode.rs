//! What the elements hold that a convolution's padding adds.

use std::fmt;
use std::str::FromStr;

use crate::{GeometryError, Window};

/// What the elements hold that the padding of a convolution adds, as PyTorch names it.
///
/// Amounts are the [`Padding`](crate::Padding) rule's affair; a mode only bounds them, since all but
/// zeros are taken from the input itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PaddingMode {
    /// Zeros.
    #[default]
    Zeros,
    /// The input mirrored at its border elements, which are not repeated: `c b | a b c | b a`.
    Reflect,
    /// The border elements over and over: `a a | a b c | c c`.
    Replicate,
    /// The other end of the input: `b c | a b c | a b`.
    Circular,
}

impl PaddingMode {
    /// All modes, the default first.
    pub const ALL: [Self; 4] = [Self::Zeros, Self::Reflect, Self::Replicate, Self::Circular];

    /// The element of an axis of `input` elements that lies `position` places from the first one,
    /// before it where negative. `None` stands for a zero.
    ///
    /// Positions must lie within what [`PaddingMode::most`] allows.
    pub fn source(self, input: usize, position: isize) -> Option<usize> {
        if (0..input as isize).contains(&position) {
            return Some(position as usize);
        }
        let last = input as isize - 1;
        let source = match self {
            Self::Zeros => return None,
            Self::Reflect if position < 0 => -position,
            Self::Reflect => 2 * last - position,
            Self::Replicate => position.clamp(0, last.max(0)),
            Self::Circular => position.rem_euclid(input.max(1) as isize),
        };
        Some(source as usize)
    }

    /// The most elements that can be added to one side of an axis of `input` elements: a reflection
    /// leaves out the border element, a circle closes after one turn.
    pub fn most(self, input: usize) -> usize {
        match self {
            Self::Reflect => input.saturating_sub(1),
            Self::Circular => input,
            Self::Replicate if input == 0 => 0,
            Self::Zeros | Self::Replicate => usize::MAX,
        }
    }

    /// Checks the padding of one axis.
    pub(crate) fn check(self, axis: usize, window: &Window) -> Result<(), GeometryError> {
        let (padding, most) = (window.before.max(window.after), self.most(window.input));
        if padding > most {
            return Err(GeometryError::PaddingMode {
                axis,
                mode: self,
                padding,
                most,
                input: window.input,
            });
        }
        Ok(())
    }
}

impl fmt::Display for PaddingMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zeros => "zeros",
            Self::Reflect => "reflect",
            Self::Replicate => "replicate",
            Self::Circular => "circular",
        })
    }
}

impl FromStr for PaddingMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.to_string() == text)
            .ok_or_else(|| format!("'{text}' is none of zeros, reflect, replicate, circular"))
    }
}
