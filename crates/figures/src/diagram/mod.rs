//! Diagrams of graphs: boxes in layers, and arrows that run down.

mod draw;
mod layers;
mod order;
mod place;

pub use draw::draw;

/// What a box stands for; it decides the colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Where branches begin: a dot.
    Fork,
    /// What comes in or goes out.
    Edge,
    /// A convolution of more than a pixel.
    Convolution,
    /// A 1×1 convolution.
    Pointwise,
    /// A convolution in groups, or channel by channel.
    Grouped,
    /// A convolution that makes maps larger, or samples elsewhere.
    Sampling,
    /// A pool.
    Pool,
    /// Branches come together again.
    Join,
    /// A fully connected layer.
    Linear,
    /// Anything else.
    Other,
}

/// A box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The first line, bold.
    pub title: String,
    /// Lines below.
    pub lines: Vec<String>,
    /// What it stands for.
    pub role: Role,
}

/// Boxes and arrows from the one to the other, by their places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagram {
    /// The boxes.
    pub nodes: Vec<Node>,
    /// From and to.
    pub edges: Vec<(usize, usize)>,
}

/// A diagram that stands once for what comes several times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// The diagram; its last node without an arrow onwards leads to the next part.
    pub diagram: Diagram,
    /// How often it comes, one after the other.
    pub repeats: usize,
    /// What it is called.
    pub heading: String,
}

/// Parts from top to bottom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Panel {
    /// What stands above.
    pub title: String,
    /// The parts.
    pub parts: Vec<Part>,
}

impl Panel {
    /// A panel of one diagram.
    pub fn of(title: impl Into<String>, diagram: Diagram) -> Self {
        Self {
            title: title.into(),
            parts: vec![Part {
                diagram,
                repeats: 1,
                heading: String::new(),
            }],
        }
    }
}
