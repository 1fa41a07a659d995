//! Plans run by hand, where the memory they are given is what a test is about.

use convolve::geometry::{ConvGeometry, Problem};
use convolve::kernels::conv::{Algorithm, ConvOptions, ConvPlan, Direction, Epilogue};
use convolve::kernels::{Context, Isa, Team};
use convolve::tensor::Layout;
use testkit::compare::{assert_exact, widen};
use testkit::layout::{channels_first, channels_last};

use crate::ways::{Case, Subject};

/// All algorithms that serve a direction and are exact on integers, in both layouts, with the best instructions.
pub(crate) fn plans(geometry: &ConvGeometry, direction: Direction) -> Vec<(ConvPlan, Layout)> {
    let mut plans = Vec::new();
    for algorithm in Algorithm::ALL.into_iter().filter(|a| !a.reassociates()) {
        for layout in Layout::ALL {
            let options = ConvOptions {
                layout,
                isa: Isa::best(),
                algorithm: Some(algorithm),
                ..ConvOptions::default()
            };
            plans.extend(ConvPlan::new(geometry, direction, options).map(|plan| (plan, layout)));
        }
    }
    plans
}

/// Runs the forward pass of a convolution by every algorithm, in a scratch memory that holds what runs
/// before have left in it.
pub(crate) fn run_with(subject: &Subject, scratch: &mut Vec<f32>) {
    let (Case::Conv(case), Problem::Conv(shape, desc)) = (&subject.case, &subject.problem) else {
        panic!("{subject}")
    };
    let geometry = desc.resolve(&shape.dims).unwrap();
    let mut draw = subject.draw();
    let (x, w) = (
        draw.integers(case.input_len()),
        draw.integers(case.weight_len()),
    );
    let want = case.forward(&widen(&x), &widen(&w), None);
    let (team, isa) = (Team::new(2).unwrap(), Isa::best());
    let ctx = Context { team: &team, isa };
    for (plan, layout) in plans(&geometry, Direction::Forward) {
        let mut packed = vec![f32::NAN; plan.packed_len()];
        plan.pack(&ctx, &w, &mut packed);
        let needed = plan.scratch_len(team.threads()).max(scratch.len());
        scratch.resize(needed, f32::NAN);
        let mut y = vec![f32::NAN; want.len()];
        let x = match layout {
            Layout::Nchw => x.clone(),
            Layout::Nhwc => channels_last(&x, case.batch, case.in_channels),
        };
        plan.forward(&ctx, &x, &packed, Epilogue::default(), &mut y, scratch);
        if layout == Layout::Nhwc {
            y = channels_first(&y, case.batch, case.out_channels);
        }
        assert_exact(
            &format!("{subject} {} {layout}", plan.algorithm()),
            &y,
            &want,
        );
    }
}
