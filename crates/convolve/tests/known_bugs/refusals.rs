//! What has no meaning is an error with its numbers, and what is empty is empty.

use convolve::geometry::{
    ConvDesc, DeformableDesc, GeometryError, PoolDesc, Problem, TransposedDesc,
};
use convolve::tensor::Tensor;

use crate::ways::{prove, ways};

/// pytorch PR#9640: a dilated 3×3 (5×5) on 4×4 with stride 2 has a negative size, which came out as a
/// large one.
#[test]
fn a_negative_size_is_an_error() {
    let want = GeometryError::WindowTooLarge {
        axis: 0,
        window: 5,
        padded: 4,
    };
    let shape = [1, 2, 4, 4];
    let conv = ConvDesc::new(3, 3).stride(2).dilation(2);
    assert_eq!(conv.resolve(&shape).unwrap_err(), want);
    for pool in [PoolDesc::max(3), PoolDesc::average(3)] {
        let pool = pool.stride(2).dilation(2);
        assert_eq!(pool.resolve(&shape).unwrap_err(), want);
        // Rounded up, the size is 1 as long as the window hangs over by less than a stride.
        let ceil = pool.ceil(true);
        assert_eq!(ceil.resolve(&shape).unwrap().output_shape(), [1, 2, 1, 1]);
        assert_eq!(ceil.stride(1).resolve(&shape).unwrap_err(), want);
    }
    let deformable = DeformableDesc::new(conv.clone());
    assert_eq!(deformable.resolve(&shape).unwrap_err(), want);
    let eager = &ways()[0].eager;
    let (x, w) = (
        Tensor::<f32>::zeros(&shape).unwrap(),
        Tensor::zeros(&[3, 2, 3, 3]).unwrap(),
    );
    let error = eager.conv(&x, &w, None, &conv).unwrap_err().to_string();
    assert!(error.contains('5') && error.contains('4'), "{error}");
}

/// pytorch#85111, TF#42208: 0 groups, or fewer, divided by zero.
#[test]
fn no_groups_is_an_error() {
    let want = GeometryError::Zero { what: "groups" };
    let shape = [1, 4, 5, 5];
    let conv = ConvDesc::new(4, 3).groups(0);
    assert_eq!(conv.resolve(&shape).unwrap_err(), want);
    let transposed = TransposedDesc::new(conv.clone());
    assert_eq!(transposed.resolve(&shape).unwrap_err(), want);
    let deformable = DeformableDesc::new(conv.clone());
    assert_eq!(deformable.resolve(&shape).unwrap_err(), want);
    let eager = &ways()[0].eager;
    let (x, w) = (
        Tensor::<f32>::zeros(&shape).unwrap(),
        Tensor::zeros(&[4, 4, 3, 3]).unwrap(),
    );
    let error = eager.conv(&x, &w, None, &conv).unwrap_err().to_string();
    assert!(error.contains("groups"), "{error}");
    let error = eager
        .conv_transposed(&x, &w, None, &transposed)
        .unwrap_err();
    assert!(error.to_string().contains("groups"), "{error}");
    for text in ["conv:n1c4h5w5:o4k3g-1", "conv-transposed:n1c4h5w5:o4k3g-2"] {
        let error = text.parse::<Problem>().unwrap_err().to_string();
        assert!(error.contains("expected a number"), "{error}");
    }
}

/// pytorch#85111, TF#42208: no images, in any direction: empty maps, and gradients of zeros.
#[test]
fn an_empty_batch_gives_an_empty_result() {
    for text in [
        "conv:n0c3h5w5:o4k3p1",
        "conv:n0c4h5w6:o4k3s2g4",
        "conv:n0c3w7:o2k1",
        "conv-transposed:n0c3h4w5:o2k3s2p1a1",
        "conv-deformable:n0c6h5w4:o4k3g2f3m",
        "pool-max:n0c3h5w5:k3s2p1,ceil",
        "pool-avg:n0c3h5w5:k2",
    ] {
        prove(text);
    }
}

/// pytorch#85111, TF#42208: a filter without taps, or a stride or a dilation of zero, is an error.
#[test]
fn a_zero_size_filter_is_an_error() {
    let shape = [1, 2, 5, 6];
    let eager = &ways()[0].eager;
    let x = Tensor::<f32>::zeros(&shape).unwrap();
    for (what, kernel, stride, dilation) in [
        ("kernel", [3, 0], 1, 1),
        ("stride", [3, 3], 0, 1),
        ("dilation", [3, 3], 1, 0),
    ] {
        let want = Err(GeometryError::Zero { what });
        let conv = ConvDesc::new(2, kernel).stride(stride).dilation(dilation);
        assert_eq!(conv.resolve(&shape).map(|_| ()), want);
        let transposed = TransposedDesc::new(conv.clone());
        assert_eq!(transposed.resolve(&shape).map(|_| ()), want);
        let deformable = DeformableDesc::new(conv.clone());
        assert_eq!(deformable.resolve(&shape).map(|_| ()), want);
        let pool = PoolDesc::max(kernel).stride(stride).dilation(dilation);
        assert_eq!(pool.resolve(&shape).map(|_| ()), want);
        let w = Tensor::zeros(&[2, 2, kernel[0], kernel[1]]).unwrap();
        let error = eager.conv(&x, &w, None, &conv).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
        assert!(eager.conv_transposed(&x, &w, None, &transposed).is_err());
        assert!(eager.max_pool(&x, pool).is_err());
    }
}
