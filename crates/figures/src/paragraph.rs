//! Text in lines of a width.

use crate::font::{self, Weight};
use crate::scene::{Anchor, Item, Point, Scene};
use crate::theme::Paint;

/// Letters of a paragraph.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Letters {
    pub(crate) size: f64,
    pub(crate) leading: f64,
    pub(crate) weight: Weight,
    pub(crate) paint: Paint,
}

impl Letters {
    pub(crate) const NOTE: Self = Self::new(10.5, 14.0, Weight::Regular, Paint::Muted);

    pub(crate) const fn new(size: f64, leading: f64, weight: Weight, paint: Paint) -> Self {
        Self {
            size,
            leading,
            weight,
            paint,
        }
    }

    /// Words in lines no wider than `width`, but for a word that is.
    pub(crate) fn lines(self, text: &str, width: f64) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in text.split_whitespace() {
            if let Some(line) = lines.last_mut() {
                let longer = format!("{line} {word}");
                if font::width(&longer, self.size, self.weight) <= width {
                    *line = longer;
                    continue;
                }
            }
            lines.push(word.to_owned());
        }
        lines
    }

    /// The height of a text in such lines.
    pub(crate) fn height(self, text: &str, width: f64) -> f64 {
        self.lines(text, width).len() as f64 * self.leading
    }

    /// Writes lines from the upper left corner down.
    pub(crate) fn write(self, scene: &mut Scene, corner: Point, text: &str, width: f64) {
        for (place, line) in self.lines(text, width).into_iter().enumerate() {
            let down = place as f64 * self.leading + self.size;
            let item = Item::text(corner.moved(0.0, down), line, self.size, Anchor::Start);
            let item = item.fill(self.paint);
            scene.ground.push(match self.weight {
                Weight::Regular => item,
                Weight::Bold => item.bold(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_long_as_fits_and_lose_no_word() {
        let text = "a map of what the class reads, and  a word-that-is-wider-than-the-line";
        let lines = Letters::NOTE.lines(text, 100.0);
        assert_eq!(
            lines.join(" "),
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        );
        for pair in lines.windows(2) {
            let first = pair[1].split(' ').next().unwrap();
            let longer = format!("{} {first}", pair[0]);
            assert!(font::width(&longer, 10.5, Weight::Regular) > 100.0);
        }
        for line in &lines[..lines.len() - 1] {
            assert!(font::width(line, 10.5, Weight::Regular) <= 100.0, "{line}");
        }
    }
}
