//! A small graph for every operator that stands in a forward network, through the operator sets in which its form
//! differs. Where the batch can be left open, the model of one image is read for three.

mod arithmetic;
mod convolution;
mod functions;
mod normalisation;
mod pooling;
mod rearrange;
mod regions;
mod sampling;

use formats::onnx::ExportError;
use graph::{Graph, ValueId};

use crate::round_trip::{assert_same, exported, imported};
use crate::sketch::Sketch;

/// Operator sets at which some operator's form changes.
const SETS: [i64; 9] = [13, 14, 16, 17, 18, 19, 20, 21, 25];

/// Whether the batch can be left open.
#[derive(Clone, Copy, PartialEq)]
enum Batch {
    Open,
    Fixed,
}

fn drawn(batch: usize, draw: &dyn Fn(&mut Sketch) -> Vec<ValueId>) -> Graph {
    let mut sketch = Sketch::new(batch);
    let outputs = draw(&mut sketch);
    sketch.graph.outputs = outputs;
    sketch.graph.verify().unwrap();
    sketch.graph
}

/// Every operator set from `oldest` on computes the same; older ones are refused with that number.
fn check(what: &str, oldest: i64, batch: Batch, draw: impl Fn(&mut Sketch) -> Vec<ValueId>) {
    let one = drawn(1, &draw);
    for opset in SETS {
        let what = format!("{what}, operator set {opset}");
        let export = exported(&one, opset);
        if opset < oldest {
            match export {
                Err(ExportError::Older { needed, .. }) => assert_eq!(needed, oldest, "{what}"),
                other => panic!("{what}: {other:?}"),
            }
            continue;
        }
        let (bytes, open) = export.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(open, batch == Batch::Open, "{what}: open batch");
        let images = if open { 3 } else { 1 };
        assert_same(&drawn(images, &draw), &imported(bytes, images), &what);
    }
}
