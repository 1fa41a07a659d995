//! Padding with a constant, a reflection, the edge or the other end; negative padding crops.

use geometry::{MAX_AXES, PadAxis, PadGeometry, PadMode};
use tensor::Layout;

use crate::blocks::{for_blocks, for_rows};
use crate::nest::memory_order;
use crate::shared::Shared;
use crate::{Context, Isa, Real};

/// `y` = `x` padded as the geometry says; `value` is what a constant padding holds.
///
/// # Panics
/// When a slice has not the size the geometry gives.
pub fn forward<T: Copy + Send + Sync>(
    context: &Context,
    layout: Layout,
    geometry: &PadGeometry,
    x: &[T],
    value: T,
    y: &mut [T],
) {
    let rows = Rows::new(layout, geometry);
    rows.check("pad", x.len(), y.len());
    if y.is_empty() {
        return;
    }
    let out = Shared::new(y);
    if rows.is_plain() {
        return for_blocks(context.team, x.len(), |range| {
            // SAFETY: the ranges of different tasks do not overlap.
            unsafe { out.slice(range.start, range.len()) }.copy_from_slice(&x[range]);
        });
    }
    let (input, output) = (rows.input_width(), rows.output_width());
    for_rows(context.team, rows.outputs(), output, |range| {
        for row in range {
            // SAFETY: every row belongs to one task.
            let y = unsafe { out.slice(row * output, output) };
            match rows.source(row) {
                Some(source) => rows.write(&x[source * input..][..input], value, y),
                None => y.fill(value),
            }
        }
    });
}

/// `dx`: every element sums the gradients of its copies, in the order in which they lie in the padded
/// tensor; one that was cut off gets 0.
///
/// # Panics
/// When a slice has not the size the geometry gives.
pub fn backward<T: Real>(
    context: &Context,
    layout: Layout,
    geometry: &PadGeometry,
    dy: &[T],
    dx: &mut [T],
) {
    let rows = Rows::new(layout, geometry);
    rows.check("pad backward", dx.len(), dy.len());
    if dx.is_empty() {
        return;
    }
    let out = Shared::new(dx);
    let (input, output) = (rows.input_width(), rows.output_width());
    for_rows(context.team, rows.inputs(), input, |range| {
        for row in range {
            // SAFETY: every row belongs to one task.
            let dx = unsafe { out.slice(row * input, input) };
            dx.fill(T::zero());
            rows.for_each_target(row, |target| {
                rows.add(context.isa, &dy[target * output..][..output], dx);
            });
        }
    });
}

/// A padding as rows of memory: axes that stay as they are go together with their neighbours.
struct Rows {
    mode: PadMode,
    /// The axes over which rows are counted, outermost first.
    outer: [PadAxis; MAX_AXES],
    depth: usize,
    /// The innermost axis that changes.
    inner: PadAxis,
    /// Elements that lie together for each element of that axis.
    unit: usize,
}

impl Rows {
    fn new(layout: Layout, geometry: &PadGeometry) -> Self {
        let mut merged = [PadAxis::UNIT; MAX_AXES];
        let mut depth = 0;
        for axis in memory_order(layout, geometry.axes().len()) {
            let axis = geometry.axes()[axis];
            match merged[..depth].last_mut() {
                Some(last) if last.is_plain() && axis.is_plain() => {
                    *last = PadAxis::plain(last.input * axis.input);
                }
                _ => {
                    merged[depth] = axis;
                    depth += 1;
                }
            }
        }
        let mut rows = Self {
            mode: geometry.mode,
            outer: merged,
            depth,
            inner: PadAxis::UNIT,
            unit: 1,
        };
        if let Some(axis) = rows.pop() {
            rows.inner = axis;
        }
        if let Some(axis) = rows.outer[..rows.depth].last().copied()
            && rows.inner.is_plain()
        {
            rows.unit = rows.inner.input;
            rows.inner = axis;
            rows.pop();
        }
        rows
    }

    fn pop(&mut self) -> Option<PadAxis> {
        self.depth = self.depth.checked_sub(1)?;
        Some(self.outer[self.depth])
    }

    fn outer(&self) -> &[PadAxis] {
        &self.outer[..self.depth]
    }

    /// Whether nothing is padded at all.
    fn is_plain(&self) -> bool {
        self.depth == 0 && self.inner.is_plain()
    }

    /// Rows of the input.
    fn inputs(&self) -> usize {
        self.outer().iter().map(|axis| axis.input).product()
    }

    /// Rows of the result.
    fn outputs(&self) -> usize {
        self.outer().iter().map(PadAxis::output).product()
    }

    /// Elements of a row of the input.
    fn input_width(&self) -> usize {
        self.inner.input * self.unit
    }

    /// Elements of a row of the result.
    fn output_width(&self) -> usize {
        self.inner.output() * self.unit
    }

    fn check(&self, what: &str, x: usize, y: usize) {
        let (input, output) = (self.inputs(), self.outputs());
        assert_eq!(x, input * self.input_width(), "{what}: length of x");
        assert_eq!(y, output * self.output_width(), "{what}: length of y");
    }

    /// The input's row that a row of the result is made of; none where it is all constant.
    fn source(&self, mut row: usize) -> Option<usize> {
        let (mut source, mut stride) = (0, 1);
        for axis in self.outer().iter().rev() {
            let extent = axis.output();
            source += axis.source(self.mode, row % extent)? * stride;
            row /= extent;
            stride *= axis.input;
        }
        Some(source)
    }

    /// Calls `visit` with every row of the result that row `row` of the input is copied to, in
    /// ascending order.
    fn for_each_target(&self, mut row: usize, mut visit: impl FnMut(usize)) {
        let mut place = [0; MAX_AXES];
        for (axis, place) in self.outer().iter().zip(&mut place).rev() {
            *place = row % axis.input;
            row /= axis.input;
        }
        self.descend(0, &place, 0, &mut visit);
    }

    fn descend(
        &self,
        level: usize,
        place: &[usize; MAX_AXES],
        row: usize,
        visit: &mut impl FnMut(usize),
    ) {
        let Some(axis) = self.outer().get(level) else {
            return visit(row);
        };
        for target in axis.targets(self.mode, place[level]).into_iter().flatten() {
            self.descend(level + 1, place, row * axis.output() + target, visit);
        }
    }

    /// A row of the result, from its row of the input.
    fn write<T: Copy>(&self, x: &[T], value: T, y: &mut [T]) {
        let (inner, unit) = (&self.inner, self.unit);
        let (before, rest) = y.split_at_mut(inner.before * unit);
        let (kept, after) = rest.split_at_mut(inner.kept * unit);
        let from = inner.skipped * unit;
        kept.copy_from_slice(&x[from..from + kept.len()]);
        for (first, border) in [(0, before), (inner.before + inner.kept, after)] {
            for (at, cell) in border.chunks_exact_mut(unit).enumerate() {
                match inner.source(self.mode, first + at) {
                    Some(source) => cell.copy_from_slice(&x[source * unit..][..unit]),
                    None => cell.fill(value),
                }
            }
        }
    }

    /// Adds a row of the result's gradient to the row of the input it was made of.
    fn add<T: Real>(&self, isa: Isa, dy: &[T], dx: &mut [T]) {
        let (inner, unit) = (&self.inner, self.unit);
        let end = inner.before + inner.kept;
        T::vectorised(
            isa,
            #[inline(always)]
            || {
                let kept = &mut dx[inner.skipped * unit..][..inner.kept * unit];
                add_to(kept, &dy[inner.before * unit..]);
                if self.mode == PadMode::Constant {
                    return;
                }
                for target in (0..inner.before).chain(end..inner.output()) {
                    if let Some(source) = inner.source(self.mode, target) {
                        let dx = &mut dx[source * unit..][..unit];
                        add_to(dx, &dy[target * unit..]);
                    }
                }
            },
        );
    }
}

#[inline(always)]
fn add_to<T: Real>(sum: &mut [T], values: &[T]) {
    for (sum, &value) in sum.iter_mut().zip(values) {
        *sum += value;
    }
}
