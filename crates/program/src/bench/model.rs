//! `bench MODEL`: a whole network, forward or as a step of training.

use std::time::Instant;

use graph::passes::{TrainingOptions, inference, training};
use graph::{ElementType, Graph};
use runtime::{ProfileRow, Program, Run};
use serde_json::json;
use train::{Optimiser, Rule, Segment};

use super::report::Report;
use super::timing::{Timing, merged, significant};
use super::{Arguments, peak, random};
use crate::engine::Engine;
use crate::failure::usage;
use crate::model::Subject;
use crate::output::{self, Messages};
use crate::weights::Asked;

/// Small enough that a network fed with noise stays finite for as long as it is measured.
const LEARNING_RATE: f64 = 0.01;
/// Runs that the steps of a network beside others are measured in.
const REPEATS: usize = 20;

/// Measures one network on random images and labels.
pub(super) fn run(name: &str, arguments: &Arguments, messages: Messages) -> anyhow::Result<()> {
    let batch = arguments.batch.into();
    let asked = Asked {
        model: name,
        weights: arguments.weights.as_deref(),
        classes: arguments.num_classes,
        input: arguments.input,
    };
    let mut subject = Subject::open(&asked, batch, messages)?;
    if arguments.train {
        subject.must_classify()?;
    }
    let graph = graph_of(&subject.network, arguments)?;
    let mut program = prepare(&mut subject, graph, &arguments.engine)?;
    let peak = match (arguments.profile, arguments.peak_gflops) {
        (true, None) => peak::measure(program.team(), arguments.engine.isa(), peak::SECONDS).0,
        (_, asked) => asked.unwrap_or_default(),
    };
    let repeats = if arguments.profile { 10 } else { 1 };
    let mut report = Report {
        run: program.profile(Run::default(), repeats),
        once: program.profile_preparation(Run::default(), repeats),
        peak,
    };
    let macs = report.macs();
    let timing = match arguments.train {
        true => {
            let mut moves = Vec::new();
            let timing = time_training(&mut program, arguments.seconds, &mut moves)?;
            report.run.push(optimiser_row(&program, moves));
            timing
        }
        false => Timing::measure(arguments.seconds, || program.run(Run::default())),
    };
    let images_per_second = 1e3 * batch as f64 / timing.median_ms;
    if arguments.json {
        let mut answer = json!({
            "model": subject.network.name, "batch": batch, "train": arguments.train,
            "input": subject.image, "precision": "f32",
            "layout": arguments.engine.layout.to_string(),
            "threads": arguments.engine.threads(), "images_per_second": significant(images_per_second),
        });
        if arguments.profile {
            answer = merged(answer, report.to_json());
        }
        output::json(&merged(answer, timing.to_json(macs)))?;
        return Ok(());
    }
    if arguments.profile {
        output::data(report.to_text())?;
        output::data("")?;
    }
    output::data(format_args!(
        "{}, {}, batch {batch}: median {:.3} ms, min {:.3} ms of {} runs; {:.0} images/s, {:.1} GFLOP/s",
        subject.network.name,
        if arguments.train {
            "training step"
        } else {
            "forward"
        },
        timing.median_ms,
        timing.min_ms,
        timing.runs,
        images_per_second,
        timing.gflops(macs)
    ))?;
    Ok(())
}

/// A program of the graph that was made of a network, with the weights there are, random ones else, on random
/// images and labels.
///
/// # Errors
/// A graph that cannot be run, or weights that do not fit.
fn prepare(subject: &mut Subject, graph: Graph, engine: &Engine) -> anyhow::Result<Program> {
    let mut program = Program::new(graph, &engine.options())?;
    subject.fill(&mut program)?;
    let inputs = program.graph().inputs.clone();
    for (place, id) in inputs.into_iter().enumerate() {
        match program.graph().value(id).element {
            ElementType::Real => random::fill(program.input_f32(place), 1),
            ElementType::Index => {
                let labels = program.input_index(place).iter_mut().enumerate();
                labels.for_each(|(index, label)| *label = (index * 7 % subject.classes) as u32);
            }
        }
    }
    Ok(program)
}

/// What each step of a forward run takes, by the weights there are, on random images.
///
/// # Errors
/// As [`prepare`].
pub(crate) fn profile(subject: &mut Subject, engine: &Engine) -> anyhow::Result<Vec<ProfileRow>> {
    let graph = inference(&subject.network).map_err(usage)?;
    let mut program = prepare(subject, graph, engine)?;
    Ok(program.profile(Run::default(), REPEATS))
}

fn graph_of(network: &Graph, arguments: &Arguments) -> anyhow::Result<Graph> {
    let graph = match arguments.train {
        true => training(network, TrainingOptions::default()),
        false => inference(network),
    };
    graph.map_err(usage)
}

/// A step is forward, backward and the optimiser's move, SGD with momentum. `moves` gets the
/// milliseconds of the last of these.
fn time_training(
    program: &mut Program,
    seconds: f64,
    moves: &mut Vec<f64>,
) -> anyhow::Result<Timing> {
    let segments = program.slots().iter().map(|slot| Segment {
        range: slot.range.clone(),
        decays: false,
    });
    let rule = Rule::Sgd {
        momentum: 0.9,
        nesterov: false,
    };
    let len = program.parameters().len();
    let mut optimiser = Optimiser::new(rule, 0.0, segments.collect(), len)?;
    let mut step = 0;
    Ok(Timing::measure(seconds, || {
        program.run(Run { seed: 0, step });
        let begin = Instant::now();
        let (parameters, gradients) = program.parameters_and_gradients();
        optimiser.step(parameters, gradients, LEARNING_RATE);
        moves.push(begin.elapsed().as_secs_f64() * 1e3);
        step += 1;
    }))
}

/// The optimiser as a step of its own: it reads parameters, gradients and velocities, and writes the
/// first and the last.
fn optimiser_row(program: &Program, moves: Vec<f64>) -> ProfileRow {
    ProfileRow {
        layer: "all parameters".to_owned(),
        op: "optimiser",
        kernel: "sgd".to_owned(),
        refused: Vec::new(),
        macs: 0,
        bytes: 5 * size_of_val(program.parameters()),
        milliseconds: Timing::of(moves).median_ms,
    }
}
