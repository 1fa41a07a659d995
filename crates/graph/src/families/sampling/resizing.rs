//! A resizing: its size, and what besides it decides where elements lie.

use geometry::{GeometryError, ResizeCoordinates, ResizeDesc, ResizeGeometry};

use crate::OpError;

/// A resizing of a feature map (PyTorch `interpolate`, ONNX Resize).
///
/// ```
/// use geometry::ResizeDesc;
/// use graph::Resizing;
///
/// let to_size = Resizing::from(ResizeDesc::linear([14, 14]));
/// assert_eq!(to_size.scales, None);
/// let doubled = Resizing::scaled(&[1, 64, 7, 9], &[2.0, 2.5], ResizeDesc::linear)?;
/// assert_eq!(doubled.desc.size, [14, 22].into());
/// # Ok::<(), graph::OpError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Resizing {
    /// Filter, coordinates and output size.
    pub desc: ResizeDesc,
    /// Output elements an input element along each spatial axis. The coordinates follow from them
    /// where they are given, and from the sizes otherwise. (PyTorch takes the sizes whenever it
    /// aligns corners.)
    pub scales: Option<Vec<f64>>,
    /// Start and end along each spatial axis of the box that [`ResizeCoordinates::CropAndResize`]
    /// stretches over the output, from 0 to 1 over the input; without it, the whole input.
    pub crop: Option<Vec<(f64, f64)>>,
    /// What an output element gets that lies outside the input, with a box.
    pub extrapolation: f64,
}

impl From<ResizeDesc> for Resizing {
    fn from(desc: ResizeDesc) -> Self {
        Self {
            desc,
            scales: None,
            crop: None,
            extrapolation: 0.0,
        }
    }
}

impl Resizing {
    /// A resizing by scales, one for each spatial axis of `input`, `[n, c, spatial…]`; `desc` makes
    /// the rest of it from the size that follows, `floor(n · scale)` along each axis.
    ///
    /// # Errors
    /// Another number of scales than axes, or one that is not a positive number.
    pub fn scaled(
        input: &[usize],
        scales: &[f64],
        desc: impl FnOnce(Vec<usize>) -> ResizeDesc,
    ) -> Result<Self, OpError> {
        let size = scaled_size("resize", input, scales)?;
        Ok(Self {
            scales: Some(scales.to_vec()),
            ..desc(size).into()
        })
    }

    /// The sizes, checked together with everything else.
    ///
    /// # Errors
    /// What [`ResizeDesc::resolve`] refuses, scales that do not lead to the size, and numbers that
    /// are not finite.
    pub(super) fn resolve(
        &self,
        op: &'static str,
        input: &[usize],
    ) -> Result<ResizeGeometry, OpError> {
        let geometry = self.desc.resolve(input).map_err(OpError::on(op, input))?;
        let size = &geometry.output_shape()[2..];
        if let Some(scales) = &self.scales {
            let expected = scaled_size(op, input, scales)?;
            if size != expected {
                return Err(OpError::Mismatch {
                    op,
                    input: "size",
                    shape: size.to_vec(),
                    other: "the scales of x",
                    other_shape: input.to_vec(),
                    expected,
                });
            }
        }
        let boxed = self.desc.coordinates == ResizeCoordinates::CropAndResize;
        if let Some(crop) = self.crop.as_ref().filter(|_| boxed) {
            check_count(op, "crop", input, crop.len())?;
            for end in crop.iter().flat_map(|&(start, end)| [start, end]) {
                let range = "the finite numbers";
                OpError::unless(end.is_finite(), op, "crop", end as f32, range)?;
            }
        }
        Ok(geometry)
    }
}

/// `floor(n · scale)` along each spatial axis.
fn scaled_size(op: &'static str, input: &[usize], scales: &[f64]) -> Result<Vec<usize>, OpError> {
    check_count(op, "scales", input, scales.len())?;
    let axes = input.iter().skip(2).zip(scales);
    axes.map(|(&elements, &scale)| {
        let positive = scale.is_finite() && scale > 0.0;
        OpError::unless(positive, op, "scale", scale as f32, "0 < scale < ∞")?;
        // Beyond the integers it saturates, and is refused as a size.
        Ok((elements as f64 * scale).floor() as usize)
    })
    .collect()
}

fn check_count(
    op: &'static str,
    what: &'static str,
    input: &[usize],
    given: usize,
) -> Result<(), OpError> {
    let rank = input.len().saturating_sub(2);
    if given != rank {
        return Err(OpError::on(op, input)(GeometryError::AxisCount {
            what,
            given,
            rank,
        }));
    }
    Ok(())
}
