//! Colours of the screen.
//!
//! Text and curves take those that the terminal's owner chose, which are readable on light and on dark. Curves differ in
//! their marks too.

use figures::Rgb;
use ratatui::style::Color;

/// Training pictures.
pub(super) const TRAINING: Color = Color::Cyan;
/// Held-out pictures.
pub(super) const HELD_OUT: Color = Color::Yellow;
/// What frames and names are drawn in.
pub(super) const MUTED: Color = Color::DarkGray;

/// How many colours a terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// All of them.
    True,
    /// A cube of 6×6×6.
    Cube,
}

impl Depth {
    /// What the terminal says of itself.
    pub(super) fn of_terminal() -> Self {
        let told = std::env::var("COLORTERM").unwrap_or_default();
        match told.as_str() {
            "truecolor" | "24bit" => Self::True,
            _ => Self::Cube,
        }
    }

    /// A colour, or the nearest that there is.
    pub(super) fn colour(self, Rgb([r, g, b]): Rgb) -> Color {
        match self {
            Self::True => Color::Rgb(r, g, b),
            Self::Cube => {
                // Steps of the cube: 0, 95, 135, 175, 215, 255.
                let level = |part: u8| match part {
                    0..48 => 0,
                    48..115 => 1,
                    _ => (part - 35) / 40,
                };
                Color::Indexed(16 + 36 * level(r) + 6 * level(g) + level(b))
            }
        }
    }
}
