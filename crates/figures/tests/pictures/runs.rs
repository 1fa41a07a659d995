//! What a report of a training draws: confusion matrices and filters.

use figures::filters::Filters;
use figures::{Colormap, FigureError, Rgb, confusion, svg};

use crate::drawn::Picture;

fn names(count: usize) -> Vec<String> {
    (0..count).map(|class| format!("class {class}")).collect()
}

#[test]
fn a_count_stands_in_the_row_of_its_class_and_the_column_of_its_answer() {
    let counts = [7, 1, 0, 0, 9, 2, 13, 0, 5];
    let picture = Picture::read(&svg::write(&confusion::matrix(&names(3), &counts).unwrap()));
    let texts = || picture.always.iter().filter(|mark| mark.tag == "text");
    let place = |text: &str| {
        let mut found = texts().filter(|mark| mark.text == text);
        let mark = found.next().unwrap_or_else(|| panic!("no {text}"));
        assert!(found.next().is_none(), "{text} stands twice");
        [mark.x, mark.y]
    };
    let row = |class: usize| place(&format!("{class} class {class}"))[1];
    // The numbers above the columns are also counts; those stand highest.
    let column = |class: usize| {
        let number = class.to_string();
        let above = texts().filter(|mark| mark.text == number);
        above.min_by(|a, b| a.y.total_cmp(&b.y)).unwrap().x
    };
    for (place_of, &count) in counts.iter().enumerate() {
        if count < 3 {
            continue;
        }
        let [x, y] = place(&count.to_string());
        assert!((x - column(place_of % 3)).abs() < 0.02, "{count}");
        assert!((y - row(place_of / 3)).abs() < 1.0, "{count}");
    }
    // Nothing is written where nothing was counted.
    assert_eq!(
        texts().filter(|mark| mark.text == "0").count(),
        2,
        "a column and the scale"
    );
}

#[test]
fn a_matrix_is_of_any_size_that_a_page_holds() {
    for classes in [0, 1, 2, 12, 40] {
        let counts = vec![3; classes * classes];
        Picture::read(&svg::write(
            &confusion::matrix(&names(classes), &counts).unwrap(),
        ));
    }
    let many = confusion::matrix(&names(41), &[0; 41 * 41]);
    assert!(matches!(many, Err(FigureError::TooMuch { given: 41, .. })));
    let wrong = confusion::matrix(&names(2), &[0; 3]);
    assert!(matches!(wrong, Err(FigureError::Shape { .. })));
}

#[test]
fn filters_of_three_channels_are_pictures_and_others_are_maps() {
    // One filter of one pixel: all of red, half of what takes green away, nothing of blue.
    let coloured = Filters::new(&[1, 3, 1, 1], &[2.0, -1.0, 0.0]).unwrap();
    assert_eq!(coloured.peak(0), 2.0);
    assert_eq!(coloured.colour(0, [0, 0], 2.0), Rgb([255, 64, 128]));
    // Stronger than its peak is as strong as can be.
    assert_eq!(coloured.colour(0, [0, 0], 0.5), Rgb([255, 0, 128]));
    assert_eq!(coloured.colour(0, [0, 0], 0.0), Rgb([128; 3]));

    let means = Filters::new(&[2, 2, 1, 2], &[1.0, 3.0, 1.0, 5.0, -2.0, 0.0, -4.0, 0.0]).unwrap();
    assert_eq!(
        (means.count(), means.extents(), means.are_coloured()),
        (2, [1, 2], false)
    );
    assert_eq!([means.peak(0), means.peak(1)], [4.0, 3.0]);
    let bitmap = means.bitmap(0, 4.0).unwrap();
    let diverging = |share| Colormap::Diverging.colour(share);
    assert_eq!(
        [bitmap.colour(0, 0), bitmap.colour(0, 1)],
        [diverging(0.625), diverging(1.0)]
    );
    assert_eq!(means.colour(1, [0, 0], 4.0), diverging(0.125));
}

#[test]
fn what_are_no_filters_is_refused() {
    assert!(matches!(
        Filters::new(&[1, 1, 2, 2, 2], &[0.0; 8]),
        Err(FigureError::Depth)
    ));
    for (shape, count) in [
        (&[2, 3][..], 6),
        (&[1, 1, 2, 2], 3),
        (&[1, 0, 2, 2], 0),
        (&[usize::MAX, 2, 2, 2], 8),
    ] {
        let weights = vec![0.0; count];
        let refused = Filters::new(shape, &weights);
        assert!(
            matches!(refused, Err(FigureError::Shape { .. })),
            "{shape:?}"
        );
    }
    assert_eq!(Filters::new(&[0, 3, 2, 2], &[]).unwrap().count(), 0);
}
