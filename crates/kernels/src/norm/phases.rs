//! The order in which units of a map are measured and then changed.

use crate::Team;
use crate::blocks::for_rows;

/// From so many units a thread on, a task takes whole ones.
const MANY: usize = 4;

/// Runs `first(unit, chunk)` for all chunks of a unit, then `middle(unit)`, then `last(unit, chunk)`.
/// A unit has `chunks` chunks and about `len` elements.
///
/// Where there are enough units to go round, a task does all of this for one after the other: the
/// last part then finds in the cache what the first one read, the more of it as it goes backwards. A few large
/// units are shared out chunk by chunk instead. Who does a part is all that the team decides: the parts are
/// the same, and so are the results.
pub(super) fn in_phases(
    team: &Team,
    units: usize,
    chunks: usize,
    len: usize,
    first: impl Fn(usize, usize) + Sync,
    middle: impl Fn(usize) + Sync,
    last: impl Fn(usize, usize) + Sync,
) {
    if units >= MANY * team.threads() || chunks <= 1 {
        for_rows(team, units, len, |range| {
            for unit in range {
                (0..chunks).for_each(|chunk| first(unit, chunk));
                middle(unit);
                (0..chunks).rev().for_each(|chunk| last(unit, chunk));
            }
        });
        return;
    }
    let share = len.div_ceil(chunks);
    for_rows(team, units * chunks, share, |range| {
        range.for_each(|index| first(index / chunks, index % chunks));
    });
    team.for_each(units, |unit, _| middle(unit));
    for_rows(team, units * chunks, share, |range| {
        range.for_each(|index| last(index / chunks, index % chunks));
    });
}
