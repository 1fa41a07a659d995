//! Output that tasks of one kernel write at the same time.

use std::marker::PhantomData;

/// A mutable slice that the tasks of a team share, each writing elements no other task touches.
#[derive(Clone, Copy)]
pub(crate) struct Shared<'a, T = f32> {
    start: *mut T,
    len: usize,
    owner: PhantomData<&'a mut [T]>,
}

// SAFETY: handing the pointer to another thread is sound; what is done with it is the contract of
// the unsafe methods.
unsafe impl<T: Send> Send for Shared<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<'_, T> {}

impl<'a, T> Shared<'a, T> {
    /// Shares `slice` for as long as it is borrowed.
    pub(crate) fn new(slice: &'a mut [T]) -> Self {
        Self {
            start: slice.as_mut_ptr(),
            len: slice.len(),
            owner: PhantomData,
        }
    }

    /// The first element; the caller stays within the slice and out of other tasks' elements.
    pub(crate) fn as_mut_ptr(&self) -> *mut T {
        self.start
    }

    /// Elements `from .. from + len` as this task's own.
    ///
    /// # Safety
    /// No other task may touch these elements while the slice lives.
    #[allow(clippy::mut_from_ref)]
    pub(crate) unsafe fn slice(&self, from: usize, len: usize) -> &'a mut [T] {
        assert!(
            from <= self.len && len <= self.len - from,
            "shared slice out of bounds"
        );
        // SAFETY: within bounds, and the caller vouches that nobody else touches it.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(from), len) }
    }

    /// Elements `from .. from + len`, to be read after the tasks that wrote them.
    ///
    /// # Safety
    /// No task may write these elements while the slice lives.
    pub(crate) unsafe fn read(&self, from: usize, len: usize) -> &'a [T] {
        assert!(
            from <= self.len && len <= self.len - from,
            "shared slice out of bounds"
        );
        // SAFETY: within bounds, and the caller vouches that nobody writes it.
        unsafe { std::slice::from_raw_parts(self.start.add(from), len) }
    }
}
