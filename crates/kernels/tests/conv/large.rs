//! Depthwise maps larger than the caches, which are written past them.

use kernels::Context;
use kernels::conv::{Algorithm, Direction};
use tensor::Layout;
use testkit::compare::assert_exact;
use testkit::conv::ConvCase;
use testkit::draw::Draw;

use crate::directions::{run, tasks};
use crate::plans::{plans_by, resolve, teams};

/// Elements from which on a map is written past the caches: 16 MiB.
const FAR: usize = 4 << 20;

#[test]
fn what_is_written_past_the_caches_is_there_for_every_thread() {
    let teams = teams();
    let depthwise = ConvCase::new(1, 32, 32, [370, 360], [3, 3]).groups(32);
    let cases = [
        // Sliding, and by taps that lie apart.
        depthwise.clone().padding([1, 1]),
        depthwise.padding([2, 2]).dilation([2, 2]),
    ];
    for (seed, case) in cases.into_iter().enumerate() {
        assert!(case.output_len() >= FAR && case.input_len() >= FAR);
        let geometry = resolve(&case);
        let mut draw = Draw::new(seed as u64);
        let x = draw.integers(case.input_len());
        let w = draw.integers(case.weight_len());
        let dy = draw.integers(case.output_len());
        for task in tasks(&case, &x, &w, &dy) {
            if task.direction == Direction::BackwardWeights {
                continue;
            }
            let plans = plans_by(&geometry, task.direction, |a| a == Algorithm::Depthwise);
            let last = plans.into_iter().filter(|plan| plan.3 == Layout::Nhwc);
            for (index, (name, plan, isa, layout)) in last.enumerate() {
                let team = &teams[(index + seed) % teams.len()];
                let got = run(&plan, layout, &Context { team, isa }, &task);
                assert_exact(&format!("{case} {name}"), &got, &task.want);
            }
        }
    }
}
