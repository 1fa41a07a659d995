//! `bench --peak`: the processor's own limit.

use kernels::{Isa, Team, peak};
use serde_json::json;

use super::Arguments;
use super::timing::{Timing, merged};
use crate::engine::Engine;
use crate::output;

/// Rounds of a task: about a tenth of a millisecond, long enough that starting it does not count.
const ROUNDS: usize = 40_000;
/// Tasks for each thread, so that one that is held up leaves work to the others.
const TASKS: usize = 16;

/// Measures fused multiply-adds on all threads.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let engine = &arguments.engine;
    let (team, isa) = (Team::new(engine.threads())?, engine.isa());
    let (gflops, timing, macs) = measure(&team, isa, arguments.seconds);
    if arguments.json {
        let named = json!({ "peak": isa.to_string(), "threads": team.threads() });
        output::json(&merged(named, timing.to_json(macs)))?;
    } else {
        output::data(format_args!(
            "{gflops:.1} GFLOP/s f32 ({isa}, {} threads)",
            team.threads()
        ))?;
    }
    Ok(())
}

/// How long it is measured where something else is held against it.
pub(super) const SECONDS: f64 = 0.3;

/// Billions of operations a second that the processor can do at most.
///
/// # Errors
/// Threads that cannot be had.
pub(crate) fn gflops(engine: &Engine) -> anyhow::Result<f64> {
    Ok(measure(&Team::new(engine.threads())?, engine.isa(), SECONDS).0)
}

/// GFLOP/s, and the timing and the multiply-accumulates they come from.
pub(super) fn measure(team: &Team, isa: Isa, seconds: f64) -> (f64, Timing, u64) {
    let tasks = TASKS * team.threads();
    let timing = Timing::measure(seconds, || {
        team.for_each(tasks, |_, _| {
            peak::multiply_accumulates(isa, ROUNDS);
        });
    });
    let macs = peak::multiply_accumulates(isa, ROUNDS) * tasks as u64;
    (timing.gflops(macs), timing, macs)
}
