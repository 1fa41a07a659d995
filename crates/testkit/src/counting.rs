//! An allocator that counts, for tests of how much memory something takes.
//!
//! ```
//! use testkit::counting::{Counting, peak};
//!
//! #[global_allocator]
//! static ALLOCATOR: Counting = Counting;
//!
//! let (sum, bytes) = peak(vec![1; 1000], |list| {
//!     let twice = [&*list, &*list].concat();
//!     twice.iter().map(|&x| u32::from(x)).sum::<u32>()
//! });
//! assert_eq!((sum, bytes), (2000, 3000));
//! ```

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, with a count of what each thread holds: other tests run at the same time.
#[derive(Debug)]
pub struct Counting;

thread_local! {
    /// Bytes taken by this thread, less those it gave back.
    static HELD: Cell<isize> = const { Cell::new(0) };
    /// The most of them.
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

/// Counts bytes taken and given back; not while the thread ends, when there is nothing left to count in.
fn count(bytes: isize) {
    let held = HELD.try_with(|held| {
        held.set(held.get() + bytes);
        held.get()
    });
    if let Ok(held) = held {
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held)));
    }
}

// SAFETY: every call goes to the system's allocator as it came; the count is beside it and takes no memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller keeps the rules of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: `at` came from `alloc` above with this layout.
        unsafe { System.dealloc(at, layout) }
    }
}

/// Runs `read` on a file, and gives what came of it and the most memory that was held besides what was before, the
/// file counted in.
pub fn peak<T>(file: Vec<u8>, read: impl FnOnce(Vec<u8>) -> T) -> (T, usize) {
    let before = HELD.get() - file.len() as isize;
    PEAK.set(HELD.get());
    let result = read(file);
    (result, (PEAK.get() - before) as usize)
}
