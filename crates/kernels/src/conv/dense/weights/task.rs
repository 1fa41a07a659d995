//! What a task does: fetch what its tiles read, unit by unit, and sum over it.

use std::ops::Range;

use super::MAX_TOGETHER;
use super::WeightsPlan;
use super::ahead::Ahead;
use super::gradient::{self, Panels};
use super::splits::{Tile, Tiles};
use super::tile::{Pass, Pixels};
use crate::simd::Vector;

/// What a task does.
#[derive(Clone)]
pub(super) struct Part<'a> {
    /// Units of its partition.
    pub(super) units: Range<usize>,
    /// These units, where they were fetched beforehand.
    pub(super) fetched: Option<&'a [f32]>,
    pub(super) tiles: Tiles,
    /// Nothing has been summed yet.
    pub(super) fresh: bool,
}

/// Fetches what some tiles read of a unit into `fetched`: its source, and the panels of the gradient, group by
/// group, unless they are read where they lie. `strip` is scratch.
///
/// # Safety
/// `V`'s instructions exist.
#[inline(always)]
pub(super) unsafe fn fetch<V: Vector>(
    plan: &WeightsPlan,
    x: &[f32],
    dy: &[f32],
    unit: usize,
    tiles: &Tiles,
    strip: &mut [f32],
    fetched: &mut [f32],
) {
    let walk = &plan.walk;
    let (slice, block) = plan.unit(unit);
    let (source, panels) = fetched.split_at_mut(plan.source_len());
    // SAFETY: V's instructions exist; the strip holds all that the block's positions read.
    unsafe {
        match &plan.blocks {
            Some(blocks) if plan.cut.is_matrix() => {
                let matrix = plan.cut.source::<V>(walk, x, slice, block, strip);
                let row = |row| matrix.wrapping_add(row * plan.cut.steps().0);
                blocks.pack(row, block, plan.reads(tiles), source.as_mut_ptr());
            }
            Some(blocks) => {
                let reads = plan.reads(tiles);
                let channels = plan.channels(blocks, &reads);
                let row = |row| {
                    let row = (block, row);
                    plan.cut
                        .row::<V>(walk, x, slice, row, channels.clone(), strip)
                };
                blocks.pack(row, block, reads, source.as_mut_ptr());
            }
            None => {
                plan.cut.source::<V>(walk, x, slice, block, source);
            }
        }
    }
    if plan.in_place {
        return;
    }
    let (gradient, first_pixel) = plan.gradient(dy, unit);
    for group in plan.groups(&tiles.panels) {
        let packed = &mut panels[plan.panel_start(group, 0)..];
        let pixels = (first_pixel, block.pixels());
        let panels = Panels {
            group,
            vectors: plan.vectors,
            wide: plan.wide,
            room: plan.cut.pixels,
            of: plan.of_group(&tiles.panels, group),
        };
        // SAFETY: V's instructions exist.
        unsafe { gradient::pack::<V>(walk, panels, gradient, pixels, packed) };
    }
}

/// Sums over the units of a part, for its tiles.
///
/// # Safety
/// `V`'s instructions exist; `partial` is the accumulator of the part's partition, in which nobody else has these tiles.
#[inline(always)]
pub(super) unsafe fn task_body<V: Vector>(
    plan: &WeightsPlan,
    x: &[f32],
    dy: &[f32],
    part: Part<'_>,
    partial: *mut f32,
    scratch: &mut [f32],
) {
    let walk = &plan.walk;
    let Part { units, tiles, .. } = &part;
    let start = |tile: &Tile| {
        partial.wrapping_add(
            plan.sums(tile.group, tile.first) + tile.rows.before * tile.vectors * V::LANES,
        )
    };
    if units.is_empty() && part.fresh {
        for tile in tiles.each(plan) {
            for vector in 0..tile.rows.count * tile.vectors {
                // SAFETY: inside the partition's accumulator.
                unsafe { V::zero().store(start(&tile).add(vector * V::LANES)) };
            }
        }
    }
    let (strip, own) = scratch.split_at_mut(plan.strip_len());
    for first in units.clone().step_by(plan.together) {
        let at_once = first..units.end.min(first + plan.together);
        let fetched = match part.fetched {
            Some(all) => {
                let before = (first - units.start) * plan.unit_len();
                &all[before..][..at_once.len() * plan.unit_len()]
            }
            None => {
                for (index, unit) in at_once.clone().enumerate() {
                    let own = &mut own[index * plan.unit_len()..][..plan.unit_len()];
                    // SAFETY: V's instructions exist.
                    unsafe { fetch::<V>(plan, x, dy, unit, tiles, strip, own) };
                }
                &*own
            }
        };
        let mut parts = [Pixels::NONE; MAX_TOGETHER];
        let mut bases: [(*const f32, &[f32]); MAX_TOGETHER] =
            [(std::ptr::null(), &[]); MAX_TOGETHER];
        for (index, unit) in at_once.clone().enumerate() {
            let (slice, block) = plan.unit(unit);
            let fetched = &fetched[index * plan.unit_len()..][..plan.unit_len()];
            let (source, gradient) = fetched.split_at(plan.source_len());
            let source = match &plan.blocks {
                Some(_) => source.as_ptr(),
                None => plan.cut.fetched(walk, x, slice, block, source),
            };
            let gradient = match plan.in_place {
                true => {
                    let (gradient, first_pixel) = plan.gradient(dy, unit);
                    &gradient[first_pixel * walk.target_channels..]
                }
                false => gradient,
            };
            bases[index] = (source, gradient);
            parts[index].rows = block.height();
            parts[index].columns = block.width();
        }
        let parts = &mut parts[..at_once.len()];
        let next = at_once.end..units.end.min(at_once.end + plan.together);
        let ahead = match part.fetched {
            Some(_) => Ahead::nothing(x),
            None => {
                let pixels = parts.iter().map(|part| part.rows * part.columns).sum();
                Ahead::new(plan, next, x, dy, (tiles.count(), pixels))
            }
        };
        for (index, tile) in tiles.each(plan).enumerate() {
            let source = tile.group * plan.by_group() + tile.rows.source;
            let panel = plan.panel_start(tile.group, tile.first);
            for (part, (base, gradient)) in parts.iter_mut().zip(bases) {
                part.source = base.wrapping_add(source);
                part.by_row = tile.rows.by_row;
                part.by_column = tile.rows.by_column;
                part.gradient = gradient[panel..].as_ptr();
                part.by_pixel = match plan.in_place {
                    true => walk.target_channels,
                    false => tile.vectors * V::LANES,
                };
            }
            let pass = Pass {
                sums: start(&tile),
                row_len: tile.vectors * V::LANES,
                fresh: part.fresh && first == units.start,
                ask: ahead.share(index),
            };
            let pixels = &*parts;
            // SAFETY: the shapes are those of `rows`, which fit the registers of V.
            unsafe { pass.of_shape::<V>(tile.rows.count, tile.vectors, pixels) };
        }
    }
}
