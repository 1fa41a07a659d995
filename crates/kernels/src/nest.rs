//! Loops inside loops over operands that lie differently in memory.

use std::ops::Range;

use geometry::MAX_AXES;
use tensor::Layout;

/// One loop: how often it runs, and how far each of `N` operands moves with every round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loop<const N: usize> {
    pub(crate) extent: usize,
    pub(crate) steps: [isize; N],
}

/// Loops inside each other, outermost first; none runs exactly once, and no two neighbours could be
/// written as one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nest<const N: usize> {
    loops: [Loop<N>; MAX_AXES],
    depth: usize,
}

impl<const N: usize> Nest<N> {
    /// Loops that run once are left out, and neighbours that every operand passes through in equal
    /// steps become one.
    pub(crate) fn new(loops: impl IntoIterator<Item = Loop<N>>) -> Self {
        let once = Loop {
            extent: 1,
            steps: [0; N],
        };
        let mut nest = Self {
            loops: [once; MAX_AXES],
            depth: 0,
        };
        for inner in loops {
            if inner.extent == 1 {
                continue;
            }
            let goes_on = |outer: &Loop<N>| {
                let whole = inner.steps.map(|step| step * inner.extent as isize);
                outer.steps == whole
            };
            match nest.loops[..nest.depth].last_mut() {
                Some(outer) if goes_on(outer) => {
                    outer.extent *= inner.extent;
                    outer.steps = inner.steps;
                }
                _ => {
                    nest.loops[nest.depth] = inner;
                    nest.depth += 1;
                }
            }
        }
        nest
    }

    /// The loops, outermost first.
    pub(crate) fn loops(&self) -> &[Loop<N>] {
        &self.loops[..self.depth]
    }

    /// The innermost loop; one round of nothing where there is none.
    pub(crate) fn inner(&self) -> Loop<N> {
        self.loops[self.depth.saturating_sub(1)]
    }

    /// Rounds of all loops together.
    pub(crate) fn len(&self) -> usize {
        self.loops().iter().map(|l| l.extent).product()
    }

    /// Whether operand `which` goes from element to element, whatever the others do.
    pub(crate) fn is_contiguous(&self, which: usize) -> bool {
        let mut expected = 1;
        self.loops().iter().rev().all(|l| {
            let goes_on = l.steps[which] == expected;
            expected *= l.extent as isize;
            goes_on
        })
    }

    /// Where the operands stand in round `index` of all loops together.
    pub(crate) fn place(&self, mut index: usize) -> [isize; N] {
        let mut at = [0; N];
        for l in self.loops().iter().rev() {
            advance(&mut at, &l.steps, (index % l.extent) as isize);
            index /= l.extent;
        }
        at
    }

    /// The first and the last place at which operand `which` ever stands. The nest is not empty.
    pub(crate) fn reach(&self, which: usize) -> (isize, isize) {
        let (mut first, mut last) = (0, 0);
        for l in self.loops() {
            let way = l.steps[which] * (l.extent as isize - 1);
            first += way.min(0);
            last += way.max(0);
        }
        (first, last)
    }

    /// Calls `visit(at, rounds)` for the runs of the innermost loop that rounds `rounds` of all loops
    /// together are made of: `at` is where the operands stand at the first round of a run.
    #[inline(always)]
    pub(crate) fn for_each_run(
        &self,
        rounds: Range<usize>,
        mut visit: impl FnMut([isize; N], usize),
    ) {
        if rounds.is_empty() {
            return;
        }
        let inner = self.inner();
        let outer = &self.loops[..self.depth.saturating_sub(1)];
        let mut counts = [0; MAX_AXES];
        let mut at = [0; N];
        let mut row = rounds.start / inner.extent;
        for (l, count) in outer.iter().zip(&mut counts).rev() {
            *count = row % l.extent;
            row /= l.extent;
            advance(&mut at, &l.steps, *count as isize);
        }
        let mut skipped = rounds.start % inner.extent;
        let mut left = rounds.len();
        loop {
            let len = left.min(inner.extent - skipped);
            let mut start = at;
            advance(&mut start, &inner.steps, skipped as isize);
            visit(start, len);
            left -= len;
            if left == 0 {
                return;
            }
            skipped = 0;
            for (l, count) in outer.iter().zip(&mut counts).rev() {
                *count += 1;
                if *count < l.extent {
                    advance(&mut at, &l.steps, 1);
                    break;
                }
                advance(&mut at, &l.steps, 1 - l.extent as isize);
                *count = 0;
            }
        }
    }
}

#[inline(always)]
fn advance<const N: usize>(at: &mut [isize; N], steps: &[isize; N], rounds: isize) {
    for (at, step) in at.iter_mut().zip(steps) {
        *at += step * rounds;
    }
}

/// The axes of a tensor of this rank in the order in which they lie in memory, outermost first. The
/// channels of a feature map are axis 1; a tensor of fewer than three axes lies as its shape reads.
pub(crate) fn memory_order(layout: Layout, rank: usize) -> impl Iterator<Item = usize> {
    let last = match layout {
        Layout::Nhwc if rank > 2 => Some(1),
        _ => None,
    };
    (0..rank)
        .filter(move |&axis| Some(axis) != last)
        .chain(last)
}

/// How far apart neighbours on each axis lie.
pub(crate) fn strides(layout: Layout, shape: &[usize]) -> [isize; MAX_AXES] {
    let mut strides = [0; MAX_AXES];
    let mut order = [0; MAX_AXES];
    for (place, axis) in memory_order(layout, shape.len()).enumerate() {
        order[place] = axis;
    }
    let mut stride = 1;
    for &axis in order[..shape.len()].iter().rev() {
        strides[axis] = stride;
        stride *= shape[axis] as isize;
    }
    strides
}
