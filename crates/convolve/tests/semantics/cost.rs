//! Multiply-accumulates.

use convolve::geometry::{ConvDesc, Problem};

/// The multiply-accumulates of a problem.
fn macs(text: &str) -> usize {
    match text.parse() {
        Ok(Problem::Conv(shape, desc)) => desc.resolve(&shape.dims).unwrap().macs(),
        Ok(Problem::ConvTransposed(shape, desc)) => desc.resolve(&shape.dims).unwrap().macs(),
        other => panic!("{text}: {other:?}"),
    }
}

/// A transposed convolution counts at its input, where the products are: 3 → 1 channels, 2×2 taps with
/// stride 2 on 2×2 makes 48.
#[test]
fn transposed_convolutions_count_at_their_input() {
    assert_eq!(macs("conv-transposed:n1c3h2w2:o1k2s2"), 48);
    // As the convolution that goes the other way does.
    assert_eq!(macs("conv:n1c1h4w4:o3k2s2"), 48);
    // Not one more for what padding takes off or output padding adds.
    assert_eq!(
        macs("conv-transposed:n1c4h5w6:o3k3s2p1a1"),
        4 * 5 * 6 * 3 * 9
    );
}

/// A depthwise convolution and a pointwise one cost `1/N + 1/k²` of the dense convolution to `N` channels.
#[test]
fn the_ratio_of_a_separable_convolution() {
    for (c, n, k, size, s) in [(3, 64, 3, 32, 1), (32, 48, 5, 21, 2), (17, 9, 7, 40, 3)] {
        let input = [1, c, size, size + 1];
        let window = |channels: usize| ConvDesc::new(channels, k).stride(s).padding(k / 2);
        let dense = window(n).resolve(&input).unwrap();
        let depthwise = window(c).groups(c).resolve(&input).unwrap();
        let pointwise = ConvDesc::new(n, 1)
            .resolve(&depthwise.output_shape())
            .unwrap();
        assert_eq!(pointwise.output_shape(), dense.output_shape());
        // (depthwise + pointwise) / dense = 1/n + 1/k², in whole numbers.
        let separable = depthwise.macs() + pointwise.macs();
        assert_eq!(separable * n * k * k, dense.macs() * (k * k + n));
    }
}
