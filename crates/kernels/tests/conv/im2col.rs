//! Columns in particular: blocks that end within a row, bounded scratch, three axes.

use geometry::{ConvDesc, ConvGeometry};
use kernels::Isa;
use kernels::conv::{Algorithm, ConvOptions, ConvPlan, Direction};
use tensor::Layout;
use testkit::conv::ConvCase;

use crate::directions::check;
use crate::plans::teams;

fn plan(geometry: &ConvGeometry, direction: Direction, layout: Layout) -> ConvPlan {
    let options = ConvOptions {
        layout,
        isa: Isa::best(),
        algorithm: Some(Algorithm::Im2col),
        ..ConvOptions::default()
    };
    ConvPlan::new(geometry, direction, options).unwrap()
}

#[test]
fn blocks_that_end_within_a_row_are_exact() {
    // A row of columns is so long that a block of the least size is shorter than a row of pixels.
    let teams = teams();
    for (seed, case) in [
        ConvCase::new(1, 70, 5, [2, 3, 131], [3, 3, 3]).padding([1, 1, 1]),
        ConvCase::new(1, 40, 3, [3, 200], [3, 5])
            .padding([1, 2])
            .groups(1),
        ConvCase::new(2, 36, 6, [2, 2, 150], [2, 2, 3])
            .stride([1, 1, 2])
            .groups(2),
        ConvCase::new(1, 33, 4, [300], [9])
            .dilation([3])
            .padding([4]),
    ]
    .into_iter()
    .enumerate()
    {
        check(&case, &teams, seed as u64);
    }
}

#[test]
fn depth_beyond_the_image_reads_zeros() {
    let teams = teams();
    for (seed, case) in [
        ConvCase::new(2, 5, 7, [1, 4, 5], [3, 2, 2]).padding_sides([1, 0, 1], [1, 1, 0]),
        ConvCase::new(1, 4, 6, [3, 3, 3], [1, 1, 1]).padding([2, 1, 0]),
        ConvCase::new(1, 3, 17, [2, 5, 4], [2, 1, 1])
            .dilation([3, 1, 1])
            .padding([3, 0, 0]),
        ConvCase::new(2, 8, 8, [5, 6, 7], [3, 3, 3])
            .stride([2, 2, 2])
            .padding([1, 1, 1])
            .groups(8),
        ConvCase::new(1, 4, 12, [5, 6, 7], [3, 2, 1])
            .padding([1, 1, 0])
            .groups(4),
        ConvCase::new(3, 16, 24, [4, 5, 6], [1, 1, 1]),
        ConvCase::new(2, 6, 9, [7, 5, 6], [1, 1, 1]).stride([2, 3, 1]),
    ]
    .into_iter()
    .enumerate()
    {
        check(&case, &teams, seed as u64);
    }
}

#[test]
fn scratch_holds_a_block_and_not_the_matrix() {
    // The matrix of columns of this layer has 28·28·28 · 27·64 elements, 152 MB.
    let geometry = ConvDesc::new(64, 3).padding(1);
    let geometry = geometry.resolve(&[4, 64, 28, 28, 28]).unwrap();
    for layout in Layout::ALL {
        for direction in [Direction::Forward, Direction::BackwardData] {
            let plan = plan(&geometry, direction, layout);
            let worker = plan.scratch_len(3) - plan.scratch_len(2);
            assert!(
                worker * 4 <= 1 << 20,
                "{direction} {layout}: {worker} elements a worker"
            );
        }
        let plan = plan(&geometry, Direction::BackwardWeights, layout);
        // A third one shares what is fetched.
        let worker = plan.scratch_len(2) - plan.scratch_len(1);
        assert!(
            worker * 4 <= 1 << 20,
            "weights {layout}: {worker} elements a worker"
        );
        // Accumulators and what is fetched for several tasks at once.
        for threads in [1, 2, 16] {
            let all = plan.scratch_len(threads);
            assert!(all * 4 <= 16 << 20, "weights {layout}: {all} elements");
        }
    }
    // However long a row of columns is, a block holds no more than a megabyte or a single pixel.
    let geometry = ConvDesc::new(8, 5).padding(2);
    let geometry = geometry.resolve(&[1, 512, 16, 16, 16]).unwrap();
    for direction in Direction::ALL {
        let plan = plan(&geometry, direction, Layout::Nhwc);
        let worker = plan.scratch_len(3) - plan.scratch_len(2);
        assert!(
            worker * 4 <= 2 << 20,
            "{direction}: {worker} elements a worker"
        );
    }
}
