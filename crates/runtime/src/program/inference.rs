//! A program that only runs, and has given back the memory of what no run reads.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use graph::Graph;

use super::Program;
use crate::execute::{Machine, execute};
use crate::memory::{LINE, Span};
use crate::regions::within;
use crate::step::Step;
use crate::{MemoryReport, Run};

/// Bytes of parameters that are packed before their memory is given back: often enough that hardly more than one
/// copy of the weights is there at a time, and seldom enough that waking the threads costs nothing.
const AT_ONCE: usize = 8 << 20;

/// A program whose parameters stay as they are. Its runs read packed copies of most of them; where they lay themselves
/// no memory is left, so that the program takes about as much as its packed weights and feature maps.
///
/// ```
/// use geometry::ConvDesc;
/// use graph::{NetworkBuilder, passes};
/// use runtime::{Program, Run, RuntimeOptions, initialise};
///
/// let mut network = NetworkBuilder::new("tiny", [1, 3, 8, 8]);
/// let x = network.input();
/// let y = network.conv("conv", x, ConvDesc::new(4, 3), true)?;
/// let graph = passes::inference(&network.finish(y)?)?;
///
/// let mut program = Program::new(graph, &RuntimeOptions::default())?;
/// initialise(&mut program, 7);
/// let mut program = program.into_inference();
/// program.input_f32(0).fill(0.5);
/// program.run(Run::default());
/// assert_eq!(program.output(0).len(), 4 * 6 * 6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct InferenceProgram(Program);

impl fmt::Debug for InferenceProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InferenceProgram").field(&self.0).finish()
    }
}

impl Program {
    /// Computes what depends on parameters and states alone, such as packed weights and folded norms, and gives back
    /// the memory of every parameter that is read for the last time, as far as the system takes it by the page. From
    /// then on the parameters can neither be read nor changed.
    ///
    /// Of a graph with gradients, whose runs read all parameters, nothing is given back.
    pub fn into_inference(mut self) -> InferenceProgram {
        let mut spent = self.spent();
        // A parameter that nobody reads is spent from the start.
        let mut ended: Vec<Span> = spent.remove(&None).unwrap_or_default();
        let (mut done, mut held) = (0, 0);
        for step in 0..self.lowered.prologue.len() {
            let spans = spent.remove(&Some(step)).unwrap_or_default();
            held += spans.iter().map(|span| span.len).sum::<usize>();
            ended.extend(spans);
            if held * size_of::<f32>() >= AT_ONCE {
                self.prepare(done..step + 1);
                self.release(&mut ended);
                (done, held) = (step + 1, 0);
            }
        }
        self.prepare(done..self.lowered.prologue.len());
        self.release(&mut ended);
        self.prepared = true;
        InferenceProgram(self)
    }

    /// Runs some steps of the prologue.
    fn prepare(&mut self, steps: Range<usize>) {
        let machine = Machine {
            team: &self.team,
            isa: self.isa,
            view: self.block.view(),
            spans: &self.lowered.spans,
        };
        let steps = &self.lowered.prologue[steps];
        self.team
            .enter(move || execute(&machine, steps, Run::default()));
    }

    /// The parameters that no run reads, by the step of the prologue that reads them last.
    fn spent(&self) -> HashMap<Option<usize>, Vec<Span>> {
        let region = self.regions.parameters;
        let slots = self.regions.slots.iter();
        let slots = slots.map(|slot| within(region, &slot.range));
        // By where they start: a step reads all of a parameter.
        let mut last: HashMap<usize, (Span, Option<usize>)> = slots
            .filter(|span| span.len > 0)
            .map(|span| (span.start, (span, None)))
            .collect();
        let read = |step: &Step| {
            let reads = step.work.operands().reads.into_iter();
            let starts = reads.map(|id| self.lowered.spans[id.index()].start);
            starts.collect::<Vec<_>>()
        };
        for (index, step) in self.lowered.prologue.iter().enumerate() {
            for start in read(step) {
                last.entry(start)
                    .and_modify(|(_, step)| *step = Some(index));
            }
        }
        for start in self.lowered.main.iter().flat_map(read) {
            last.remove(&start);
        }
        let mut spent: HashMap<_, Vec<_>> = HashMap::new();
        for (span, step) in last.into_values() {
            spent.entry(step).or_default().push(span);
        }
        spent
    }

    /// Gives back the memory of parameters, those side by side in one piece, so that the page they share goes too.
    fn release(&mut self, ended: &mut Vec<Span>) {
        ended.sort_by_key(|span| span.start);
        let mut pieces: Vec<Span> = Vec::with_capacity(ended.len());
        for span in ended.iter() {
            match pieces.last_mut() {
                Some(piece) if span.start <= (piece.start + piece.len).next_multiple_of(LINE) => {
                    piece.len = span.start + span.len - piece.start;
                }
                _ => pieces.push(*span),
            }
        }
        for &piece in &pieces {
            self.block.release(piece);
        }
        // What ends later may lie beside them.
        *ended = pieces;
    }
}

impl InferenceProgram {
    /// As [`Program::graph`].
    pub fn graph(&self) -> &Graph {
        self.0.graph()
    }

    /// As [`Program::input_f32`].
    ///
    /// # Panics
    /// As there.
    pub fn input_f32(&mut self, index: usize) -> &mut [f32] {
        self.0.input_f32(index)
    }

    /// As [`Program::input_index`].
    ///
    /// # Panics
    /// As there.
    pub fn input_index(&mut self, index: usize) -> &mut [u32] {
        self.0.input_index(index)
    }

    /// As [`Program::run`].
    ///
    /// # Panics
    /// As there.
    pub fn run(&mut self, run: Run) {
        self.0.run(run);
    }

    /// As [`Program::output`].
    ///
    /// # Panics
    /// As there.
    pub fn output(&self, index: usize) -> &[f32] {
        self.0.output(index)
    }

    /// As [`Program::output_index`].
    ///
    /// # Panics
    /// As there.
    pub fn output_index(&self, index: usize) -> &[u32] {
        self.0.output_index(index)
    }

    /// As [`Program::memory`]: what the program addresses, given back or not.
    pub fn memory(&self) -> MemoryReport {
        self.0.memory()
    }
}
