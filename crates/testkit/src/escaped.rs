//! Problems on which other engines shipped wrong answers. Each is small enough to be run in every test suite.

use crate::{ConvCase, PoolCase};

/// Convolutions, each with the report of the bug it once triggered.
#[must_use]
pub fn convolutions() -> Vec<(&'static str, ConvCase)> {
    let conv = ConvCase::new;
    let depthwise = |channels: usize, size: usize| {
        let case = conv(1, channels, channels, [size, size], [3, 3]);
        case.stride([2, 2]).padding([1, 1]).groups(channels)
    };
    vec![
        (
            "pytorch#19912: grouped 1x1 all zeros",
            conv(2, 4, 16, [5, 6], [1, 1]).groups(2),
        ),
        (
            "pytorch#21597: six channels where eight were assumed",
            conv(1, 6, 6, [7, 5], [3, 3]).padding([1, 1]),
        ),
        (
            "modular#6129: 16 groups of 48 channels",
            conv(1, 768, 128, [4, 5], [3, 3]).padding([1, 1]).groups(16),
        ),
        ("pytorch#50042: depthwise of 23 channels", depthwise(23, 6)),
        ("pytorch#50042: depthwise of 24 channels", depthwise(24, 6)),
        ("pytorch#50042: depthwise of 25 channels", depthwise(25, 6)),
        ("burn PR#1891: depthwise weight gradient", depthwise(4, 4)),
        (
            "pytorch#82060: channels-last weight of one input channel",
            conv(1, 1, 64, [100, 100], [3, 3]).padding([1, 1]),
        ),
        (
            "pytorch PR#60460: depthwise with a multiplier",
            conv(1, 2, 32, [8, 9], [3, 3]).padding([1, 1]).groups(2),
        ),
        (
            "burn PR#4806: the last three inputs in no window",
            ConvCase::new(1, 2, 3, [1603], [4]).stride([4]),
        ),
        (
            "candle#1212: 7x7 stride 2",
            conv(1, 3, 16, [30, 29], [7, 7])
                .stride([2, 2])
                .padding([3, 3]),
        ),
        (
            "candle#633: patches of 16x16",
            conv(1, 3, 5, [224, 224], [16, 16]).stride([16, 16]),
        ),
        (
            "candle#3404: as many channels as rows and columns",
            conv(2, 8, 8, [8, 8], [3, 3]).padding([1, 1]),
        ),
        (
            "ORT#9370: odd total padding, more after",
            conv(1, 3, 4, [6, 6], [3, 3])
                .stride([2, 2])
                .padding_sides([0, 0], [1, 1]),
        ),
        (
            "ORT#9370: odd total padding, more before",
            conv(1, 3, 4, [6, 6], [3, 3])
                .stride([2, 2])
                .padding_sides([1, 1], [0, 0]),
        ),
        (
            "ORT#14208: a transposed row of output padding with stride 1",
            conv(1, 2, 3, [2, 4], [2, 2])
                .padding_sides([3, 3], [2, 2])
                .dilation([2, 2]),
        ),
        (
            "tinygrad PR#17805: kernel and dilation unequal",
            conv(1, 2, 3, [28, 31], [3, 5])
                .padding([2, 6])
                .dilation([2, 3]),
        ),
        (
            "onnx#7721: padding on one axis only",
            conv(1, 1, 1, [7, 5], [3, 3]).stride([2, 2]).padding([1, 0]),
        ),
        (
            "ORT#26669: 64 channels",
            conv(1, 64, 8, [6, 5], [3, 3]).padding([1, 1]),
        ),
        (
            "ORT#26669: then 320",
            conv(1, 320, 8, [6, 5], [3, 3]).padding([1, 1]),
        ),
        (
            "ORT#26669: then 64 again",
            conv(1, 64, 8, [6, 5], [3, 3]).padding([1, 1]),
        ),
        (
            "ncnn PR#1891: a remainder of every Winograd tile",
            conv(1, 9, 17, [7, 11], [3, 3]).padding([1, 1]),
        ),
        (
            "ACL PR#395: padding 100",
            conv(1, 2, 3, [4, 3], [3, 3]).padding([100, 100]),
        ),
        (
            "pytorch#85111: no images",
            conv(0, 3, 4, [5, 5], [3, 3]).padding([1, 1]),
        ),
    ]
}

/// Convolutions whose window fits nowhere: production code must refuse them.
#[must_use]
pub fn impossible_convolutions() -> Vec<(&'static str, ConvCase)> {
    vec![
        (
            "pytorch PR#9640: a negative size",
            ConvCase::new(1, 1, 1, [4, 4], [3, 3])
                .stride([2, 2])
                .dilation([2, 2]),
        ),
        (
            "a kernel wider than the padded row",
            ConvCase::new(1, 1, 1, [9, 2], [3, 5]).padding([1, 1]),
        ),
    ]
}

/// Pools, each with the report of the bug it once triggered.
#[must_use]
pub fn pools() -> Vec<(&'static str, PoolCase)> {
    let pool = PoolCase::new;
    vec![
        (
            "burn#5791: a last window wholly in the padding",
            pool(1, 3, [4, 7], [2, 3])
                .stride([3, 4])
                .padding([1, 1])
                .ceil(),
        ),
        (
            "burn#5604, #5450: asymmetric padding in the divisor",
            pool(1, 3, [5, 7], [3, 4])
                .stride([2, 3])
                .padding_sides([0, 1], [2, 2]),
        ),
        (
            "tract#2847: dilation ignored",
            pool(1, 3, [9, 10], [3, 2]).dilation([2, 3]),
        ),
        (
            "onnx#4958: a last window behind the image",
            pool(1, 2, [9, 9], [4, 4])
                .stride([4, 4])
                .padding([2, 2])
                .ceil(),
        ),
        (
            "onnx#7721: padding on one axis only",
            pool(1, 2, [7, 5], [3, 3]).stride([2, 2]).padding([1, 0]),
        ),
    ]
}
