//! Adaptive bins and unpooled sizes against their definitions and against PyTorch's.

use geometry::{
    AdaptiveDesc, GeometryError, NormOrder, Padding, PoolDesc, Rational, Reads, UnpoolDesc,
};

#[test]
fn bins_are_those_of_the_definition() {
    for input in 1..40usize {
        for output in 1..40usize {
            let geometry = AdaptiveDesc::max(output).resolve(&[1, 1, input]).unwrap();
            let bins = geometry.bins[2];
            let mut held = vec![Vec::new(); input];
            let mut longest = 0;
            for o in 0..output {
                // The floor is the last, the ceiling the first number that satisfies the inequality.
                let start = (0..=input).rev().find(|s| s * output <= o * input);
                let end = (0..=input).find(|e| e * output >= (o + 1) * input);
                let sources = bins.sources(o);
                assert_eq!(
                    (Some(sources.start), Some(sources.end)),
                    (start, end),
                    "bin {o} of {output} over {input}"
                );
                longest = longest.max(end.unwrap() - start.unwrap());
                sources.for_each(|i| held[i].push(o));
            }
            assert_eq!(bins.longest(), longest, "{input} in {output}");
            for (i, held) in held.iter().enumerate() {
                let targets: Vec<_> = bins.targets(i).collect();
                assert_eq!(&targets, held, "element {i} of {input} in {output} bins");
                assert!(!held.is_empty());
            }
            let disjoint = held.iter().all(|bins| bins.len() == 1);
            assert_eq!(bins.are_disjoint(), disjoint, "{input} in {output}");
        }
    }
}

/// Bins of a single element all see it, and so lie where the others do.
#[test]
fn bins_of_one_element_do_not_move() {
    let bins = AdaptiveDesc::average(6).resolve(&[1, 1, 1]).unwrap().bins[2];
    let field = Reads::Bins(bins).field().unwrap().unwrap();
    let numbers = [field.size(), field.jump(), field.centre()];
    assert_eq!(numbers, [Rational::ONE, Rational::ZERO, Rational::ZERO]);
}

#[test]
fn adaptive_sizes() {
    let desc = AdaptiveDesc::average([3, 7]);
    let geometry = desc.resolve(&[2, 5, 8, 4]).unwrap();
    assert_eq!(geometry.output_shape(), [2, 5, 3, 7]);
    assert_eq!(geometry.input_shape(), [2, 5, 8, 4]);
    // One number for all axes; an empty batch.
    let geometry = AdaptiveDesc::max(2).resolve(&[0, 5, 8, 4, 3]).unwrap();
    assert_eq!(geometry.output_shape(), [0, 5, 2, 2, 2]);

    let refuse = |output: &[usize], input: &[usize]| {
        let desc = AdaptiveDesc::lp(NormOrder::TWO, output);
        desc.resolve(input).unwrap_err()
    };
    for (output, input, what) in [
        (&[0], &[1, 1, 5], "output size"),
        (&[3], &[1, 1, 0], "input size"),
    ] {
        assert_eq!(refuse(output, input), GeometryError::Zero { what });
    }
    assert!(matches!(
        refuse(&[3, 3], &[1, 1, 5]),
        GeometryError::AxisCount { given: 2, .. }
    ));
    assert!(matches!(refuse(&[3], &[1, 1]), GeometryError::Rank { .. }));
    for (output, input) in [
        (&[1 << 40], &[1, 1, 1 << 40]),
        (&[usize::MAX], &[1, 1, 1]),
        (&[1 << 40], &[1 << 20, 1, 1]),
        (&[1], &[1, 1 << 40, 1 << 40]),
    ] {
        let error = refuse(output, input);
        assert!(
            matches!(error, GeometryError::Overflow { .. }),
            "{output:?} of {input:?}: {error}"
        );
    }
    assert_eq!(
        refuse(&[1 << 40], &[1, 1, 1 << 40]).to_string(),
        "counting the bins overflows the address space"
    );
}

#[test]
fn unpooling_undoes_the_size_of_pooling() {
    for input in 1..30 {
        for kernel in 1..5 {
            for stride in 1..5 {
                for (before, after) in [(0, 0), (1, 0), (1, 1)] {
                    // Wider padding would leave windows that see nothing.
                    if before + after >= kernel {
                        continue;
                    }
                    let padding = || Padding::Explicit(vec![(before, after)]);
                    let pool = PoolDesc::max(kernel).stride(stride).padding(padding());
                    let Ok(pooled) = pool.resolve(&[1, 1, input]) else {
                        continue;
                    };
                    let unpool = UnpoolDesc::new(kernel).stride(stride).padding(padding());
                    let pooled = pooled.output_shape();
                    // Told the size, unpooling gives it; untold, the smallest one that pools to this.
                    let told = unpool.clone().output(input).resolve(&pooled).unwrap();
                    assert_eq!(told.output_shape(), [1, 1, input]);
                    let smallest = (1..=input)
                        .find(|&n| {
                            let smaller = pool.resolve(&[1, 1, n]);
                            smaller.is_ok_and(|g| g.output_shape() == pooled)
                        })
                        .unwrap();
                    let untold = unpool.resolve(&pooled).unwrap();
                    assert_eq!(untold.output_shape(), [1, 1, smallest]);
                }
            }
        }
    }
}

#[test]
fn unpooled_sizes_follow_pytorch() {
    let desc = UnpoolDesc::new(2);
    let shape = |desc: &UnpoolDesc| desc.resolve(&[20, 16, 25, 16]).unwrap().output_shape();
    assert_eq!(shape(&desc), [20, 16, 50, 32]);
    assert_eq!(shape(&desc.clone().output([51, 31])), [20, 16, 51, 31]);
    let wide = UnpoolDesc::new([3, 2]).stride([2, 1]);
    assert_eq!(shape(&wide), [20, 16, 51, 17]);
    let refused = |desc: UnpoolDesc| desc.resolve(&[1, 1, 3]).unwrap_err();
    assert_eq!(
        refused(desc.clone().output(8)),
        GeometryError::UnpooledSize {
            axis: 0,
            given: 8,
            usual: 6,
            stride: 2
        }
    );
    assert!(matches!(
        refused(UnpoolDesc::new(2).padding(3)),
        GeometryError::EmptyTransposed {
            full: 6,
            padding: 6,
            ..
        }
    ));
    assert_eq!(
        refused(UnpoolDesc::new(0)),
        GeometryError::Zero { what: "kernel" }
    );
    assert!(matches!(
        refused(UnpoolDesc::new(1 << 40).stride(usize::MAX)),
        GeometryError::Overflow { .. }
    ));
    // Same padding makes n of n·s.
    let same = UnpoolDesc::new(3).stride(2).padding(Padding::Same);
    assert_eq!(same.resolve(&[1, 1, 4]).unwrap().output_shape(), [1, 1, 8]);
    assert_eq!(desc.resolve(&[0, 1, 4]).unwrap().output_shape(), [0, 1, 8]);
}
