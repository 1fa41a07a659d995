//! Shapes and refusals of deformable convolution and of pooling over regions.

use geometry::{ConvDesc, DeformableDesc, GeometryError, PaddingMode, RegionsDesc};

/// torchvision's own test of `deform_conv2d`.
fn torchvision() -> DeformableDesc {
    let conv = ConvDesc::new(2, [3, 2])
        .stride([2, 1])
        .padding([1, 0])
        .dilation([2, 1])
        .groups(2);
    DeformableDesc::new(conv).offset_groups(3)
}

#[test]
fn offsets_have_two_numbers_and_masks_one_for_each_sample() {
    let first = torchvision().resolve(&[33, 6, 5, 4]).unwrap();
    assert_eq!(first.conv.output_shape(), [33, 2, 2, 3]);
    assert_eq!(first.conv.weight_shape(), [2, 3, 3, 2]);
    assert_eq!(first.offset_shape(), [33, 36, 2, 3]);
    assert_eq!(first.mask_shape(), None);
    assert_eq!(first.channels_per_offset_group(), 2);
    let second = torchvision().modulated(true).resolve(&[33, 6, 5, 4]);
    assert_eq!(second.unwrap().mask_shape(), Some(vec![33, 18, 2, 3]));
    let empty = torchvision().resolve(&[0, 6, 5, 4]).unwrap();
    assert_eq!(empty.offset_shape(), [0, 36, 2, 3]);
}

#[test]
fn deformable_settings_without_meaning_say_their_numbers() {
    let plain = DeformableDesc::new(ConvDesc::new(4, 3));
    assert_eq!(
        plain.clone().offset_groups(0).resolve(&[1, 6, 5, 5]),
        Err(GeometryError::Zero {
            what: "offset groups"
        })
    );
    let error = plain.clone().offset_groups(4).resolve(&[1, 6, 5, 5]);
    assert_eq!(
        error,
        Err(GeometryError::OffsetGroups {
            channels: 6,
            groups: 4
        })
    );
    assert_eq!(
        error.unwrap_err().to_string(),
        "6 input channels do not divide into 4 offset groups"
    );
    for (shape, given) in [(&[1, 6, 5][..], 1), (&[1, 6, 5, 5, 5], 3)] {
        assert_eq!(
            plain.resolve(shape),
            Err(GeometryError::SpatialAxes {
                what: "deformable convolution",
                needed: 2,
                given
            })
        );
    }
    let circular = ConvDesc::new(4, 3)
        .padding(1)
        .padding_mode(PaddingMode::Circular);
    assert_eq!(
        DeformableDesc::new(circular).resolve(&[1, 6, 5, 5]),
        Err(GeometryError::ZerosOnly {
            what: "deformable convolution",
            mode: PaddingMode::Circular
        })
    );
    assert!(matches!(
        plain.resolve(&[1, 6, 2, 5]),
        Err(GeometryError::WindowTooLarge { .. })
    ));
    // The convolution fits the address space, its 512 offsets a pixel do not.
    let wide = DeformableDesc::new(ConvDesc::new(1, 1)).offset_groups(256);
    let error = wide.resolve(&[1, 256, 1 << 23, 1 << 23]);
    assert_eq!(
        error,
        Err(GeometryError::Overflow {
            what: "the offsets"
        })
    );
}

#[test]
fn regions_become_bins_of_all_channels_or_of_their_own() {
    let desc = RegionsDesc::new([3, 2]);
    let all = desc.resolve(&[2, 18, 9, 7], &[5, 5]).unwrap();
    assert_eq!(all.output_shape(), [5, 18, 3, 2]);
    assert_eq!(all.offset_shape(), [5, 2, 3, 2]);
    let own = desc.clone().position_sensitive(true);
    let own = own.resolve(&[2, 18, 9, 7], &[5, 5]).unwrap();
    assert_eq!(own.output_shape(), [5, 3, 3, 2]);
    let none = desc.resolve(&[2, 18, 9, 7], &[0, 5]).unwrap();
    assert_eq!(none.output_shape(), [0, 18, 3, 2]);
}

#[test]
fn regions_without_meaning_say_their_numbers() {
    let desc = RegionsDesc::new(7).position_sensitive(true);
    let refuse = |input: &[usize], regions: &[usize]| desc.resolve(input, regions).unwrap_err();
    assert_eq!(
        refuse(&[1, 48, 9, 9], &[1, 5]),
        GeometryError::BinChannels {
            channels: 48,
            bins: [7, 7]
        }
    );
    assert_eq!(
        refuse(&[1, 49, 9, 9], &[1, 4]),
        GeometryError::RegionList { shape: vec![1, 4] }
    );
    assert!(matches!(
        refuse(&[1, 49, 9], &[1, 5]),
        GeometryError::SpatialAxes { given: 1, .. }
    ));
    assert_eq!(
        refuse(&[1, 49, 0, 9], &[1, 5]),
        GeometryError::Zero {
            what: "input height"
        }
    );
    let none = RegionsDesc::new([7, 0]).resolve(&[1, 49, 9, 9], &[1, 5]);
    assert_eq!(none, Err(GeometryError::Zero { what: "bins" }));
    for (input, regions) in [
        ([1, 49, 9, 9], [usize::MAX, 5]),
        ([1, 49, 1 << 40, 1 << 40], [1, 5]),
    ] {
        assert!(matches!(
            refuse(&input, &regions),
            GeometryError::Overflow { .. }
        ));
    }
}
