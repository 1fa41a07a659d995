//! How the channels of small groups lie in vectors.

use geometry::ConvGeometry;

use crate::Isa;
use crate::conv::Direction;

/// Most lanes of a vector, in any family of instructions.
const MOST_LANES: usize = 16;

/// Groups that share vectors: a *block* is a vector of target channels, of as many whole groups as
/// fit on either side.
#[derive(Clone, Debug)]
pub(super) struct Lanes {
    /// Lanes of a vector.
    pub(super) width: usize,
    groups: usize,
    /// Source and target channels of a group.
    pub(super) source: usize,
    pub(super) target: usize,
    /// Groups of a block.
    per_block: usize,
    pub(super) blocks: usize,
    /// For source channel `j` of a group, which channel of the block's source each lane multiplies:
    /// the `j`-th of its own group.
    picks: Vec<[u32; MOST_LANES]>,
}

impl Lanes {
    pub(super) fn new(geometry: &ConvGeometry, direction: Direction, isa: Isa) -> Self {
        let groups = geometry.groups;
        let (input, output) = (
            geometry.in_channels / groups,
            geometry.out_channels / groups,
        );
        let (source, target) = match direction {
            Direction::BackwardData => (output, input),
            Direction::Forward | Direction::BackwardWeights => (input, output),
        };
        let width = isa.lanes();
        let per_block = width / source.max(target).max(1);
        let picks = (0..source).map(|channel| {
            std::array::from_fn(|lane| {
                let group = lane / target.max(1);
                let pick = if group < per_block {
                    group * source + channel
                } else {
                    0
                };
                pick as u32
            })
        });
        Self {
            width,
            groups,
            source,
            target,
            per_block,
            blocks: groups.div_ceil(per_block.max(1)),
            picks: picks.collect(),
        }
    }

    /// Whether vectors hold several groups each; with fewer, a group is better a matrix product of
    /// its own.
    pub(super) fn are_shared(&self) -> bool {
        self.groups > 1 && self.per_block > 1
    }

    /// Every lane reads the source channel of its own place: a depthwise convolution.
    pub(super) fn are_in_place(&self) -> bool {
        self.source == 1 && self.target == 1
    }

    /// Of every source channel of a group, which channel of the block's source each lane multiplies.
    pub(super) fn picks(&self) -> &[[u32; MOST_LANES]] {
        &self.picks
    }

    /// Blocks that are full, before any that is not.
    pub(super) fn full_blocks(&self) -> usize {
        self.groups / self.per_block.max(1)
    }

    /// Groups of a block; the last may have fewer.
    fn groups_of(&self, block: usize) -> usize {
        self.per_block.min(self.groups - block * self.per_block)
    }

    /// Source channels of a block: the first, and how many.
    pub(super) fn sources(&self, block: usize) -> (usize, usize) {
        (
            block * self.per_block * self.source,
            self.groups_of(block) * self.source,
        )
    }

    /// Target channels of a block: the first, and how many.
    pub(super) fn targets(&self, block: usize) -> (usize, usize) {
        (
            block * self.per_block * self.target,
            self.groups_of(block) * self.target,
        )
    }

    /// Source and target channels, counted in all groups, of source channel `channel` of a group and
    /// a lane of a block, if the lane is used.
    pub(super) fn channels(
        &self,
        block: usize,
        lane: usize,
        channel: usize,
    ) -> Option<(usize, usize)> {
        let (first, count) = self.targets(block);
        (lane < count).then(|| {
            let target = first + lane;
            (target / self.target * self.source + channel, target)
        })
    }
}
