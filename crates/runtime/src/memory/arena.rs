//! Lifetimes → places in one arena.

use super::{LINE, Span};

/// A buffer that is alive from one step to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lifetime {
    /// Elements.
    pub(crate) len: usize,
    /// The step that writes it first.
    pub(crate) first: usize,
    /// The step that touches it last.
    pub(crate) last: usize,
}

impl Lifetime {
    fn meets(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// Gives every buffer a place such that buffers alive at the same step never overlap, and says how
/// many elements the arena needs; `None` past what can be addressed.
///
/// The largest buffers choose first, and each takes the tightest gap between those already placed
/// that live at the same time (greedy by size, Pisarchyk and Lee, *Efficient Memory Management for
/// Deep Neural Net Inference*, 2020). On networks this comes within a few per cent of the lower
/// bound, the most that is alive at any one step. Ties go by position, so the plan is a function of
/// the program alone.
pub(crate) fn plan(buffers: &[Lifetime], start: usize) -> Option<(Vec<Span>, usize)> {
    let limit = isize::MAX as usize / 8;
    let mut order: Vec<usize> = (0..buffers.len()).collect();
    order.sort_by_key(|&index| (std::cmp::Reverse(buffers[index].len), index));
    let mut spans = vec![Span { start, len: 0 }; buffers.len()];
    // Placed buffers by start, so that the gaps at a time are read off from left to right.
    let mut placed: Vec<usize> = Vec::with_capacity(buffers.len());
    let mut end = start;
    for index in order {
        let buffer = &buffers[index];
        if buffer.len == 0 {
            continue;
        }
        let room = buffer.len.checked_next_multiple_of(LINE)?;
        let mut free_from = start;
        let mut best: Option<(usize, usize)> = None;
        for &other in placed.iter().filter(|&&other| buffers[other].meets(buffer)) {
            let span = spans[other];
            let gap = span.start.saturating_sub(free_from);
            if gap >= room && best.is_none_or(|(smallest, _)| gap < smallest) {
                best = Some((gap, free_from));
            }
            free_from = free_from.max(line_after(span));
        }
        let at = best.map_or(free_from, |(_, at)| at);
        spans[index] = Span {
            start: at,
            len: buffer.len,
        };
        end = end.max(at.checked_add(room).filter(|&end| end <= limit)?);
        let position = placed.partition_point(|&other| spans[other].start <= at);
        placed.insert(position, index);
    }
    Some((spans, end - start))
}

fn line_after(span: Span) -> usize {
    (span.start + span.len).next_multiple_of(LINE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seeds of a linear congruential generator: enough to draw lifetimes.
    fn draw(seed: u64, count: usize) -> Vec<Lifetime> {
        let mut state = seed;
        let mut next = |below: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        (0..count)
            .map(|_| {
                let first = next(40);
                Lifetime {
                    len: next(300),
                    first,
                    last: first + next(12),
                }
            })
            .collect()
    }

    #[test]
    fn buffers_alive_at_once_never_overlap_and_the_arena_is_no_larger_than_their_sum() {
        for seed in 0..200 {
            let buffers = draw(seed, 60);
            let (spans, size) = plan(&buffers, 48).unwrap();
            for (i, (a, at)) in buffers.iter().zip(&spans).enumerate() {
                assert_eq!(at.len, a.len);
                assert_eq!(at.start % LINE, 0, "seed {seed}: buffer {i} is aligned");
                assert!(at.start >= 48 && at.start + at.len <= 48 + size);
                for (b, other) in buffers.iter().zip(&spans).skip(i + 1) {
                    let together = (a.first..=a.last).any(|t| (b.first..=b.last).contains(&t));
                    let shared = at.range().any(|e| other.range().contains(&e));
                    assert!(
                        !(together && shared),
                        "seed {seed}: {a:?} at {at:?}, {b:?} at {other:?}"
                    );
                }
            }
            let sum: usize = buffers.iter().map(|b| b.len.next_multiple_of(LINE)).sum();
            let alive = |t: usize| {
                let now = buffers.iter().filter(|b| (b.first..=b.last).contains(&t));
                now.map(|b| b.len).sum::<usize>()
            };
            let peak = (0..60).map(alive).max().unwrap();
            assert!(
                (peak..=sum).contains(&size),
                "seed {seed}: {peak} {size} {sum}"
            );
        }
    }

    #[test]
    fn a_chain_of_layers_needs_two_buffers() {
        let chain: Vec<_> = (0..10)
            .map(|i| Lifetime {
                len: 64,
                first: i,
                last: i + 1,
            })
            .collect();
        assert_eq!(plan(&chain, 0).unwrap().1, 128);
    }

    #[test]
    fn sizes_past_the_address_space_are_refused() {
        let huge = Lifetime {
            len: isize::MAX as usize / 8,
            first: 0,
            last: 0,
        };
        assert_eq!(plan(&[huge, huge], 0), None);
    }
}
