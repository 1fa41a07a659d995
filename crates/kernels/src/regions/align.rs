//! RoI align: the mean over sampling points between pixels; with offsets, deformable RoI pooling.
//!
//! A bin holds a grid of sampling points, evenly spaced, each interpolated between its four pixels. With
//! offsets, bin `b` of a region of `height × width` moves by `γ · (height, width) ∘ offset[b]`
//! (Dai et al. 2017, §2.2); offsets of 0, or none, give RoI align.
//!
//! | torchvision | |
//! |---|---|
//! | `roi_align(x, rois, bins, scale, sampling, aligned)` | the same; `sampling ≤ 0` is 0 here |
//! | `ps_roi_align(x, rois, bins, scale, sampling)` | bins with channels of their own, `aligned` |
//!
//! A bin without any sampling point, as a region of no extent has with an adaptive grid, is 0.

use geometry::RegionsGeometry;
use tensor::Layout;

use super::grid::{Axis, Place};
use super::{Maps, Owned, Region};
use crate::bilinear::{Channels, add_interpolated, dots_of, spread};
use crate::shared::Shared;
use crate::{Context, Real};

/// How the sampling points of a region are laid out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlignOptions {
    /// Pixels of the map for a unit of the regions' coordinates: 1/16 for regions in pixels of an image
    /// that the map is a sixteenth of.
    pub scale: f64,
    /// Sampling points of a bin down and across; 0 is as many as a bin has pixels, rounded up.
    pub sampling: usize,
    /// Coordinates are those of pixels' corners, so that pixel centres lie half a pixel in. Without it,
    /// as in the first publication, everything lies half a pixel off, and a region has at least the
    /// extent of a pixel.
    pub aligned: bool,
}

/// How far bins move.
#[derive(Clone, Copy, Debug)]
pub struct Moves<'a, T = f32> {
    /// A map `[r, 2, kh, kw]` in the layout of the others: across before down, in extents of the region
    /// times 1/γ.
    pub offset: &'a [T],
    /// What every offset is multiplied by; 0.1 in the publication.
    pub gamma: f64,
}

/// A region's grid over a map.
struct Grid<'a, T> {
    image: usize,
    rows: Axis<T>,
    columns: Axis<T>,
    bins: [usize; 2],
    width: usize,
    /// Sampling points of a bin, at least 1.
    count: T,
    /// Offsets of the region's bins, across and down, and their factors in pixels.
    offsets: Option<(&'a [T], [T; 2])>,
    layout: Layout,
}

impl<'a, T: Real> Grid<'a, T> {
    fn new(
        layout: Layout,
        geometry: &RegionsGeometry,
        options: AlignOptions,
        regions: &[T],
        moves: Option<Moves<'a, T>>,
        index: usize,
    ) -> Option<Self> {
        let region = Region::read(regions, index, geometry.batch)?;
        let rows = Axis::new(region.rows, geometry.bins[0], geometry.height, options);
        let columns = Axis::new(region.columns, geometry.bins[1], geometry.width, options);
        let offsets = moves.map(|moves| {
            let len = 2 * geometry.bin_count();
            let gamma = T::of(moves.gamma);
            let factors = [gamma * columns.length, gamma * rows.length];
            (&moves.offset[index * len..][..len], factors)
        });
        Some(Self {
            image: region.image,
            rows,
            columns,
            bins: geometry.bins,
            width: geometry.width,
            count: (rows.count() * columns.count()).max(T::one()),
            offsets,
            layout,
        })
    }

    /// Where the offsets of a bin lie in those of its region.
    fn offset_at(&self, bin: usize) -> [usize; 2] {
        match self.layout {
            Layout::Nchw => [bin, self.bins[0] * self.bins[1] + bin],
            Layout::Nhwc => [2 * bin, 2 * bin + 1],
        }
    }

    /// Calls `visit(down, across)` for every sampling point of a bin that is on the map.
    #[inline(always)]
    fn for_each(&self, bin: usize, mut visit: impl FnMut(Place<T>, Place<T>)) {
        let [across, down] = self.offsets.map_or([T::zero(); 2], |(offsets, factors)| {
            let [across, down] = self.offset_at(bin);
            [offsets[across] * factors[0], offsets[down] * factors[1]]
        });
        let top = self.rows.bin_start(down, bin / self.bins[1]);
        let left = self.columns.bin_start(across, bin % self.bins[1]);
        let columns = self.columns.samples(left);
        for row in self.rows.samples(top) {
            let Some(row) = self.rows.place(top, row) else {
                continue;
            };
            for column in columns.clone() {
                if let Some(column) = self.columns.place(left, column) {
                    visit(row, column);
                }
            }
        }
    }

    /// Pixels around a sampling point: above left, above right, below left, below right.
    #[inline(always)]
    fn corners(&self, row: &Place<T>, column: &Place<T>) -> [usize; 4] {
        let (above, below) = (row.low * self.width, row.high * self.width);
        [
            above + column.low,
            above + column.high,
            below + column.low,
            below + column.high,
        ]
    }
}

/// The weights of [`Grid::corners`].
#[inline(always)]
fn weights<T: Real>(row: &Place<T>, column: &Place<T>) -> [T; 4] {
    [
        row.low_weight * column.low_weight,
        row.low_weight * column.high_weight,
        row.high_weight * column.low_weight,
        row.high_weight * column.high_weight,
    ]
}

/// `y`, a map `[r, c, kh, kw]` in the layout of `x`: the mean over the sampling points of each bin, those
/// off the map counting as 0.
///
/// # Panics
/// When a slice has not the size the geometry gives.
pub fn forward<T: Real>(
    ctx: &Context<'_>,
    layout: Layout,
    geometry: &RegionsGeometry,
    options: AlignOptions,
    regions: &[T],
    moves: Option<Moves<'_, T>>,
    x: &[T],
    y: &mut [T],
) {
    let maps = Maps::new(layout, geometry);
    maps.check("align", geometry, [regions.len(), x.len(), y.len()]);
    check_moves(geometry, moves);
    let out = Shared::new(y);
    ctx.team.for_each(geometry.regions, |index, _| {
        let len = maps.region_len();
        // SAFETY: every region belongs to one task.
        let y = unsafe { out.slice(index * len, len) };
        y.fill(T::zero());
        let Some(grid) = Grid::new(layout, geometry, options, regions, moves, index) else {
            return;
        };
        let x = &x[grid.image * maps.image_len()..][..maps.image_len()];
        for bin in 0..maps.bins {
            T::vectorised(
                ctx.isa,
                #[inline(always)]
                || pool_bin(&maps, &grid, bin, x, y),
            );
        }
    });
}

#[inline(always)]
fn pool_bin<T: Real>(maps: &Maps, grid: &Grid<'_, T>, bin: usize, x: &[T], y: &mut [T]) {
    let from = maps.inputs(bin, 0, maps.out_channels);
    let to = maps.outputs(bin, 0, maps.out_channels);
    grid.for_each(
        bin,
        #[inline(always)]
        |row, column| {
            let corners = grid.corners(&row, &column);
            let corners = corners.map(|pixel| from.first + pixel * maps.pixel_step());
            add_interpolated(y, to, x, corners, from.step, weights(&row, &column));
        },
    );
    for channel in 0..to.count {
        y[to.first + channel * to.step] /= grid.count;
    }
}

/// `dx`, the gradient of the feature map, from that of the output.
///
/// # Panics
/// When a slice has not the size the geometry gives.
pub fn backward<T: Real>(
    ctx: &Context<'_>,
    layout: Layout,
    geometry: &RegionsGeometry,
    options: AlignOptions,
    regions: &[T],
    moves: Option<Moves<'_, T>>,
    dy: &[T],
    dx: &mut [T],
) {
    let maps = Maps::new(layout, geometry);
    maps.check("align", geometry, [regions.len(), dx.len(), dy.len()]);
    check_moves(geometry, moves);
    let dx = Shared::new(dx);
    ctx.team
        .for_each(Owned::<T>::tasks(&maps, geometry), |task, _| {
            // SAFETY: tasks have different indices.
            let owned = unsafe { Owned::cleared(&maps, dx, task) };
            for index in 0..geometry.regions {
                let grid = Grid::new(layout, geometry, options, regions, moves, index);
                let Some(grid) = grid.filter(|grid| grid.image == owned.image) else {
                    continue;
                };
                let dy = &dy[index * maps.region_len()..][..maps.region_len()];
                for bin in 0..maps.bins {
                    T::vectorised(
                        ctx.isa,
                        #[inline(always)]
                        || spread_bin(&maps, &grid, bin, dy, &owned),
                    );
                }
            }
        });
}

#[inline(always)]
fn spread_bin<T: Real>(
    maps: &Maps,
    grid: &Grid<'_, T>,
    bin: usize,
    dy: &[T],
    owned: &Owned<'_, T>,
) {
    let from = maps.outputs(bin, owned.first, owned.count);
    grid.for_each(
        bin,
        #[inline(always)]
        |row, column| {
            let shares = grid.corners(&row, &column).into_iter();
            for (pixel, weight) in shares.zip(weights(&row, &column)) {
                if weight != T::zero() {
                    let pixel = owned.pixel(maps, bin, pixel);
                    // SAFETY: the task's own channels of its own image.
                    unsafe { spread(owned.dx, pixel, weight / grid.count, dy, from) };
                }
            }
        },
    );
}

/// `doffset`, the gradient of the offsets, from that of the output. Where a sampling point falls on a
/// pixel, the slope is that below and to the right of it; where the map goes on beyond its border, it
/// is 0.
///
/// # Panics
/// When a slice has not the size the geometry gives.
pub fn backward_offset<T: Real>(
    ctx: &Context<'_>,
    layout: Layout,
    geometry: &RegionsGeometry,
    options: AlignOptions,
    regions: &[T],
    moves: Moves<'_, T>,
    x: &[T],
    dy: &[T],
    doffset: &mut [T],
) {
    let maps = Maps::new(layout, geometry);
    maps.check("align", geometry, [regions.len(), x.len(), dy.len()]);
    check_moves(geometry, Some(moves));
    let offsets = moves.offset.len();
    assert_eq!(doffset.len(), offsets, "align: length of doffset");
    let out = Shared::new(doffset);
    ctx.team.for_each(geometry.regions, |index, _| {
        let len = 2 * maps.bins;
        // SAFETY: every region belongs to one task.
        let doffset = unsafe { out.slice(index * len, len) };
        doffset.fill(T::zero());
        let Some(grid) = Grid::new(layout, geometry, options, regions, Some(moves), index) else {
            return;
        };
        let Some((_, [across, down])) = grid.offsets else {
            return;
        };
        let x = &x[grid.image * maps.image_len()..][..maps.image_len()];
        let dy = &dy[index * maps.region_len()..][..maps.region_len()];
        for bin in 0..maps.bins {
            let slopes = T::vectorised(
                ctx.isa,
                #[inline(always)]
                || slopes(&maps, &grid, bin, x, dy),
            );
            let at = grid.offset_at(bin);
            doffset[at[0]] = slopes[0] * across / grid.count;
            doffset[at[1]] = slopes[1] * down / grid.count;
        }
    });
}

/// What a loss gains from moving all sampling points of a bin across and down, times their number.
#[inline(always)]
fn slopes<T: Real>(maps: &Maps, grid: &Grid<'_, T>, bin: usize, x: &[T], dy: &[T]) -> [T; 2] {
    let Channels { first, step, .. } = maps.inputs(bin, 0, maps.out_channels);
    let from = maps.outputs(bin, 0, maps.out_channels);
    let mut slopes = [T::zero(); 2];
    grid.for_each(
        bin,
        #[inline(always)]
        |row, column| {
            let corners = grid.corners(&row, &column);
            let corners = corners.map(|pixel| first + pixel * maps.pixel_step());
            let [a, b, c, d] = dots_of(dy, from, x, corners, step);
            if column.moves {
                slopes[0] += row.low_weight * (b - a) + row.high_weight * (d - c);
            }
            if row.moves {
                slopes[1] += column.low_weight * (c - a) + column.high_weight * (d - b);
            }
        },
    );
    slopes
}

fn check_moves<T>(geometry: &RegionsGeometry, moves: Option<Moves<'_, T>>) {
    if let Some(moves) = moves {
        let len = 2 * geometry.regions * geometry.bin_count();
        assert_eq!(moves.offset.len(), len, "align: length of the offsets");
    }
}
