//! Cases written as the design's examples of the problem notation.

use testkit::{ConvCase, PoolCase};

#[test]
fn convolutions() {
    let square = |n, c, o, size, k| ConvCase::new(n, c, o, [size, size], [k, k]);
    let written = [
        square(1, 64, 64, 56, 3).padding([1, 1]).to_string(),
        ConvCase::new(8, 32, 32, [28, 28], [1, 7])
            .padding([0, 3])
            .to_string(),
        square(1, 96, 96, 112, 3)
            .stride([2, 2])
            .padding([1, 1])
            .groups(96)
            .to_string(),
        square(1, 64, 32, 28, 3)
            .padding([2, 2])
            .dilation([2, 2])
            .to_string(),
        square(1, 3, 32, 224, 3)
            .stride([2, 2])
            .padding_sides([0, 1], [2, 3])
            .to_string(),
        ConvCase::new(1, 8, 8, [100], [3]).to_string(),
        ConvCase::new(1, 8, 8, [8, 16, 16], [3, 3, 3]).to_string(),
    ];
    let want = [
        "conv:n1c64h56w56:o64k3p1",
        "conv:n8c32h28w28:o32k1x7p0x3",
        "conv:n1c96h112w112:o96k3s2p1g96",
        "conv:n1c64h28w28:o32k3p2d2",
        "conv:n1c3h224w224:o32k3s2p0,1,2,3",
        "conv:n1c8w100:o8k3",
        "conv:n1c8d8h16w16:o8k3",
    ];
    assert_eq!(written, want);
}

#[test]
fn pools() {
    let pool = PoolCase::new(1, 64, [112, 112], [3, 3])
        .stride([2, 2])
        .padding([1, 1]);
    assert_eq!(pool.max_problem(), "pool-max:n1c64h112w112:k3s2p1");
    assert_eq!(
        pool.average_problem(false),
        "pool-avg:n1c64h112w112:k3s2p1,nopad"
    );
    assert_eq!(
        pool.ceil().average_problem(false),
        "pool-avg:n1c64h112w112:k3s2p1,ceil,nopad"
    );
    let pool = PoolCase::new(1, 8, [9], [3]).stride([2]);
    assert_eq!(pool.lp_problem(2.0), "pool-l2:n1c8w9:k3s2");
    assert_eq!(pool.lp_problem(1.5), "pool-l1.5:n1c8w9:k3s2");
}
