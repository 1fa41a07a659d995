//! What cannot be drawn.

/// Why a figure was not drawn.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FigureError {
    /// Pixels that no picture needs.
    #[error("a picture of {height}×{width} pixels (height×width): at most {most} are drawn")]
    TooManyPixels {
        /// Columns asked for.
        width: usize,
        /// Rows asked for.
        height: usize,
        /// The most pixels of a picture.
        most: usize,
    },
    /// Numbers that are not those of the problem.
    #[error("{what}: {given:?} numbers, but the problem has {wanted:?}")]
    Shape {
        /// Which array.
        what: &'static str,
        /// Its extents.
        given: Vec<usize>,
        /// Extents that the problem asks for.
        wanted: Vec<usize>,
    },
    /// More than a page can show.
    #[error("{what}: {given} are too many to draw, at most {most}")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        given: usize,
        /// How much can be drawn.
        most: usize,
    },
    /// Nothing that could be drawn.
    #[error("{what} of no elements: there is nothing to draw")]
    Empty {
        /// What has none.
        what: &'static str,
    },
    /// A problem with three spatial axes.
    #[error("a problem with depth does not lie flat on a page: draw its height and width")]
    Depth,
    /// A layer that does not read what the one before makes.
    #[error("{layer} reads a map of {read:?}, but the layer before makes {made:?}")]
    Stack {
        /// The layer.
        layer: String,
        /// Height and width that come in.
        made: Vec<usize>,
        /// Height and width that it is for.
        read: Vec<usize>,
    },
    /// A figure that only some problems have.
    #[error("{figure} is drawn of {of}")]
    Kind {
        /// The figure.
        figure: &'static str,
        /// Problems that it can be drawn of.
        of: &'static str,
    },
    /// Numbers that geometry refuses.
    #[error(transparent)]
    Geometry(#[from] geometry::GeometryError),
    /// The encoder gave up.
    #[error("the picture could not be encoded: {0}")]
    Encoding(String),
}
