use std::collections::BTreeSet;

use formats::Interpolation;

use super::*;

fn preprocess(height: usize, width: usize, channels: usize) -> Preprocess {
    Preprocess {
        input: (height, width),
        channels,
        mean: vec![0.0; channels],
        std: vec![1.0 / 255.0; channels],
        crop_fraction: 1.0,
        interpolation: Interpolation::Bilinear,
        crop_mode: formats::CropMode::Center,
    }
}

/// Pixel `(y, x)` of channel `c` is `1 + 60·c + 10·y + x`: a place can be read off its value, and nothing is 0.
fn numbered(height: usize, width: usize, channels: usize) -> Picture {
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            pixels.extend((0..channels).map(|c| (1 + 60 * c + 10 * y + x) as u8));
        }
    }
    Picture {
        height,
        width,
        channels,
        pixels,
    }
}

fn shown(augment: Augment, picture: &Picture, input: (usize, usize), epoch: u64) -> Vec<i32> {
    let augmenter = Augmenter {
        augment,
        preprocess: preprocess(input.0, input.1, picture.channels),
        seed: 5,
    };
    let mut out = vec![f32::NAN; input.0 * input.1 * picture.channels];
    augmenter.apply(picture, epoch, 3, &mut out).unwrap();
    out.iter().map(|value| value.round() as i32).collect()
}

/// What a window at `(down, right)` must show, written pixel by pixel.
fn window(
    height: usize,
    width: usize,
    channels: usize,
    (down, right): (i32, i32),
    mirrored: bool,
) -> Vec<i32> {
    let (rows, columns) = (height as i32, width as i32);
    let mut pixels = Vec::new();
    for c in 0..channels as i32 {
        for y in 0..rows {
            for x in 0..columns {
                let x = if mirrored { columns - 1 - x } else { x };
                let (y, x) = (y + down, x + right);
                let inside = (0..rows).contains(&y) && (0..columns).contains(&x);
                pixels.push(if inside { 1 + 60 * c + 10 * y + x } else { 0 });
            }
        }
    }
    pixels
}

#[test]
fn flip_and_padded_crop_show_every_window_and_no_other() {
    let augment = Augment {
        crop: Crop::Padded { pad: 2 },
        ..Augment::default()
    };
    let picture = numbered(4, 5, 3);
    let mut windows = Vec::new();
    for down in -2..=2 {
        for right in -2..=2 {
            for mirrored in [false, true] {
                windows.push(window(4, 5, 3, (down, right), mirrored));
            }
        }
    }
    let mut seen = BTreeSet::new();
    for epoch in 0..600 {
        let found = shown(augment, &picture, (4, 5), epoch);
        let which = windows.iter().position(|window| *window == found);
        seen.insert(which.unwrap_or_else(|| panic!("epoch {epoch}: {found:?}")));
    }
    assert_eq!(seen.len(), windows.len());
}

#[test]
fn a_border_wider_than_the_picture_shows_nothing_but_zeros_at_times() {
    let augment = Augment {
        flip: true,
        crop: Crop::Padded { pad: 9 },
        cutout: 0,
    };
    let picture = numbered(3, 3, 1);
    let empty = (0..50)
        .filter(|epoch| shown(augment, &picture, (3, 3), *epoch) == [0; 9])
        .count();
    assert!((10..50).contains(&empty), "{empty}");
}

#[test]
fn cutout_clears_one_square_in_all_channels() {
    let augment = Augment {
        flip: false,
        crop: Crop::Whole,
        cutout: 2,
    };
    let picture = numbered(6, 6, 3);
    let whole = window(6, 6, 3, (0, 0), false);
    let mut areas = BTreeSet::new();
    for epoch in 0..200 {
        let found = shown(augment, &picture, (6, 6), epoch);
        let holes: Vec<usize> = (0..108).filter(|at| found[*at] == 0).collect();
        for at in 0..108 {
            assert!(found[at] == 0 || found[at] == whole[at]);
        }
        let (first, others) = holes.split_at(holes.len() / 3);
        let in_others = [36, 72]
            .into_iter()
            .flat_map(|plane| first.iter().map(move |at| at + plane));
        assert!(in_others.eq(others.iter().copied()));
        let (rows, columns): (BTreeSet<_>, BTreeSet<_>) =
            first.iter().map(|at| (at / 6, at % 6)).unzip();
        assert_eq!(first.len(), rows.len() * columns.len(), "not a rectangle");
        areas.insert(first.len());
    }
    // 2×2 inside, 1×2 at a border, 1×1 in a corner.
    assert_eq!(areas, BTreeSet::from([1, 2, 4]));
}

#[test]
fn the_same_key_shows_the_same_and_epochs_differ() {
    let picture = numbered(8, 8, 3);
    let augment = Augment {
        cutout: 3,
        ..Augment::default()
    };
    let first = shown(augment, &picture, (8, 8), 1);
    assert_eq!(first, shown(augment, &picture, (8, 8), 1));
    assert_ne!(first, shown(augment, &picture, (8, 8), 2));
}

#[test]
fn random_resized_boxes_keep_to_their_bounds() {
    let mut tall = 0;
    for epoch in 0..500 {
        let mut random = Draw::new(9, Purpose::Augment, epoch, 0);
        let part = resized_crop::draw(&mut random, (60, 90), 0.25, 4.0 / 3.0);
        assert!(part.top + part.height <= 60 && part.left + part.width <= 90);
        let area = (part.height * part.width) as f64 / 5400.0;
        assert!((0.24..=1.0).contains(&area), "{part:?}");
        let aspect = part.width as f64 / part.height as f64;
        assert!((0.73..=1.37).contains(&aspect), "{part:?}");
        tall += u32::from(part.height > part.width);
    }
    assert!((100..400).contains(&tall), "{tall}");
    // No box of such an aspect has half the area of a ribbon: the centre is taken.
    let mut random = Draw::new(9, Purpose::Augment, 0, 0);
    let part = resized_crop::draw(&mut random, (10, 1000), 0.5, 2.0);
    let expected = resized_crop::Part {
        top: 0,
        left: 490,
        height: 10,
        width: 20,
    };
    assert_eq!(part, expected);
}

/// A ramp stays a ramp under any resize of any part of it, so the values say which part was taken.
#[test]
fn the_random_resized_part_is_what_is_shown() {
    let picture = Picture {
        height: 40,
        width: 50,
        channels: 1,
        pixels: (0..2000).map(|at| (at % 50 * 5) as u8).collect(),
    };
    let part = resized_crop::Part {
        top: 3,
        left: 10,
        height: 20,
        width: 24,
    };
    let resized = resized_crop::resize(&picture, part, (10, 8)).unwrap();
    for (at, value) in resized.pixels.iter().enumerate() {
        // Pixel `x` of 8 covers 3 columns, the middle one of which is 10 + 3x + 1.
        let expected = 5 * (10 + 3 * (at % 8) + 1) as i32;
        assert!((i32::from(*value) - expected).abs() <= 1, "{at}: {value}");
    }
}

#[test]
fn senseless_settings_are_named() {
    assert_eq!(Augment::default().fault(), None);
    assert_eq!(Augment::LARGE_PHOTOS.fault(), None);
    let crop = Crop::RandomResized {
        min_area: 0.0,
        max_aspect: 2.0,
    };
    let fault = Augment {
        crop,
        ..Augment::NONE
    }
    .fault();
    assert!(fault.unwrap().contains("at least 0 of the area"));
}
