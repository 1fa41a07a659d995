//! ONNX models: read, checked, and made graphs; and graphs written as models.
//!
//! ```text
//! file ─▶ Model ─ import(bindings) ─▶ Import { graph, elements of its parameters, edges }
//! graph + weights ─▶ Export ─ save ─▶ file
//! ```
//!
//! A [`Model`] is the messages of a file but for the elements of its weights, which stay in the file until a program has
//! a place for them ([`Elements`]). [`Model::import`] makes a [`graph::Graph`] of it, operator by operator: what is known without running the model, above all the
//! arithmetic of shapes, is computed on the way ([`Array`]s), and everything else becomes nodes.
//! All that the model computes is computed in [`graph::ElementType::Real`]; an [`Edge`] remembers which
//! element type an input or output has in the file.
//!
//! Operators of sets 1 to 28 are read in the form of their set: broadcasting by attributes before set 7,
//! axes, pads and bounds as attributes or as inputs. What is not supported is refused by name.
//!
//! An [`Export`] is a graph in the operators of one set, 13 to 25, with references to its weights. It writes them piece
//! by piece, so that a model takes hardly more memory than its weights do.
//!
//! The specification: <https://onnx.ai/onnx/operators>.

mod array;
mod budget;
mod edge;
mod element;
mod elements;
mod error;
mod export;
mod external;
mod import;
mod initializer;
mod model;
mod names;
mod node;
mod opened;
mod outline;
mod proto;
mod wire;

pub use array::Array;
pub use edge::{Edge, Numbering, Source};
pub use element::Element;
pub use elements::Elements;
pub use error::OnnxError;
pub use export::{DOMAIN, Export, ExportError, ExportSettings};
pub use import::{Bindings, Import};
pub use model::{Declared, Extent, Model};
