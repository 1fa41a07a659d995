//! What pages have in common: margins, headings, captions.

use crate::font::{self, Weight};
use crate::scene::{Anchor, Item, Scene, at};
use crate::theme::Paint;

/// White around everything.
pub(crate) const MARGIN: f64 = 20.0;
/// Where the contents begin below a heading.
pub(crate) const BELOW_HEADING: f64 = 74.0;
/// Between parts that belong together.
pub(crate) const GAP: f64 = 44.0;

/// What stands above a figure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caption {
    /// The first line, bold.
    pub heading: String,
    /// The second line.
    pub remark: String,
}

impl Caption {
    /// A heading with a remark below it.
    pub fn new(heading: impl Into<String>, remark: impl Into<String>) -> Self {
        Self {
            heading: heading.into(),
            remark: remark.into(),
        }
    }
}

/// A page with its caption.
pub(crate) fn begin(caption: &Caption, description: impl Into<String>) -> Scene {
    let mut scene = Scene::new(&caption.heading, description);
    let heading = Item::text(
        at(MARGIN, MARGIN + 12.0),
        &caption.heading,
        14.0,
        Anchor::Start,
    );
    scene.ground.push(heading.bold());
    let remark = Item::text(
        at(MARGIN, MARGIN + 31.0),
        &caption.remark,
        11.0,
        Anchor::Start,
    );
    scene.ground.push(remark.fill(Paint::Muted));
    let widths = [
        font::width(&caption.heading, 14.0, Weight::Bold),
        font::width(&caption.remark, 11.0, Weight::Regular),
    ];
    scene.fit(2.0 * MARGIN + widths[0].max(widths[1]), BELOW_HEADING);
    scene
}

/// A small title in the middle above something; gives its width.
pub(crate) fn title(scene: &mut Scene, middle: f64, base: f64, text: &str) {
    let item = Item::text(at(middle, base), text, 11.0, Anchor::Middle);
    scene.ground.push(item.fill(Paint::Muted));
}

/// The width of a small title.
pub(crate) fn title_width(text: &str) -> f64 {
    font::width(text, 11.0, Weight::Regular)
}
