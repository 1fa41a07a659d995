//! Where the time of a run goes.

use std::time::Instant;

use crate::execute::{Machine, execute};
use crate::step::{Step, Work};
use crate::{Program, Run};

/// One step of a program and its time.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileRow {
    /// The layer it is done for.
    pub layer: String,
    /// The operator of the graph.
    pub op: &'static str,
    /// The kernel: `direct forward`, `pack`, `norm backward`; of an operator with a single one, its own name.
    pub kernel: String,
    /// Multiply-accumulates; 0 where they are not the work.
    pub macs: usize,
    /// Median over the repeats.
    pub milliseconds: f64,
}

impl ProfileRow {
    /// Whether the step only brings what enters or leaves a run from one layout or place to another.
    pub fn moves_edges(&self) -> bool {
        self.kernel.starts_with("reorder") || self.kernel == "copy"
    }

    /// Whether the step only packs weights. Those that are parameters are packed when they have
    /// changed, those that are inputs in every run.
    pub fn packs(&self) -> bool {
        self.kernel.starts_with("pack")
    }
}

impl ProfileRow {
    /// A step and the times of its runs.
    fn new(step: &Step, mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        Self {
            layer: step.layer.clone(),
            op: step.op,
            kernel: match &step.work {
                Work::Call { .. } => step.op.to_owned(),
                work => work.to_string(),
            },
            macs: step.work.macs(),
            milliseconds: times.get(times.len() / 2).copied().unwrap_or(0.0),
        }
    }
}

impl Program {
    /// Runs the graph `repeats` times, at least once, after a run to warm up, and times every step.
    /// Running statistics move on as in [`Program::run`]. What runs only after parameters changed is
    /// not in the list.
    pub fn profile(&mut self, run: Run, repeats: usize) -> Vec<ProfileRow> {
        self.run(run);
        let (machine, lowered) = self.parts();
        let steps = &lowered.main;
        let repeats = repeats.max(1);
        let mut times = vec![Vec::with_capacity(repeats); steps.len()];
        machine.team.enter(|| {
            for _ in 0..repeats {
                for (step, times) in steps.iter().zip(&mut times) {
                    times.push(timed(&machine, step, run));
                }
            }
        });
        let rows = steps.iter().zip(times);
        rows.map(|(step, times)| ProfileRow::new(step, times))
            .collect()
    }

    /// Runs the graph once, and each step `repeats` times, at least once, before the next: what a
    /// kernel costs that is called in a loop, with its operands in cache as far as they fit. A
    /// [profile](Program::profile) shows what it costs inside the network instead.
    ///
    /// Steps that write over what they read see it changed by the repeat before.
    pub fn profile_alone(&mut self, run: Run, repeats: usize) -> Vec<ProfileRow> {
        self.run(run);
        let (machine, lowered) = self.parts();
        let mut rows = Vec::with_capacity(lowered.main.len());
        machine.team.enter(|| {
            for step in &lowered.main {
                // One to warm up.
                let times = (0..=repeats.max(1)).map(|_| timed(&machine, step, run));
                rows.push(ProfileRow::new(step, times.skip(1).collect()));
            }
        });
        rows
    }
}

/// Milliseconds of one run of a step.
fn timed(machine: &Machine<'_>, step: &Step, run: Run) -> f64 {
    let start = Instant::now();
    execute(machine, std::slice::from_ref(step), run);
    start.elapsed().as_secs_f64() * 1e3
}
