//! The block itself, and the view through which the steps of a run share it.

use std::marker::PhantomData;
use std::ptr::NonNull;

use memmap2::MmapMut;

use super::Span;

/// Bytes of a page, or a multiple of them.
#[cfg(target_os = "linux")]
const PAGE: usize = match cfg!(target_arch = "x86_64") {
    true => 1 << 12,
    false => 1 << 16,
};

/// Zeroed memory of whole pages. Unlike a vector it says so when the system has no more.
///
/// The pages are large ones where the system has them: a run goes through weights and feature maps
/// from front to back, and with pages of 4 KiB every 64 cache lines end what the processor can foresee.
#[derive(Debug)]
pub(crate) struct Block {
    start: NonNull<f32>,
    len: usize,
    /// What `start` points to; none of nothing.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code))]
    pages: Option<MmapMut>,
}

// SAFETY: the block owns its memory, which holds plain numbers.
unsafe impl Send for Block {}
// SAFETY: through a shared reference the block is only read.
unsafe impl Sync for Block {}

impl Block {
    /// `len` zeros, or the number of bytes that could not be had.
    pub(crate) fn zeroed(len: usize) -> Result<Self, usize> {
        let bytes = len.saturating_mul(size_of::<f32>());
        if len == 0 {
            return Ok(Self {
                start: NonNull::dangling(),
                len,
                pages: None,
            });
        }
        let mut pages = MmapMut::map_anon(bytes).map_err(|_| bytes)?;
        // A hint: without large pages all is as before, only slower.
        #[cfg(target_os = "linux")]
        let _ = pages.advise(memmap2::Advice::HugePage);
        let start = NonNull::new(pages.as_mut_ptr().cast()).ok_or(bytes)?;
        Ok(Self {
            start,
            len,
            pages: Some(pages),
        })
    }

    /// A stretch of the block.
    pub(crate) fn read(&self, span: Span) -> &[f32] {
        self.assert_inside(span);
        // SAFETY: inside the block, and nobody writes while it is borrowed.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().add(span.start), span.len) }
    }

    /// A stretch of the block, to be written.
    pub(crate) fn write(&mut self, span: Span) -> &mut [f32] {
        self.assert_inside(span);
        // SAFETY: inside the block, which is borrowed by nobody else.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr().add(span.start), span.len) }
    }

    /// Gives the memory of a stretch back to the system, as far as it is whole pages; it holds zeros from then on, or
    /// what it held. Where the system does not know how, nothing happens.
    pub(crate) fn release(&mut self, span: Span) {
        self.assert_inside(span);
        #[cfg(target_os = "linux")]
        if let Some(pages) = &mut self.pages {
            let start = (span.start * size_of::<f32>()).next_multiple_of(PAGE);
            let end = (span.start + span.len) * size_of::<f32>() / PAGE * PAGE;
            if start < end {
                let advice = memmap2::UncheckedAdvice::DontNeed;
                // SAFETY: nobody borrows the block, whose pages are no file's and nobody else's: where they are
                // given back they are zeros when they are touched again, and zeros are numbers.
                let _ = unsafe { pages.unchecked_advise_range(advice, start, end - start) };
            }
        }
    }

    /// Shares the block among the operands of steps.
    pub(crate) fn view(&mut self) -> View<'_> {
        View {
            start: self.start,
            len: self.len,
            owner: PhantomData,
        }
    }

    fn assert_inside(&self, span: Span) {
        assert!(
            span.start <= self.len && span.len <= self.len - span.start,
            "a span past the end of the block"
        );
    }
}

/// The block while a run uses it: several operands of a step at once, some of them written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    start: NonNull<f32>,
    len: usize,
    owner: PhantomData<&'a mut [f32]>,
}

// SAFETY: handing the pointer to another thread is sound; what is done with it is the contract of
// the unsafe methods.
unsafe impl Send for View<'_> {}
// SAFETY: as above.
unsafe impl Sync for View<'_> {}

impl<'a> View<'a> {
    /// A stretch of the block.
    ///
    /// # Safety
    /// No slice from [`View::write`] that overlaps it may live at the same time.
    pub(crate) unsafe fn read(self, span: Span) -> &'a [f32] {
        self.assert_inside(span);
        // SAFETY: inside the block; the caller vouches that nobody writes it.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().add(span.start), span.len) }
    }

    /// A stretch of the block, to be written.
    ///
    /// # Safety
    /// No other slice of this view that overlaps it may live at the same time.
    pub(crate) unsafe fn write(self, span: Span) -> &'a mut [f32] {
        self.assert_inside(span);
        // SAFETY: inside the block; the caller vouches that nobody else has it.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr().add(span.start), span.len) }
    }

    fn assert_inside(self, span: Span) {
        assert!(
            span.start <= self.len && span.len <= self.len - span.start,
            "a span past the end of the block"
        );
    }
}
