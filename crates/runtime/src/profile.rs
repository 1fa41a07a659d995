//! Where the time of a run goes.

use std::time::Instant;

use kernels::conv::{Algorithm, Refusal};

use crate::execute::{Machine, execute};
use crate::lower::Idle;
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
    /// [`ProfileRow::IDLE`] where the result is there already.
    pub kernel: String,
    /// Better algorithms, and why they do not serve the problem.
    pub refused: Vec<(Algorithm, Refusal)>,
    /// Multiply-accumulates; 0 where they are not the work.
    pub macs: usize,
    /// Bytes of its operands, read and written: what memory has to bring and take at least, each
    /// element once.
    pub bytes: usize,
    /// Median over the repeats.
    pub milliseconds: f64,
}

impl ProfileRow {
    /// The kernel of a node that needs no step, such as a flattening.
    pub const IDLE: &'static str = "none";

    /// Whether the step only brings a map from one layout to the other.
    pub fn converts_layout(&self) -> bool {
        self.kernel.starts_with("reorder")
    }

    /// Whether the step only brings what enters or leaves a run from one layout or place to another.
    pub fn moves_edges(&self) -> bool {
        self.converts_layout() || self.kernel == "copy"
    }

    /// Whether the step only packs weights. Those that are parameters are packed when they have
    /// changed, those that are inputs in every run.
    pub fn packs(&self) -> bool {
        self.kernel.starts_with("pack")
    }
}

impl ProfileRow {
    /// A step and the times of its runs.
    fn new(machine: &Machine<'_>, step: &Step, mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        Self {
            layer: step.layer.clone(),
            op: step.op,
            kernel: match &step.work {
                Work::Call { .. } => step.op.to_owned(),
                work => work.to_string(),
            },
            refused: step.work.refused().to_vec(),
            macs: step.work.macs(),
            bytes: step.work.bytes(|id| machine.spans[id.index()].len),
            milliseconds: times.get(times.len() / 2).copied().unwrap_or(0.0),
        }
    }

    /// A node without a step.
    fn idle(node: &Idle) -> Self {
        Self {
            layer: node.layer.clone(),
            op: node.op,
            kernel: Self::IDLE.to_owned(),
            refused: Vec::new(),
            macs: 0,
            bytes: 0,
            milliseconds: 0.0,
        }
    }
}

impl Program {
    /// Runs the graph `repeats` times, at least once, after a run to warm up, and times every step.
    /// Running statistics move on as in [`Program::run`]. Nodes that need no step have a row too. What
    /// runs only after parameters changed is not in the list: see
    /// [`profile_preparation`](Program::profile_preparation).
    pub fn profile(&mut self, run: Run, repeats: usize) -> Vec<ProfileRow> {
        self.run(run);
        let (machine, lowered) = self.parts();
        let mut steps = timed_together(&machine, &lowered.main, run, repeats).into_iter();
        let mut rows = Vec::with_capacity(steps.len() + lowered.idle.len());
        for (before, node) in lowered.idle.iter().enumerate() {
            let missing = before + node.after - rows.len();
            rows.extend(steps.by_ref().take(missing));
            rows.push(ProfileRow::idle(node));
        }
        rows.extend(steps);
        rows
    }

    /// Times what runs only after parameters or states changed: packing of weights, folding of norms.
    /// A training program has none of it, as it does all this in every run.
    ///
    /// ```
    /// # use geometry::ConvDesc;
    /// # use graph::{NetworkBuilder, passes};
    /// # use runtime::{Program, Run, RuntimeOptions, initialise};
    /// # let mut network = NetworkBuilder::new("one", [1, 8, 6, 6]);
    /// # let x = network.input();
    /// # let y = network.conv("conv", x, ConvDesc::new(8, 3), false)?;
    /// # let graph = passes::inference(&network.finish(y)?)?;
    /// # let mut program = Program::new(graph, &RuntimeOptions::default())?;
    /// let rows = program.profile_preparation(Run::default(), 1);
    /// assert!(rows.iter().any(|row| row.layer == "conv" && row.packs()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn profile_preparation(&mut self, run: Run, repeats: usize) -> Vec<ProfileRow> {
        let (machine, lowered) = self.parts();
        timed_together(&machine, &lowered.prologue, run, repeats)
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
                rows.push(ProfileRow::new(&machine, step, times.skip(1).collect()));
            }
        });
        rows
    }
}

/// Runs all steps in turn, over and over, and times each.
fn timed_together(
    machine: &Machine<'_>,
    steps: &[Step],
    run: Run,
    repeats: usize,
) -> Vec<ProfileRow> {
    let repeats = repeats.max(1);
    let mut times = vec![Vec::with_capacity(repeats); steps.len()];
    machine.team.enter(|| {
        for _ in 0..repeats {
            for (step, times) in steps.iter().zip(&mut times) {
                times.push(timed(machine, step, run));
            }
        }
    });
    let rows = steps.iter().zip(times);
    rows.map(|(step, times)| ProfileRow::new(machine, step, times))
        .collect()
}

/// Milliseconds of one run of a step.
fn timed(machine: &Machine<'_>, step: &Step, run: Run) -> f64 {
    let start = Instant::now();
    execute(machine, std::slice::from_ref(step), run);
    start.elapsed().as_secs_f64() * 1e3
}
