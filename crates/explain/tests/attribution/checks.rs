//! What must hold of occlusion, curves, fields and checks of maps, whatever the network.

use explain::{
    Baseline, Deletion, Map, Occlusion, Randomisation, effective_field, feature_maps, filters,
    guided, rank_correlation, saliency,
};

use crate::fixture::{CASES, CLASS};
use crate::networks::IMAGE;

fn quiet(_: usize, _: usize) {}

#[test]
fn a_curve_begins_with_the_image_and_ends_with_the_baseline() {
    for case in &CASES {
        let subject = case.subject();
        let (image, grey) = (case.image(0), Baseline::from(0.25));
        let map = Map::magnitude(&saliency(&subject, &image, CLASS).unwrap()).unwrap();
        let curve = Deletion::of(&subject, &image, CLASS, &map, 17, &grey, &mut quiet).unwrap();
        assert_eq!((curve.removed[0], curve.removed[17]), (0.0, 1.0));
        assert!(curve.removed.is_sorted());
        let whole = subject.probabilities(&image).unwrap()[CLASS];
        let empty = subject.probabilities(&vec![0.25; image.len()]).unwrap()[CLASS];
        let close = |a: f32, b: f32| (a - b).abs() <= 1e-6;
        assert!(close(curve.probabilities[0], whole), "{}", case.name);
        assert!(close(curve.probabilities[17], empty), "{}", case.name);
        let (least, most) = curve
            .probabilities
            .iter()
            .fold((1.0_f32, 0.0_f32), |(a, b), &p| (a.min(p), b.max(p)));
        assert!((f64::from(least)..=f64::from(most)).contains(&curve.area()));
    }
}

#[test]
fn pixels_are_taken_away_in_the_order_of_the_map() {
    let case = &CASES[1];
    let subject = case.subject();
    let image = case.image(1);
    let [_, height, width] = IMAGE;
    // The rows from the last to the first.
    let rows = (0..height * width)
        .map(|pixel| (pixel / width) as f32)
        .collect();
    let rows = Map::new(height, width, rows).unwrap();
    let steps = height / 4;
    let curve = Deletion::of(
        &subject,
        &image,
        CLASS,
        &rows,
        steps,
        &Baseline::default(),
        &mut quiet,
    )
    .unwrap();
    let mut cut = image.clone();
    for channel in cut.chunks_exact_mut(height * width) {
        channel[(height - 8) * width..].fill(0.0);
    }
    let right = subject.probabilities(&cut).unwrap()[CLASS];
    assert!((curve.probabilities[2] - right).abs() <= 1e-6);
}

#[test]
fn every_window_covers_what_it_says() {
    let case = &CASES[1];
    let subject = case.subject();
    let image = case.image(0);
    let occlusion = Occlusion::new([9, 4], [6, 7]);
    let mut told = Vec::new();
    let maps = occlusion
        .of(&subject, &image, CLASS, &mut |done, all| {
            told.push((done, all))
        })
        .unwrap();
    // Of 20 rows from 0, 6 and 12, of 24 columns from 0, 7, 14 and 21, where three are left.
    assert_eq!(maps.probabilities.extents(), [3, 4]);
    assert_eq!((told[0], told.last()), ((0, 13), Some(&(13, 13))));
    let strongest = maps.strongest.unwrap();
    assert_eq!(strongest.layer, case.last);
    let sums = |image: &[f32]| -> Vec<f32> {
        let made = &feature_maps(&subject, image, &[case.last]).unwrap()[0];
        (0..12)
            .map(|channel| made.channel(channel).iter().sum())
            .collect()
    };
    let whole = sums(&image);
    let best = whole.iter().copied().fold(f32::MIN, f32::max);
    assert_eq!(whole[strongest.channel], best);
    assert!((strongest.whole - best).abs() <= 1e-4 * best);
    for (place, row, columns) in [(0, 0..9, 0..4), (7, 6..15, 21..24), (9, 12..20, 7..11)] {
        let mut covered = image.clone();
        for channel in covered.chunks_exact_mut(20 * 24) {
            for row in row.clone() {
                channel[row * 24..][columns.clone()].fill(0.0);
            }
        }
        let answer = subject.probabilities(&covered).unwrap();
        assert!((maps.probabilities.values()[place] - answer[CLASS]).abs() <= 1e-6);
        let label = maps.labels[place];
        assert!(answer.iter().all(|&p| p <= answer[label] + 1e-6));
        let sum = sums(&covered)[strongest.channel];
        assert!((strongest.sums.values()[place] - sum).abs() <= 1e-4 * best);
    }
}

#[test]
fn windows_of_an_eighth_are_225_on_a_photo() {
    let photo = [3, 224, 224];
    let occlusion = Occlusion::over(photo);
    assert_eq!(occlusion.window, [28, 28]);
    assert_eq!(occlusion.places(photo).unwrap(), [15, 15]);
}

#[test]
fn a_pixel_that_no_window_covers_loses_nothing() {
    let case = &CASES[0];
    let [_, height, width] = IMAGE;
    // With the second a window more would begin off the image.
    for stride in [6, 9] {
        let maps = Occlusion::new([2, 2], [stride, stride])
            .of(&case.subject(), &case.image(0), CLASS, &mut quiet)
            .unwrap();
        for (row, column) in (0..height).flat_map(|row| (0..width).map(move |column| (row, column)))
        {
            if row % stride >= 2 || column % stride >= 2 {
                assert_eq!(maps.drop.at(row, column), 0.0);
            }
        }
    }
}

#[test]
fn the_effective_field_lies_within_the_theoretical_one() {
    for case in &CASES {
        for layer in ["conv1", case.middle, case.last] {
            let subject = case.subject();
            let noise = (0..4).map(|seed| subject.noise(seed));
            let field = effective_field(&subject, Some(layer), noise).unwrap();
            let [_, height, width] = IMAGE;
            let mut inside = 0;
            for (row, column) in
                (0..height).flat_map(|row| (0..width).map(move |column| (row, column)))
            {
                let seen = field.theoretical.contains(&[row, column]);
                inside += usize::from(seen);
                assert!(
                    seen || field.map.at(row, column) == 0.0,
                    "{layer} at {row}, {column}"
                );
            }
            assert_eq!(inside, field.theoretical.len());
            assert!(field.area() > 0 && field.share() <= 1.0, "{layer}");
        }
    }
}

#[test]
fn without_what_was_learned_a_map_loses_its_likeness() {
    let case = &CASES[1];
    let subject = case.subject();
    let image = case.image(0);
    let magnitude =
        |subject: &explain::Subject| Ok(Map::magnitude(&saliency(subject, &image, CLASS)?)?);
    let check = Randomisation { stops: 4, seed: 7 };
    let rows = check.of(&subject, magnitude, &mut quiet).unwrap();
    let layers: Vec<_> = rows
        .iter()
        .map(|row| (row.layer.as_str(), row.layers))
        .collect();
    // 13 layers have weights; the projection is reached before the block's second norm.
    assert_eq!(layers[3], ("conv1", 13));
    assert!(layers.is_sorted_by_key(|(_, count)| *count));
    let last = rows[3].correlation.unwrap();
    assert!(last.abs() < 0.5, "{last}");
    // The order is a function of the seed.
    let again = check.of(&subject, magnitude, &mut quiet).unwrap();
    assert_eq!(rows[2].map, again[2].map);
    // The network itself is left as it was.
    assert_eq!(
        magnitude(&subject).unwrap(),
        magnitude(&case.subject()).unwrap()
    );
}

#[test]
fn random_weights_are_the_same_numbers_in_another_order() {
    let case = &CASES[0];
    let subject = case.subject();
    let mut seen = Vec::new();
    let check = Randomisation { stops: 1, seed: 3 };
    let keep = |subject: &explain::Subject| {
        seen.push(filters(subject, None)?.weights.data().to_vec());
        Ok(Map::new(1, 1, vec![0.0]).unwrap())
    };
    check.of(&subject, keep, &mut quiet).unwrap();
    let [learned, random] = &mut seen[..] else {
        panic!("two networks")
    };
    assert_ne!(learned, random);
    for numbers in [learned, random] {
        numbers.sort_by(f32::total_cmp);
    }
    assert_eq!(seen[0], seen[1]);
}

#[test]
fn layers_before_the_first_random_one_stay_as_they_are() {
    let case = &CASES[0];
    let subject = case.subject();
    let image = case.image(0);
    let before = |subject: &explain::Subject| {
        let maps = feature_maps(subject, &image, &["pool2"])?;
        let maps = maps[0].channel(0).to_vec();
        Ok(Map::new(5, 6, maps).unwrap())
    };
    let check = Randomisation {
        stops: 100,
        seed: 1,
    };
    let rows = check.of(&subject, before, &mut quiet).unwrap();
    let changed: Vec<_> = rows
        .iter()
        .filter(|row| row.correlation.is_none_or(|found| found < 1.0))
        .map(|row| row.layer.as_str())
        .collect();
    assert_eq!(changed, ["conv2", "bn1", "conv1"]);
}

#[test]
fn ranks_decide_the_correlation() {
    let map = |values: [f32; 6]| Map::new(2, 3, values.to_vec()).unwrap();
    let one = map([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let other = map([2.0, 1.0, 4.0, 3.0, 6.0, 5.0]);
    // 1 − 6·Σd²/(n·(n² − 1)), Spearman's formula without ties.
    let right = 1.0 - 6.0 * 6.0 / (6.0 * 35.0);
    let found = rank_correlation(&one, &other).unwrap().unwrap();
    assert!((found - right).abs() < 1e-12);
    // From SciPy's spearmanr.
    let tied = map([0.0, 0.0, 1.0, 1.0, 1.0, 9.0]);
    let found = rank_correlation(&one, &tied).unwrap().unwrap();
    assert!((found - 0.925_820_099_772_551_5).abs() < 1e-12, "{found}");
}

#[test]
fn guided_maps_are_another_thing_than_gradients() {
    let case = &CASES[0];
    let (subject, image) = (case.subject(), case.image(0));
    let found = guided(&subject, &image, CLASS).unwrap();
    assert_ne!(
        found.data(),
        saliency(&subject, &image, CLASS).unwrap().data()
    );
}
