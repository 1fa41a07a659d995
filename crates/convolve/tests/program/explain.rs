//! `explain`: what the network inside the program, and others, see on a picture.

use std::fs;
use std::path::Path;

use roxmltree::Document;
use serde_json::Value;

use crate::fixture::{bmp, folder, names, shaded, textured};
use crate::invoke::{convolve, fail, objects, succeed};

/// Height and width of what the network inside the program reads.
const SIDE: usize = 32;

/// What a page shows, as XML.
fn main_of(path: &Path) -> String {
    let page = fs::read_to_string(path).unwrap();
    let (start, end) = (page.find("<main>").unwrap(), page.find("</body>").unwrap());
    page[start..end].to_owned()
}

/// Texts of the elements of a name, in a document that must be well-formed.
fn texts_of(document: &str, name: &str) -> Vec<String> {
    let document = Document::parse(document).unwrap();
    let named = document
        .descendants()
        .filter(|node| node.tag_name().name() == name);
    named
        .map(|node| node.text().unwrap_or_default().to_owned())
        .collect()
}

/// Texts of an SVG, which must be well-formed and ask for nothing outside.
fn texts(path: &Path) -> Vec<String> {
    let svg = fs::read_to_string(path).unwrap();
    let document = Document::parse(&svg).unwrap();
    for node in document.descendants() {
        if let Some(href) = node.attribute("href") {
            let inside = href.starts_with('#') || href.starts_with("data:image/png;base64,");
            assert!(inside, "{href}");
        }
    }
    texts_of(&svg, "text")
}

/// The numbers of a map, which must be as many as its extents say, and within its range.
fn values(map: &Value, [rows, columns]: [usize; 2]) -> Vec<f64> {
    let number = |value: &Value| value.as_f64().unwrap();
    let found = map["values"].as_array().unwrap();
    assert_eq!(found.len(), rows);
    let all: Vec<f64> = found
        .iter()
        .flat_map(|row| {
            let row = row.as_array().unwrap();
            assert_eq!(row.len(), columns);
            row.iter().map(number)
        })
        .collect();
    let low = all.iter().copied().fold(f64::INFINITY, f64::min);
    let high = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    assert_eq!([number(&map["low"]), number(&map["high"])], [low, high]);
    all
}

#[test]
fn a_board_is_drawn_in_every_format_and_its_ranges_are_printed() {
    let folder = folder();
    let path = folder.path();
    textured(&path.join("a.bmp"), 40);
    let text = succeed(path, &["explain", "a.bmp", "-o", "board.svg"]);
    let drawn = texts(&path.join("board.svg"));
    let titles = [
        "The picture",
        "What the network reads",
        "The answer",
        "Grad-CAM",
        "Occlusion",
        "Saliency",
        "Guided backpropagation",
        "Deconvnet",
    ];
    for title in titles {
        assert!(drawn.iter().any(|text| text == title), "{title}: {drawn:?}");
    }
    assert!(drawn.iter().any(|text| text == "Feature maps by depth"));
    for words in ["a.bmp: ", "explained: class ", "Saliency ", "Grad-CAM of "] {
        assert!(
            text.lines().any(|line| line.starts_with(words)),
            "{words}: {text}"
        );
    }
    let formats = [("png", &b"\x89PNG"[..]), ("html", b"<!DOCTYPE html>")];
    for (format, begin) in formats {
        let name = format!("board.{format}");
        succeed(path, &["explain", "a.bmp", "-o", &name]);
        assert!(
            fs::read(path.join(name)).unwrap().starts_with(begin),
            "{format}"
        );
    }
    let headings = texts_of(&main_of(&path.join("board.html")), "h2");
    assert_eq!(
        headings,
        [
            "Where the network looks",
            "Filters of the first layers",
            "Feature maps by depth",
            "Numbers"
        ]
    );
    assert_eq!(
        names(path),
        ["a.bmp", "board.html", "board.png", "board.svg"]
    );
}

/// A picture of which the network reads the middle is shown whole, with a frame around that.
#[test]
fn what_is_read_of_a_picture_is_framed_on_it() {
    let folder = folder();
    let path = folder.path();
    textured(&path.join("square.bmp"), 40);
    shaded(&path.join("wide.bmp"), [48, 96]);
    let board = |picture: &str| {
        let methods = ["--methods", "filters", "-o", "board.html"];
        succeed(path, &[&["explain", picture][..], &methods].concat());
        main_of(&path.join("board.html"))
    };
    let square = board("square.bmp");
    assert!(square.contains("All of it is read by the network, as 32×32 pixels (height×width)."));
    let wide = board("wide.bmp");
    let said = "48×96 pixels (height×width). The network reads what is in the frame, as 32×32.";
    assert!(wide.contains(said), "{wide}");
    // The middle 48 of 96 columns, of a picture that is 250 wide.
    let mut items = wide.split("<rect ").skip(1);
    let dashed = items.find(|item| item.contains("c-dash"));
    let frame = dashed.expect("a frame");
    let number = |name: &str| -> f64 {
        let (_, rest) = frame.split_once(&format!(" {name}=\"")).unwrap();
        rest.split('"').next().unwrap().parse().unwrap()
    };
    assert!(
        (number("width") - 125.0).abs() < 0.2 && (number("height") - 125.0).abs() < 0.2,
        "{frame}"
    );
}

#[test]
fn numbers_are_those_of_the_network() {
    let folder = folder();
    let path = folder.path();
    textured(&path.join("a.bmp"), SIDE);
    let [answer] = &objects(&succeed(path, &["predict", "a.bmp", "--json"]))[..] else {
        panic!("one object")
    };
    let json = succeed(path, &["explain", "a.bmp", "--json"]);
    let [found] = &objects(&json)[..] else {
        panic!("one object")
    };
    for (own, other) in std::iter::zip(
        found["top"].as_array().unwrap(),
        answer["top"].as_array().unwrap(),
    ) {
        assert_eq!(own["label"], other["label"]);
        let [own, other] = [own, other].map(|guess| guess["probability"].as_f64().unwrap());
        assert!((own - other).abs() < 1e-5, "{own} {other}");
    }
    assert_eq!(found["explained"]["label"], answer["top"][0]["label"]);

    let shown = &found["shown"];
    assert!(
        values(&shown["grad-cam"], [SIDE; 2])
            .iter()
            .all(|&value| value >= 0.0)
    );
    assert!(
        values(&shown["saliency"], [SIDE; 2])
            .iter()
            .all(|&value| value >= 0.0)
    );
    values(&shown["guided"], [SIDE; 2]);
    values(&shown["deconvnet"], [SIDE; 2]);
    // What is lost is what the whole image had, less what is left.
    let occlusion = &shown["occlusion"];
    let whole = occlusion["whole"].as_f64().unwrap();
    let explained = found["explained"]["probability"].as_f64().unwrap();
    assert!((whole - explained).abs() < 1e-5);
    let left = &occlusion["probabilities"];
    let [rows, columns] = [left["values"].as_array().unwrap().len(), 15];
    assert_eq!(rows, columns);
    let left = values(left, [rows, columns]);
    let drop = values(occlusion, [SIDE; 2]);
    // The corner lies under the first window alone.
    assert!((drop[0] - (whole - left[0])).abs() < 1e-6);
    assert_eq!(
        occlusion["labels"].as_array().unwrap().len(),
        rows * columns
    );
    assert_eq!(shown["maps"].as_array().unwrap().len(), 3);
}

/// The range at the layer's places and that of the colours are told apart.
#[test]
fn grad_cam_says_where_each_of_its_ranges_is_from() {
    let folder = folder();
    let path = folder.path();
    textured(&path.join("a.bmp"), SIDE);
    let arguments = ["explain", "a.bmp", "--methods", "grad-cam", "-o", "b.html"];
    let answer = convolve(path, &arguments);
    assert_eq!((answer.code, answer.err.as_str()), (0, "wrote b.html\n"));
    let captions = texts_of(&main_of(&path.join("b.html")), "figcaption");
    let caption = captions.iter().find(|text| text.contains("speak for"));
    let caption = caption.expect("Grad-CAM's");
    assert!(!caption.contains("Raw range"), "{caption}");
    let json = succeed(path, &[&arguments[..4], &["--json"]].concat());
    let shown = &objects(&json)[0]["shown"]["grad-cam"];
    let range = |map: &Value| {
        let [low, high] = ["low", "high"].map(|end| figures::short(map[end].as_f64().unwrap()));
        format!("{low} to {high}")
    };
    let places = format!("Its 8×8 places hold {}. ", range(&shown["raw"]));
    let most = figures::short(shown["high"].as_f64().unwrap());
    let colours = format!("the colours go from 0 to {most}.");
    assert!(caption.contains(&places), "{places}: {caption}");
    assert!(caption.ends_with(&colours), "{colours}: {caption}");
    let row = format!("Grad-CAM of {} ", shown["layer"].as_str().unwrap());
    let printed = answer
        .out
        .lines()
        .find(|line| line.starts_with(&row))
        .unwrap();
    assert!(
        printed.ends_with("before it is cut and enlarged"),
        "{printed}"
    );
}

#[test]
fn the_feature_maps_of_a_layer_are_those_that_are_shown() {
    let folder = folder();
    let path = folder.path();
    textured(&path.join("a.bmp"), SIDE);
    for (layer, maps) in [("conv1", 28), ("layer3.2.relu_1", 64)] {
        let asked = [
            "explain", "a.bmp", "--layer", layer, "-o", "b.html", "--json",
        ];
        let told = objects(&succeed(path, &asked)).remove(0);
        let shown = told["shown"]["maps"].as_array().unwrap();
        assert_eq!((shown.len(), &shown[0]["layer"]), (1, &layer.into()));
        assert_eq!(shown[0]["strongest"].as_array().unwrap().len(), maps);
        let headings = texts_of(&main_of(&path.join("b.html")), "h2");
        assert!(
            headings.contains(&format!("Feature maps of {layer}")),
            "{headings:?}"
        );
    }
}

#[test]
fn checks_stand_beside_the_maps_they_check() {
    let folder = folder();
    let path = folder.path();
    textured(&path.join("a.bmp"), 40);
    let methods = "saliency,guided,deletion,randomisation,statistics,field";
    let arguments = [
        "explain",
        "a.bmp",
        "--methods",
        methods,
        "-o",
        "b.html",
        "--json",
    ];
    let json = succeed(path, &arguments);
    let drawn = texts_of(&main_of(&path.join("b.html")), "h3");
    let shown = &objects(&json)[0]["shown"];
    for (method, title) in [
        ("saliency", "Saliency"),
        ("guided", "Guided backpropagation"),
    ] {
        let place = |text: &str| drawn.iter().position(|drawn| drawn == text).unwrap();
        let map = place(title);
        assert_eq!(place(&format!("Deletion by {title}")), map + 1);
        assert_eq!(place(&format!("{title} with shuffled weights")), map + 2);
        let curve = &shown[method]["deletion"];
        let removed = curve["removed"].as_array().unwrap();
        assert_eq!([&removed[0], &removed[removed.len() - 1]], [0.0, 1.0]);
        let first = curve["probabilities"][0].as_f64().unwrap();
        let whole = objects(&json)[0]["explained"]["probability"]
            .as_f64()
            .unwrap();
        assert!((first - whole).abs() < 1e-5);
        let rows = shown[method]["randomisation"].as_array().unwrap();
        assert!(!rows.is_empty());
        for row in rows {
            let correlation = row["correlation"].as_f64().unwrap();
            assert!((-1.0..=1.0).contains(&correlation));
        }
    }
    assert!(shown["grad-cam"].is_null());
    assert!(shown["statistics"].as_array().unwrap().len() > 20);
    let field = &shown["field"];
    assert!(field["effective_pixels"].as_u64() <= field["theoretical_pixels"].as_u64());
    // Every layer that has statistics is named beside its numbers in both charts.
    let named = texts_of(&main_of(&path.join("b.html")), "text");
    for layer in shown["statistics"].as_array().unwrap() {
        let name = layer["layer"].as_str().unwrap();
        let count = named.iter().filter(|text| *text == name).count();
        assert_eq!(count, 2, "{name}");
    }
}

#[test]
fn checks_of_occlusion_come_before_its_other_maps_and_a_board_is_as_wide_as_asked() {
    let folder = folder();
    let path = folder.path();
    textured(&path.join("a.bmp"), SIDE);
    let wide = |columns: &[&str]| {
        let asked = ["explain", "a.bmp", "--methods", "occlusion,deletion"];
        let output = ["--window", "16", "-o", "b.svg"];
        let printed = succeed(path, &[&asked, &output, columns].concat());
        let rows: Vec<&str> = printed.lines().skip(3).collect();
        let starts = ["Occlusion", "Deletion by Occlusion", "map "];
        let in_order = rows.iter().zip(starts);
        assert!(
            in_order.clone().all(|(row, start)| row.starts_with(start)),
            "{printed}"
        );
        let svg = fs::read_to_string(path.join("b.svg")).unwrap();
        let document = Document::parse(&svg).unwrap();
        let width = document.root_element().attribute("width").unwrap();
        width.parse::<f64>().unwrap()
    };
    let [usual, three, one] = [&[][..], &["--columns", "3"], &["--columns", "1"]].map(wide);
    assert!(usual > three && three > 2.0 * one, "{usual} {three} {one}");
}

#[test]
fn patches_come_from_the_pictures_of_a_folder() {
    let folder = folder();
    let path = folder.path();
    textured(&path.join("a.bmp"), 40);
    fs::create_dir(path.join("photos")).unwrap();
    for (place, colour) in [[200, 20, 20], [20, 200, 20], [20, 20, 200]]
        .into_iter()
        .enumerate()
    {
        bmp(&path.join(format!("photos/{place}.bmp")), 33, colour);
    }
    fs::write(path.join("photos/broken.png"), "no picture").unwrap();
    let arguments = [
        "explain",
        "a.bmp",
        "--methods",
        "patches",
        "--data",
        "photos",
        "--json",
    ];
    let answer = convolve(path, &arguments);
    assert_eq!(answer.code, 0, "{}", answer.err);
    assert!(
        answer.err.contains("1 of 4 pictures left out"),
        "{}",
        answer.err
    );
    let patches = objects(&answer.out)[0]["shown"]["patches"].clone();
    let strengths: Vec<f64> = patches
        .as_array()
        .unwrap()
        .iter()
        .map(|patch| patch["activation"].as_f64().unwrap())
        .collect();
    assert_eq!(strengths.len(), 3);
    assert!(strengths.is_sorted_by(|a, b| a >= b), "{strengths:?}");
    let words = ["--data names a folder"];
    fail(
        path,
        2,
        &["explain", "a.bmp", "--methods", "patches"],
        &words,
    );
}

#[test]
fn a_class_is_chosen_by_name_or_number() {
    let folder = folder();
    let path = folder.path();
    textured(&path.join("a.bmp"), SIDE);
    for class in ["ship", "8"] {
        let arguments = [
            "explain",
            "a.bmp",
            "--class",
            class,
            "--methods",
            "grad-cam",
            "--json",
        ];
        let explained = objects(&succeed(path, &arguments))[0]["explained"].clone();
        assert_eq!(explained["label"], "ship");
        assert_eq!(explained["class"], 8);
    }
}

#[test]
fn other_networks_are_looked_into_by_what_names_them() {
    let folder = folder();
    let path = folder.path();
    textured(&path.join("a.bmp"), SIDE);
    let asset =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../program/assets/classifier.safetensors");
    fs::copy(asset, path.join("net.safetensors")).unwrap();
    succeed(path, &["export", "net.safetensors", "net.onnx", "-q"]);
    let shown = |network: &[&str]| {
        let arguments = [
            &["explain"],
            network,
            &["a.bmp", "--methods", "saliency,occlusion", "--json"],
        ];
        objects(&succeed(path, &arguments.concat()))[0].clone()
    };
    let own = shown(&[]);
    for network in ["net.safetensors", "net.onnx"] {
        let other = shown(&[network]);
        assert_eq!(own["explained"]["label"], other["explained"]["label"]);
        let [own, other] = [&own, &other].map(|of| values(&of["shown"]["saliency"], [SIDE; 2]));
        let most = own.iter().copied().fold(0.0, f64::max);
        for (a, b) in own.iter().zip(&other) {
            assert!((a - b).abs() <= 1e-4 * most, "{network}: {a} {b}");
        }
    }
}

#[test]
fn what_makes_no_sense_is_one_line_and_no_file() {
    let folder = folder();
    let path = folder.path();
    textured(&path.join("a.bmp"), SIDE);
    fs::write(path.join("broken.png"), b"\x89PNG\r\n\x1a\nno more").unwrap();
    let cases: &[(i32, &[&str], &[&str])] = &[
        (
            2,
            &["a.bmp", "--layer", "layer3.2.rellu"],
            &["no layer 'layer3.2.rellu'", "did you mean"],
        ),
        (
            2,
            &["a.bmp", "--layer", "fc"],
            &["layer fc", "no feature maps"],
        ),
        (2, &["a.bmp", "--columns", "0"], &["--columns", "1..=12"]),
        (
            2,
            &["a.bmp", "--methods", "grad-cam", "--data", "none"],
            &["--data", "patches are not among the --methods"],
        ),
        (
            2,
            &["resnet18"],
            &["resnet18: a network, and no picture is named"],
        ),
        (
            2,
            &["a.bmp", "--class", "10"],
            &["class 10", "10 classes apart, 0 to 9"],
        ),
        (
            2,
            &["a.bmp", "--class", "plane"],
            &["'plane'", "did you mean airplane?"],
        ),
        (
            2,
            &["a.bmp", "--class", "unicorn"],
            &["'unicorn'", "0 to 9"],
        ),
        (
            2,
            &["a.bmp", "--channel", "112"],
            &["no channel 112", "it has 112"],
        ),
        (
            2,
            &["a.bmp", "--window", "33"],
            &["a window of 33", "from 1 to 32"],
        ),
        (2, &["a.bmp", "--stride", "0"], &["a stride of 0"]),
        (2, &["a.bmp", "--class", "catt"], &["did you mean cat?"]),
        (2, &["resnet8", "a.bmp"], &["resnet8"]),
        (2, &["a.bmp", "--methods", "magic"], &["magic", "grad-cam"]),
        (2, &["none.png"], &["none.png: no such file or folder"]),
        (1, &["broken.png"], &["broken.png"]),
        (2, &["a.bmp", "broken.png"], &["one picture"]),
        (2, &["resnet20", "a.bmp"], &["resnet20", "--weights"]),
        (
            2,
            &["a.bmp", "--methods", "patches", "--data", "nowhere"],
            &["nowhere: no such file or folder"],
        ),
    ];
    for (code, arguments, words) in cases {
        let arguments = [&["explain"], *arguments, &["-o", "x.svg"]].concat();
        fail(path, *code, &arguments, words);
    }
    let ending = ["the name of a board ends in .png, .svg or .html"];
    fail(path, 2, &["explain", "a.bmp", "-o", "x.gif"], &ending);
    fail(
        path,
        2,
        &["explain", "a.bmp", "-o", "no/x.svg"],
        &["no/x.svg: no such file or folder"],
    );
    fs::create_dir(path.join("folder.png")).unwrap();
    fail(
        path,
        2,
        &["explain", "a.bmp", "-o", "folder.png"],
        &["folder.png"],
    );
    assert_eq!(names(path), ["a.bmp", "broken.png", "folder.png"]);
}

/// Attention as PyTorch exports it: tokens along the first axis, and a batch of one in every shape.
#[test]
fn a_network_whose_shapes_hold_a_batch_of_one_has_a_board() {
    let folder = folder();
    let path = folder.path();
    textured(&path.join("a.bmp"), SIDE);
    crate::fixture::onnx(&path.join("net.onnx"), &[1, 3, 24, 24], |network, x| {
        let conv = geometry::ConvDesc::new(48, 3).stride(3);
        let x = network.conv("stem", x, conv, true)?;
        let x = network.relu(x)?;
        let x = network.reshape(x, &[1, 48, 64])?;
        let x = network.permute(x, &[2, 0, 1])?;
        let x = network.reshape(x, &[64, 1, 3, 16])?;
        let x = network.sigmoid(x)?;
        let x = network.permute(x, &[1, 2, 3, 0])?;
        let x = network.reshape(x, &[1, 3072])?;
        Ok(vec![network.linear("fc", x, 5)?])
    });
    let arguments = [
        "explain",
        "net.onnx",
        "a.bmp",
        "--methods",
        "all",
        "-o",
        "b.svg",
        "--json",
    ];
    let answer = convolve(path, &arguments);
    assert_eq!(answer.code, 0, "{}", answer.err);
    let told = objects(&answer.out).remove(0);
    let left_out: Vec<&str> = (told["left_out"].as_array().unwrap().iter())
        .map(|of| of["method"].as_str().unwrap())
        .collect();
    assert_eq!(left_out, ["patches"], "{told}");
    assert_eq!(told["shown"]["maps"].as_array().unwrap().len(), 1);
    assert_eq!(
        told["shown"]["maps"][0]["shape"],
        serde_json::json!([48, 8, 8])
    );
    // One image at a time: each with an answer of its own.
    let probabilities = &told["shown"]["occlusion"]["probabilities"];
    let least = probabilities["low"].as_f64().unwrap();
    assert!(least > 0.0 && least < probabilities["high"].as_f64().unwrap());
    assert!(path.join("b.svg").is_file());
}
