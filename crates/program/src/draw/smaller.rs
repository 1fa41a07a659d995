//! A problem too large for a page, with the same settings on a smaller extent.

use geometry::{ConvDesc, InputShape, PaddingMode, PoolDesc, Problem, Window};

/// The longest side that is drawn as it is, padding not counted.
const SIDE: usize = 12;
/// The most channels that are drawn as they are.
const CHANNELS: usize = 4;
/// The most elements of an output that are drawn as they are.
const ELEMENTS: usize = 64;
/// Placements of the window along an axis of a smaller picture.
const PLACEMENTS: usize = 3;

/// The problem that is drawn instead of one that is too large: one image, fewer channels, fewer placements of the same
/// window. What is left over behind the last placement stays the same.
pub(super) fn smaller(problem: &Problem) -> Problem {
    let mut problem = problem.clone();
    match &mut problem {
        Problem::Conv(shape, desc) => conv(shape, desc),
        Problem::ConvTransposed(shape, desc) => {
            let (groups, [makes, sees]) =
                channels(shape.dims[1], desc.conv.out_channels, desc.conv.groups);
            if large(&shape.dims, desc.conv.out_channels) {
                desc.conv.groups = groups;
                desc.conv.out_channels = groups * sees;
                shape.dims[1] = groups * makes;
                for side in &mut shape.dims[2..] {
                    *side = (*side).min(PLACEMENTS);
                }
            }
            shape.dims[0] = shape.dims[0].min(1);
        }
        Problem::ConvDeformable(shape, desc) => {
            let before = shape.dims[1];
            conv(shape, &mut desc.conv);
            if shape.dims[1] != before {
                // Offsets are shared by as many of the channels that are left.
                desc.offset_groups = divisor_below(shape.dims[1], desc.offset_groups);
            }
        }
        Problem::ConvSeparable(shape, desc) => {
            if large(
                &shape.dims,
                desc.conv.out_channels.max(shape.dims[1] * desc.multiplier),
            ) {
                shape.dims[1] = shape.dims[1].min(3);
                desc.multiplier = desc.multiplier.min(2);
                desc.conv.out_channels = desc.conv.out_channels.min(2);
                sides(shape, &desc.conv);
            }
            shape.dims[0] = shape.dims[0].min(1);
        }
        Problem::Pool(shape, desc) => {
            if large(&shape.dims, shape.dims[1]) {
                shape.dims[1] = shape.dims[1].min(1);
                pool_sides(shape, desc);
            }
            shape.dims[0] = shape.dims[0].min(1);
        }
        Problem::AdaptivePool(shape, _) => shape.dims[0] = shape.dims[0].min(1),
    }
    problem
}

fn large(input: &[usize], outputs: usize) -> bool {
    let area: usize = input[2..]
        .iter()
        .fold(1, |area, &side| area.saturating_mul(side));
    input[1] > CHANNELS
        || outputs > CHANNELS
        || input[2..].iter().any(|&side| side > SIDE)
        || area.saturating_mul(outputs) > ELEMENTS * 4
}

fn conv(shape: &mut InputShape, desc: &mut ConvDesc) {
    if large(&shape.dims, desc.out_channels) {
        let (groups, [sees, makes]) = channels(shape.dims[1], desc.out_channels, desc.groups);
        desc.groups = groups;
        desc.out_channels = groups * makes;
        shape.dims[1] = groups * sees;
        sides(shape, desc);
    }
    shape.dims[0] = shape.dims[0].min(1);
}

/// Fewer groups, and fewer channels of each: inputs and outputs.
fn channels(inputs: usize, outputs: usize, groups: usize) -> (usize, [usize; 2]) {
    let (sees, makes) = (inputs / groups.max(1), outputs / groups.max(1));
    match groups {
        1 => (1, [sees.min(3), makes.min(2)]),
        groups if sees == 1 => (groups.min(3), [1, makes.min(2)]),
        groups => (groups.min(2), [sees.min(2), makes.min(2)]),
    }
}

fn divisor_below(of: usize, most: usize) -> usize {
    (1..=most.min(of))
        .rev()
        .find(|part| of.is_multiple_of(*part))
        .unwrap_or(1)
}

/// Takes whole strides off, so that what the last placement leaves over stays.
fn sides(shape: &mut InputShape, desc: &ConvDesc) {
    let Ok(geometry) = desc.resolve(&[&[1, desc.groups], &shape.dims[2..]].concat()) else {
        return;
    };
    // Padding with what the map holds needs as much of a map.
    let keep = |window: &Window| match desc.padding_mode {
        PaddingMode::Zeros => 1,
        _ => window.before.max(window.after) + 1,
    };
    for (side, window) in shape.dims[2..].iter_mut().zip(geometry.spatial()) {
        shorten(side, window, keep(window));
    }
}

/// Takes strides off a side, but for so many elements.
fn shorten(side: &mut usize, window: &Window, keep: usize) {
    let most = side.saturating_sub(keep) / window.stride;
    *side -= window.stride * window.output.saturating_sub(PLACEMENTS).min(most);
}

fn pool_sides(shape: &mut InputShape, desc: &PoolDesc) {
    let rank = shape.dims.len() - 2;
    let Ok(geometry) = desc.resolve(&shape.dims) else {
        return;
    };
    let windows = &geometry.windows[geometry.windows.len() - rank..];
    for (side, window) in shape.dims[2..].iter_mut().zip(windows) {
        shorten(side, window, 1);
    }
}
