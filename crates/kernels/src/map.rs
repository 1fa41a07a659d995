//! Where the elements of a feature map lie.

use tensor::Layout;

/// A feature map whose elements are found by image, channel and position.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Map {
    /// Channels of an image.
    pub(crate) channels: usize,
    /// Positions of a channel, all spatial axes together.
    pub(crate) area: usize,
    /// Their order in memory.
    pub(crate) layout: Layout,
}

impl Map {
    /// The place of an element.
    #[inline(always)]
    pub(crate) fn at(self, image: usize, channel: usize, position: usize) -> usize {
        match self.layout {
            Layout::Nchw => (image * self.channels + channel) * self.area + position,
            Layout::Nhwc => (image * self.area + position) * self.channels + channel,
        }
    }

    /// The places of a channel's elements, image by image.
    pub(crate) fn channel(self, batch: usize, channel: usize) -> impl Iterator<Item = usize> {
        (0..batch).flat_map(move |image| {
            (0..self.area).map(move |position| self.at(image, channel, position))
        })
    }
}
