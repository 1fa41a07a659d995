//! Maps, charts, boards and pages, read back.

use figures::board::{Board, Part};
use figures::chart::{Axis, Bar, Series, bars, lines};
use figures::heat::Map;
use figures::html::{Block, Column, Figure, Section, Table};
use figures::panel::{Image, Legend, Panel, Tile, tiles};
use figures::{Bitmap, Caption, Colormap, Rgb, Scale, Theme, html, png, svg};
use roxmltree::Document;

use crate::drawn::Picture;
use crate::snapshots::{check, check_text};

/// A photo of a few pixels, no two alike.
fn photo() -> Bitmap {
    let bytes: Vec<u8> = (0..5 * 4 * 3)
        .map(|place| (place * 37 % 251) as u8)
        .collect();
    Bitmap::new(5, 4, &bytes).unwrap()
}

/// A board with a panel of each kind.
fn board() -> Board {
    let values = [-1.0, 0.0, 2.0, 0.5, f64::NAN, 1.0];
    let map = Map::new(2, 3, &values).unwrap();
    let scale = Scale::of(&values);
    let legend = Legend::new(scale, "gradient, logit a unit of the input");
    let over = map.over(&photo(), scale).unwrap();
    let tile = |label: &str| Tile {
        label: label.to_owned(),
        bitmap: map.bitmap(scale).unwrap(),
    };
    let falling = vec![(0.0, 0.9), (50.0, 0.3), (100.0, 0.1)];
    let rising = falling.iter().map(|&(x, y)| (x, 1.0 - y)).collect();
    let axes = [
        Axis::new("pixels, %"),
        Axis::new("probability").range(0.0, 1.0),
    ];
    let series = [
        Series::new("taken away", 0, falling).filled(),
        Series::new("given back", 1, rising).dashed(),
    ];
    let bar = |name: &str, share: f64, marked| Bar {
        name: name.to_owned(),
        share,
        text: format!("{:.0} %", 100.0 * share),
        marked,
    };
    let panels = vec![
        Panel::new(
            "The <picture>",
            "4×5 pixels",
            Image::new(&photo(), [4, 5]).smooth().scene(None),
        ),
        Panel::new(
            "A map",
            "signed & so around zero",
            Image::new(&over, [4, 5])
                .framed([1..3, 0..4])
                .scene(Some(&legend)),
        ),
        Panel::new(
            "Some maps",
            "",
            tiles(&[tile("0"), tile("17")], 4, false, Some(&legend)),
        ),
        Panel::new("A curve", "", lines(&axes, &series, [280.0, 180.0])),
        Panel::new(
            "Classes",
            "",
            bars(&[bar("cat", 0.75, true), bar("dog", 0.25, false)], 280.0),
        ),
    ];
    Board {
        caption: Caption::new("A board", "of everything"),
        parts: vec![Part {
            heading: "Panels".to_owned(),
            remark: "one of each kind".to_owned(),
            panels,
        }],
    }
}

#[test]
fn a_board_as_text() {
    check("board.svg", &board().scene(3));
}

#[test]
fn pixels_of_a_png_are_those_of_the_bitmap() {
    let mut scene = figures::Scene::new("", "");
    let item = figures::Item::bitmap(figures::at(3.0, 2.0), 10.0, 8.0, photo());
    scene.ground.push(item);
    scene.fit(20.0, 12.0);
    let bytes = png::write(&scene, Theme::Light, 1.0).unwrap();
    let mut reader = ::png::Decoder::new(std::io::Cursor::new(bytes))
        .read_info()
        .unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    for y in 0..12_usize {
        for x in 0..20_usize {
            let wanted = match (x.checked_sub(3), y.checked_sub(2)) {
                (Some(x), Some(y)) if x < 10 && y < 8 => photo().colour(y / 2, x / 2),
                _ => Rgb([255; 3]),
            };
            let start = (y * 20 + x) * 3;
            assert_eq!(pixels[start..start + 3], wanted.0, "{x}, {y}");
        }
    }
}

#[test]
fn the_file_inside_an_svg_holds_the_same_pixels() {
    use base64::Engine;
    let values = [0.0, 1.0, 3.0, 2.0];
    let scale = Scale::between(Colormap::Cividis, 0.0, 3.0);
    let bitmap = Map::new(2, 2, &values).unwrap().bitmap(scale).unwrap();
    let mut scene = Image::new(&bitmap, [2, 2]).scene(None);
    scene.title = "four numbers".to_owned();
    let text = svg::write(&scene);
    let (_, rest) = text.split_once("data:image/png;base64,").unwrap();
    let file = rest.split('"').next().unwrap();
    let file = base64::prelude::BASE64_STANDARD.decode(file).unwrap();
    let mut reader = ::png::Decoder::new(std::io::Cursor::new(file))
        .read_info()
        .unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    let wanted: Vec<u8> = [0.0, 1.0 / 3.0, 1.0, 2.0 / 3.0]
        .iter()
        .flat_map(|&share| Colormap::Cividis.colour(share).0)
        .collect();
    assert_eq!(pixels, wanted);
}

#[test]
fn a_map_over_a_photo_hides_it_where_the_map_is_strong_and_only_there() {
    let white = Bitmap::new(2, 1, &[255; 6]).unwrap();
    let values = [0.0, 1.0];
    let scale = Scale::of(&values);
    let drawn = Map::new(1, 2, &values)
        .unwrap()
        .over(&white, scale)
        .unwrap();
    let distance = |column: usize, colour: Rgb| -> u32 {
        let Rgb(own) = drawn.colour(0, column);
        (0..3)
            .map(|part| u32::from(own[part].abs_diff(colour.0[part])))
            .sum()
    };
    assert!(distance(0, Rgb([255; 3])) < distance(0, Colormap::Viridis.colour(0.0)));
    assert!(distance(1, Rgb([255; 3])) > distance(1, Colormap::Viridis.colour(1.0)));
}

#[test]
fn numbers_that_are_no_map_and_bytes_that_are_no_bitmap_are_refused() {
    assert!(Map::new(2, 2, &[0.0; 3]).is_err());
    assert!(Map::new(0, 0, &[]).is_err());
    assert!(Bitmap::new(2, 2, &[0; 11]).is_err());
    assert!(Bitmap::new(0, 2, &[]).is_err());
    assert!(Bitmap::new(usize::MAX, 2, &[]).is_err());
}

#[test]
fn a_page_is_well_formed_asks_for_nothing_and_every_picture_has_a_name() {
    let mut page = board().page();
    page.lead.push(Block::Facts(vec![(
        "model".to_owned(),
        "<net> & co".to_owned(),
    )]));
    page.sections.push(Section {
        heading: "Numbers".to_owned(),
        blocks: vec![
            Block::Table(Table {
                caption: "two rows".to_owned(),
                columns: vec![Column::words("layer"), Column::numbers("mean")],
                rows: vec![
                    vec!["conv1".to_owned(), "0.5".to_owned()],
                    vec!["<script>".to_owned(), "1".to_owned()],
                ],
            }),
            Block::Details {
                summary: "more".to_owned(),
                blocks: vec![Block::Figures(vec![Figure {
                    title: "wide".to_owned(),
                    scene: board().scene(3),
                    caption: String::new(),
                    wide: true,
                }])],
            },
        ],
    });
    let text = html::write(&page);
    check_text("page.html", &text);
    // But for the first line and the tags that HTML never closes it is XML too.
    let body = &text[text.find("<main>").unwrap()..text.find("</body>").unwrap()];
    let document = Document::parse(body).unwrap();
    let root = document.root_element();
    assert!(!text.contains("<script"), "a script");
    assert!(
        !text.contains("http://")
            || text.matches("http://").count()
                == text.matches("xmlns=\"http://www.w3.org/2000/svg\"").count()
    );
    let mut ids = std::collections::HashSet::new();
    for node in root.descendants() {
        if let Some(id) = node.attribute("id") {
            assert!(ids.insert(id.to_owned()), "{id} stands twice");
        }
        for name in ["href", "src"] {
            let Some(value) = node.attribute(name) else {
                continue;
            };
            let inside = value.starts_with('#') || value.starts_with("data:image/png;base64,");
            assert!(inside, "{value}");
        }
        if node.has_tag_name("svg") || node.tag_name().name() == "svg" {
            let title = node
                .children()
                .find(|child| child.tag_name().name() == "title");
            assert!(
                title
                    .and_then(|title| title.text())
                    .is_some_and(|text| !text.is_empty())
            );
        }
        // What scrolls can be reached.
        if node.attribute("class") == Some("scroll") {
            assert_eq!(node.attribute("tabindex"), Some("0"));
            assert!(
                node.attribute("aria-label")
                    .is_some_and(|label| !label.is_empty())
            );
            // A line above says that there is more, where there is.
            let line = node.prev_sibling_element().unwrap();
            assert_eq!(line.attribute("class"), Some("more"));
            assert!(line.text().unwrap().ends_with("scroll →"));
            let least = line.attribute("style").unwrap();
            let frame = node.first_element_child().unwrap();
            if let Some(width) = frame.attribute("style") {
                assert_eq!(width.replace("min-width", "--least"), least);
            }
        }
    }
    for node in root.descendants().filter(|node| node.has_tag_name("a")) {
        let to = node.attribute("href").unwrap().trim_start_matches('#');
        assert!(ids.contains(to), "{to}");
    }
    let headings = root.descendants().filter(|node| node.has_tag_name("h1"));
    assert_eq!(headings.count(), 1);
}

#[test]
fn a_chart_draws_its_points_where_the_axes_say() {
    let axes = [
        Axis::new("x").range(0.0, 10.0),
        Axis::new("y").range(0.0, 1.0),
    ];
    let points = vec![
        (0.0, 0.0),
        (5.0, 0.5),
        (f64::NAN, 0.5),
        (7.0, 0.25),
        (10.0, 1.0),
    ];
    let scene = lines(&axes, &[Series::new("p", 0, points)], [300.0, 200.0]);
    let text = svg::write(&scene);
    Picture::read(&text);
    let document = Document::parse(&text).unwrap();
    let drawn: Vec<Vec<[f64; 2]>> = document
        .descendants()
        .filter(|node| {
            node.attribute("class")
                .is_some_and(|class| class.contains("cs-group0-edge"))
        })
        .map(|node| {
            let points = node.attribute("points").unwrap().split(' ');
            points
                .map(|point| {
                    let (x, y) = point.split_once(',').unwrap();
                    [x.parse().unwrap(), y.parse().unwrap()]
                })
                .collect()
        })
        .collect();
    // The gap cuts the line in two.
    assert_eq!(drawn.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
    let ([first, middle], [_, last]) = ([drawn[0][0], drawn[0][1]], [drawn[1][0], drawn[1][1]]);
    assert!((middle[0] - (first[0] + last[0]) / 2.0).abs() < 0.02);
    assert!((middle[1] - (first[1] + last[1]) / 2.0).abs() < 0.02);
}

/// A spike leaves a chart at the end of its axis, where a mark says how far it went; the numbers of the axis stay.
#[test]
fn what_lies_above_an_axis_is_marked_with_its_number() {
    let axes = [Axis::new("epochs"), Axis::new("loss").range(0.0, 2.5)];
    let spiked = vec![(0.0, 2.3), (1.0, 41.2), (2.0, 1.0), (3.0, 7.5), (4.0, 0.5)];
    let held_out = vec![(1.0, 1.5), (2.0, 1.2), (4.0, 1.1)];
    let series = [
        Series::new("training", 0, spiked).dashed(),
        Series::new("held out", 1, held_out),
    ];
    let scene = lines(&axes, &series, [340.0, 210.0]);
    let picture = Picture::read(&svg::write(&scene));
    let said = |text: &str| {
        picture
            .always
            .iter()
            .filter(|mark| mark.text == text)
            .count()
    };
    assert_eq!(
        [said("41.2"), said("7.5"), said("2.5"), said("40")],
        [1, 1, 1, 0]
    );
    for text in ["41.2", "7.5"] {
        let mark = picture
            .always
            .iter()
            .find(|mark| mark.text == text)
            .unwrap();
        let end = picture
            .always
            .iter()
            .find(|mark| mark.text == "2.5")
            .unwrap();
        assert!(mark.y < end.y + 1.0, "{mark:?} {end:?}");
    }
    let flat = lines(&axes, &series[1..], [340.0, 210.0]);
    assert_eq!(flat.top.len(), 1);
    // Three pieces, two triangles, two numbers, and the line of the held-out ones.
    assert_eq!(scene.top.len(), 3 + 2 + 2 + 1);
}
