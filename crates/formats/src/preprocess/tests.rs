use super::*;

fn plain(input: (usize, usize), crop_fraction: f64, interpolation: Interpolation) -> Preprocess {
    Preprocess {
        input,
        channels: 3,
        mean: vec![0.0; 3],
        std: vec![1.0; 3],
        crop_fraction,
        interpolation,
        crop_mode: CropMode::Center,
    }
}

/// The bytes of the input before normalisation, CHW.
fn bytes(preprocess: &Preprocess, picture: &Picture) -> Vec<i32> {
    let mut out = vec![0.0; preprocess.check().unwrap()];
    preprocess.apply(picture, &mut out).unwrap();
    out.iter()
        .map(|value| (value * 255.0).round() as i32)
        .collect()
}

fn grey(height: usize, width: usize, pixels: &[u8]) -> Picture {
    let pixels = pixels.to_vec();
    Picture {
        height,
        width,
        channels: 1,
        pixels,
    }
}

/// Halving with the tent: it spans four pixels with the weights 1 3 3 1, less at the border, where the part that
/// falls outside is left out.
#[test]
fn halving_bilinearly_by_hand() {
    let mut preprocess = plain((1, 4), 1.0, Interpolation::Bilinear);
    (preprocess.channels, preprocess.mean, preprocess.std) = (1, vec![0.0], vec![1.0]);
    let row = [0, 70, 140, 210, 40, 80, 7, 14];
    let picture = grey(2, 8, &[row, row].concat());
    let border = (3.0 * 0.0 + 3.0 * 70.0 + 140.0) / 7.0;
    let second = (70.0 + 3.0 * 140.0 + 3.0 * 210.0 + 40.0) / 8.0;
    let third = (210.0 + 3.0 * 40.0 + 3.0 * 80.0 + 7.0) / 8.0;
    let last = (80.0 + 3.0 * 7.0 + 3.0 * 14.0) / 7.0;
    let expected = [border, second, third, last].map(|value: f64| value.round() as i32);
    assert_eq!(bytes(&preprocess, &picture), expected);
}

/// Doubling with the tent: quarters of the way between neighbours, held at the borders.
#[test]
fn doubling_bilinearly_by_hand() {
    let mut preprocess = plain((2, 6), 1.0, Interpolation::Bilinear);
    (preprocess.channels, preprocess.mean, preprocess.std) = (1, vec![0.0], vec![1.0]);
    let picture = grey(1, 3, &[0, 100, 20]);
    let row = [0, 25, 75, 80, 40, 20];
    assert_eq!(bytes(&preprocess, &picture), [row, row].concat());
}

fn patterned(height: usize, width: usize) -> Picture {
    let pixel =
        |y: usize, x: usize| [x * 37 + y * 11, x * y * 5, (y * 53) ^ (x * 3)].map(|v| v as u8);
    let pixels = (0..height * width)
        .flat_map(|i| pixel(i / width, i % width))
        .collect();
    Picture {
        height,
        width,
        channels: 3,
        pixels,
    }
}

/// Against torchvision 0.29 on Pillow 13: `Resize(floor(input / crop))`, then `CenterCrop(input)`. Resizing a
/// box rounds otherwise in the last place than resizing all and cutting, so one step of 255 is allowed.
#[test]
fn resize_and_crop_agree_with_torchvision() {
    let cases: [(_, _, &[i32]); 3] = [
        (
            patterned(9, 14),
            plain((4, 4), 0.875, Interpolation::Bicubic),
            &[
                119, 189, 54, 120, 145, 190, 70, 150, 177, 140, 72, 181, 191, 80, 102, 194,
            ],
        ),
        (
            patterned(14, 9),
            plain((5, 5), 1.0, Interpolation::Bilinear),
            &[
                49, 107, 176, 181, 62, 71, 129, 198, 107, 71, 93, 151, 190, 73, 91, 115, 173, 165,
                55, 113, 137, 195, 85, 77, 135,
            ],
        ),
        (
            patterned(6, 5),
            plain((8, 8), 0.9, Interpolation::Bicubic),
            &[
                0, 12, 38, 61, 85, 108, 134, 150, 3, 18, 44, 67, 91, 114, 140, 156, 10, 26, 52, 75,
                99, 122, 148, 164, 17, 33, 59, 82, 106, 129, 155, 171, 25, 41, 67, 90, 114, 137,
                163, 179, 32, 48, 74, 97, 121, 144, 170, 186, 39, 55, 81, 104, 128, 151, 177, 193,
                47, 63, 89, 112, 136, 159, 185, 201,
            ],
        ),
    ];
    for (picture, preprocess, red) in cases {
        let got = bytes(&preprocess, &picture);
        for (place, (got, want)) in got.iter().zip(red).enumerate() {
            assert!(
                (got - want).abs() <= 1,
                "{preprocess:?} at {place}: {got} instead of {want}"
            );
        }
    }
}

#[test]
fn the_same_size_is_only_normalised_and_turned_to_chw() {
    let preprocess = Preprocess {
        mean: vec![0.0, 0.5, 1.0],
        std: vec![1.0, 0.5, 0.25],
        ..plain((1, 2), 1.0, Interpolation::Bicubic)
    };
    let picture = Picture {
        height: 1,
        width: 2,
        channels: 3,
        pixels: vec![0, 255, 255, 51, 0, 0],
    };
    let mut out = [0.0; 6];
    preprocess.apply(&picture, &mut out).unwrap();
    assert_eq!(out, [0.0, 0.2, 1.0, -1.0, 0.0, -4.0]);
}

/// A disc in a wide picture must stay as high as it is wide.
#[test]
fn pictures_are_not_distorted() {
    let (height, width) = (60, 100);
    let inside = |i: usize| {
        let (y, x) = ((i / width) as f64 - 29.5, (i % width) as f64 - 49.5);
        y * y + x * x < 400.0
    };
    let pixels: Vec<u8> = (0..height * width)
        .map(|i| if inside(i) { 255 } else { 0 })
        .collect();
    let got = bytes(
        &plain((30, 30), 1.0, Interpolation::Bilinear),
        &grey(height, width, &pixels),
    );
    let row: i32 = (0..30).map(|x| got[15 * 30 + x]).sum();
    let column: i32 = (0..30).map(|y| got[y * 30 + 15]).sum();
    assert!((row - column).abs() < 30, "{row} wide, {column} high");
    assert!((row - 20 * 255).abs() < 255, "{row}");
}

#[test]
fn sizes_follow_torchvision() {
    let preprocess = plain((224, 224), 0.875, Interpolation::Bicubic);
    assert_eq!(preprocess.resized_size(480, 640), (256, 341));
    assert_eq!(preprocess.resized_size(640, 480), (341, 256));
    assert_eq!(preprocess.resized_size(10, 10), (256, 256));
    // round(x.5) in Python goes to the even side: 42.5 → 42, 43.5 → 44.
    assert_eq!(
        (
            crop_start(341, 256),
            crop_start(343, 256),
            crop_start(256, 224)
        ),
        (42, 44, 16)
    );
}

/// The whole picture, whatever its aspect: once pressed, once with grey above and below.
#[test]
fn other_crop_modes_show_the_whole_picture() {
    let pixels: Vec<u8> = (0..8 * 16)
        .map(|i| if i % 16 < 8 { 0 } else { 255 })
        .collect();
    let picture = grey(8, 16, &pixels);
    let mode = |crop_mode| Preprocess {
        mean: vec![0.2; 3],
        crop_mode,
        ..plain((4, 4), 1.0, Interpolation::Bilinear)
    };
    let rows = |crop_mode| {
        let mut out = [0.0; 48];
        mode(crop_mode).apply(&picture, &mut out).unwrap();
        [0, 1, 2, 3].map(|y| [0, 3].map(|x| ((out[y * 4 + x] + 0.2) * 255.0).round() as i32))
    };
    assert_eq!(rows(CropMode::Squash), [[0, 255]; 4]);
    assert_eq!(
        rows(CropMode::Border),
        [[51, 51], [0, 255], [0, 255], [51, 51]]
    );
    let border = mode(CropMode::Border);
    assert_eq!(border.resized_size(480, 640), (3, 4));
    assert_eq!(border.resized_size(1, 5_000_000), (1, 4));
    let text = serde_json::to_string(&border).unwrap();
    assert!(text.ends_with(r#""crop_mode":"border"}"#), "{text}");
    assert_eq!(serde_json::from_str::<Preprocess>(&text).unwrap(), border);
}

#[test]
fn the_thinnest_pictures_take_no_memory() {
    let preprocess = plain((224, 224), 0.875, Interpolation::Bicubic);
    for (height, width) in [(1, 5_000_000), (5_000_000, 1), (1, 1)] {
        let picture = grey(height, width, &vec![9; height * width]);
        assert!(bytes(&preprocess, &picture).iter().all(|value| *value == 9));
    }
}

#[test]
fn nonsense_is_refused() {
    let good = plain((4, 4), 1.0, Interpolation::Bicubic);
    let broken = [
        Preprocess {
            input: (0, 4),
            ..good.clone()
        },
        Preprocess {
            input: (4, usize::MAX),
            ..good.clone()
        },
        Preprocess {
            channels: 2,
            ..good.clone()
        },
        Preprocess {
            mean: vec![0.0],
            ..good.clone()
        },
        Preprocess {
            mean: vec![f32::NAN; 3],
            ..good.clone()
        },
        Preprocess {
            std: vec![0.0; 3],
            ..good.clone()
        },
        Preprocess {
            crop_fraction: 0.0,
            ..good.clone()
        },
        Preprocess {
            crop_fraction: f64::NAN,
            ..good.clone()
        },
    ];
    let picture = patterned(4, 4);
    for preprocess in broken {
        let result = preprocess.apply(&picture, &mut [0.0; 48]);
        assert!(
            matches!(result, Err(PreprocessError::Config(_))),
            "{preprocess:?}"
        );
    }
    let room = good.apply(&picture, &mut [0.0; 47]);
    assert_eq!(
        room,
        Err(PreprocessError::Room {
            expected: 48,
            found: 47
        })
    );
    let torn = Picture {
        pixels: vec![0; 5],
        ..picture
    };
    assert!(matches!(
        good.apply(&torn, &mut [0.0; 48]),
        Err(PreprocessError::Picture { .. })
    ));
}

#[test]
fn the_written_form_is_stable() {
    let preprocess = plain((32, 32), 0.875, Interpolation::Bicubic);
    let text = serde_json::to_string(&preprocess).unwrap();
    assert_eq!(
        text,
        r#"{"input":[32,32],"channels":3,"mean":[0.0,0.0,0.0],"std":[1.0,1.0,1.0],"crop_fraction":0.875,"interpolation":"bicubic"}"#
    );
    assert_eq!(
        serde_json::from_str::<Preprocess>(&text).unwrap(),
        preprocess
    );
    let timm = text.replace("crop_fraction", "crop_pct");
    assert_eq!(
        serde_json::from_str::<Preprocess>(&timm).unwrap(),
        preprocess
    );
}
