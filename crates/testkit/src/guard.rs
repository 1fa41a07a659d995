//! Buffers that touch an inaccessible page: one element too far, and the process stops right there.

use std::io;
use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};
use std::slice;

/// A slice of numbers whose end or start touches a page that may be neither read nor written.
///
/// The memory is `[guard page][data pages][guard page]`; the slice sits at one end of the data pages. What the
/// slice does not fill of them holds NaN, so that a short stray read on the other side poisons the result.
///
/// ```
/// let mut buffer = testkit::guard::GuardedF32::from_slice(&[1.0, 2.0, 3.0]);
/// buffer[2] += 1.0; // buffer[3] lies on the guard page
/// assert_eq!(*buffer, [1.0, 2.0, 4.0]);
/// ```
#[derive(Debug)]
pub struct Guarded<T> {
    mapping: NonNull<u8>,
    mapped: usize,
    values: NonNull<T>,
    len: usize,
}

/// The f32 kind.
pub type GuardedF32 = Guarded<f32>;

/// A float: f32 or f64. All zero bits are a zero.
pub trait Number: Copy + From<f32> + sealed::Sealed {}

impl Number for f32 {}
impl Number for f64 {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

// SAFETY: the mapping is owned by this value alone, and no thread is special to it.
unsafe impl<T: Send> Send for Guarded<T> {}
// SAFETY: through a shared reference the memory can only be read.
unsafe impl<T: Sync> Sync for Guarded<T> {}

/// Which end of the slice touches the guard page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Start,
    End,
}

impl<T: Number> Guarded<T> {
    /// `len` zeros, the end of which touches the guard page.
    ///
    /// # Panics
    /// If the system gives no memory.
    #[must_use]
    pub fn new(len: usize) -> Self {
        Self::map(len, Side::End)
    }

    /// `len` zeros, the start of which touches the guard page.
    ///
    /// # Panics
    /// If the system gives no memory.
    #[must_use]
    pub fn at_start(len: usize) -> Self {
        Self::map(len, Side::Start)
    }

    /// A copy of `values`, the end of which touches the guard page.
    #[must_use]
    pub fn from_slice(values: &[T]) -> Self {
        let mut buffer = Self::new(values.len());
        buffer.copy_from_slice(values);
        buffer
    }

    /// A copy of `values`, the start of which touches the guard page.
    #[must_use]
    pub fn from_slice_at_start(values: &[T]) -> Self {
        let mut buffer = Self::at_start(values.len());
        buffer.copy_from_slice(values);
        buffer
    }

    fn map(len: usize, side: Side) -> Self {
        let page = page_size();
        let bytes = len.checked_mul(size_of::<T>()).expect("length in bytes");
        // At least one data page, so that the two guards never stand for each other.
        let data = bytes.div_ceil(page).max(1) * page;
        let mapped = data + 2 * page;
        // SAFETY: a fresh private anonymous mapping, which the kernel places where nothing else is mapped.
        let mapping = unsafe {
            libc::mmap(
                ptr::null_mut(),
                mapped,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANON,
                -1,
                0,
            )
        };
        assert!(
            mapping != libc::MAP_FAILED,
            "no memory for {mapped} guarded bytes: {}",
            io::Error::last_os_error()
        );
        let mapping = NonNull::new(mapping.cast::<u8>()).expect("a mapping is not at address 0");
        // SAFETY: the first data page lies inside the mapping, which has `page` bytes before it.
        let first = unsafe { mapping.add(page) };
        // SAFETY: `first` is page-aligned, and the `data` bytes from it belong to the mapping made above.
        let opened = unsafe {
            libc::mprotect(
                first.as_ptr().cast(),
                data,
                libc::PROT_READ | libc::PROT_WRITE,
            )
        };
        assert!(
            opened == 0,
            "{data} guarded bytes cannot be opened: {}",
            io::Error::last_os_error()
        );
        let cells = data / size_of::<T>();
        let first = first.cast::<T>();
        let skipped = if side == Side::End { cells - len } else { 0 };
        // SAFETY: the data pages are readable, writable, zeroed, aligned for floats and owned by nobody else yet.
        let all = unsafe { slice::from_raw_parts_mut(first.as_ptr(), cells) };
        all[..skipped].fill(T::from(f32::NAN));
        all[skipped + len..].fill(T::from(f32::NAN));
        Self {
            mapping,
            mapped,
            // SAFETY: `skipped ≤ cells`, so the pointer stays inside the data pages or at their end.
            values: unsafe { first.add(skipped) },
            len,
        }
    }
}

impl<T> Deref for Guarded<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: `values` points at `len` initialised numbers inside the open data pages, which live as long as
        // `self` and are borrowed shared with it.
        unsafe { slice::from_raw_parts(self.values.as_ptr(), self.len) }
    }
}

impl<T> DerefMut for Guarded<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`, and `self` is borrowed exclusively.
        unsafe { slice::from_raw_parts_mut(self.values.as_ptr(), self.len) }
    }
}

impl<T> Drop for Guarded<T> {
    fn drop(&mut self) {
        // SAFETY: exactly the mapping made in `map`; every borrow of it has ended.
        unsafe { libc::munmap(self.mapping.as_ptr().cast(), self.mapped) };
    }
}

fn page_size() -> usize {
    // SAFETY: `sysconf` has no preconditions.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).expect("the system knows its page size")
}
