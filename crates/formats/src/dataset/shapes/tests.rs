use std::collections::HashSet;

use super::*;

#[test]
fn pictures_depend_on_seed_part_and_index_only() {
    let shapes = Shapes::new(3, Part::Train, 500);
    let picture = shapes.picture(123).unwrap();
    assert_eq!(
        (picture.height, picture.width, picture.channels),
        (32, 32, 3)
    );
    assert_eq!(picture.pixels.len(), 3072);
    for index in [0, 499, 7] {
        shapes.picture(index).unwrap();
    }
    assert_eq!(shapes.picture(123).unwrap(), picture);
    assert_ne!(
        Shapes::new(4, Part::Train, 500).picture(123).unwrap(),
        picture
    );
    assert_ne!(
        Shapes::new(3, Part::HeldOut, 500).picture(123).unwrap(),
        picture
    );
    assert!(matches!(
        shapes.picture(500),
        Err(DataError::Index {
            index: 500,
            len: 500
        })
    ));
}

#[test]
fn no_picture_occurs_twice_in_either_part() {
    let mut seen = HashSet::new();
    for part in [Part::Train, Part::HeldOut] {
        let shapes = Shapes::new(0, part, 1000);
        for index in 0..1000 {
            assert!(
                seen.insert(shapes.picture(index).unwrap().pixels),
                "{}",
                shapes.name(index)
            );
        }
    }
}

/// The share of the bounding square that each outline covers, against its area worked out by hand.
#[test]
fn outlines_enclose_their_areas() {
    let third: f32 = 60_f32.to_radians();
    let lens = |r: f32, s: f32, d: f32| {
        // Common area of two circles at a distance d.
        let [a, b] = [
            (d * d + r * r - s * s) / (2.0 * d * r),
            (d * d + s * s - r * r) / (2.0 * d * s),
        ];
        let kite = ((r + s - d) * (d + r - s) * (d - r + s) * (d + r + s)).sqrt() / 2.0;
        r * r * a.acos() + s * s * b.acos() - kite
    };
    let pi = std::f32::consts::PI;
    let half_edge = 0.78 * std::f32::consts::FRAC_1_SQRT_2;
    let expected = [
        ("circle", pi * 0.88 * 0.88),
        ("square", 1.5 * 1.5),
        ("triangle", 1.5 * 1.1 * 1.1 * third.sin()),
        ("star", 5.0 * 1.1 * 0.45 * 36_f32.to_radians().sin()),
        ("cross", 2.0 * 2.0 * 0.6 - 0.6 * 0.6),
        ("ring", pi * (0.92 * 0.92 - 0.52 * 0.52)),
        // A square and two half discs.
        ("heart", 2.0 * 0.78 * 0.78 + pi * half_edge * half_edge),
        ("crescent", pi * 0.95 * 0.95 - lens(0.95, 0.74, 0.45)),
        ("hexagon", 1.5 * third.tan()),
        ("arrow", 1.15 * 0.52 + 0.95 * 1.5 / 2.0),
    ];
    for ((name, distance), (expected_name, area)) in outline::CLASSES.iter().zip(expected) {
        assert_eq!(*name, expected_name);
        let steps = 600;
        let at = |i: usize| (i as f32 + 0.5) / steps as f32 * 2.4 - 1.2;
        let inside = (0..steps * steps)
            .filter(|i| distance([at(i % steps), at(i / steps)]) < 0.0)
            .count();
        let measured = inside as f32 / (steps * steps) as f32 * 2.4 * 2.4;
        assert!(
            (measured - area).abs() < 0.02,
            "{name}: {measured} instead of {area}"
        );
    }
}

/// Softmax regression on the pixels, trained by plain gradient descent, is the yardstick: below 40 % the classes
/// cannot be told by single pixels, above 10 % the pictures are not mere noise to it.
#[test]
fn a_linear_classifier_learns_little() {
    const INPUTS: usize = SIDE * SIDE * 3;
    let load = |part, len| -> Vec<(usize, Vec<f32>)> {
        let shapes = Shapes::new(0, part, len);
        let scaled = |index| {
            shapes
                .picture(index)
                .unwrap()
                .pixels
                .iter()
                .map(|p| f32::from(*p) / 255.0 - 0.5)
                .collect()
        };
        (0..len)
            .map(|index| (shapes.label(index), scaled(index)))
            .collect()
    };
    let scores = |weights: &[Vec<f32>], x: &[f32]| -> Vec<f32> {
        let dot = |w: &Vec<f32>| -> f32 {
            let lanes = w.chunks_exact(16).zip(x.chunks_exact(16)).fold(
                [0.0_f32; 16],
                |mut sum, (w, x)| {
                    for lane in 0..16 {
                        sum[lane] += w[lane] * x[lane];
                    }
                    sum
                },
            );
            lanes.iter().sum()
        };
        weights.iter().map(dot).collect()
    };
    let train = load(Part::Train, 8_000);
    let mut weights = vec![vec![0.0_f32; INPUTS]; 10];
    for epoch in 0..5 {
        let rate = 0.002 / (1.0 + epoch as f32);
        for (label, x) in &train {
            let scores = scores(&weights, x);
            let greatest = scores.iter().fold(f32::MIN, |a, b| a.max(*b));
            let powers: Vec<f32> = scores
                .iter()
                .map(|score| (score - greatest).exp())
                .collect();
            let total: f32 = powers.iter().sum();
            for (class, w) in weights.iter_mut().enumerate() {
                let slope = powers[class] / total - f32::from(u8::from(class == *label));
                w.iter_mut()
                    .zip(x)
                    .for_each(|(w, x)| *w -= rate * slope * x);
            }
        }
    }
    let held_out = load(Part::HeldOut, 2_000);
    let right = held_out
        .iter()
        .filter(|(label, x)| {
            let scores = scores(&weights, x);
            (0..10).all(|class| class == *label || scores[class] < scores[*label])
        })
        .count();
    let accuracy = right as f64 / held_out.len() as f64;
    assert!(accuracy < 0.40, "{accuracy}");
    assert!(accuracy > 0.12, "{accuracy}");
}
