//! One case on every engine.

use graph::{
    ElementType, Graph, Init, Op, ParameterKind, Role, Value, ValueId, passes::remove_dead,
    pullback,
};
use runtime::eager::{Element, Given, Made};
use runtime::{Eager, Evaluation, Program, Run, RuntimeOptions};
use tensor::{Layout, Tensor};
use testkit::compare::{self, assert_close, assert_exact};

use crate::cases::{Array, Case, Elements};
use crate::operators::operator;

/// What one rounding takes of 1, in 32 bits and in 64.
const SINGLE: f64 = 1.0 / (1u64 << 24) as f64;
const DOUBLE: f64 = 1.0 / (1u64 << 53) as f64;

/// Holds results and gradients of a case against PyTorch's.
pub(crate) fn replay(case: &Case) {
    let op = operator(case);
    // PyTorch's answers are rounded in 64 bits too, and its functions lose some units where ours do not.
    let double = if case.single { SINGLE } else { 8.0 * DOUBLE };
    alone::<f64>(case, &op, &engine(Layout::default()), double);
    for layout in Layout::ALL {
        alone::<f32>(case, &op, &engine(layout), SINGLE);
    }
    if case.dy.is_some() {
        let graph = as_a_network(case, &op);
        evaluation(case, &graph, double);
        for layout in Layout::ALL {
            program(case, &graph, layout);
        }
    }
}

fn options(layout: Layout) -> RuntimeOptions {
    RuntimeOptions {
        layout,
        threads: 2,
        ..RuntimeOptions::default()
    }
}

fn engine(layout: Layout) -> Eager {
    Eager::new(options(layout)).unwrap()
}

/// The operator on tensors.
fn alone<T: Element + compare::Element>(case: &Case, op: &Op, eager: &Eager, unit: f64) {
    let operands: Vec<Made<T>> = case.operands.iter().map(made).collect();
    let given: Vec<_> = operands
        .iter()
        .map(|operand| match operand {
            Made::Real(tensor) => Given::Real(tensor),
            Made::Index(tensor) => Given::Index(tensor),
        })
        .collect();
    let results = eager.apply(op.clone(), &given);
    let results = results.unwrap_or_else(|error| panic!("{}: {error}", case.name));
    let mut bounds = case.bounds.iter();
    for (place, (got, want)) in results.iter().zip(&case.results).enumerate() {
        let what = format!("{}: result {place}", case.name);
        match (got, &want.elements) {
            (Made::Real(got), Elements::Real(_)) => {
                assert_eq!(got.dims(), want.dims, "{what}");
                close(&what, got.data(), want, unit * bounds.next().unwrap());
            }
            (Made::Index(got), Elements::Index(numbers)) => {
                assert_eq!(
                    (got.dims(), got.data()),
                    (&want.dims[..], &numbers[..]),
                    "{what}"
                );
            }
            _ => panic!("{what} is of another type"),
        }
    }
    let Some(dy) = &case.dy else { return };
    let dy = made::<T>(dy).real();
    let gradients = eager.pullback(op.clone(), &given, &dy, &case.wanted);
    let gradients = gradients.unwrap_or_else(|error| panic!("{}: {error}", case.name));
    for (place, got) in gradients.iter().enumerate() {
        let what = format!("{}: gradient of operand {}", case.name, case.wanted[place]);
        let bound = unit * bounds.next().unwrap();
        assert_eq!(got.dims(), case.gradients[place].dims, "{what}");
        close(&what, got.data(), &case.gradients[place], bound);
    }
    assert_eq!(bounds.next(), None, "{}: a bound too many", case.name);
}

/// The operator as a layer whose operands are parameters, all that have a gradient but the first, or that one where
/// it is alone. Its inputs are the other operands and the gradient of its result.
fn as_a_network(case: &Case, op: &Op) -> Graph {
    let mut graph = Graph::new(&case.name);
    let operands: Vec<ValueId> = case
        .operands
        .iter()
        .enumerate()
        .map(|(place, operand)| {
            let learned = case.wanted.contains(&place) && (place > 0 || case.wanted.len() == 1);
            let role = match learned {
                true => Role::parameter(ParameterKind::Weight, Init::Constant(0.0)),
                false => Role::Input,
            };
            let element = match operand.elements {
                Elements::Real(_) => ElementType::Real,
                Elements::Index(_) => ElementType::Index,
            };
            let value = graph.add_value(Value {
                name: format!("operand {place}"),
                shape: operand.dims.clone(),
                element,
                role,
            });
            if !learned {
                graph.inputs.push(value);
            }
            value
        })
        .collect();
    let y = graph.append(op.clone(), "layer", operands.clone()).unwrap()[0];
    graph.outputs = vec![y];
    let wanted: Vec<_> = case.wanted.iter().map(|&place| operands[place]).collect();
    let mut graph = pullback(&graph, y, &wanted).unwrap();
    let gradients = graph.outputs.split_off(1);
    for (value, gradient) in wanted.into_iter().zip(gradients) {
        // The gradient of the result may pass through as it is, and then belongs to no parameter.
        let roles = [value, gradient].map(|id| graph.value(id).role);
        match roles {
            [Role::Parameter { .. }, Role::Computed] => graph.gradients.push((value, gradient)),
            _ => graph.outputs.push(gradient),
        }
    }
    remove_dead(&graph)
}

/// The array that a value of such a network stands for: an operand by its name, or else the gradient of the result.
fn array<'a>(case: &'a Case, value: &Value) -> &'a Array {
    match value.name.strip_prefix("operand ") {
        Some(place) => &case.operands[place.parse::<usize>().unwrap()],
        None => case.dy.as_ref().unwrap(),
    }
}

/// The network in f64.
fn evaluation(case: &Case, graph: &Graph, unit: f64) {
    let mut evaluation = Evaluation::new(graph).unwrap();
    let given: Vec<_> = graph
        .iter_values()
        .filter(|(_, value)| value.role != Role::Computed)
        .collect();
    for (id, value) in given {
        match &array(case, value).elements {
            Elements::Real(numbers) => evaluation.set(id, numbers),
            Elements::Index(numbers) => evaluation.set_index(id, numbers),
        }
    }
    evaluation.run(Run::default());
    let outputs = graph.outputs.iter().map(|&id| evaluation.value(id));
    let gradients = graph.gradients.iter().map(|&(_, id)| evaluation.value(id));
    network(case, outputs.chain(gradients), unit);
}

/// The network in f32.
fn program(case: &Case, graph: &Graph, layout: Layout) {
    let mut program = Program::new(graph.clone(), &options(layout)).unwrap();
    for (place, &id) in graph.inputs.iter().enumerate() {
        match &array(case, graph.value(id)).elements {
            Elements::Real(numbers) => program.input_f32(place).copy_from_slice(&rounded(numbers)),
            Elements::Index(numbers) => program.input_index(place).copy_from_slice(numbers),
        }
    }
    let slots = program.slots().to_vec();
    for ((_, value), slot) in graph.parameters().zip(&slots) {
        if let Elements::Real(numbers) = &array(case, value).elements {
            program.parameters_mut()[slot.range.clone()].copy_from_slice(&rounded(numbers));
        }
    }
    program.run(Run::default());
    let outputs = (0..graph.outputs.len()).map(|place| program.output(place));
    let gradients = graph.gradients.iter().map(|&(id, _)| {
        let name = &graph.value(id).name;
        let slot = slots.iter().find(|slot| slot.name == *name).unwrap();
        &program.gradients()[slot.range.clone()]
    });
    network(case, outputs.chain(gradients), SINGLE);
}

/// What a network made: its result and its gradients, in the order of the operands.
fn network<'a, T: compare::Element + 'a>(
    case: &Case,
    made: impl Iterator<Item = &'a [T]>,
    unit: f64,
) {
    let real = |array: &&Array| matches!(array.elements, Elements::Real(_));
    let results = case.results.iter().filter(real).count();
    let wants = case.results[..1].iter().chain(&case.gradients);
    let bounds = case.bounds[..1].iter().chain(&case.bounds[results..]);
    let wants: Vec<_> = wants.zip(bounds).collect();
    let made: Vec<_> = made.collect();
    assert_eq!(made.len(), wants.len(), "{}", case.name);
    for (place, (got, (want, bound))) in made.into_iter().zip(wants).enumerate() {
        let what = format!("{}: number {place} of its network", case.name);
        close(&what, got, want, unit * bound);
    }
}

/// Within a bound; without one, exactly.
fn close<T: compare::Element>(what: &str, got: &[T], want: &Array, bound: f64) {
    let Elements::Real(want) = &want.elements else {
        panic!("{what} should hold indices");
    };
    if bound == 0.0 {
        assert_exact(what, got, want);
    } else {
        assert_close(what, got, want, &vec![bound; want.len()]);
    }
}

fn rounded(numbers: &[f64]) -> Vec<f32> {
    numbers.iter().map(|&number| number as f32).collect()
}

fn made<T: Element>(array: &Array) -> Made<T> {
    match &array.elements {
        Elements::Real(numbers) => {
            let numbers: Vec<T> = numbers.iter().map(|&number| T::of(number)).collect();
            Made::Real(Tensor::from_slice(&array.dims, &numbers).unwrap())
        }
        Elements::Index(numbers) => Made::Index(Tensor::from_slice(&array.dims, numbers).unwrap()),
    }
}
