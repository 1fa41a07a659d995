//! How work over flat memory is cut into tasks.

use std::ops::Range;

use crate::Team;

/// Elements of a task: 128 KiB of f32, long enough to hide the handing over of a task, short enough
/// to share out a small feature map.
pub(crate) const BLOCK: usize = 32 * 1024;

/// Runs `task` for consecutive ranges of `0 .. len`, at most [`BLOCK`] elements each.
pub(crate) fn for_blocks(team: &Team, len: usize, task: impl Fn(Range<usize>) + Sync) {
    for_rows(team, len, 1, task);
}

/// Runs `task` for consecutive ranges of `0 .. rows`, each of about [`BLOCK`] elements where a row
/// has `width`.
pub(crate) fn for_rows(team: &Team, rows: usize, width: usize, task: impl Fn(Range<usize>) + Sync) {
    let step = (BLOCK / width.max(1)).max(1);
    team.for_each(rows.div_ceil(step), |index, _| {
        let start = index * step;
        task(start..(start + step).min(rows));
    });
}
