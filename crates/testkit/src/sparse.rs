//! Zeros beyond the memory of the machine: for offsets that do not fit 32 bits.

use std::io;
use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::slice;

/// A slice of f32, all zeros but for a few elements. Pages that are only read are one and the same page of
/// zeros, so that a slice of 20 GB takes no more memory than the pages that were written.
///
/// ```
/// let mut x = testkit::sparse::Sparse::new(5_000_000_000);
/// x.set(4_999_999_999, 7.0);
/// assert_eq!((x[0], x[4_999_999_999]), (0.0, 7.0));
/// ```
#[derive(Debug)]
pub struct Sparse {
    first: NonNull<f32>,
    len: usize,
}

impl Sparse {
    /// `len` zeros.
    ///
    /// # Panics
    /// If the system has no addresses left for them.
    #[must_use]
    pub fn new(len: usize) -> Self {
        let bytes = len.checked_mul(size_of::<f32>()).expect("length in bytes");
        // SAFETY: a fresh private anonymous mapping, which the kernel places where nothing else is mapped. That
        // it cannot be written keeps it out of the system's account of memory.
        let mapping = unsafe {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANON;
            libc::mmap(ptr::null_mut(), bytes.max(1), libc::PROT_READ, flags, -1, 0)
        };
        assert!(
            mapping != libc::MAP_FAILED,
            "no addresses for {bytes} bytes: {}",
            io::Error::last_os_error()
        );
        let first = NonNull::new(mapping.cast()).expect("a mapping is not at address 0");
        Self { first, len }
    }

    /// Writes one element.
    ///
    /// # Panics
    /// If there is no such element, or no memory for its page.
    pub fn set(&mut self, index: usize, value: f32) {
        assert!(index < self.len, "element {index} of {}", self.len);
        // SAFETY: `sysconf` has no preconditions.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        let page = usize::try_from(page).expect("the system knows its page size");
        let start = index * size_of::<f32>() / page * page;
        // SAFETY: the page of an element of the mapping belongs to it, and its start is page-aligned, as that
        // of the mapping is.
        let opened = unsafe {
            let start = self.first.as_ptr().byte_add(start);
            libc::mprotect(start.cast(), page, libc::PROT_READ | libc::PROT_WRITE)
        };
        assert!(opened == 0, "no page: {}", io::Error::last_os_error());
        // SAFETY: the element lies on the page that was opened, and `self` is borrowed exclusively.
        unsafe { self.first.add(index).write(value) };
    }
}

impl Deref for Sparse {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: `len` floats that can be read, for zeroed pages are zeros, live as long as `self`.
        unsafe { slice::from_raw_parts(self.first.as_ptr(), self.len) }
    }
}

impl Drop for Sparse {
    fn drop(&mut self) {
        let bytes = (self.len * size_of::<f32>()).max(1);
        // SAFETY: exactly the mapping made in `new`; every borrow of it has ended.
        unsafe { libc::munmap(self.first.as_ptr().cast(), bytes) };
    }
}
