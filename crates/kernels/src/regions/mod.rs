//! Pooling over regions of a feature map: every region, whatever its size, is divided into the same
//! number of bins, and every bin becomes one element a channel.
//!
//! | | a bin's element | as in |
//! |---|---|---|
//! | [`align`] | mean over sampling points between pixels | RoI align (He et al. 2017), torchvision's `roi_align` and `ps_roi_align`, deformable RoI pooling (Dai et al. 2017) |
//! | [`max`] | largest pixel | RoI pooling (Girshick 2015), torchvision's `roi_pool` |
//! | [`average`] | mean over pixels | position-sensitive RoI pooling (Dai et al. 2016), torchvision's `ps_roi_pool` |
//!
//! Regions are a matrix `[r, 5]` of `(image, x1, y1, x2, y2)`. Each function takes them with all bins
//! reading all channels, or with bins that read channels of their own, as the geometry says. A region
//! of an image that does not exist, which [`check`] finds, or with a NaN in it, gives zeros and passes
//! no gradient on.

pub mod align;
pub mod average;
mod grid;
pub mod max;
mod windows;

use geometry::RegionsGeometry;
use tensor::Layout;

use crate::Real;
use crate::bilinear::Channels;
use crate::shared::Shared;

/// A region names an image that the batch does not have.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("region {region} names image {image}, but there are {batch} images, counted from 0")]
pub struct RegionError {
    /// The region, counted from 0.
    pub region: usize,
    /// What it gives as the number of its image.
    pub image: f64,
    /// Images of the batch.
    pub batch: usize,
}

/// Checks that every region, `(image, x1, y1, x2, y2)`, names one of `batch` images. A fraction in the
/// number of an image is dropped, as torchvision does.
///
/// # Errors
/// The first region that does not.
///
/// ```
/// use kernels::regions::check;
///
/// assert!(check(&[1.0f32, 0.0, 0.0, 4.0, 4.0], 2).is_ok());
/// let error = check(&[2.0f32, 0.0, 0.0, 4.0, 4.0], 2).unwrap_err();
/// assert_eq!((error.region, error.image), (0, 2.0));
/// ```
pub fn check<T: Real>(regions: &[T], batch: usize) -> Result<(), RegionError> {
    let first = regions.chunks_exact(5).enumerate();
    let mut wrong = first.filter(|(_, region)| image(region[0], batch).is_none());
    match wrong.next() {
        None => Ok(()),
        Some((index, region)) => Err(RegionError {
            region: index,
            image: region[0].wide(),
            batch,
        }),
    }
}

/// The image that a number names.
fn image<T: Real>(number: T, batch: usize) -> Option<usize> {
    let number = number.wide().trunc();
    (number >= 0.0 && number < batch as f64).then_some(number as usize)
}

/// A region that lies on an image.
#[derive(Clone, Copy, Debug)]
struct Region<T> {
    image: usize,
    /// First and last row and column, in the coordinates of the region.
    rows: [T; 2],
    columns: [T; 2],
}

impl<T: Real> Region<T> {
    fn read(regions: &[T], index: usize, batch: usize) -> Option<Self> {
        let region = &regions[index * 5..][..5];
        let image = image(region[0], batch)?;
        (!region.iter().any(|v| v.is_nan())).then_some(Self {
            image,
            rows: [region[2], region[4]],
            columns: [region[1], region[3]],
        })
    }
}

/// Where the elements of input and output lie, and which input channels a bin reads.
#[derive(Clone, Copy, Debug)]
struct Maps {
    layout: Layout,
    in_channels: usize,
    out_channels: usize,
    area: usize,
    bins: usize,
    /// Input channels for each output channel: 1, or one for each bin.
    per_output: usize,
}

impl Maps {
    fn new(layout: Layout, geometry: &RegionsGeometry) -> Self {
        Self {
            layout,
            in_channels: geometry.channels,
            out_channels: geometry.out_channels(),
            area: geometry.input_area(),
            bins: geometry.bin_count(),
            per_output: geometry.channels / geometry.out_channels(),
        }
    }

    /// Elements of an image of the input.
    fn image_len(&self) -> usize {
        self.in_channels * self.area
    }

    /// Elements of a region of the output.
    fn region_len(&self) -> usize {
        self.out_channels * self.bins
    }

    /// Distance between the pixels of the input.
    #[inline(always)]
    fn pixel_step(&self) -> usize {
        match self.layout {
            Layout::Nchw => 1,
            Layout::Nhwc => self.in_channels,
        }
    }

    /// What a bin reads for output channels `first .. first + count`, at pixel 0 of an image.
    #[inline(always)]
    fn inputs(&self, bin: usize, first: usize, count: usize) -> Channels {
        let channel_step = match self.layout {
            Layout::Nchw => self.area,
            Layout::Nhwc => 1,
        };
        let own = if self.per_output == 1 { 0 } else { bin };
        Channels {
            first: (first * self.per_output + own) * channel_step,
            step: self.per_output * channel_step,
            count,
        }
    }

    /// What a bin writes of output channels `first .. first + count`, within its region.
    #[inline(always)]
    fn outputs(&self, bin: usize, first: usize, count: usize) -> Channels {
        let (first, step) = match self.layout {
            Layout::Nchw => (first * self.bins + bin, self.bins),
            Layout::Nhwc => (bin * self.out_channels + first, 1),
        };
        Channels { first, step, count }
    }

    /// Asserts the lengths of a list of regions, of an input's and of an output's map.
    fn check(&self, what: &str, geometry: &RegionsGeometry, lens: [usize; 3]) {
        let want = [
            geometry.regions * 5,
            geometry.batch * self.image_len(),
            geometry.regions * self.region_len(),
        ];
        for (name, (len, want)) in ["regions", "input", "output"]
            .iter()
            .zip(lens.iter().zip(want))
        {
            assert_eq!(*len, want, "{what}: length of the {name}");
        }
    }
}

/// The part of an input's gradient that one task owns: an image, and the input channels that some output
/// channels read.
#[derive(Clone, Copy)]
struct Owned<'a, T> {
    dx: Shared<'a, T>,
    image: usize,
    /// First output channel and how many.
    first: usize,
    count: usize,
}

/// Output channels of a task that sums gradients of the input.
const BAND: usize = 32;

impl<'a, T: Real> Owned<'a, T> {
    /// Tasks that share out a gradient.
    fn tasks(maps: &Maps, geometry: &RegionsGeometry) -> usize {
        geometry.batch * maps.out_channels.div_ceil(BAND)
    }

    /// The part of a task, set to 0.
    ///
    /// # Safety
    /// No other task of this index runs, and nothing else writes to `dx`.
    unsafe fn cleared(maps: &Maps, dx: Shared<'a, T>, task: usize) -> Self {
        let bands = maps.out_channels.div_ceil(BAND);
        let first = task % bands * BAND;
        let owned = Self {
            dx,
            image: task / bands,
            first,
            count: BAND.min(maps.out_channels - first),
        };
        let channel = owned.first * maps.per_output;
        let channels = owned.count * maps.per_output;
        let start = owned.image * maps.image_len();
        // SAFETY: these channels of this image are this task's alone.
        let clear = |from, len| unsafe { dx.slice(start + from, len) }.fill(T::zero());
        match maps.layout {
            Layout::Nchw => clear(channel * maps.area, channels * maps.area),
            Layout::Nhwc => {
                (0..maps.area).for_each(|pixel| clear(pixel * maps.in_channels + channel, channels))
            }
        }
        owned
    }

    /// The task's channels of a pixel that a bin reads.
    #[inline(always)]
    fn pixel(&self, maps: &Maps, bin: usize, pixel: usize) -> Channels {
        let channels = maps.inputs(bin, self.first, self.count);
        let start = self.image * maps.image_len() + pixel * maps.pixel_step();
        Channels {
            first: start + channels.first,
            ..channels
        }
    }
}
