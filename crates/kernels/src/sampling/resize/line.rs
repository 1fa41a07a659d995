//! Rows of a resized map, one by one: first of whole rows of the source, then along the row.

use geometry::{MAX_RANK, ResizeGeometry};
use tensor::Layout;

use super::table::Table;
use crate::blocks::BLOCK;
use crate::sampling::blend::{add, blend};
use crate::shared::Shared;
use crate::{Context, Real};

/// A resizing from one map to another, in either direction.
pub(super) struct Lines<'a> {
    tables: &'a [Table; MAX_RANK],
    from: [usize; MAX_RANK],
    to: [usize; MAX_RANK],
    /// Maps of a single unit: images in NHWC, planes in NCHW.
    maps: usize,
    /// Elements that lie together at a position: all channels in NHWC, one in NCHW.
    unit: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn new(
        layout: Layout,
        g: &ResizeGeometry,
        tables: &'a [Table; MAX_RANK],
        from: [usize; MAX_RANK],
        to: [usize; MAX_RANK],
    ) -> Self {
        let (maps, unit) = match layout {
            Layout::Nchw => (g.batch * g.channels, 1),
            Layout::Nhwc => (g.batch, g.channels),
        };
        Self {
            tables,
            from,
            to,
            maps,
            unit,
        }
    }

    /// The weights along a row, and a row of the source for every thread.
    pub(super) fn scratch_len(&self, threads: usize) -> usize {
        if self.is_empty() {
            return 0;
        }
        self.tables[2].weights().len() + threads * self.line()
    }

    fn is_empty(&self) -> bool {
        self.maps == 0 || self.unit == 0
    }

    /// Elements of a row of the source.
    fn line(&self) -> usize {
        self.from[2] * self.unit
    }

    /// Makes `y` of `x`. Elements that no element of the source goes into are `empty`.
    pub(super) fn run<T: Real>(
        &self,
        ctx: &Context<'_>,
        x: &[T],
        empty: T,
        y: &mut [T],
        scratch: &mut [T],
    ) {
        if self.is_empty() {
            return;
        }
        let [depth, height, width] = self.to;
        let row_len = width * self.unit;
        let rows = self.maps * depth * height;
        let along = self.tables[2].weights();
        let (weights, lines) =
            scratch[..self.scratch_len(ctx.team.threads())].split_at_mut(along.len());
        for (weight, &tabulated) in weights.iter_mut().zip(along) {
            *weight = T::of(tabulated);
        }
        let weights = &*weights;
        let (out, lines) = (Shared::new(y), Shared::new(lines));
        let step = (BLOCK / row_len.max(self.line())).max(1);
        ctx.team.for_each(rows.div_ceil(step), |task, worker| {
            // SAFETY: a worker runs one task at a time.
            let line = unsafe { lines.slice(worker * self.line(), self.line()) };
            for row in task * step..((task + 1) * step).min(rows) {
                // SAFETY: every row belongs to one task.
                let y = unsafe { out.slice(row * row_len, row_len) };
                T::vectorised(
                    ctx.isa,
                    #[inline(always)]
                    || self.row(x, row, empty, weights, line, y),
                );
            }
        });
    }

    /// Row `row`, counted through maps, depth and height.
    #[inline(always)]
    fn row<T: Real>(
        &self,
        x: &[T],
        row: usize,
        empty: T,
        weights: &[T],
        line: &mut [T],
        y: &mut [T],
    ) {
        let [depth, height, _] = self.to;
        let [deep, high] = [row / height % depth, row % height];
        let (depths, heights) = (self.tables[0].of(deep), self.tables[1].of(high));
        if depths.is_empty() || heights.is_empty() {
            y.fill(empty);
            return;
        }
        let first = (row / height / depth * self.from[0] + self.tables[0].row(deep).first)
            * self.from[1]
            + self.tables[1].row(high).first;
        let x = &x[first * self.line()..];
        let source = if let ([1.0], [1.0]) = (depths, heights) {
            &x[..self.line()]
        } else {
            self.join(x, depths, heights, line);
            &*line
        };
        match self.unit {
            1 => self.resample(source, empty, weights, y),
            unit => {
                for (index, y) in y.chunks_exact_mut(unit).enumerate() {
                    let row = self.tables[2].row(index);
                    if row.len == 0 {
                        y.fill(empty);
                        continue;
                    }
                    let weights = &weights[row.start..][..row.len];
                    let pixels = source[row.first * unit..].chunks_exact(unit);
                    blend(weights.iter().copied().zip(pixels), y);
                }
            }
        }
    }

    /// `line` = the weighted sum of the rows of `x` at so many depths and heights.
    #[inline(always)]
    fn join<T: Real>(&self, x: &[T], depths: &[f64], heights: &[f64], line: &mut [T]) {
        let len = line.len();
        let mut rows = depths.iter().enumerate().flat_map(|(d, &by_depth)| {
            let rows = heights.iter().enumerate();
            rows.map(move |(h, &by_height)| (d * self.from[1] + h, by_depth * by_height))
        });
        let Some((first, weight)) = rows.next() else {
            return;
        };
        let weight = T::of(weight);
        for (line, &v) in line.iter_mut().zip(&x[first * len..][..len]) {
            *line = weight * v;
        }
        for (row, weight) in rows {
            add(T::of(weight), &x[row * len..][..len], line);
        }
    }

    /// One element a position: `y` along the row `source`.
    #[inline(always)]
    fn resample<T: Real>(&self, source: &[T], empty: T, weights: &[T], y: &mut [T]) {
        for (index, y) in y.iter_mut().enumerate() {
            let row = self.tables[2].row(index);
            let weights = &weights[row.start..][..row.len];
            let source = &source[row.first..][..row.len];
            // Runs are short: a plain loop over their elements.
            let mut sum = T::zero();
            for (&weight, &v) in weights.iter().zip(source) {
                sum += weight * v;
            }
            *y = if row.len == 0 { empty } else { sum };
        }
    }
}
