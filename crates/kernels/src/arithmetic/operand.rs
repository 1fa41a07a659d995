//! Operands as contiguous chunks, however they lie.

use crate::Real;
use crate::nest::{Loop, Nest};

/// Elements of a chunk: three of them in f64 leave room in a first-level cache.
pub(super) const CHUNK: usize = 256;

/// The longest pattern that is repeated in a buffer; longer runs are worth a visit each.
const LONGEST_PERIOD: usize = 64;

/// What an operand does along a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    /// Goes from element to element.
    Contiguous,
    /// Stays where it is.
    Constant,
    /// Starts again after so many elements.
    Periodic(usize),
    /// Jumps.
    Strided(isize),
}

/// Runs over up to four operands, the innermost of them as long as possible: where the innermost loop
/// is short, as over few channels, and an operand repeats in it, that loop and the one around it make
/// one run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Runs {
    pub(super) nest: Nest<4>,
    access: [Access; 4],
    /// Runs start at, and chunks are cut at, multiples of this.
    pub(super) period: usize,
}

impl Runs {
    /// The runs of a nest.
    pub(super) fn new(nest: Nest<4>) -> Self {
        Self::repeating(&nest).unwrap_or_else(|| Self::plain(nest))
    }

    /// The runs of a nest whose innermost loop stays as it is.
    pub(super) fn plain(nest: Nest<4>) -> Self {
        let access = nest.inner().steps.map(|step| match step {
            0 => Access::Constant,
            1 => Access::Contiguous,
            step => Access::Strided(step),
        });
        Self {
            nest,
            access,
            period: 1,
        }
    }

    /// The two innermost loops as one, if every operand either passes through both or repeats the
    /// inner one.
    fn repeating(nest: &Nest<4>) -> Option<Self> {
        let (rest, [outer, inner]) = nest.loops().split_last_chunk()?;
        let period = inner.extent;
        if period > LONGEST_PERIOD {
            return None;
        }
        let mut access = [Access::Contiguous; 4];
        for (which, access) in access.iter_mut().enumerate() {
            let (step, around) = (inner.steps[which], outer.steps[which]);
            let through = around == step * period as isize;
            *access = match step {
                0 if through => Access::Constant,
                1 if through => Access::Contiguous,
                1 if around == 0 => Access::Periodic(period),
                _ => return None,
            };
        }
        let mut run = Loop {
            extent: outer.extent * period,
            steps: inner.steps,
        };
        for (step, access) in run.steps.iter_mut().zip(access) {
            // Wherever a run is entered, the pattern starts at its first element.
            if let Access::Periodic(_) = access {
                *step = 0;
            }
        }
        Some(Self {
            nest: Nest::new(rest.iter().copied().chain([run])),
            access,
            period,
        })
    }
}

/// The operands of a term, chunk by chunk.
pub(super) struct Readers<'a, T> {
    readers: [Reader<'a, T>; 3],
    /// How many of them are read.
    count: usize,
}

impl<'a, T: Real> Readers<'a, T> {
    /// Readers of operands, of which the first `count` are read.
    #[inline(always)]
    pub(super) fn new(operands: [&'a [T]; 3], count: usize) -> Self {
        let readers = operands.map(|values| Reader {
            values,
            buffer: [T::zero(); CHUNK],
            held: None,
        });
        Self { readers, count }
    }

    /// Elements `skip..skip + len` of the run that starts at `at`; at most [`CHUNK`], and `skip` is a
    /// multiple of the period.
    #[inline(always)]
    pub(super) fn read(
        &mut self,
        runs: &Runs,
        at: &[isize; 4],
        skip: usize,
        len: usize,
    ) -> [&[T]; 3] {
        let [a, b, c] = &mut self.readers;
        let (b, c) = (
            (self.count > 1).then(|| b.read(runs.access[1], at[1], skip, len)),
            (self.count > 2).then(|| c.read(runs.access[2], at[2], skip, len)),
        );
        let a = a.read(runs.access[0], at[0], skip, len);
        [a, b.unwrap_or_default(), c.unwrap_or_default()]
    }
}

/// Lays the elements that an operand has in a chunk side by side.
struct Reader<'a, T> {
    values: &'a [T],
    buffer: [T; CHUNK],
    /// The place whose value or pattern fills the buffer.
    held: Option<(isize, Access)>,
}

impl<T: Real> Reader<'_, T> {
    #[inline(always)]
    fn read(&mut self, access: Access, at: isize, skip: usize, len: usize) -> &[T] {
        match access {
            Access::Contiguous => return &self.values[at as usize + skip..][..len],
            Access::Constant | Access::Periodic(_) if self.held == Some((at, access)) => {}
            Access::Constant => self.buffer.fill(self.values[at as usize]),
            Access::Periodic(period) => {
                let pattern = &self.values[at as usize..][..period];
                for copy in self.buffer.chunks_mut(period) {
                    copy.copy_from_slice(&pattern[..copy.len()]);
                }
            }
            Access::Strided(step) => {
                for (i, cell) in self.buffer[..len].iter_mut().enumerate() {
                    *cell = self.values[(at + (skip + i) as isize * step) as usize];
                }
            }
        }
        self.held = Some((at, access));
        &self.buffer[..len]
    }
}
