//! A term of operands, element by element.

use super::operand::{CHUNK, Readers, Runs};
use super::term::Term;
use crate::blocks::for_rows;
use crate::nest::Nest;
use crate::shared::Shared;
use crate::{Context, Real};

/// Writes the term of the operands to `y`, whose elements lie in the order of the nest; operands that
/// the term does not read may be empty.
pub(super) fn map<T: Real>(
    context: &Context,
    nest: Nest<4>,
    term: Term,
    operands: [&[T]; 3],
    y: &mut [T],
) {
    let len = nest.len();
    assert_eq!(y.len(), len, "arithmetic: length of the result");
    let runs = Runs::new(nest);
    let period = runs.period;
    let chunk = CHUNK / period * period;
    let out = Shared::new(y);
    for_rows(context.team, len / period, period, |rows| {
        let rounds = rows.start * period..rows.end * period;
        // SAFETY: the ranges of different tasks do not overlap.
        let mut y = unsafe { out.slice(rounds.start, rounds.len()) };
        T::vectorised(
            context.isa,
            #[inline(always)]
            || {
                let mut readers = Readers::new(operands, term.operands());
                runs.nest.for_each_run(
                    rounds,
                    #[inline(always)]
                    |at, len| {
                        for skip in (0..len).step_by(chunk) {
                            let width = chunk.min(len - skip);
                            let (part, rest) = std::mem::take(&mut y).split_at_mut(width);
                            y = rest;
                            let x = readers.read(&runs, &at, skip, width);
                            term.fill(x, part);
                        }
                    },
                );
            },
        );
    });
}
