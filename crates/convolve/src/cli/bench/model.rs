//! `bench MODEL`: a whole network, forward or as a step of training.

use graph::passes::{TrainingOptions, inference, training};
use graph::{ElementType, Graph};
use runtime::{ProfileRow, Program, Run, initialise};
use serde_json::{Value, json};
use train::{Optimiser, Rule, Segment};

use super::timing::{Timing, merged, significant};
use super::{Arguments, random};
use crate::cli::engine::Engine;
use crate::cli::failure::usage;
use crate::cli::model::Subject;
use crate::cli::output::{self, Messages};
use crate::cli::table::{self, Align};
use crate::cli::weights::Asked;

/// Small enough that a network fed with noise stays finite for as long as it is measured.
const LEARNING_RATE: f64 = 0.01;

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
    let repeats = if arguments.profile { 10 } else { 1 };
    let rows = program.profile(Run::default(), repeats);
    let macs = rows.iter().map(|row| row.macs as u64).sum();
    let timing = match arguments.train {
        true => time_training(program, arguments.seconds)?,
        false => Timing::measure(arguments.seconds, || program.run(Run::default())),
    };
    let rows = if arguments.profile { rows } else { Vec::new() };
    let images_per_second = 1e3 * batch as f64 / timing.median_ms;
    if arguments.json {
        let mut named = json!({
            "model": subject.network.name, "batch": batch, "train": arguments.train,
            "input": subject.image, "precision": "f32",
            "layout": arguments.engine.layout.to_string(),
            "threads": arguments.engine.threads(), "images_per_second": significant(images_per_second),
        });
        if arguments.profile {
            named["profile"] = rows.iter().map(row_as_json).collect();
        }
        output::json(&merged(named, timing.to_json(macs)))?;
        return Ok(());
    }
    if arguments.profile {
        output::data(profile_table(&rows))?;
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
pub(in crate::cli) fn prepare(
    subject: &mut Subject,
    graph: Graph,
    engine: &Engine,
) -> anyhow::Result<Program> {
    let mut program = Program::new(graph, &engine.options())?;
    initialise(&mut program, 0);
    subject.restore(&mut program)?;
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

fn graph_of(network: &Graph, arguments: &Arguments) -> anyhow::Result<Graph> {
    let graph = match arguments.train {
        true => training(network, TrainingOptions::default()),
        false => inference(network),
    };
    graph.map_err(usage)
}

/// A step is forward, backward and the optimiser's move, SGD with momentum.
fn time_training(mut program: Program, seconds: f64) -> anyhow::Result<Timing> {
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
        let (parameters, gradients) = program.parameters_and_gradients();
        optimiser.step(parameters, gradients, LEARNING_RATE);
        step += 1;
    }))
}

fn row_as_json(row: &ProfileRow) -> Value {
    json!({
        "layer": row.layer, "op": row.op, "kernel": row.kernel, "macs": row.macs,
        "median_ms": significant(row.milliseconds),
    })
}

/// Where the time goes, step by step.
fn profile_table(rows: &[ProfileRow]) -> String {
    let total: f64 = rows.iter().map(|row| row.milliseconds).sum();
    let cells: Vec<_> = rows
        .iter()
        .map(|row| {
            let gflops = 2.0 * row.macs as f64 / (row.milliseconds * 1e6);
            [
                row.layer.clone(),
                row.op.to_owned(),
                row.kernel.clone(),
                format!("{:.4}", row.milliseconds),
                format!("{:.1} %", 100.0 * row.milliseconds / total),
                match row.macs {
                    0 => String::new(),
                    _ => format!("{gflops:.1}"),
                },
            ]
        })
        .collect();
    let heading = [
        ("layer", Align::Left),
        ("operator", Align::Left),
        ("kernel", Align::Left),
        ("median ms", Align::Right),
        ("share", Align::Right),
        ("GFLOP/s", Align::Right),
    ];
    table::lines(heading, &cells).join("\n")
}
