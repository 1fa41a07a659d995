//! `bench --problem`: one problem in one direction.

use std::sync::Arc;

use anyhow::anyhow;
use geometry::{ConvGeometry, PaddingMode, Problem};
use kernels::conv::{ConvOptions, ConvPlan, Direction, Epilogue};
use kernels::{Context, Team};
use serde_json::json;
use tensor::Buffer;

use super::operator::{self, Measured};
use super::timing::{Timing, merged};
use super::{Arguments, random};
use crate::arrays::zeros;
use crate::failure::{exit_code, usage};
use crate::op::parse;
use crate::output;
use crate::table::{self, Align};

/// Measures every problem in turn.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let team = Arc::new(Team::new(arguments.engine.threads())?);
    // All are looked at before any is measured: a slip in the last one shows at once.
    let problems = arguments
        .problems
        .iter()
        .map(|text| Ok((text, Prepared::new(text, arguments)?)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut rows = Vec::new();
    for (text, prepared) in problems {
        let Measured {
            kernels,
            macs,
            timing,
        } = prepared
            .measure(arguments, &team)
            .map_err(|error| of_problem(text, error))?;
        if arguments.json {
            let named = json!({
                "problem": text, "direction": arguments.direction.to_string(),
                "algorithm": kernels,
                "layout": arguments.engine.layout.to_string(), "threads": team.threads(),
            });
            output::json(&merged(named, timing.to_json(macs)))?;
            continue;
        }
        rows.push([
            text.clone(),
            kernels,
            format!("{:.4}", timing.median_ms),
            format!("{:.4}", timing.min_ms),
            match macs {
                0 => String::new(),
                _ => format!("{:.1}", timing.gflops(macs)),
            },
        ]);
    }
    if !arguments.json {
        let heading = [
            ("problem", Align::Left),
            ("algorithm", Align::Left),
            ("median ms", Align::Right),
            ("min ms", Align::Right),
            ("GFLOP/s", Align::Right),
        ];
        output::data(table::lines(heading, &rows).join("\n"))?;
    }
    Ok(())
}

/// An error while a problem was measured, with its name: there may be several.
fn of_problem(text: &str, error: anyhow::Error) -> anyhow::Error {
    let named = format!("problem '{text}': {error}");
    match exit_code(&error) {
        2 => usage(named),
        _ => anyhow!(named),
    }
}

/// A problem that has been looked at.
enum Prepared {
    /// A convolution: its kernel alone is timed.
    Convolution(Box<ConvPlan>, Direction),
    /// Anything else: the steps of a program.
    Operator(Problem),
}

impl Prepared {
    fn new(text: &str, arguments: &Arguments) -> anyhow::Result<Self> {
        let problem = parse(text).map_err(usage)?;
        let (Problem::Conv(shape, desc), Some(direction)) =
            (&problem, arguments.direction.of_convolution())
        else {
            operator::asked_for(&problem, arguments)?;
            return Ok(Self::Operator(problem));
        };
        let geometry = desc.resolve(&shape.dims);
        let geometry = geometry.map_err(|error| usage(format!("problem '{text}': {error}")))?;
        if geometry.padding_mode != PaddingMode::Zeros {
            return Ok(Self::Operator(problem));
        }
        let options = ConvOptions {
            layout: arguments.engine.layout,
            isa: arguments.engine.isa(),
            algorithm: arguments.algorithm,
            strict: arguments.engine.strict,
            repacked: false,
        };
        let plan = ConvPlan::new(&geometry, direction, options);
        let plan = plan.map_err(|error| usage(format!("problem '{text}': {error}")))?;
        Ok(Self::Convolution(Box::new(plan), direction))
    }

    fn measure(&self, arguments: &Arguments, team: &Arc<Team>) -> anyhow::Result<Measured> {
        match self {
            Self::Operator(problem) => operator::measure(problem, arguments, team),
            Self::Convolution(plan, direction) => Ok(Measured {
                kernels: plan.algorithm().to_string(),
                macs: plan.geometry().macs() as u64,
                timing: measure(plan, *direction, arguments, team)?,
            }),
        }
    }
}

/// Times the kernel alone: weights are packed and memory is taken before, as an engine does at plan time.
fn measure(
    plan: &ConvPlan,
    direction: Direction,
    arguments: &Arguments,
    team: &Team,
) -> anyhow::Result<Timing> {
    let geometry = plan.geometry();
    let ctx = Context {
        team,
        isa: arguments.engine.isa(),
    };
    let mut x = random_array(input_len(geometry), "the input", 1)?;
    let mut w = random_array(geometry.weight_count(), "the weight", 2)?;
    let mut y = random_array(output_len(geometry), "the output", 3)?;
    let mut packed = zeros(plan.packed_len(), "the packed weight")?;
    let mut scratch = zeros(plan.scratch_len(team.threads()), "scratch memory")?;
    plan.pack(&ctx, &w, &mut packed);
    // A network enters its threads once a run, and its kernels find them awake.
    Ok(team.enter(|| {
        Timing::measure(arguments.seconds, || match direction {
            Direction::Forward => {
                let epilogue = Epilogue::default();
                plan.forward(&ctx, &x, &packed, epilogue, &mut y, &mut scratch);
            }
            Direction::BackwardData => {
                plan.backward_data(&ctx, &y, &packed, Epilogue::default(), &mut x, &mut scratch);
            }
            Direction::BackwardWeights => {
                plan.backward_weights(&ctx, &x, &y, &mut w, &mut scratch);
            }
        })
    }))
}

fn input_len(geometry: &ConvGeometry) -> usize {
    geometry.input_shape().iter().product()
}

fn output_len(geometry: &ConvGeometry) -> usize {
    geometry.output_shape().iter().product()
}

fn random_array(len: usize, what: &str, seed: u64) -> anyhow::Result<Buffer<f32>> {
    let mut array = zeros(len, what)?;
    random::fill(&mut array, seed);
    Ok(array)
}
