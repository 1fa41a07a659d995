//! oneDNN's descriptors against the problems they stand for.

use geometry::onednn::{Reason, parse, parse_list, write};
use geometry::{ConvGeometry, Padding, Problem};

fn resolved(text: &str) -> ConvGeometry {
    let listed = parse(text).unwrap_or_else(|error| panic!("{error}"));
    let resolved = listed.desc.resolve(&listed.shape.dims);
    resolved.unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Layers of well-known networks as their papers and reference code define them, each with the problem
/// in the notation of this system.
const LAYERS: [(&str, &str); 16] = [
    (
        r#"mb1ic3ih224oc64oh112kh7sh2ph3n"resnet_50:conv1""#,
        "conv:n1c3h224w224:o64k7s2p3,3,2,2",
    ),
    (
        r#"mb1ic64ih56oc64oh56kh1ph0n"resnet_50:layer1.0.conv1""#,
        "conv:n1c64h56w56:o64k1p0",
    ),
    (
        r#"g1mb1_ic64ih56iw56_oc64oh56ow56_kh3kw3_sh1sw1_ph1pw1_dh0dw0_n"resnet_50:layer1.0.conv2""#,
        "conv:n1c64h56w56:o64k3p1",
    ),
    (
        r#"mb1ic128ih56oc128oh28kh3sh2ph1n"resnet_50:layer2.0.conv2""#,
        "conv:n1c128h56w56:o128k3s2p1,1,0,0",
    ),
    (
        r#"mb1ic256ih56oc512oh28kh1sh2ph0n"resnet_50:layer2.0.downsample""#,
        "conv:n1c256h56w56:o512k1s2p0",
    ),
    (
        r#"mb64_ic512ih7_oc2048oh7_kh1_n"resnet_50:layer4.2.conv3""#,
        "conv:n64c512h7w7:o2048k1p0",
    ),
    (
        r#"g32mb1ic32ih112oc32oh112kh3ph1n"mobilenet:conv2_1/dw""#,
        "conv:n1c32h112w112:o32k3p1g32",
    ),
    (
        r#"g64mb1ic64ih112oc64oh56kh3sh2ph1n"mobilenet:conv2_2/dw""#,
        "conv:n1c64h112w112:o64k3s2p1,1,0,0g64",
    ),
    (
        r#"mb1ic32ih112oc64oh112kh1n"mobilenet:conv2_1/sep""#,
        "conv:n1c32h112w112:o64k1p0",
    ),
    (
        r#"mb1_ic128_ih17iw17_oc128_oh17ow17_kh1kw7_ph0pw3_n"inception_v3:mixed_4b_1x7""#,
        "conv:n1c128h17w17:o128k1x7p0x3",
    ),
    (
        r#"mb1_ic128_ih17iw17_oc192_oh17ow17_kh7kw1_ph3pw0_n"inception_v3:mixed_4b_7x1""#,
        "conv:n1c128h17w17:o192k7x1p3x0",
    ),
    (
        r#"mb1ic3ih299oc32oh149kh3sh2ph0n"inception_v3:conv2d_1a_3x3""#,
        "conv:n1c3h299w299:o32k3s2p0",
    ),
    (
        r#"ic3ih224oc64oh224kh3ph1n"vgg_16:conv1_1""#,
        "conv:n2c3h224w224:o64k3p1",
    ),
    (
        r#"ic512ih14oc512kh3ph1n"vgg_16:conv5_3""#,
        "conv:n2c512h14w14:o512k3p1",
    ),
    (
        r#"g2mb256ic96ih27oc256oh27kh5ph2n"alexnet:conv2""#,
        "conv:n256c96h27w27:o256k5p2g2",
    ),
    (
        r#"mb1ic2048ih28oc256oh28kh3ph6dh5n"deeplab_v3:aspp_rate6""#,
        "conv:n1c2048h28w28:o256k3p6d6",
    ),
];

#[test]
fn layers_of_well_known_networks() {
    for (text, want) in LAYERS {
        assert_eq!(parse(text).unwrap().problem().to_string(), want, "{text}");
    }
    let names = parse(LAYERS[0].0).unwrap().name;
    assert_eq!(names.as_deref(), Some("resnet_50:conv1"));
}

#[test]
fn the_letters_given_decide_the_axes() {
    for (text, want) in [
        ("ic3iw5oc4kw3pw1", "conv:n2c3w5:o4k3p1"),
        ("ic3ih5oc4kh3ph1", "conv:n2c3h5w5:o4k3p1"),
        ("ic3id5oc4kd3pd1", "conv:n2c3d5h5w5:o4k3p1"),
        ("ic3ih5iw6oc4kh3kw2", "conv:n2c3h5w6:o4k3x2p0"),
        (
            "ic3_id4ih5iw6_oc4_kd2kh3kw1_sd2_dh1_pd1ph0pw0",
            "conv:n2c3d4h5w6:o4k2x3x1s2x1x1p1x0x0d1x2x1",
        ),
        // Defaults of an axis say nothing about it: this is a square.
        ("ic3ih5oc4kh3ph1sw1pw0dw0", "conv:n2c3h5w5:o4k3p1"),
        // A later number replaces an earlier one.
        ("ic3ih9kh5oc4ih10_kh3kh5ph2", "conv:n2c3h10w10:o4k5p2"),
    ] {
        assert_eq!(parse(text).unwrap().problem().to_string(), want, "{text}");
    }
}

#[test]
fn the_output_size_decides_the_padding_behind() {
    let sides = |text: &str| {
        let window = resolved(text).windows[2];
        (window.before, window.after, window.output)
    };
    assert_eq!(sides("ic1iw5oc1kw3pw1"), (1, 1, 5), "nothing given: both");
    assert_eq!(
        sides("ic1iw5oc1ow5kw3"),
        (1, 1, 5),
        "half of what is needed"
    );
    assert_eq!(sides("ic1iw5oc1ow5kw2"), (0, 1, 5), "rounded down");
    assert_eq!(sides("ic1iw5oc1ow5kw3pw0"), (0, 2, 5));
    assert_eq!(sides("ic1iw5oc1ow7kw3pw3"), (3, 1, 7));
    assert_eq!(sides("ic1iw8oc1ow3kw3sw3pw0"), (0, 1, 3));
    assert_eq!(sides("ic1iw8oc1ow2kw3sw3pw0"), (0, 0, 2), "two left over");
    assert_eq!(sides("ic8iw5oc8ow2kw3dw2pw3"), (3, 0, 2));
    assert_eq!(sides("ic1iw8oc1ow4kw1sw2"), (0, 0, 4), "none needed");
    assert_eq!(sides("ic1iw9oc1ow5kw100pw90"), (90, 5, 5));
}

#[test]
fn mistakes_are_told_with_their_place() {
    for (text, at, reason) in [
        ("", 0, Reason::Missing { key: "ic" }),
        ("ic3", 3, Reason::Missing { key: "oc" }),
        ("ic3oc4", 6, Reason::NoAxis),
        ("ic3oc4ih5", 9, Reason::Missing { key: "kh" }),
        ("ic3oc4kw5", 9, Reason::Missing { key: "iw" }),
        ("ic3oc4ih5kh3pw1", 15, Reason::Missing { key: "iw" }),
        ("ic3oc4id5kd3ih5kh3", 18, Reason::HalfACube),
        ("ic3oc4iq5", 6, Reason::UnknownKey),
        ("ic3oc４", 5, Reason::NumberExpected { key: "oc" }),
        ("ic3ocih5", 5, Reason::NumberExpected { key: "oc" }),
        ("ic3oc-4", 5, Reason::NumberExpected { key: "oc" }),
        ("g0ic3oc4iw5kw3", 1, Reason::Zero { key: "g" }),
        ("ic3oc4iw5kw3sw0", 14, Reason::Zero { key: "sw" }),
        ("ic3oc0iw5kw3", 5, Reason::Zero { key: "oc" }),
        (
            "ic99999999999999999999",
            2,
            Reason::NumberTooLarge { key: "ic" },
        ),
        ("ic4294967296", 2, Reason::NumberTooLarge { key: "ic" }),
        (
            "ic3oc4iw9ow2kw2sw2pw0",
            21,
            Reason::OutputTooSmall {
                key: "ow",
                output: 2,
                unused: 5,
            },
        ),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!((error.at(), error.reason()), (at, &reason), "{error}");
    }
}

#[test]
fn what_is_written_reads_back_as_the_same_windows() {
    for text in [
        "conv:n1c64h56w56:o64k3p1",
        "conv:n0c6w19:o4k4s3p0,2g2",
        "conv:n3c32h28w27:o32k1x7p0x3",
        "conv:n1c96h112w113:o96k3s2psameg96",
        "conv:n1c64h28w28:o32k3p2d2",
        "conv:n1c8d8h16w15:o8k3x1x3s1x2x3p1,2,3,4,5,6d3x2x1",
        "conv:n1c8d8h8w8:o8k3pfull",
    ] {
        let Problem::Conv(shape, desc) = text.parse().unwrap() else {
            panic!("{text} is no convolution");
        };
        let written = write(&shape, &desc, Some("a layer")).unwrap();
        let read = parse(&written).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(read.name.as_deref(), Some("a layer"));
        let mut want = desc.resolve(&shape.dims).unwrap();
        let mut got = read.desc.resolve(&read.shape.dims).unwrap();
        for window in want.windows.iter_mut().chain(&mut got.windows) {
            window.after = 0; // no window reaches the last of it
        }
        assert_eq!(got, want, "{written}");
    }
    let impossible = parse("ic1iw3oc1kw5").unwrap();
    assert!(write(&impossible.shape, &impossible.desc, None).is_err());
}

#[test]
fn a_list_is_read_with_its_lines() {
    let text = r#"
# a comment
ic3ih5oc4kh3ph1_n"one"   # another

--mb=1,2 --dir=FWD_B ic3iw5oc4kw3_n"the second" ic8iw5oc8kw1
--attr-post-ops=, \
                sum:0.5, \
                relu
ic1iw1oc1kw1
"#;
    let list = parse_list(text).unwrap();
    let names: Vec<_> = list
        .problems
        .iter()
        .map(|(line, listed)| (*line, listed.name.as_deref()))
        .collect();
    let want = [
        (3, Some("one")),
        (5, Some("the second")),
        (5, None),
        (9, None),
    ];
    assert_eq!(names, want);
    let options: Vec<_> = list
        .options
        .iter()
        .map(|(line, option)| (*line, option.as_str()))
        .collect();
    let want = [
        (5, "--mb=1,2"),
        (5, "--dir=FWD_B"),
        (6, "--attr-post-ops=, sum:0.5, relu"),
    ];
    assert_eq!(options, want);

    let error = parse_list("ic3iw5oc4kw3\n\nic3iw5oc4kx3\n").unwrap_err();
    assert_eq!((error.line, error.error.at()), (3, 9), "{error}");
    assert_eq!(parse_list("").unwrap().problems, []);
}

#[test]
fn padding_is_explicit_on_every_axis() {
    let listed = parse("ic1id5oc1od5kd2").unwrap();
    assert_eq!(listed.desc.padding, Padding::Explicit(vec![(0, 1); 3]));
}
