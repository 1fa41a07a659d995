//! Channels turned into pixels and back, and channels mixed between groups.

use geometry::{ChannelShuffle, PixelOrder, PixelShuffleGeometry};
use tensor::Layout;

use super::strided::copy;
use super::{Band, interleave};
use crate::Context;
use crate::nest::{Loop, strides};

/// Turns blocks of channels of a deep map into blocks of pixels of a wide one (PyTorch's
/// `pixel_shuffle`, ONNX's DepthToSpace): `wide[n, c, h·f + i, w·f + j] = deep[n, (c·f + i)·f + j, h, w]`
/// in [`PixelOrder::ChannelMajor`].
///
/// # Panics
/// When a slice has not the size the geometry gives.
pub fn to_pixels<T: Copy + Send + Sync>(
    context: &Context,
    layout: Layout,
    geometry: &PixelShuffleGeometry,
    deep: &[T],
    wide: &mut [T],
) {
    check(geometry, deep.len(), wide.len());
    copy(context, loops(layout, geometry), (deep, 0), (wide, 0));
}

/// The way back (PyTorch's `pixel_unshuffle`, ONNX's SpaceToDepth); also the gradient of
/// [`to_pixels`], as that is the gradient of this.
///
/// # Panics
/// When a slice has not the size the geometry gives.
pub fn to_channels<T: Copy + Send + Sync>(
    context: &Context,
    layout: Layout,
    geometry: &PixelShuffleGeometry,
    wide: &[T],
    deep: &mut [T],
) {
    check(geometry, deep.len(), wide.len());
    let loops = loops(layout, geometry).map(|l| Loop {
        extent: l.extent,
        steps: [l.steps[1], l.steps[0]],
    });
    copy(context, loops, (wide, 0), (deep, 0));
}

fn check(geometry: &PixelShuffleGeometry, deep: usize, wide: usize) {
    let pixels: usize = geometry.coarse.iter().product();
    let len = geometry.batch * geometry.channels * geometry.block() * pixels;
    assert_eq!(deep, len, "pixel shuffle: length of the deep map");
    assert_eq!(wide, len, "pixel shuffle: length of the wide map");
}

/// The loops over both maps, with steps (of the deep one, of the wide one).
fn loops(layout: Layout, g: &PixelShuffleGeometry) -> [Loop<2>; 8] {
    let shape = |channels: usize, spatial: [usize; 3]| {
        let [d, h, w] = spatial;
        strides(layout, &[g.batch, channels, d, h, w])
    };
    let ([d, h, w], [fd, fh, fw]) = (g.coarse, g.factors);
    let deep = shape(g.channels * g.block(), g.coarse);
    let wide = shape(g.channels, [d * fd, h * fh, w * fw]);
    // Channels between neighbouring places of a block, and between neighbouring channels of the wide map.
    let (place, channel) = match g.order {
        PixelOrder::ChannelMajor => (1, g.block()),
        PixelOrder::BlockMajor => (g.channels, 1),
    };
    let entry = |extent: usize, deep: isize, wide: isize| Loop {
        extent,
        steps: [deep, wide],
    };
    let places = [fh * fw, fw, 1].map(|places| (places * place) as isize * deep[1]);
    [
        entry(g.batch, deep[0], wide[0]),
        entry(g.channels, channel as isize * deep[1], wide[1]),
        entry(d, deep[2], wide[2] * fd as isize),
        entry(fd, places[0], wide[2]),
        entry(h, deep[3], wide[3] * fh as isize),
        entry(fh, places[1], wide[3]),
        entry(w, deep[4], wide[4] * fw as isize),
        entry(fw, places[2], wide[4]),
    ]
}

/// Groups up to which channels last are shuffled pixel by pixel.
const FEW_GROUPS: usize = 8;

/// Mixes channels between groups (Zhang et al. 2018, *ShuffleNet*):
/// `y[n, j·g + i] = x[n, i·(c/g) + j]` for group `i` of `g`.
///
/// # Panics
/// When a slice has not the size the geometry gives.
pub fn channels<T: Copy + Send + Sync>(
    context: &Context,
    layout: Layout,
    geometry: &ChannelShuffle,
    x: &[T],
    y: &mut [T],
) {
    let ChannelShuffle {
        batch,
        channels,
        groups,
        area,
    } = *geometry;
    let len = batch * channels * area;
    assert_eq!(x.len(), len, "channel shuffle: length of x");
    assert_eq!(y.len(), len, "channel shuffle: length of y");
    let size = channels / groups;
    let first = Band {
        map: x,
        channels,
        first: 0,
    };
    let mut bands = [first; FEW_GROUPS];
    if layout == Layout::Nhwc && groups <= FEW_GROUPS {
        for (group, band) in bands.iter_mut().enumerate() {
            band.first = group * size;
        }
        interleave(context, &bands[..groups], size, y);
        return;
    }
    let [image, channel, pixel, ..] = strides(layout, &[batch, channels, area]);
    let entry = |extent: usize, read: isize, write: isize| Loop {
        extent,
        steps: [read, write],
    };
    let loops = [
        entry(batch, image, image),
        entry(size, channel, channel * groups as isize),
        entry(groups, channel * size as isize, channel),
        entry(area, pixel, pixel),
    ];
    copy(context, loops, (x, 0), (y, 0));
}
