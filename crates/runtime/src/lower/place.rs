//! Steps over buffers → lifetimes → addresses.

use super::{Home, Lowered, Lowering};
use crate::memory::{Lifetime, Span, plan};
use crate::step::Step;

impl Lowering<'_> {
    /// Plans the arena, which starts behind the regions; `None` past what can be addressed.
    ///
    /// Time is counted in steps, the prologue first. What the prologue makes for the main steps
    /// lives to the end, because those run again and again without it.
    pub(super) fn place(self) -> Option<Lowered> {
        let end = self.prologue.len() + self.main.len();
        let mut lifetimes: Vec<Option<Lifetime>> = vec![None; self.buffers.len()];
        for (now, step) in self.prologue.iter().chain(&self.main).enumerate() {
            let operands = step.work.operands();
            for id in operands.reads.iter().chain(&operands.writes) {
                let buffer = self.buffers[id.index()];
                if buffer.home != Home::Arena {
                    continue;
                }
                let lifetime = lifetimes[id.index()].get_or_insert(Lifetime {
                    len: buffer.len,
                    first: now,
                    last: now,
                });
                let outlives_prologue =
                    lifetime.first < self.prologue.len() && now >= self.prologue.len();
                lifetime.last = if outlives_prologue { end } else { now };
            }
        }
        let start = self.arena_start;
        let movable: Vec<usize> = (0..lifetimes.len())
            .filter(|&index| lifetimes[index].is_some())
            .collect();
        let alive: Vec<Lifetime> = movable
            .iter()
            .filter_map(|&index| lifetimes[index])
            .collect();
        let (places, arena) = plan(&alive, start)?;
        let mut spans: Vec<Span> = self
            .buffers
            .iter()
            .map(|buffer| match buffer.home {
                Home::Fixed(span) => span,
                Home::Arena => Span { start, len: 0 },
            })
            .collect();
        for (index, place) in movable.into_iter().zip(places) {
            spans[index] = place;
        }
        let unshared = alive
            .iter()
            .try_fold(0usize, |sum, lifetime| sum.checked_add(lifetime.len))?;
        for step in self.prologue.iter().chain(&self.main) {
            assert_disjoint(step, &spans);
        }
        Some(Lowered {
            prologue: self.prologue,
            main: self.main,
            idle: self.idle,
            spans,
            arena,
            unshared,
        })
    }
}

/// What a step writes, it alone touches, and at one place: the promise on which
/// [`execute`](crate::execute) hands out slices of one block.
///
/// # Panics
/// When the plan breaks it.
fn assert_disjoint(step: &Step, spans: &[Span]) {
    let operands = step.work.operands();
    let of = |id: &crate::step::BufferId| spans[id.index()];
    for (position, write) in operands.writes.iter().enumerate() {
        let others = operands
            .reads
            .iter()
            .chain(&operands.writes[position + 1..]);
        for other in others {
            assert!(
                !of(write).overlaps(of(other)),
                "layer {}: {} writes {:?} over its operand {:?}",
                step.layer,
                step.work,
                of(write),
                of(other)
            );
        }
    }
}
