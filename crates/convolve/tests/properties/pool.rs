//! Pools.

use convolve::geometry::{PoolKind, Problem};
use convolve::kernels::pool::max::NO_SOURCE;
use testkit::PoolCase;

use crate::draws::{AVERAGES, exact_kinds, pools};
use crate::hold::{Property, is_pool};
use crate::ways::{Case, Exercise, Subject, tensor, ways};

fn case(subject: &Subject) -> &PoolCase {
    match &subject.case {
        Case::Pool(case, _) => case,
        case => unreachable!("a property of pools, not of {case:?}"),
    }
}

/// Maxima, averages and norms of order 1 equal the oracle to the bit, and so do their gradients.
#[test]
fn every_way_equals_the_oracle() {
    let property = Property {
        cases: 512,
        about: is_pool,
        draws: pools(exact_kinds()),
    };
    property.hold(&every_way_equals_the_oracle, |subject| {
        subject.question().ask()
    });
}

/// An index as a place on every axis.
fn places(mut index: usize, sizes: &[usize]) -> Vec<usize> {
    let mut places = vec![0; sizes.len()];
    for (place, size) in places.iter_mut().zip(sizes).rev() {
        (*place, index) = (index % size, index / size);
    }
    places
}

/// Whether a tap of a window stands on an element of the image, both as places on every axis.
fn sees(case: &PoolCase, window: &[usize], element: &[usize]) -> bool {
    (0..window.len()).all(|axis| {
        let taps = 0..case.kernel[axis];
        let mut taps = taps.map(|tap| window[axis] * case.stride[axis] + tap * case.dilation[axis]);
        taps.any(|tap| tap == element[axis] + case.before[axis])
    })
}

/// A window of an average hands every element of the image that it sees the same share of its gradient, and
/// nothing to any other.
#[test]
fn averages_spread_evenly() {
    let property = Property {
        cases: 96,
        about: |subject: &Subject| matches!(subject.case, Case::Pool(_, PoolKind::Average { .. })),
        draws: pools(AVERAGES.to_vec()),
    };
    property.hold(&averages_spread_evenly, |subject| {
        let case = case(subject);
        let (sizes, len) = (case.output_size(), case.output_len());
        let (image, map): (usize, usize) = (case.input.iter().product(), sizes.iter().product());
        let count_padding = matches!(
            subject.case,
            Case::Pool(
                _,
                PoolKind::Average {
                    count_padding: true
                }
            )
        );
        let divisors = case.divisors(count_padding);
        let mut draw = subject.draw();
        let mut count = 0;
        for _ in 0..len.min(4) {
            let window = draw.below(len);
            let mut exercise = subject.exercise();
            exercise.upstream = vec![0.0; len];
            exercise.upstream[window] = divisors[window] as f32;
            let place = places(window % map, &sizes);
            let want: Vec<f32> = (0..case.input_len())
                .map(|element| {
                    let same_plane = element / image == window / map;
                    let seen = sees(case, &place, &places(element % image, &case.input));
                    if same_plane && seen { 1.0 } else { 0.0 }
                })
                .collect();
            count += exercise.every_way(|made| {
                let shares = made[1].data();
                let wrong = (0..want.len()).find(|&at| shares[at] != want[at]);
                wrong.map_or(Ok(()), |at| {
                    let (got, want) = (shares[at], want[at]);
                    Err(format!(
                        "window {window} gives element {at} {got} shares, not {want}"
                    ))
                })
            })?;
        }
        Ok(count)
    });
}

/// A maximum remembers where it was found: there stands its value, within its window, and there goes its
/// gradient, all of it.
#[test]
fn maxima_return_to_their_places() {
    let property = Property {
        cases: 96,
        about: |subject: &Subject| matches!(subject.case, Case::Pool(_, PoolKind::Max)),
        draws: pools(vec![PoolKind::Max]),
    };
    property.hold(&maxima_return_to_their_places, |subject| {
        let case = case(subject);
        let Problem::Pool(_, desc) = &subject.problem else {
            unreachable!("a pool")
        };
        let exercise = subject.exercise();
        let (dims, x) = &exercise.operands[0];
        let sizes = case.output_size();
        let (image, map): (usize, usize) = (case.input.iter().product(), sizes.iter().product());
        let mut found = None;
        for way in ways().iter().filter(|way| way.algorithm.is_none()) {
            let made = way
                .eager
                .max_pool_with_indices(&tensor::<f32>(dims, x), desc.clone());
            let (y, indices) = made.map_err(|error| format!("{}: {error}", way.name))?;
            for (window, (&value, &index)) in y.data().iter().zip(indices.data()).enumerate() {
                let what = || format!("{}: window {window} has {value} at {index}", way.name);
                let place = places(window % map, &sizes);
                if index == NO_SOURCE {
                    let blind = (0..image).all(|at| !sees(case, &place, &places(at, &case.input)));
                    let lost = value == f32::NEG_INFINITY && blind;
                    lost.then_some(()).ok_or_else(what)?;
                    continue;
                }
                let index = index as usize;
                let stands = index < image
                    && x[window / map * image + index] == value
                    && sees(case, &place, &places(index, &case.input));
                stands.then_some(()).ok_or_else(what)?;
            }
            found = Some(indices);
        }
        let found = found.ok_or("no way")?;
        let mut want = vec![0.0; x.len()];
        for (window, (&index, &dy)) in found.data().iter().zip(&exercise.upstream).enumerate() {
            if index != NO_SOURCE {
                want[window / map * image + index as usize] += dy;
            }
        }
        gradient_is(&exercise, &want)
    });
}

fn gradient_is(exercise: &Exercise, want: &[f32]) -> Result<usize, String> {
    exercise.every_way(|made| {
        let got = made[1].data();
        let equal = got == want;
        equal
            .then_some(())
            .ok_or_else(|| format!("the gradient is {got:?}, should be {want:?}"))
    })
}
