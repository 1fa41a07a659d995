//! Numbers that are none, infinite or denormal travel as in the definition, in every plan there is.
//!
//! They stand in the map that is read, not in the second operand: what lies in the padding is multiplied
//! by some algorithms and left out by others, and zero times infinity is no number.

use kernels::{Context, Team};
use testkit::compare::{assert_exact, widen};
use testkit::conv::ConvCase;
use testkit::draw::{Draw, conv_cases};

use crate::directions::{Task, run, tasks};
use crate::plans::{plans, plans_by, resolve};

/// Weights and gradients that no special number is lost at: integers, none of them zero.
fn beside_zero(draw: &mut Draw, len: usize) -> Vec<f32> {
    let integers = draw.integers(len).into_iter();
    integers.map(|v| if v == 0.0 { 2.0 } else { v }).collect()
}

/// A map of integers with special numbers here and there.
fn special(draw: &mut Draw, len: usize) -> Vec<f32> {
    let mut map = draw.integers(len);
    let numbers = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
    for value in &mut map {
        if draw.once_in(12) {
            *value = draw.pick(&numbers);
        }
    }
    map
}

/// All problems whose maps are not empty, few of the drawn ones and layers with a short cut of their own.
fn cases() -> Vec<ConvCase> {
    let mut cases = conv_cases(5, 100);
    cases.extend([
        ConvCase::new(2, 19, 37, [7, 9], [3, 3]).padding([1, 1]),
        ConvCase::new(3, 33, 65, [5, 5], [1, 1]),
        ConvCase::new(2, 17, 20, [9, 8], [1, 1]).stride([2, 2]),
        ConvCase::new(1, 3, 18, [15, 14], [7, 7])
            .stride([2, 2])
            .padding([3, 3]),
        ConvCase::new(2, 35, 35, [8, 9], [3, 3])
            .padding([1, 1])
            .groups(35),
        ConvCase::new(1, 37, 37, [6, 15], [5, 5])
            .stride([1, 2])
            .padding([2, 2])
            .groups(37),
        ConvCase::new(2, 20, 20, [8, 9], [3, 3])
            .padding([1, 1])
            .groups(5),
        ConvCase::new(4, 6, 21, [4, 4], [4, 4]),
    ]);
    cases
}

/// Tasks whose first operand has been spoiled.
fn spoiled(case: &ConvCase, seed: u64, spoil: impl Fn(&mut Draw, usize) -> Vec<f32>) -> Vec<Task> {
    let mut draw = Draw::new(seed);
    let (x, dy) = (
        spoil(&mut draw, case.input_len()),
        spoil(&mut draw, case.output_len()),
    );
    let w = beside_zero(&mut draw, case.weight_len());
    let plain = beside_zero(&mut draw, case.output_len());
    let [forward, data, _] = tasks(case, &x, &w, &dy);
    let [_, _, mut weights] = tasks(case, &x, &w, &plain);
    weights.want = case.backward_weights(&widen(&x), &widen(&plain));
    vec![forward, data, weights]
}

#[test]
fn what_is_no_number_and_what_is_infinite_travel_as_defined() {
    let team = Team::new(2).unwrap();
    let mut found = 0;
    for (seed, case) in cases().iter().enumerate() {
        let geometry = resolve(case);
        for task in spoiled(case, seed as u64, special) {
            found += task.want.iter().filter(|v| !v.is_finite()).count();
            for (name, plan, isa, layout) in plans(&geometry, task.direction) {
                let got = run(&plan, layout, &Context { team: &team, isa }, &task);
                assert_exact(&format!("{case} {name}"), &got, &task.want);
            }
        }
    }
    assert!(found > 10_000, "{found}");
}

/// Multiples of the least number above zero: sums of their products with integers are exact too, unless
/// something takes them for zero.
#[test]
fn denormals_are_not_taken_for_zero() {
    let team = Team::new(2).unwrap();
    let least = f32::from_bits(1);
    let denormal = |draw: &mut Draw, len: usize| -> Vec<f32> {
        let integers = draw.integers(len).into_iter();
        integers.map(|v| v * least).collect()
    };
    for (seed, case) in cases().iter().enumerate() {
        let geometry = resolve(case);
        for task in spoiled(case, seed as u64, denormal) {
            for (name, plan, isa, layout) in plans(&geometry, task.direction) {
                let got = run(&plan, layout, &Context { team: &team, isa }, &task);
                assert_exact(&format!("{case} {name}"), &got, &task.want);
            }
        }
    }
}

/// A tile of a short convolution shares what is no number among its elements; it never loses it, and it
/// keeps it within the tiles that read it.
#[test]
fn short_convolutions_lose_nothing_and_spoil_their_tiles_at_most() {
    let team = Team::new(2).unwrap();
    for (kernel, padding) in [([3, 3], [1, 1]), ([1, 7], [0, 3]), ([5, 5], [2, 2])] {
        let case = ConvCase::new(2, 18, 35, [21, 22], kernel).padding(padding);
        let geometry = resolve(&case);
        let lone = |number: f32| {
            move |draw: &mut Draw, len: usize| {
                let mut map = draw.integers(len);
                // Of the first image, in the middle of its first channel.
                map[10 * 22 + 11] = number;
                map
            }
        };
        for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for task in &spoiled(&case, 3, lone(number))[..2] {
                let image = task.want.len() / case.batch;
                for (name, plan, isa, layout) in
                    plans_by(&geometry, task.direction, |a| a.reassociates())
                {
                    let got = run(&plan, layout, &Context { team: &team, isa }, task);
                    let name = format!("{case} {name} {number}");
                    for (at, (got, want)) in got.iter().zip(&task.want).enumerate() {
                        assert!(want.is_finite() || !got.is_finite(), "{name}: lost at {at}");
                        let (row, column) = (at / 22 % 21, at % 22);
                        let near = row.abs_diff(10) < 12 && column.abs_diff(11) < 12;
                        let allowed = at < image && near;
                        assert!(allowed || got.is_finite(), "{name}: {got} at {at}");
                    }
                }
            }
        }
    }
}
