//! What reading a hostile file takes at most: twice the file and 64 MB.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use convolve_formats::onnx::{Bindings, Model, OnnxError};

use crate::encode::{Message, model, value, varint};

/// The system's allocator, with a count of what this thread and all others hold.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator as it came; the count is beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(held, Ordering::Relaxed);
        // SAFETY: the caller keeps the rules of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: `at` came from `alloc` above with this layout.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Reads a file, and gives what came of it and the most memory that was held besides what was before. Other tests
/// run at the same time and take little.
fn read(bytes: Vec<u8>) -> (Result<(), OnnxError>, usize) {
    let before = HELD.load(Ordering::Relaxed) - bytes.len();
    PEAK.store(HELD.load(Ordering::Relaxed), Ordering::Relaxed);
    let read = Model::from_bytes(bytes, "hostile");
    let done = read.and_then(|model| model.import(&Bindings::batch(1)).map(|_| ()));
    (done, PEAK.load(Ordering::Relaxed).saturating_sub(before))
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
