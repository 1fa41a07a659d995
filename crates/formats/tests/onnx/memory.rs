//! What reading a hostile file takes at most: twice the file and 64 MB.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use convolve_formats::onnx::{Bindings, Model, OnnxError};

use crate::encode::{Message, model, value, varint};

/// The system's allocator, with a count of what each thread holds: other tests run at the same time.
struct Counting;

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

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Reads a file, and gives what came of it and the most memory that was held besides what was before, the file
/// counted in.
fn read(bytes: Vec<u8>) -> (Result<(), OnnxError>, usize) {
    let before = HELD.get() - bytes.len() as isize;
    PEAK.set(HELD.get());
    let read = Model::from_bytes(bytes, "hostile");
    let done = read.and_then(|model| model.import(&Bindings::batch(1)).map(|_| ()));
    (done, (PEAK.get() - before) as usize)
}

#[test]
fn small_messages_do_not_become_large_ones() {
    let empty = |tag: u8, count: usize| [tag << 3 | 2, 0].repeat(count);
    let count = 4 << 20;
    let mut packed = Vec::new();
    varint(7 << 3 | 2, &mut packed);
    varint(count as u64, &mut packed);
    packed.extend(vec![1; count]);
    for (what, fields) in [
        ("nodes", empty(1, count)),
        ("initializers", empty(5, count)),
        ("inputs", empty(11, count)),
        ("a list", Message::default().put(5, packed).0),
    ] {
        let mut graph = Message(fields);
        graph = graph.put(12, value("y", &[1]));
        let file = model(graph);
        let len = file.len();
        let (done, peak) = read(file);
        assert!(done.is_err(), "{what}");
        let limit = 2 * len + (64 << 20) + (8 << 20);
        assert!(peak <= limit, "{what}: {peak} bytes for a file of {len}");
    }
}
