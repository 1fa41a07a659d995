//! A run takes no memory from the system. A binary of its own, because it counts for the process.

use std::alloc::{GlobalAlloc, Layout as Block, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use geometry::{ConvDesc, PoolDesc};
use graph::NetworkBuilder;
use graph::passes::{self, TrainingOptions};
use kernels::Isa;
use runtime::{Program, Run, RuntimeOptions, initialise};
use tensor::Layout;

struct Counting;

static TAKEN: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Block) -> *mut u8 {
        TAKEN.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's contract is the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Block) {
        // SAFETY: as above.
        unsafe { System.dealloc(start, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn a_run_allocates_nothing() {
    let mut net = NetworkBuilder::new("everything", [4, 3, 16, 16]);
    let input = net.input();
    let x = net
        .conv("conv1", input, ConvDesc::new(16, 3).padding(1), false)
        .unwrap();
    let x = net.batch_norm("bn1", x).unwrap();
    let x = net.relu(x).unwrap();
    let deep = net
        .conv("dw", x, ConvDesc::new(16, 3).padding(1).groups(16), true)
        .unwrap();
    let deep = net.relu6(deep).unwrap();
    let x = net.add(x, deep).unwrap();
    let x = net.concat(&[x, input]).unwrap();
    let x = net.max_pool("max", x, PoolDesc::max(2).stride(2)).unwrap();
    let x = net
        .average_pool("avg", x, PoolDesc::average(2).stride(2))
        .unwrap();
    let x = net
        .conv("conv2", x, ConvDesc::new(8, 3).stride(2).padding(1), false)
        .unwrap();
    let x = net.batch_norm("bn2", x).unwrap();
    let x = net.dropout(x, 0.2).unwrap();
    let x = net.flatten(x).unwrap();
    let x = net.linear("fc", x, 10).unwrap();
    let network = net.finish(x).unwrap();
    let graphs = [
        passes::training(&network, TrainingOptions::default()).unwrap(),
        passes::inference(&network).unwrap(),
    ];
    for graph in graphs {
        for layout in Layout::ALL {
            for threads in [1, 2] {
                let options = RuntimeOptions {
                    layout,
                    threads,
                    isa: Isa::best(),
                    algorithm: None,
                    ..RuntimeOptions::default()
                };
                let mut program = Program::new(graph.clone(), &options).unwrap();
                initialise(&mut program, 1);
                // The least of several windows: the queue of the thread pool takes a block now and
                // then (one in 63 entries), and so do threads of other programs as they end.
                let windows = (0..8).map(|window| {
                    let before = TAKEN.load(Ordering::Relaxed);
                    for step in 0..4 {
                        program.parameters_mut();
                        program.run(Run { seed: window, step });
                    }
                    TAKEN.load(Ordering::Relaxed) - before
                });
                assert_eq!(windows.min(), Some(0), "{layout}, {threads} threads");
            }
        }
    }
}
