//! `bench --problem` of operators that run as steps of a program.

use std::sync::Arc;

use geometry::Problem;
use graph::ElementType;
use kernels::Team;
use runtime::{Program, Run};

use super::timing::Timing;
use super::{Arguments, random};
use crate::failure::usage;
use crate::op::{Asked, Direction, Operator, refused};

/// Runs of a step in its place, the median of which is a sample.
const REPEATS: usize = 8;

/// What was measured.
pub(super) struct Measured {
    /// The kernels, joined by `+`.
    pub(super) kernels: String,
    pub(super) macs: u64,
    pub(super) timing: Timing,
}

/// A problem in a direction, as `op` computes it; forwards without what may be asked for besides.
pub(super) fn asked_for(problem: &Problem, arguments: &Arguments) -> anyhow::Result<Operator> {
    let direction = arguments.direction;
    let asked = Asked {
        bias: direction == Direction::BackwardBias,
        algorithm: arguments.algorithm,
        ..Asked::default()
    };
    Operator::new(problem, direction, asked).map_err(usage)
}

/// Times the steps that compute a problem in a direction. What brings arrays into the layout of the
/// computation and back is not counted, nor the packing of weights: inside a network nothing of it
/// happens.
pub(super) fn measure(
    problem: &Problem,
    arguments: &Arguments,
    team: &Arc<Team>,
) -> anyhow::Result<Measured> {
    let operator = asked_for(problem, arguments)?;
    let mut options = arguments.engine.options();
    options.algorithm = arguments.algorithm;
    let inputs = operator.graph.inputs.clone();
    let elements: Vec<_> = inputs
        .iter()
        .map(|&id| operator.graph.value(id).element)
        .collect();
    let program = Program::with_team(operator.graph.clone(), &options, Arc::clone(team));
    let mut program = program.map_err(refused)?;
    for (place, element) in elements.into_iter().enumerate() {
        if element == ElementType::Real {
            random::fill(program.input_f32(place), place as u64 + 1);
        }
    }
    let mut macs = 0;
    let mut kernels = String::new();
    let timing = Timing::of_samples(arguments.seconds, || {
        let rows = program.profile_alone(Run::default(), REPEATS);
        // A gradient that needs what the operator remembers comes after the operator itself.
        let counted: Vec<_> = rows
            .iter()
            .filter(|row| operator.counts(row.op) && !row.moves_edges() && !row.packs())
            .collect();
        macs = counted.iter().map(|row| row.macs as u64).sum();
        let mut names: Vec<_> = counted.iter().map(|row| row.kernel.as_str()).collect();
        names.dedup();
        kernels = names.join(" + ");
        if matches!(problem, Problem::ConvTransposed(..)) {
            kernels = format!("transposed: {kernels}");
        }
        counted.iter().map(|row| row.milliseconds).sum()
    });
    Ok(Measured {
        kernels,
        macs,
        timing,
    })
}
