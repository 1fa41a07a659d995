//! What is sampled, and the gradients of it.

use geometry::DeformableGeometry;

/// What a deformable convolution samples, and where. All maps lie in one layout.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a, T = f32> {
    /// `[n, c, h, w]`
    pub x: &'a [T],
    /// `[n, f·kh·kw·2, oh, ow]`: for every offset group and tap, how far its sample moves down and how
    /// far across. A sample moved by NaN is off the map.
    pub offset: &'a [T],
    /// `[n, f·kh·kw, oh, ow]`: what every sample is multiplied by; there if and only if the geometry
    /// is modulated.
    pub mask: Option<&'a [T]>,
}

/// The gradients of the [`Sources`], each as large as what it is the gradient of.
#[derive(Debug)]
pub struct Gradients<'a, T = f32> {
    /// That of the input.
    pub x: &'a mut [T],
    /// That of the offsets. Where a sample falls on a pixel, the slope is that below and to the right
    /// of it.
    pub offset: &'a mut [T],
    /// That of the mask, if there is one.
    pub mask: Option<&'a mut [T]>,
}

impl<T> Sources<'_, T> {
    /// # Panics
    /// When a map has not the size the geometry gives.
    pub(super) fn check(&self, geometry: &DeformableGeometry) {
        let g = &geometry.conv;
        let samples = g.batch * geometry.samples() * g.output_area();
        let input = g.batch * g.in_channels * g.input_area();
        assert_eq!(self.x.len(), input, "deformable: input length");
        assert_eq!(self.offset.len(), 2 * samples, "deformable: offset length");
        assert_eq!(
            self.mask.map(<[T]>::len),
            geometry.modulated.then_some(samples),
            "deformable: mask length"
        );
    }
}

impl<T> Gradients<'_, T> {
    /// # Panics
    /// When a gradient is not as large as what it is the gradient of.
    pub(super) fn check(&self, sources: &Sources<'_, T>) {
        assert_eq!(self.x.len(), sources.x.len(), "deformable: length of dx");
        let offset = sources.offset.len();
        assert_eq!(self.offset.len(), offset, "deformable: length of doffset");
        assert_eq!(
            self.mask.as_ref().map(|mask| mask.len()),
            sources.mask.map(<[T]>::len),
            "deformable: length of dmask"
        );
    }
}
