//! Pictures are those that the program draws now. `CONVOLVE_SNAPSHOTS=write` writes them anew; the difference is then for
//! review.

#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};

use convolve::figures::{Item, Paint, Point, Rgb, Scene, Theme, at, png};
use convolve::formats::Picture;

use crate::pages::{Page, of_the_book, root};
use crate::transcripts::run_in;

fn figures() -> PathBuf {
    root().join("docs/figures")
}

/// Whether pictures are written rather than compared.
fn writes() -> bool {
    std::env::var_os("CONVOLVE_SNAPSHOTS").is_some_and(|value| value == "write")
}

/// The figure that a command of a page draws, if it has the name of one.
fn drawn(line: &str) -> Option<&str> {
    let words = line.strip_prefix("convolve draw ")?;
    let (_, name) = words.split_once(" -o ")?;
    (!name.contains(' ') && figures().join(name).exists()).then_some(name)
}

#[test]
fn figures_of_chapters_are_as_they_are_drawn() {
    let mut compared = 0;
    for page in of_the_book() {
        // The page of figures has a test of its own.
        if page.path == "docs/figures.md" {
            continue;
        }
        for line in page.blocks("sh").concat() {
            let Some(name) = drawn(line) else {
                continue;
            };
            let folder = tempfile::tempdir().unwrap();
            run_in(folder.path(), line);
            let now = fs::read(folder.path().join(name)).unwrap();
            if writes() {
                fs::write(figures().join(name), &now).unwrap();
            }
            let kept = fs::read(figures().join(name)).unwrap();
            assert!(now == kept, "{}: {line} draws otherwise", page.path);
            compared += 1;
        }
    }
    assert!(compared > 0);
}

/// A ship at sea, 256 pixels a side: a picture that belongs to nobody.
fn ship() -> Vec<u8> {
    let mut scene = Scene::new("A ship", "A ship at sea.");
    let colour = |code: u32| Paint::Value(Rgb::hex(code));
    let mixed = |[a, b]: [[f64; 3]; 2], share: f64| {
        let part = |place: usize| (a[place] + (b[place] - a[place]) * share).round() as u8;
        Paint::Value(Rgb([0, 1, 2].map(part)))
    };
    let sky = [[126.0, 170.0, 214.0], [222.0, 232.0, 238.0]];
    let sea = [[92.0, 128.0, 146.0], [38.0, 72.0, 98.0]];
    for band in 0..32 {
        let paint = match band {
            0..19 => mixed(sky, f64::from(band) / 19.0),
            _ => mixed(sea, f64::from(band - 19) / 12.0),
        };
        let item = Item::rectangle(at(0.0, 8.0 * f64::from(band)), 256.0, 8.0);
        scene.ground.push(item.fill(paint));
    }
    let mut area = |corners: &[[f64; 2]], code| {
        let corners: Vec<Point> = corners.iter().map(|&[x, y]| at(x, y)).collect();
        scene.ground.push(Item::line(corners).fill(colour(code)));
    };
    let (hull, keel) = (
        [[28.0, 142.0], [232.0, 132.0]],
        [[210.0, 178.0], [56.0, 178.0]],
    );
    area(&[hull, keel].concat(), 0x2c_30_3c);
    area(
        &[[[50.0, 166.0], [216.0, 166.0]], keel].concat(),
        0x96_34_2c,
    );
    let decks = [
        (
            [[76.0, 116.0], [190.0, 110.0], [190.0, 134.0], [72.0, 140.0]],
            0xec_ec_e8,
        ),
        (
            [[92.0, 96.0], [150.0, 93.0], [150.0, 113.0], [92.0, 116.0]],
            0xde_de_da,
        ),
        (
            [[116.0, 62.0], [140.0, 60.0], [142.0, 94.0], [114.0, 96.0]],
            0xc4_48_30,
        ),
        (
            [[116.0, 62.0], [140.0, 60.0], [140.0, 70.0], [116.0, 70.0]],
            0x28_28_2c,
        ),
        (
            [[198.0, 70.0], [201.0, 70.0], [201.0, 134.0], [198.0, 134.0]],
            0x46_46_4e,
        ),
    ];
    decks
        .iter()
        .for_each(|(corners, code)| area(corners, *code));
    for window in 0..7 {
        let middle = at(87.5 + 16.0 * f64::from(window), 124.5);
        scene
            .ground
            .push(Item::circle(middle, 3.5).fill(colour(0x46_60_78)));
    }
    scene.fit(256.0, 256.0);
    png::write(&scene, Theme::Light, 1.0).unwrap()
}

/// Headings of a board and its panels. Numbers in them are those of a processor.
fn headings(board: &Path) -> Vec<String> {
    let svg = fs::read_to_string(board).unwrap();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let bold = document.descendants().filter(|node| {
        let classes = node.attribute("class").unwrap_or_default();
        node.has_tag_name("text") && classes.contains("c-bold")
    });
    let text = bold.filter_map(|node| node.text());
    text.map(|text| text.replace(|letter: char| letter.is_ascii_digit(), "0"))
        .collect()
}

#[test]
fn the_board_of_the_book_is_the_one_that_explain_makes() {
    let (picture, board) = (
        figures().join("ship.png"),
        figures().join("ship_explained.svg"),
    );
    if writes() {
        fs::write(&picture, ship()).unwrap();
    }
    let pixels = |bytes: &[u8]| Picture::decode(bytes, "ship.png").unwrap().pixels;
    let kept = fs::read(&picture).unwrap();
    assert!(pixels(&kept) == pixels(&ship()), "another ship");
    let page = Page::read(&root().join("docs/seeing/explain.md"));
    let lines = page.blocks("sh").concat();
    let mut lines = lines.iter();
    let command = lines.find(|line| line.ends_with(" -o ship_explained.svg"));
    let folder = tempfile::tempdir().unwrap();
    fs::copy(&picture, folder.path().join("ship.png")).unwrap();
    run_in(folder.path(), command.expect("a command"));
    let now = folder.path().join("ship_explained.svg");
    if writes() {
        fs::copy(&now, &board).unwrap();
    }
    let (now, kept) = (headings(&now), headings(&board));
    assert_eq!(now, kept);
    assert!(
        now.iter()
            .any(|heading| heading.starts_with("ship.png: ship "))
    );
    assert!(
        fs::metadata(&board).unwrap().len() < 150_000,
        "a large file"
    );
}

#[test]
fn the_dashboard_of_the_book_is_the_one_that_is_drawn() {
    let drawn = root().join("crates/program/src/train/dashboard/screens/80x24.txt");
    let drawn = fs::read_to_string(drawn).unwrap();
    let drawn: Vec<&str> = drawn.lines().collect();
    let pages = of_the_book();
    let shown = pages
        .iter()
        .any(|page| page.blocks("text").contains(&drawn));
    assert!(shown, "no chapter shows the dashboard as it is now");
}
