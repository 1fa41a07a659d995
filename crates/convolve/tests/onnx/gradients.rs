//! Operators that are imported as several: their gradients, held against difference quotients in f64.

use formats::onnx::{Array, Bindings, Import, Model, Source};
use graph::{ValueId, passes, pullback};
use runtime::{Evaluation, Run};
use safetensors::SafeTensors;
use testkit::{Draw, gradient};

use crate::cases::{Case, bytes_of, listed};

/// Cases of `node.safetensors` whose first input has a gradient.
const CASES: [&str; 18] = [
    "test_reduce_prod_keepdims_random",
    "test_reduce_prod_do_not_keepdims_random",
    "test_reduce_prod_default_axes_keepdims_random",
    "test_reduce_prod_negative_axes_keepdims_random",
    "test_reduce_l1_keep_dims_random",
    "test_reduce_l2_do_not_keepdims_random",
    "test_reduce_log_sum_exp_keepdims_random",
    "test_reduce_sum_square_keepdims_random",
    "test_reduce_min_keepdims_random",
    "test_gathernd_example_float32",
    "test_gather_elements_0",
    "test_gather_1",
    "test_scatternd",
    "test_scatter_elements_with_axis",
    "test_cumsum_2d_axis_0",
    "test_cumsum_1d_reverse_exclusive",
    "test_rms_normalization_2d_axis1",
    "test_mvn",
];

/// A model in f64: the values of its real inputs are set one by one.
struct Imported {
    import: Import,
    evaluation: Evaluation,
}

impl Imported {
    fn new(import: Import, graph: &graph::Graph) -> Self {
        let mut evaluation = Evaluation::new(graph).unwrap();
        let ids: Vec<(ValueId, String)> = graph
            .parameters()
            .map(|(id, value)| (id, value.name.clone()))
            .collect();
        for (id, name) in ids {
            let (_, elements) = import
                .elements
                .iter()
                .find(|(own, _)| *own == name)
                .unwrap();
            let array = elements.read().unwrap();
            evaluation.set(id, &array.reals().collect::<Vec<_>>());
        }
        Self { import, evaluation }
    }

    /// Gives every real input its elements, the first one these.
    fn give(&mut self, inputs: &[Array], first: &[f64]) {
        let graph = self.evaluation.graph().clone();
        for (at, (edge, array)) in self.import.inputs.iter().zip(inputs).enumerate() {
            if let Source::Real(place) = edge.source {
                let values: Vec<f64> = array.reals().collect();
                let values = if at == 0 { first } else { &values };
                self.evaluation.set(graph.inputs[place], values);
            }
        }
    }
}

fn check(name: &str, model: &[u8], inputs: &[Array]) {
    let model = Model::from_bytes(model.to_vec(), name).unwrap();
    let mut bindings = Bindings::default();
    for (declared, array) in model.inputs().iter().zip(inputs) {
        let shape = array.shape().to_vec();
        bindings.shapes.insert(declared.name.clone(), shape);
        if !array.element().is_float() {
            bindings.values.insert(declared.name.clone(), array.clone());
        }
    }
    let import = model.import(&bindings).unwrap();
    let graph = passes::inference(&import.graph).unwrap();
    let (x, y) = (graph.inputs[0], graph.outputs[0]);
    let grown = pullback(&graph, y, &[x]).unwrap();
    let mut draw = Draw::new(5);
    // Apart from each other and from 0: no quotient steps over where an extreme or a sign turns.
    let len: usize = graph.value(x).shape.iter().product();
    let ranks = draw.distinct(&(0..len).collect::<Vec<_>>(), len);
    let at: Vec<f64> = ranks
        .into_iter()
        .map(|rank| (rank as f64 + 0.5 - (len / 2) as f64) * 2.0 / len as f64)
        .collect();
    let upstream = draw.reals(graph.value(y).shape.iter().product());
    let upstream: Vec<f64> = upstream.into_iter().map(f64::from).collect();

    let mut back = Imported::new(import.clone(), &grown);
    back.give(inputs, &at);
    let last = *grown.inputs.last().unwrap();
    back.evaluation.set(last, &upstream);
    back.evaluation.run(Run::default());
    let found = back.evaluation.value(grown.outputs[1]).to_vec();

    let forward = std::cell::RefCell::new(Imported::new(import, &graph));
    let loss = |values: &[f64]| {
        let mut forward = forward.borrow_mut();
        forward.give(inputs, values);
        forward.evaluation.run(Run::default());
        let made = forward.evaluation.value(y).iter();
        made.zip(&upstream).map(|(y, dy)| y * dy).sum::<f64>()
    };
    if let Err(mismatch) = gradient::check(loss, &at, &found) {
        panic!("{name}: {mismatch}");
    }
}

#[test]
fn gradients_are_difference_quotients() {
    let bytes = bytes_of("node");
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let cases = listed(&bytes);
    for name in CASES {
        let at = cases.iter().position(|case| case[0] == name);
        let at = at.unwrap_or_else(|| panic!("no case {name}"));
        let case = Case {
            at,
            case: &cases[at],
            file: &file,
        };
        check(name, case.bytes("model"), &case.inputs());
    }
}
