//! A term of operands, folded over axes.
//!
//! The target is cut into *bands* of neighbours that are folded side by side, and the source of a band
//! into *parts*. A task folds a part into lanes, and then the lanes; the parts are folded last. All of
//! it is decided by the shapes, so that a result does not depend on the threads.

use std::ops::Range;

use super::operand::{CHUNK, Readers, Runs};
use super::term::{Term, larger};
use crate::blocks::{BLOCK, for_rows};
use crate::nest::{Loop, Nest};
use crate::shared::Shared;
use crate::{Context, Real};

/// Bands and parts together are at most about so many, where parts are cut at all.
const MOST_TASKS: usize = 256;

/// The operand of a nest that is the target of a fold: it stands still in the loops folded over.
pub(super) const TARGET: usize = 3;

/// How elements are folded into one.
pub(super) trait Fold<T: Real>: Sync {
    /// What a lane holds.
    type Lane: Copy;

    /// A lane that holds nothing yet.
    fn start() -> Self::Lane;

    /// Folds an element into a lane.
    fn step(lane: Self::Lane, value: T) -> Self::Lane;

    /// Folds one lane into another.
    fn join(lane: Self::Lane, other: Self::Lane) -> Self::Lane;

    /// A lane as an element, for a part of the source.
    fn part(lane: Self::Lane) -> T;

    /// A lane as an element of the target.
    fn finish(&self, lane: Self::Lane) -> T;
}

/// The sum, kept in f64 so that its rounding error does not grow with its length, over a divisor.
pub(super) struct Sum {
    /// 1 for a sum, the number of elements for a mean.
    pub(super) divisor: f64,
}

impl<T: Real> Fold<T> for Sum {
    type Lane = f64;

    #[inline(always)]
    fn start() -> f64 {
        0.0
    }

    #[inline(always)]
    fn step(lane: f64, value: T) -> f64 {
        lane + value.wide()
    }

    #[inline(always)]
    fn join(lane: f64, other: f64) -> f64 {
        lane + other
    }

    #[inline(always)]
    fn part(lane: f64) -> T {
        T::of(lane)
    }

    #[inline(always)]
    fn finish(&self, lane: f64) -> T {
        T::of(lane / self.divisor)
    }
}

/// The largest element, −∞ where there is none; NaN if one is.
pub(super) struct Largest;

impl<T: Real> Fold<T> for Largest {
    type Lane = T;

    #[inline(always)]
    fn start() -> T {
        T::neg_infinity()
    }

    #[inline(always)]
    fn step(lane: T, value: T) -> T {
        larger(lane, value)
    }

    #[inline(always)]
    fn join(lane: T, other: T) -> T {
        larger(lane, other)
    }

    #[inline(always)]
    fn part(lane: T) -> T {
        lane
    }

    #[inline(always)]
    fn finish(&self, lane: T) -> T {
        lane
    }
}

/// A fold of given shapes.
#[derive(Clone, Copy, Debug)]
pub(super) struct FoldPlan {
    /// The loops over rows of the target.
    rows: Nest<4>,
    /// The innermost loop, if it runs along the target.
    row: Loop<4>,
    /// Targets folded side by side, but for the last of a row, which may be fewer.
    band: usize,
    /// Over the source of a whole band, and of the last one of a row.
    runs: [Runs; 2],
    /// Source elements of a target.
    count: usize,
    /// Parts that the source of a band is cut into.
    parts: usize,
}

impl FoldPlan {
    /// Folds over the loops in which operand [`TARGET`] stands still.
    pub(super) fn new(nest: &Nest<4>) -> Self {
        let folds = |l: &&Loop<4>| l.steps[TARGET] == 0;
        let none = Loop {
            extent: 1,
            steps: [0; 4],
        };
        let (outer, row) = match nest.loops() {
            [outer @ .., row] if !folds(&row) => (outer, *row),
            all => (all, none),
        };
        let rows = Nest::new(outer.iter().filter(|l| !folds(l)).copied());
        let band = row.extent.clamp(1, CHUNK);
        let last = match row.extent % band {
            0 => band,
            left => left,
        };
        let runs = [band, last].map(|extent| {
            let band = Loop { extent, ..row };
            let folded = outer.iter().filter(folds).copied();
            Runs::new(Nest::new(folded.chain([band])))
        });
        let count: usize = outer.iter().filter(folds).map(|l| l.extent).product();
        let parts = match rows.len() * row.extent.div_ceil(band) {
            0 | MOST_TASKS.. => 1,
            bands => (count * band / BLOCK).clamp(1, MOST_TASKS / bands),
        };
        Self {
            rows,
            row,
            band,
            runs,
            count,
            parts,
        }
    }

    /// Whether nothing is folded over: every target has one source element.
    pub(super) fn folds_nothing(&self) -> bool {
        self.count == 1
    }

    /// Elements of scratch memory that [`FoldPlan::run`] needs.
    pub(super) fn scratch_len(&self) -> usize {
        match self.parts {
            1 => 0,
            parts => parts * self.targets(),
        }
    }

    fn targets(&self) -> usize {
        self.rows.len() * self.row.extent
    }

    fn bands(&self) -> usize {
        self.row.extent.div_ceil(self.band)
    }

    /// Where a target lies, by its number in the order of the loops.
    fn place(&self, target: usize) -> usize {
        let row = self.rows.place(target / self.row.extent)[TARGET];
        let column = (target % self.row.extent) as isize * self.row.steps[TARGET];
        (row + column) as usize
    }

    /// Folds the term of the operands into `target`; operands that the term does not read may be
    /// empty.
    pub(super) fn run<T: Real, F: Fold<T>>(
        &self,
        context: &Context,
        fold: &F,
        term: Term,
        operands: [&[T]; 3],
        target: &mut [T],
        scratch: &mut [T],
    ) {
        let targets = self.targets();
        assert_eq!(target.len(), targets, "arithmetic: length of the result");
        let scratch = &mut scratch[..self.scratch_len()];
        let (partial, whole) = (Shared::new(scratch), Shared::new(target));
        let parts = self.parts;
        let tasks = self.rows.len() * self.bands() * parts;
        let width = (self.count * self.band).div_ceil(parts);
        for_rows(context.team, tasks, width, |tasks| {
            T::vectorised(
                context.isa,
                #[inline(always)]
                || {
                    let mut state = State::<T, F>::new(term, operands);
                    for task in tasks {
                        let (number, part) = (task / parts, task % parts);
                        let band = self.band_of(number);
                        self.fold_part(&mut state, &band, part);
                        for (i, &lane) in state.lanes[..band.width].iter().enumerate() {
                            let target = band.row * self.row.extent + band.first + i;
                            if parts == 1 {
                                // SAFETY: every target belongs to one task.
                                let target = unsafe { whole.slice(self.place(target), 1) };
                                target[0] = fold.finish(lane);
                            } else {
                                // SAFETY: every part of every target belongs to one task.
                                let place = unsafe { partial.slice(part * targets + target, 1) };
                                place[0] = F::part(lane);
                            }
                        }
                    }
                },
            );
        });
        if parts == 1 {
            return;
        }
        for number in 0..targets {
            let parts = scratch[number..].iter().step_by(targets);
            let lane = parts.fold(F::start(), |lane, &part| F::step(lane, part));
            target[self.place(number)] = fold.finish(lane);
        }
    }

    fn band_of(&self, number: usize) -> Band {
        let first = number % self.bands() * self.band;
        Band {
            row: number / self.bands(),
            first,
            width: self.band.min(self.row.extent - first),
        }
    }

    /// Folds part `part` of the source of a band into a lane for each of its targets.
    #[inline(always)]
    fn fold_part<T: Real, F: Fold<T>>(&self, state: &mut State<T, F>, band: &Band, part: usize) {
        let runs = &self.runs[usize::from(band.width < self.band)];
        let mut base = self.rows.place(band.row);
        for (base, step) in base.iter_mut().zip(self.row.steps) {
            *base += band.first as isize * step;
        }
        // Elements come in groups of the band, or of a period within a target; there are lanes for as
        // many whole groups as a chunk holds, and no more than there are elements.
        let group = band.width.max(runs.period);
        let groups = self.count * band.width / group;
        let len = (CHUNK / group).min(groups).max(1) * group;
        state.lanes[..len].fill(F::start());
        let rounds = groups * part / self.parts * group..groups * (part + 1) / self.parts * group;
        state.fold(runs, base, rounds, len);
        for lane in band.width..len {
            let folded = lane % band.width;
            state.lanes[folded] = F::join(state.lanes[folded], state.lanes[lane]);
        }
    }
}

/// Neighbouring targets.
struct Band {
    row: usize,
    first: usize,
    width: usize,
}

/// What a task works with.
struct State<'a, T: Real, F: Fold<T>> {
    term: Term,
    readers: Readers<'a, T>,
    /// The term's values in a chunk.
    values: [T; CHUNK],
    lanes: [F::Lane; CHUNK],
}

impl<'a, T: Real, F: Fold<T>> State<'a, T, F> {
    #[inline(always)]
    fn new(term: Term, operands: [&'a [T]; 3]) -> Self {
        Self {
            term,
            readers: Readers::new(operands, term.operands()),
            values: [T::zero(); CHUNK],
            lanes: [F::start(); CHUNK],
        }
    }

    /// Folds elements `rounds` of the runs into the first `lanes` lanes, in turn.
    #[inline(always)]
    fn fold(&mut self, runs: &Runs, base: [isize; 4], rounds: Range<usize>, lanes: usize) {
        runs.nest.for_each_run(
            rounds,
            #[inline(always)]
            |mut at, len| {
                for (at, base) in at.iter_mut().zip(base) {
                    *at += base;
                }
                for skip in (0..len).step_by(lanes) {
                    let len = lanes.min(len - skip);
                    let x = self.readers.read(runs, &at, skip, len);
                    let values = match self.term {
                        Term::Value => x[0],
                        term => {
                            term.fill(x, &mut self.values[..len]);
                            &self.values[..len]
                        }
                    };
                    for (lane, &value) in self.lanes.iter_mut().zip(values) {
                        *lane = F::step(*lane, value);
                    }
                }
            },
        );
    }
}
