//! The generators: repeatable, valid, and as awkward as they promise.

use testkit::draw::{Family, adaptive_cases, conv_cases, pool_cases};
use testkit::{ConvCase, Draw};

#[test]
fn pcg_reference_output() {
    // The demonstration program of the PCG library: seed 42, stream 54.
    let mut draw = Draw::with_stream(42, 54);
    let bits: Vec<u32> = (0..6).map(|_| draw.bits()).collect();
    let want = [
        0xa15c_02b7,
        0x7b47_f409,
        0xba1d_3330,
        0x83d2_f293,
        0xbfa4_784b,
        0xcbed_606e,
    ];
    assert_eq!(bits, want);
}

#[test]
fn the_seed_decides() {
    assert_eq!(conv_cases(1, 30), conv_cases(1, 30));
    assert_ne!(conv_cases(1, 30), conv_cases(2, 30));
    assert_eq!(pool_cases(1, 30), pool_cases(1, 30));
    assert_ne!(Draw::new(1).integers(20), Draw::new(2).integers(20));
}

#[test]
fn numbers_fill_their_ranges() {
    let mut draw = Draw::new(3);
    let integers = draw.integers(2000);
    for want in -8..=8 {
        assert!(integers.contains(&(want as f32)), "{want}");
    }
    assert!(integers.iter().all(|v| v.abs() <= 8.0 && v.fract() == 0.0));
    let reals = draw.reals(2000);
    assert!(reals.iter().all(|v| (-1.0..1.0).contains(v)));
    assert!(reals.iter().any(|&v| v < -0.99) && reals.iter().any(|&v| v > 0.99));
    let mean = reals.iter().sum::<f32>() / 2000.0;
    assert!(mean.abs() < 0.06, "{mean}");
}

/// Whether the values are pairwise different.
fn differ(values: &[usize]) -> bool {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).all(|pair| pair[0] != pair[1])
}

#[test]
fn convolutions_are_valid_and_awkward() {
    let cases = conv_cases(5, 280);
    for case in &cases {
        assert!(case.output_size().iter().all(|&o| o > 0), "{case}");
        assert!(case.input.iter().all(|&n| n > 0), "{case}");
        assert!(case.products() <= 600_000, "{case}");
    }
    let extent = |c: &ConvCase, a: usize| c.dilation[a] * (c.kernel[a] - 1) + 1;
    let padded = |c: &ConvCase, a: usize| c.before[a] + c.input[a] + c.after[a];
    let on_an_axis = |c: &ConvCase, test: &dyn Fn(usize) -> bool| (0..c.input.len()).any(test);
    let often = |what: &str, test: &dyn Fn(&ConvCase) -> bool| {
        let count = cases.iter().filter(|c| test(c)).count();
        assert!(count >= 20, "{what}: {count} of {}", cases.len());
    };
    often("every parameter different on every axis", &|c| {
        c.input.len() > 1 && differ(&c.kernel) && differ(&c.stride) && differ(&c.dilation)
    });
    often("two or more cells left over", &|c| {
        on_an_axis(c, &|a| (padded(c, a) - extent(c, a)) % c.stride[a] >= 2)
    });
    often("asymmetric padding", &|c| c.before != c.after);
    often("kernel larger than the input", &|c| {
        on_an_axis(c, &|a| extent(c, a) > c.input[a])
    });
    often("groups with a stride", &|c| {
        c.groups > 1 && c.stride.iter().any(|&s| s > 1)
    });
    often("several channels a group", &|c| {
        c.groups > 1 && c.in_channels > c.groups && c.out_channels > c.groups
    });
    often("depthwise", &|c| c.groups > 1 && c.groups == c.in_channels);
    often("more than one image", &|c| c.batch > 1);
    often("one cell", &|c| {
        c.output_size().iter().product::<usize>() == 1
    });
    often("a kernel of networks", &|c| {
        c.kernel == [3, 3] && c.before == [1, 1] || c.kernel == [1, 1]
    });
    for channels in [1, 3, 7, 8, 9, 15, 16, 17, 31, 33] {
        let found = |c: &ConvCase| c.groups == 1 && c.in_channels == channels;
        assert!(cases.iter().any(found), "{channels} input channels");
        let found = |c: &ConvCase| c.groups == 1 && c.out_channels == channels;
        assert!(cases.iter().any(found), "{channels} output channels");
    }
}

#[test]
fn every_family_in_every_rank() {
    let mut draw = Draw::new(6);
    for family in Family::ALL {
        for rank in 1..=3 {
            let case = draw.conv_case(family, rank);
            assert_eq!(case.output_size().len(), rank, "{family:?} {case}");
        }
    }
}

#[test]
fn pools_are_valid_and_awkward() {
    let cases = pool_cases(7, 200);
    for case in &cases {
        assert!(case.output_size().iter().all(|&o| o > 0), "{case:?}");
        assert!(case.input.iter().all(|&n| n > 0), "{case:?}");
    }
    let count =
        |test: &dyn Fn(&testkit::PoolCase) -> bool| cases.iter().filter(|c| test(c)).count();
    assert_eq!(count(&|c| c.ceil), 100);
    assert!(count(&|c| c.before != c.after) > 20);
    assert!(count(&|c| c.dilation.iter().any(|&d| d > 1)) > 20);
    // Ceil mode is worth drawing only where it places a window more.
    let floor = |c: &testkit::PoolCase| {
        let mut floor = c.clone();
        floor.ceil = false;
        floor.output_size()
    };
    assert!(count(&|c| c.output_size() != floor(c)) > 20);
}

#[test]
fn adaptive_pools_are_valid_and_awkward() {
    let cases = adaptive_cases(8, 120);
    let count = |test: &dyn Fn(usize, usize) -> bool| -> usize {
        let axes = cases.iter().flat_map(|c| c.input.iter().zip(&c.output));
        axes.filter(|&(&n, &m)| test(n, m)).count()
    };
    assert_eq!(count(&|n, m| n == 0 || m == 0), 0);
    assert!(count(&|n, m| m > n) > 20, "more bins than cells");
    assert!(count(&|n, m| m < n && n % m == 0) > 20, "equal bins");
    assert!(count(&|n, m| m < n && n % m != 0) > 20, "overlapping bins");
    assert_eq!(adaptive_cases(8, 9), adaptive_cases(8, 9));
}
