//! Weights in the order the register tile reads them.
//!
//! The target channels of a group are cut into panels of one to three vectors. A panel holds, for
//! every tap and source channel in the order of the summation, the weights of its target channels
//! side by side, so that the inner loop reads it front to back. Channels past the last are zero.

use geometry::ConvGeometry;

use super::walk::Walk;
use crate::conv::Direction;
use crate::shared::Shared;
use crate::simd::{Vector, dispatch, turn};
use crate::{Context, Isa};

/// Vectors of target channels that share one pass over the pixels.
#[derive(Clone, Copy, Debug)]
pub(in crate::conv) struct Panel {
    /// First vector within the group.
    pub(in crate::conv) first: usize,
    /// Vectors, the `NV` of the tile.
    pub(in crate::conv) vectors: usize,
}

/// Cuts the vectors of target channels of a group into panels; each sum has `depth` products.
pub(in crate::conv) fn cut_panels(isa: Isa, depth: usize, vectors: usize) -> Vec<Panel> {
    let (mut panels, mut first) = (Vec::new(), 0);
    while first < vectors {
        let vectors = panel_vectors(isa, depth, vectors - first);
        panels.push(Panel { first, vectors });
        first += vectors;
    }
    panels
}

/// The panels of every group of a walk, and how they are packed.
#[derive(Clone, Debug)]
pub(super) struct Panels {
    pub(super) lanes: usize,
    /// Vectors of one group.
    vectors: usize,
    /// Panels of one group.
    pub(super) per_group: Vec<Panel>,
    /// Products summed for one target element.
    depth: usize,
    /// Where each element of the kernel stands among the taps of the summation, if it is one of them.
    places: Vec<Option<usize>>,
    groups: usize,
}

impl Panels {
    pub(super) fn new(walk: &Walk, isa: Isa, geometry: &ConvGeometry) -> Self {
        let [_, height, width] = geometry.windows;
        let mut places = vec![None; geometry.kernel_area()];
        for (place, tap) in walk.kernel_taps(height.kernel, width.kernel).enumerate() {
            places[tap] = Some(place);
        }
        let lanes = isa.lanes();
        let vectors = walk.target_channels_per_group().div_ceil(lanes);
        let depth = walk.depth();
        Self {
            lanes,
            vectors,
            per_group: cut_panels(isa, depth, vectors),
            depth,
            places,
            groups: walk.groups,
        }
    }

    /// Elements of the packed weights.
    pub(super) fn len(&self) -> usize {
        self.groups * self.depth * self.vectors * self.lanes
    }

    /// Where a panel starts in the packed weights.
    pub(super) fn start(&self, group: usize, panel: Panel) -> usize {
        (group * self.vectors + panel.first) * self.depth * self.lanes
    }

    /// Packs weights `[o, c/g, kernel…]` for the walk, which is of the given direction.
    pub(super) fn pack(
        &self,
        ctx: &Context<'_>,
        isa: Isa,
        geometry: &ConvGeometry,
        direction: Direction,
        weight: &[f32],
        packed: &mut [f32],
    ) {
        let area = geometry.kernel_area();
        let (o, c) = (
            geometry.out_channels_per_group(),
            geometry.in_channels_per_group(),
        );
        // Strides of the weight by target channel and by source channel of a group.
        let (by_target, by_source, targets, sources) = match direction {
            Direction::BackwardData => (area, c * area, c, o),
            _ => (c * area, area, o, c),
        };
        let kernels = Kernels {
            area,
            places: &self.places,
            by_target,
            by_source,
            targets,
            sources,
        };
        let together = match by_target {
            1 => TOGETHER,
            _ => 1,
        };
        let per_group = self.per_group.len().div_ceil(together);
        let shared = Shared::new(packed);
        ctx.team.for_each(self.groups * per_group, |task, _| {
            let (group, first) = (task / per_group, task % per_group * together);
            let last = (first + together).min(self.per_group.len());
            let panels = &self.per_group[first..last];
            let vectors: usize = panels.iter().map(|panel| panel.vectors).sum();
            let len = self.depth * vectors * self.lanes;
            // SAFETY: panels do not overlap, and follow each other.
            let packed = unsafe { shared.slice(self.start(group, panels[0]), len) };
            let weight = &weight[group * o * c * area..][..o * c * area];
            if by_target == 1 {
                pack_side_by_side(kernels, panels, self.lanes, weight, packed);
                return;
            }
            let panel = panels[0];
            // SAFETY: the vector family exists, as `isa` proves; the slices have the lengths of the panel
            // and of the group's weights.
            dispatch!(isa => pack_panel(
                kernels: Kernels<'_>, panel: Panel, weight: &[f32], packed: &mut [f32],
            ));
        });
    }
}

/// How the weights of a group lie.
#[derive(Clone, Copy)]
struct Kernels<'a> {
    /// Elements of a kernel.
    area: usize,
    /// Where each of them stands among the taps of the summation, if it is one of them.
    places: &'a [Option<usize>],
    /// Elements between the kernels of neighbouring targets and of neighbouring sources.
    by_target: usize,
    by_source: usize,
    targets: usize,
    sources: usize,
}

/// Packs neighbouring panels where what a source has for its targets lies side by side: it is read once for all of them.
fn pack_side_by_side(
    kernels: Kernels<'_>,
    panels: &[Panel],
    lanes: usize,
    weight: &[f32],
    packed: &mut [f32],
) {
    // Where a stride passes over the only tap there is nothing to sum.
    let sources = kernels.places[0].map_or(0, |_| kernels.sources);
    for source in 0..sources {
        let weights = &weight[source * kernels.by_source..][..kernels.targets];
        let mut start = 0;
        for panel in panels {
            let (first, row) = (panel.first * lanes, panel.vectors * lanes);
            let used = row.min(kernels.targets - first);
            let (to, zeros) = packed[start + source * row..][..row].split_at_mut(used);
            to.copy_from_slice(&weights[first..][..used]);
            zeros.fill(0.0);
            start += sources * row;
        }
    }
}

/// Packs one panel, a vector of targets after the other.
///
/// The targets of a vector lie far apart in the weights of a forward pass, and a kernel apart in those of
/// a backward one: both are turned in registers, block by block, since an element alone would cost a cache
/// line. What a source has for the targets then goes to the row where the summation wants it.
///
/// # Safety
/// `V`'s instructions exist; the slices have the lengths of the panel and of the group's weights.
#[inline(always)]
unsafe fn pack_panel<V: Vector>(
    kernels: Kernels<'_>,
    panel: Panel,
    weight: &[f32],
    packed: &mut [f32],
) {
    let Kernels {
        area,
        places,
        by_target,
        by_source,
        targets,
        sources,
    } = kernels;
    let row = panel.vectors * V::LANES;
    let mut turned = [0.0f32; MOST_LANES * MOST_LANES];
    for vector in 0..panel.vectors {
        let first = (panel.first + vector) * V::LANES;
        let used = V::LANES.min(targets - first);
        turned.fill(0.0);
        let mut put = |turned: &[f32], source: usize, tap: usize, line: usize| {
            if let Some(place) = places[tap] {
                let to = (place * sources + source) * row + vector * V::LANES;
                packed[to..to + V::LANES].copy_from_slice(&turned[line * V::LANES..][..V::LANES]);
            }
        };
        // Kernel elements that lie behind each other for a target: of all its sources, or of one.
        let (runs, run) = match by_source == area {
            true => (1, sources * area),
            false => (sources, area),
        };
        for start in 0..runs {
            let (mut source, mut tap) = (start, 0);
            for column in (0..run).step_by(V::LANES) {
                let from = start * by_source + first * by_target + column;
                let columns = V::LANES.min(run - column);
                let last = from + (used - 1) * by_target;
                // SAFETY: a whole block, used or not, lies within the weights; or what is used does.
                unsafe {
                    let from = weight[from..=last].as_ptr();
                    if used == V::LANES && last + V::LANES <= weight.len() {
                        V::turn_block(from, by_target, turned.as_mut_ptr(), V::LANES);
                    } else {
                        let to = turned.as_mut_ptr();
                        turn::<V>(from, by_target, (used, columns), to, V::LANES);
                    }
                }
                for line in 0..columns {
                    put(&turned, source, tap, line);
                    tap += 1;
                    if tap == area {
                        (source, tap) = (source + 1, 0);
                    }
                }
            }
        }
    }
}

/// Panels that are packed together where their weights lie side by side: half a kilobyte of each source at a time.
const TOGETHER: usize = 4;

/// Lanes of the widest vector.
const MOST_LANES: usize = 16;

/// Products up to which a panel of four vectors stays in a first-level cache: 16 KiB of weights.
const SHALLOW: usize = 64;

/// Vectors of the next panel when `rest` are left to a group. Two or three leave room for tall tiles;
/// odd numbers get one panel of three, so that none is left with the poor single one. Four make one
/// pass over the pixels instead of two, which pays where the sums are short and the weights near.
fn panel_vectors(isa: Isa, depth: usize, rest: usize) -> usize {
    match (isa, rest) {
        (Isa::Portable, _) => 1,
        (Isa::Avx512, rest) if rest % 4 == 0 && depth <= SHALLOW => 4,
        (_, rest) if rest < 2 => rest,
        (_, rest) if rest % 2 == 1 => 3,
        _ => 2,
    }
}
