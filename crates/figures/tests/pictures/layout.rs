//! Where things stand on a board: what belongs together is together, and nothing runs into anything else.

use figures::board::{Board, Part};
use figures::chart::{Axis, Series, rows};
use figures::panel::{Image, Legend, Panel, Tile, WIDTH, tiles};
use figures::{Bitmap, Caption, Scale, Scene, Weight, html, svg};

use crate::drawn::{Mark, Picture};

/// Letters of axes.
const TICK: f64 = 9.5;

fn read(scene: &Scene) -> Vec<Mark> {
    Picture::read(&svg::write(scene)).always
}

fn texts(marks: &[Mark]) -> impl Iterator<Item = &Mark> {
    marks.iter().filter(|mark| mark.tag == "text")
}

/// The place of a text that stands there once.
#[track_caller]
fn place(marks: &[Mark], text: &str) -> [f64; 2] {
    let mut found = texts(marks).filter(|mark| mark.text == text);
    let mark = found.next().unwrap_or_else(|| panic!("no {text}"));
    assert!(found.next().is_none(), "{text} stands twice");
    [mark.x, mark.y]
}

/// A board whose panels are called by letters; a capital one follows the one before.
fn board(letters: &str) -> Board {
    let panels = letters.chars().map(|letter| {
        let panel = Panel::new(letter.to_string(), "", Scene::new("", ""));
        match letter.is_uppercase() {
            true => panel.following(),
            false => panel,
        }
    });
    Board {
        caption: Caption::new("A board", ""),
        parts: vec![Part {
            heading: "Panels".to_owned(),
            remark: String::new(),
            panels: panels.collect(),
        }],
    }
}

/// The letters of each row of a board, from left to right.
fn rows_of(letters: &str, columns: usize) -> Vec<String> {
    let marks = read(&board(letters).scene(columns));
    let mut places: Vec<(f64, f64, char)> = letters
        .chars()
        .map(|letter| {
            let [x, y] = place(&marks, &letter.to_string());
            (y, x, letter)
        })
        .collect();
    places.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let rows = places.chunk_by(|a, b| a.0 == b.0);
    rows.map(|row| row.iter().map(|place| place.2).collect())
        .collect()
}

#[test]
fn panels_that_belong_together_stand_in_one_row() {
    assert_eq!(rows_of("abcdef", 4), ["abcd", "ef"]);
    // The rest of the row has no room for both.
    assert_eq!(rows_of("abcdEf", 4), ["abc", "dEf"]);
    assert_eq!(rows_of("abCDef", 4), ["abCD", "ef"]);
    assert_eq!(rows_of("abcDEfGH", 4), ["ab", "cDE", "fGH"]);
    assert_eq!(rows_of("abcDEfGH", 6), ["abcDE", "fGH"]);
    // More of them than a row holds go on below.
    assert_eq!(rows_of("abCDEf", 3), ["a", "bCD", "Ef"]);
    assert_eq!(rows_of("aBc", 1), ["a", "B", "c"]);
}

#[test]
fn a_board_is_as_wide_as_its_longest_row() {
    let wide = |letters: &str, columns| board(letters).scene(columns).width;
    assert_eq!(wide("abc", 5), wide("abc", 3));
    assert!(wide("abcd", 5) > wide("abc", 5));
    assert_eq!(wide("ab", 5), wide("", 5));
}

#[test]
fn panels_of_a_page_that_belong_together_begin_a_row() {
    let page = html::write(&board("abcDEfgHi").page());
    let rows = page.split("<div class=\"figures").skip(1);
    let rows: Vec<String> = rows
        .map(|row| {
            let titles = row.split("<h3>").skip(1);
            titles
                .map(|title| title.split('<').next().unwrap())
                .collect()
        })
        .collect();
    assert_eq!(rows, ["ab", "cDE", "f", "gH", "i"]);
}

/// Whether two lines of letters of an axis overlap.
fn overlap(a: &Mark, b: &Mark) -> bool {
    let span = |mark: &Mark| {
        let width = Scene::text_width(&mark.text, TICK, Weight::Regular);
        let start = match &mark.class {
            class if class.contains("c-end") => mark.x - width,
            class if class.contains("c-mid") => mark.x - width / 2.0,
            _ => mark.x,
        };
        (start, start + width)
    };
    let (a_span, b_span) = (span(a), span(b));
    // A line of digits is about three quarters of its size high.
    let beside = a_span.1 <= b_span.0 || b_span.1 <= a_span.0;
    !beside && (a.y - b.y).abs() < 0.75 * TICK
}

#[test]
fn numbers_of_axes_do_not_run_into_each_other() {
    let photo = Bitmap::new(1, 1, &[90; 3]).unwrap();
    let legend = Legend::new(Scale::of(&[-1234.5, 1234.5]), "gradient");
    let sizes = [1, 2, 7, 8, 16, 32, 64, 100, 224, 512, 1024];
    for rows in sizes {
        for columns in sizes {
            for counted in ["pixels", "places of the window"] {
                let image = Image::new(&photo, [rows, columns]).counting(counted);
                let marks = read(&image.scene(Some(&legend)));
                let texts: Vec<&Mark> = texts(&marks).collect();
                for (place, a) in texts.iter().enumerate() {
                    for b in &texts[place + 1..] {
                        assert!(
                            !overlap(a, b),
                            "{rows}×{columns}: {} runs into {}",
                            a.text,
                            b.text
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn long_and_thin_tiles_are_wide_enough_to_be_seen() {
    let columns = |height: usize, width: usize, asked: usize| {
        let bitmap = Bitmap::new(width, height, &vec![90; 3 * width * height]).unwrap();
        let tile = Tile {
            label: "17".to_owned(),
            bitmap,
        };
        let marks = read(&tiles(&vec![tile; 40], asked, false, None));
        let mut places: Vec<f64> = marks
            .iter()
            .filter(|mark| mark.tag == "image")
            .map(|mark| {
                assert!(mark.x >= 0.0 && mark.x + mark.width <= WIDTH + 0.01);
                mark.x
            })
            .collect();
        places.sort_by(f64::total_cmp);
        places.dedup_by(|a, b| (*a - *b).abs() < 0.5);
        places.len()
    };
    assert_eq!(columns(8, 8, 4), 4);
    assert_eq!(columns(8, 16, 4), 4);
    assert_eq!(columns(4, 64, 4), 1);
    assert_eq!(columns(8, 64, 4), 1);
    assert_eq!(columns(16, 64, 4), 2);
    assert_eq!(columns(64, 16, 4), 8);
    assert_eq!(columns(64, 1, 4), 9);
    assert_eq!(columns(64, 1, 12), 12);
}

#[test]
fn a_row_stands_beside_its_name_and_as_far_as_its_number_says() {
    let names = ["conv1", "relu", "fc"].map(str::to_owned);
    let points = vec![(0.0, 0.0), (1.0, 1.0), (2.0, 0.5)];
    let axis = Axis::new("share").range(0.0, 1.0);
    let scene = rows(&names, &axis, &[Series::new("zeros", 0, points)], WIDTH);
    let text = svg::write(&scene);
    let marks = Picture::read(&text).always;
    let document = roxmltree::Document::parse(&text).unwrap();
    let line = document.descendants().find(|node| {
        let class = node.attribute("class").unwrap_or_default();
        class.contains("cs-group0-edge")
    });
    let points = line.unwrap().attribute("points").unwrap().split(' ');
    let drawn: Vec<[f64; 2]> = points
        .map(|point| {
            let (x, y) = point.split_once(',').unwrap();
            [x.parse().unwrap(), y.parse().unwrap()]
        })
        .collect();
    for (name, [_, y]) in names.iter().zip(&drawn) {
        let below = place(&marks, name)[1] - y;
        assert!((0.0..TICK / 2.0).contains(&below), "{name}: {below}");
    }
    for (number, [x, _]) in ["0", "1"].into_iter().zip(&drawn) {
        assert!((place(&marks, number)[0] - x).abs() < 0.02, "{number}");
    }
    assert!((drawn[2][0] - f64::midpoint(drawn[0][0], drawn[1][0])).abs() < 0.02);
}

#[test]
fn of_many_rows_some_are_named_and_of_long_names_the_end_is_kept() {
    let names: Vec<String> = (0..400)
        .map(|layer| format!("/features/features.{layer}/branches/branch.3/conv/Conv"))
        .collect();
    let flat: Vec<(f64, f64)> = (0..400).map(|layer| (f64::from(layer), 0.5)).collect();
    let scene = rows(&names, &Axis::new(""), &[Series::new("", 0, flat)], WIDTH);
    assert!(scene.height < 1000.0, "{}", scene.height);
    let marks = read(&scene);
    let named: Vec<&Mark> = texts(&marks)
        .filter(|mark| mark.text.starts_with('…'))
        .collect();
    assert!(named.len() > 40, "{}", named.len());
    for pair in named.windows(2) {
        assert!(!overlap(pair[0], pair[1]));
    }
    for name in named {
        assert!(name.text.ends_with("conv/Conv"), "{}", name.text);
        assert!(Scene::text_width(&name.text, TICK, Weight::Regular) <= name.x);
    }
    // Nothing at all is drawn too.
    Picture::read(&svg::write(&rows(&[], &Axis::new("none"), &[], WIDTH)));
}
