//! `bench --peak`: the processor's own limit.

use kernels::{Team, peak};
use serde_json::json;

use super::Arguments;
use super::timing::{Timing, merged};
use crate::cli::engine::Engine;
use crate::cli::output;

/// Rounds of a task: about a tenth of a millisecond, long enough that starting it does not count.
const ROUNDS: usize = 40_000;
/// Tasks for each thread, so that one that is held up leaves work to the others.
const TASKS: usize = 16;

/// Measures fused multiply-adds on all threads.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let engine = &arguments.engine;
    let (timing, macs) = measure(engine, arguments.seconds)?;
    let (isa, threads) = (engine.isa(), engine.threads());
    if arguments.json {
        let named = json!({ "peak": isa.to_string(), "threads": threads });
        output::json(&merged(named, timing.to_json(macs)))?;
    } else {
        output::data(format_args!(
            "{:.1} GFLOP/s f32 ({isa}, {threads} threads)",
            timing.gflops(macs),
        ))?;
    }
    Ok(())
}

/// Billions of operations a second that the processor can do at most, measured for so many seconds.
///
/// # Errors
/// Threads that cannot be had.
pub(in crate::cli) fn gflops(engine: &Engine, seconds: f64) -> anyhow::Result<f64> {
    let (timing, macs) = measure(engine, seconds)?;
    Ok(timing.gflops(macs))
}

/// Times of runs, and the multiply-accumulates of one.
fn measure(engine: &Engine, seconds: f64) -> anyhow::Result<(Timing, u64)> {
    let (team, isa) = (Team::new(engine.threads())?, engine.isa());
    let tasks = TASKS * team.threads();
    let timing = Timing::measure(seconds, || {
        team.for_each(tasks, |_, _| {
            peak::multiply_accumulates(isa, ROUNDS);
        });
    });
    let macs = peak::multiply_accumulates(isa, ROUNDS) * tasks as u64;
    Ok((timing, macs))
}
