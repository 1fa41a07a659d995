//! The time of every operator that has no problem in the notation, forward and backward.
//!
//! ```text
//! cargo bench -p convolve-runtime --bench operators               all of them
//! cargo bench -p convolve-runtime --bench operators -- norm       those with `norm` in the name
//! ```
//!
//! A row is a step of a program, repeated in its place: its kernel, median milliseconds, megabytes of its operands,
//! and gigabytes of them a second. Convolutions and pools are measured by `convolve bench --problem`, whole
//! networks by `convolve bench MODEL --profile`.

mod cases;

use std::error::Error;

use graph::passes::{TrainingOptions, training};
use graph::{ElementType, Graph, pullback};
use kernels::Team;
use runtime::{Program, Run, RuntimeOptions, initialise};

use self::cases::Case;

/// Runs of a step, the median of which is shown.
const REPEATS: usize = 21;

#[allow(clippy::print_stdout)] // a report is what it is for
fn main() -> Result<(), Box<dyn Error>> {
    // Cargo itself says `--bench`.
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let team = std::sync::Arc::new(Team::of_all_cores()?);
    println!(
        "{:28}{:34}{:>9}{:>9}{:>9}",
        "case", "kernel", "ms", "MB", "GB/s"
    );
    for case in cases::all()? {
        if !wanted.is_empty() && !wanted.iter().any(|part| case.name.contains(part)) {
            continue;
        }
        let graph = both_directions(&case)?;
        let options = RuntimeOptions::default();
        let mut program = Program::with_team(graph, &options, team.clone())?;
        fill(&mut program);
        for row in program.profile_alone(Run::default(), REPEATS) {
            if row.moves_edges()
                || row.packs()
                || !case
                    .in_training
                    .is_none_or(|counted| row.op.starts_with(counted))
            {
                continue;
            }
            let megabytes = row.bytes as f64 / 1e6;
            println!(
                "{:28}{:34}{:9.4}{:9.2}{:9.1}",
                case.name,
                row.kernel,
                row.milliseconds,
                megabytes,
                megabytes / row.milliseconds
            );
        }
    }
    Ok(())
}

/// The operator and the gradients of all it reads, or a step of training where only that has them.
fn both_directions(case: &Case) -> Result<Graph, Box<dyn Error>> {
    let graph = &case.network;
    if case.in_training.is_some() {
        return Ok(training(graph, TrainingOptions::default())?);
    }
    let given = graph.inputs.iter().copied();
    let learned = graph.parameters().map(|(id, _)| id);
    let reals = given.chain(learned).filter(|&id| {
        let value = graph.value(id);
        value.element == ElementType::Real && !value.name.starts_with("regions")
    });
    let wanted: Vec<_> = reals.collect();
    Ok(pullback(graph, graph.outputs[0], &wanted)?)
}

/// Numbers between −1 and 1, regions that are some, and labels of the first class.
fn fill(program: &mut Program) {
    initialise(program, 0);
    let inputs = program.graph().inputs.clone();
    for (place, id) in inputs.into_iter().enumerate() {
        let value = program.graph().value(id);
        if value.element == ElementType::Index {
            continue;
        }
        let regions = value.name.starts_with("regions");
        let mut state = 1u32;
        for (at, number) in program.input_f32(place).iter_mut().enumerate() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *number = match (regions, at % 5) {
                (false, _) => f64::from(state) as f32 / 2f32.powi(31) - 1.0,
                // The image, and a box on it.
                (true, 0) => 0.0,
                (true, corner) => 3.0 + (at / 5 % 16) as f32 + 16.0 * (corner / 3) as f32,
            };
        }
    }
}
