//! How the tiles of a partition are split among the tasks of a team.
//!
//! Tiles are rows, of (tap, channel), by panels of the gradient. A task of some panels reads a part of the gradient and all of the
//! source, one of some rows all of the gradient and, where the source is blocked, a part of it. No sum changes with it.

use std::ops::Range;

use super::WeightsPlan;
use super::blocks::Blocks;
use super::rows::Rows;
use crate::share::share;

/// Most splits whose tasks fetch what they read each for itself: what one thread has written is far from all others, and waiting
/// for each other costs as well.
const OWN_FETCH: usize = 4;

/// Parts of the panels by parts of the rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Splits {
    panels: usize,
    rows: usize,
}

impl Splits {
    pub(super) fn count(self) -> usize {
        self.panels * self.rows
    }
}

/// Panels, those of all groups one after the other, by rows of each group.
#[derive(Clone, Debug)]
pub(super) struct Tiles {
    pub(super) panels: Range<usize>,
    pub(super) rows: Range<usize>,
}

impl Tiles {
    pub(super) fn count(&self) -> usize {
        self.panels.len() * self.rows.len()
    }

    /// Panel by panel, rows by rows.
    pub(super) fn each(&self, plan: &WeightsPlan) -> impl Iterator<Item = Tile> {
        let of_panel = move |panel: usize| {
            let first = panel % plan.panels() * plan.wide;
            let tile = move |rows: &Rows| Tile {
                group: panel / plan.panels(),
                rows: *rows,
                first,
                vectors: plan.panel_width(first),
            };
            plan.rows[self.rows.clone()].iter().map(tile)
        };
        self.panels.clone().flat_map(of_panel)
    }
}

/// Rows by a few vectors of output channels of a group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tile {
    pub(super) group: usize,
    pub(super) rows: Rows,
    /// First vector of output channels.
    pub(super) first: usize,
    pub(super) vectors: usize,
}

impl WeightsPlan {
    pub(super) fn every_tile(&self) -> Tiles {
        Tiles {
            panels: 0..self.walk.groups * self.panels(),
            rows: 0..self.rows.len(),
        }
    }

    /// The groups of some panels.
    pub(super) fn groups(&self, panels: &Range<usize>) -> Range<usize> {
        panels.start / self.panels()..panels.end.div_ceil(self.panels())
    }

    /// Those of a group among some panels, counted from its first.
    pub(super) fn of_group(&self, panels: &Range<usize>, group: usize) -> Range<usize> {
        let within = |panel: usize| {
            panel
                .saturating_sub(group * self.panels())
                .min(self.panels())
        };
        within(panels.start)..within(panels.end)
    }

    /// The groups and the blocks of channels that tiles read.
    pub(super) fn reads(&self, tiles: &Tiles) -> (Range<usize>, Range<usize>) {
        let height = self.stack_height();
        let blocks = tiles.rows.start / height..tiles.rows.end / height;
        (self.groups(&tiles.panels), blocks)
    }

    /// The channels of the source that such groups and blocks are made of: some, or all, of one group, all of several.
    pub(super) fn channels(
        &self,
        blocks: &Blocks,
        (groups, some): &(Range<usize>, Range<usize>),
    ) -> Range<usize> {
        let all = self.walk.source_channels_per_group();
        match (&blocks.blocks[some.clone()], groups.len()) {
            ([first, .., last], 1) => {
                let start = groups.start * all;
                start + first.channel..start + last.channel + last.count
            }
            _ => groups.start * all..groups.end * all,
        }
    }

    /// So many that all threads of a team have as much to do, as even as whole tiles allow.
    pub(super) fn splits(&self, threads: usize) -> Splits {
        // Of as many twos as both have: partitions are a power of two.
        let common = self.partitions.trailing_zeros();
        let wanted = threads.max(1) >> threads.max(1).trailing_zeros().min(common);
        let (panels, stacks) = (self.walk.groups * self.panels(), self.stacks());
        let split = |panels: usize| Splits {
            panels,
            rows: wanted.div_ceil(panels).clamp(1, stacks.max(1)),
        };
        // The tiles of a thread that has most to do, then the tasks.
        let most = |split: &Splits| {
            let tasks = self.partitions * split.count();
            let largest = panels.div_ceil(split.panels) * stacks.div_ceil(split.rows);
            (largest * tasks.div_ceil(threads.max(1)), split.count())
        };
        let best = (1..=wanted.clamp(1, panels.max(1)))
            .rev()
            .map(split)
            .min_by_key(most);
        best.unwrap_or(Splits { panels: 1, rows: 1 })
    }

    /// Units are fetched once for all splits, and beforehand: where they are many, or make a matrix each.
    pub(super) fn fetch_together(&self, splits: Splits) -> bool {
        let own = match self.cut.is_matrix() {
            true => 1,
            false => OWN_FETCH,
        };
        splits.count() > own && self.unit_len() > 0
    }

    /// The tiles of a split.
    pub(super) fn tiles_of(&self, splits: Splits, split: usize) -> Tiles {
        let (panels, rows) = (split / splits.rows, split % splits.rows);
        let stacks = share(self.stacks(), rows, splits.rows);
        let height = self.stack_height();
        Tiles {
            panels: share(self.walk.groups * self.panels(), panels, splits.panels),
            rows: stacks.start * height..stacks.end * height,
        }
    }

    /// Rows that are not split: those of a block of channels, which all taps read.
    fn stacks(&self) -> usize {
        match &self.blocks {
            Some(blocks) => blocks.blocks.len(),
            None => self.rows.len(),
        }
    }
    /// Rows of each of them.
    fn stack_height(&self) -> usize {
        (self.rows.len() / self.stacks().max(1)).max(1)
    }
}
