//! Pooling over regions of interest on tensors.
//!
//! Regions are a matrix `[r, 5]` of `(image, x1, y1, x2, y2)`. A feature map is `[n, c, h, w]`, and `scale`
//! is the pixels of it for a unit of the regions' coordinates: 1/16 where they are pixels of an image that
//! the map is a sixteenth of.

use geometry::RegionsDesc;
use graph::{AlignSettings, Op, RegionOp};
use kernels::regions::check;
use tensor::Tensor;

use super::{Eager, Element, Given};
use crate::RuntimeError;

impl Eager {
    /// RoI align (He et al. 2017), as torchvision's `roi_align`: each of `bins` of a region is the mean over
    /// a grid of points, interpolated between pixels. `[r, 5] → [r, c, kh, kw]`
    ///
    /// ```
    /// use graph::AlignSettings;
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let ramp: Vec<f32> = (0..16u8).map(f32::from).collect();
    /// let x = Tensor::from_slice(&[1, 1, 4, 4], &ramp)?;
    /// let regions = Tensor::from_slice(&[1, 5], &[0.0, 0.0, 0.0, 4.0, 4.0])?;
    /// let y = eager.roi_align(&x, &regions, [2, 2], AlignSettings::default())?;
    /// assert_eq!(y.data(), [2.5, 4.5, 10.5, 12.5]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Tensors or settings without meaning, or a region of an image that is not there.
    pub fn roi_align<T: Element>(
        &self,
        x: &Tensor<T>,
        regions: &Tensor<T>,
        bins: [usize; 2],
        settings: AlignSettings,
    ) -> Result<Tensor<T>, RuntimeError> {
        let settings = AlignSettings {
            gamma: None,
            ..settings
        };
        let desc = RegionsDesc::new(bins);
        self.region(RegionOp::Align { desc, settings }, &[x, regions])
    }

    /// Position-sensitive RoI align, as torchvision's `ps_roi_align`: bin `b` of output channel `o` reads
    /// input channel `o · kh · kw + b`. `[r, 5] → [r, c/(kh·kw), kh, kw]`
    ///
    /// ```
    /// use graph::AlignSettings;
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// // Two channels for one bin above another: all 1, and all 7.
    /// let x = Tensor::from_slice(&[1, 2, 2, 1], &[1.0f32, 1.0, 7.0, 7.0])?;
    /// let regions = Tensor::from_slice(&[1, 5], &[0.0, 0.0, 0.0, 1.0, 2.0])?;
    /// let y = eager.ps_roi_align(&x, &regions, [2, 1], AlignSettings::default())?;
    /// assert_eq!(y.data(), [1.0, 7.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Eager::roi_align`], or channels that cannot be dealt out to the bins.
    pub fn ps_roi_align<T: Element>(
        &self,
        x: &Tensor<T>,
        regions: &Tensor<T>,
        bins: [usize; 2],
        settings: AlignSettings,
    ) -> Result<Tensor<T>, RuntimeError> {
        let settings = AlignSettings {
            gamma: None,
            ..settings
        };
        let desc = RegionsDesc::new(bins).position_sensitive(true);
        self.region(RegionOp::Align { desc, settings }, &[x, regions])
    }

    /// Deformable RoI pooling (Dai et al. 2017): RoI align whose bin `b` moves by
    /// `γ · (width, height) ∘ offset[b]`. Offsets are `[r, 2, kh, kw]`, across before down; γ is that of the
    /// settings, or 0.1. `desc` says whether bins read channels of their own.
    ///
    /// ```
    /// use geometry::RegionsDesc;
    /// use graph::AlignSettings;
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let ramp: Vec<f32> = (0..16u8).map(f32::from).collect();
    /// let x = Tensor::from_slice(&[1, 1, 4, 4], &ramp)?;
    /// let regions = Tensor::from_slice(&[1, 5], &[0.0, 0.0, 0.0, 2.0, 2.0])?;
    /// // By a quarter of the region's width across, by half its height down.
    /// let offset = Tensor::from_slice(&[1, 2, 1, 1], &[1.0, 2.0])?;
    /// let settings = AlignSettings { gamma: Some(0.25), ..AlignSettings::default() };
    /// let y = eager.deform_roi_pool(&x, &regions, &offset, &RegionsDesc::new(1), settings)?;
    /// assert_eq!(y.data(), [2.5 + 0.5 + 4.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Eager::ps_roi_align`], or offsets that do not fit.
    pub fn deform_roi_pool<T: Element>(
        &self,
        x: &Tensor<T>,
        regions: &Tensor<T>,
        offset: &Tensor<T>,
        desc: &RegionsDesc,
        settings: AlignSettings,
    ) -> Result<Tensor<T>, RuntimeError> {
        let settings = AlignSettings {
            gamma: settings.gamma.or(Some(0.1)),
            ..settings
        };
        let desc = desc.clone();
        self.region(RegionOp::Align { desc, settings }, &[x, regions, offset])
    }

    /// RoI pooling (Girshick 2015), as torchvision's `roi_pool`: the largest pixel of each bin.
    /// `[r, 5] → [r, c, kh, kw]`
    ///
    /// ```
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let ramp: Vec<f32> = (0..16u8).map(f32::from).collect();
    /// let x = Tensor::from_slice(&[1, 1, 4, 4], &ramp)?;
    /// // The last row and column of a region belong to it.
    /// let regions = Tensor::from_slice(&[1, 5], &[0.0, 0.0, 0.0, 3.0, 3.0])?;
    /// let y = eager.roi_pool(&x, &regions, [2, 2], 1.0)?;
    /// assert_eq!(y.data(), [5.0, 7.0, 13.0, 15.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Eager::roi_align`].
    pub fn roi_pool<T: Element>(
        &self,
        x: &Tensor<T>,
        regions: &Tensor<T>,
        bins: [usize; 2],
        scale: f64,
    ) -> Result<Tensor<T>, RuntimeError> {
        let desc = RegionsDesc::new(bins);
        self.region(RegionOp::Max { desc, scale }, &[x, regions])
    }

    /// Position-sensitive RoI pooling (Dai et al. 2016), as torchvision's `ps_roi_pool`: the mean over the
    /// pixels of each bin, which reads channels of its own and stops short of the map's last row and
    /// column. `[r, 5] → [r, c/(kh·kw), kh, kw]`
    ///
    /// ```
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let ramp: Vec<f32> = (0..9u8).map(f32::from).collect();
    /// let x = Tensor::from_slice(&[1, 1, 3, 3], &ramp)?;
    /// let regions = Tensor::from_slice(&[1, 5], &[0.0, 0.0, 0.0, 2.0, 2.0])?;
    /// let y = eager.ps_roi_pool(&x, &regions, [1, 1], 1.0)?;
    /// assert_eq!(y.data(), [(0.0 + 1.0 + 3.0 + 4.0) / 4.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Eager::ps_roi_align`].
    pub fn ps_roi_pool<T: Element>(
        &self,
        x: &Tensor<T>,
        regions: &Tensor<T>,
        bins: [usize; 2],
        scale: f64,
    ) -> Result<Tensor<T>, RuntimeError> {
        let desc = RegionsDesc::new(bins).position_sensitive(true);
        self.region(RegionOp::Average { desc, scale }, &[x, regions])
    }

    /// The first output of an operator on a map and a list of regions, each of which names an image.
    fn region<T: Element>(
        &self,
        op: RegionOp,
        given: &[&Tensor<T>],
    ) -> Result<Tensor<T>, RuntimeError> {
        if let (&[batch, ..], [_, 5]) = (given[0].dims(), given[1].dims()) {
            check(given[1].data(), batch).map_err(|error| RuntimeError::Given {
                what: error.to_string(),
            })?;
        }
        let given: Vec<_> = given.iter().copied().map(Given::Real).collect();
        Ok(self.apply(Op::Region(op), &given)?.remove(0).real())
    }
}
